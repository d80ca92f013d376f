"""Several events may lead to one write. Each that held a claim is traced to it, and the first costs nothing more."""

from dataclasses import replace

from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from store.engine import reading
from store.inbox import Done, Doubt, Fresh, Inbox
from store.schema import WRITE_EVENTS
from tests.contract.store.samples import COMPANY, EVENT, PAYMENT, claim
from tests.fakes import FakeClock

SECOND = replace(EVENT, id="evt_2", type="sales.other.v1", subject="pi_1")
THIRD = replace(EVENT, id="evt_3", subject=None)


async def found(inbox: Inbox, text: str) -> list[str]:
    return [row.external_id for row in await inbox.trace(text)]


async def test_an_event_is_found_after_another_took_its_released_write(inbox: Inbox) -> None:
    await claim(inbox)
    await inbox.release(COMPANY, PAYMENT, 1)
    assert await claim(inbox, event=SECOND) == Fresh(2)
    for text in ("evt_1", "ch_1", "evt_2", "pi_1"):
        assert await found(inbox, text) == [PAYMENT]
    [row] = await inbox.trace("evt_1")
    assert (row.event_id, row.event_type, row.subject) == ("evt_2", "sales.other.v1", "pi_1")


async def test_an_event_that_resolved_a_doubt_and_the_one_that_left_it_are_both_found(inbox: Inbox) -> None:
    await claim(inbox)
    await inbox.unknown(COMPANY, PAYMENT, 1)
    assert isinstance(await claim(inbox, event=SECOND), Doubt)
    await inbox.applied(COMPANY, PAYMENT, 2, solid_id="s")
    assert [await found(inbox, text) for text in ("evt_1", "evt_2")] == [[PAYMENT]] * 2


async def test_events_that_take_turns_are_each_kept_once(inbox: Inbox, engine: AsyncEngine, clock: FakeClock) -> None:
    for epoch, one in enumerate([EVENT, SECOND, EVENT, THIRD, SECOND, EVENT], start=1):
        clock.advance(1)
        await claim(inbox, event=one)
        await inbox.refused(COMPANY, PAYMENT, epoch, code="c", message="m")
    async with reading(engine) as connection:
        assert await connection.scalar(select(func.count()).select_from(WRITE_EVENTS)) == 3
    assert [await found(inbox, text) for text in ("evt_1", "evt_2", "evt_3", "pi_1")] == [[PAYMENT]] * 4


async def test_a_claim_of_one_event_and_one_that_is_done_write_no_line(inbox: Inbox, engine: AsyncEngine) -> None:
    said: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "marks" not in statement:
            said.append(statement.split(maxsplit=1)[0])

    event.listen(engine.sync_engine, "before_cursor_execute", listen)
    await claim(inbox)
    await inbox.unknown(COMPANY, PAYMENT, 1)
    await claim(inbox)
    await inbox.applied(COMPANY, PAYMENT, 2, solid_id="s")
    said = [word for word in said if word != "BEGIN"]
    claims, settlements = (["SELECT", "INSERT", "SELECT"], ["SELECT", "UPDATE"]), ["SELECT", "UPDATE"]
    assert said == [*claims[0], *settlements, *claims[1], *settlements], "only the first asks for lines of summaries"
    said.clear()
    assert await claim(inbox, event=SECOND) == Done("s")
    assert [word for word in said if word != "BEGIN"] == ["SELECT"]
    assert await found(inbox, "evt_2") == []
