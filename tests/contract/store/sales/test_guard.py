"""The inbox looks for lines of summaries: once where nobody has any, and whenever somebody may have recorded since."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from store.engine import connect
from store.errors import Summarised
from store.inbox import Fresh, Inbox
from store.sales.summaries import SummaryStore
from tests.contract.store.conftest import LEASE
from tests.contract.store.sales.test_summaries import FEE, INVOICE, PAYMENT, line, recording
from tests.contract.store.samples import EVENT, claim, intent
from tests.fakes import FakeClock

Asked = Callable[[], int]


@pytest.fixture
async def theirs(database_url: str, clock: FakeClock) -> AsyncIterator[Inbox]:
    """The inbox of another process."""
    engine = connect(database_url)
    yield Inbox(engine, owner="b", lease=LEASE, clock=clock)
    await engine.dispose()


@contextmanager
def counted(engine: AsyncEngine) -> Iterator[Asked]:
    """How often the lines of summaries are asked for meanwhile."""
    said: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.extend([statement] if "FROM summary_lines" in statement else [])

    event.listen(engine.sync_engine, "before_cursor_execute", hear)
    try:
        yield lambda: len(said)
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", hear)


async def test_where_nobody_has_lines_they_are_asked_for_once(inbox: Inbox, engine: AsyncEngine) -> None:
    with counted(engine) as asked:
        for number in range(5):
            await claim(inbox, intent(f"inv_{number}"))
            await inbox.applied("main", f"inv_{number}", 1, solid_id=f"solid_{number}")
        assert asked() == 1


async def test_they_are_asked_for_again_after_another_process_was_at_work(
    inbox: Inbox, theirs: Inbox, engine: AsyncEngine
) -> None:
    await claim(inbox, intent("inv_1"))
    with counted(engine) as asked:
        await claim(theirs, intent("inv_2"))
        await claim(inbox, intent("inv_3"))
        await claim(inbox, intent("inv_4"))
        assert asked() == 1


async def test_what_another_process_has_recorded_since_the_last_claim_gets_none(
    inbox: Inbox, theirs: Inbox, engine: AsyncEngine, clock: FakeClock
) -> None:
    await claim(inbox, intent("inv_1"))
    await claim(inbox, intent("inv_2"))
    await SummaryStore(engine, clock, theirs.marks).record(recording([line(FEE)]))
    with pytest.raises(Summarised):
        await claim(inbox, intent(FEE))


async def test_what_this_process_has_recorded_since_the_last_claim_gets_none(
    inbox: Inbox, engine: AsyncEngine, clock: FakeClock
) -> None:
    summaries = SummaryStore(engine, clock, inbox.marks)
    await claim(inbox, intent("inv_1"))
    await summaries.record(recording([line(INVOICE), line(PAYMENT)]))
    await claim(inbox, intent("inv_2"))
    await summaries.record(recording([line(FEE)]))
    for recorded in (INVOICE, PAYMENT, FEE):
        with pytest.raises(Summarised):
            await claim(inbox, intent(recorded))


async def test_lines_of_one_company_are_not_those_of_another(
    inbox: Inbox, engine: AsyncEngine, clock: FakeClock
) -> None:
    await SummaryStore(engine, clock, inbox.marks).record(recording([line(FEE)], company="branch"))
    assert isinstance(await claim(inbox, intent(FEE)), Fresh)
    with pytest.raises(Summarised):
        await inbox.claim("branch", EVENT, [intent(FEE)])
