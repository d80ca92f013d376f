"""Text of any length is kept: no index is too small for it, on either database."""

import random
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.audit import AuditTrail
from store.cases import Cases
from store.earlier import EarlierRecords, Known
from store.inbox import EventRef, Inbox
from store.letters.dead_letters import DeadLetters
from tests.contract.store.samples import COMPANY, PAYMENT, claim, intent, letter
from tests.fakes import FakeClock

LONG = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789é", k=9_000))  # noqa: S311 - no secret
"""Nothing that a database could compress into an index."""

OTHER = f"{LONG}x"


async def test_a_write_of_an_event_with_long_names_is_kept_and_found(inbox: Inbox) -> None:
    events = [EventRef(source=name, id=name, type="sales.payment.succeeded.v1", subject=name) for name in (LONG, OTHER)]
    for number, event in enumerate(events):
        answer = await claim(inbox, intent(f"{PAYMENT}:{number}", group_key=LONG, amount="1.00", currency="USD"), event)
        epoch = answer.epoch  # type: ignore[union-attr] # a new one is Fresh
        await inbox.applied(COMPANY, f"{PAYMENT}:{number}", epoch, solid_id=f"{number}{LONG}")
    assert [row.external_id for row in await inbox.trace(LONG)] == [f"{PAYMENT}:0", f"{PAYMENT}:1"], "one group"
    assert [row.external_id for row in await inbox.trace(OTHER)] == [f"{PAYMENT}:1"]
    assert [row.external_id for row in await inbox.trace(f"0{LONG}")] == [f"{PAYMENT}:0"]
    assert await inbox.group_total(COMPANY, LONG, "USD") == 2


async def test_an_event_that_takes_over_one_with_long_names_is_kept_beside_it(inbox: Inbox) -> None:
    for name in (LONG, OTHER):
        event = EventRef(source=name, id=name, type="sales.payment.succeeded.v1", subject=name)
        answer = await claim(inbox, intent(), event)
        await inbox.release(COMPANY, PAYMENT, answer.epoch)  # type: ignore[union-attr] # a free one is Fresh
    assert [row.external_id for row in await inbox.trace(LONG)] == [PAYMENT]


def test_an_external_id_that_no_index_can_hold_is_refused_before_anything_is_stored() -> None:
    with pytest.raises(ValueError, match="more than 500 bytes"):
        intent(LONG)


async def test_the_desk_keeps_a_letter_with_long_names(engine: AsyncEngine, clock: FakeClock) -> None:
    letters = DeadLetters(engine, clock)
    kept = letter(LONG, reason=f"unmapped:item:{LONG}", subject=LONG, event_id=LONG, error=LONG, company=LONG)
    assert await letters.add(kept)
    assert not await letters.add(kept), "the same one"
    [listed] = await letters.list()
    stored = await letters.get(listed.id)
    assert (stored.subject, stored.body) == (LONG, kept.body)
    assert (await letters.get(stored.id)).subject == LONG
    await AuditTrail(engine, clock).append(actor="ada", act="dead_letter.replayed", subject=LONG)
    assert await Cases(engine, clock).open(COMPANY, "missing_record", LONG, {})
    assert not await Cases(engine, clock).open(COMPANY, "missing_record", LONG, {})


async def test_records_of_others_with_long_keys_are_remembered(engine: AsyncEngine, clock: FakeClock) -> None:
    records = EarlierRecords(engine, clock)
    await records.keep(COMPANY, "entry", Known(date(2026, 1, 1), {LONG: "solid-1", OTHER: "solid-2", "short": "3"}))
    known = await records.known(COMPANY, "entry")
    assert known is not None
    assert sorted(known.records.values()) == ["3", "solid-1", "solid-2"]
