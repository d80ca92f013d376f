"""What must be in the books first: the inbox knows, or a reading of what an inbox that was lost had posted."""

import pytest

from schemas.money import Money
from solid.client import Inconclusive
from store.earlier import EarlierRecords
from tests.unit.workers.bench import CHART, COMPANY, DAY, TIMING, Bench, entry, fact
from workers import prerequisites
from workers.errors import NotYet
from workers.plans.writes import Group, Plan, Prerequisite, RefundsReach, Requirement
from workers.prerequisites import PrerequisiteMissing
from workers.records import record_of

NEEDS = (Prerequisite(external_id="fact:1", kind="entry"),)
REACH = (RefundsReach(group="refunds", total=Money.of("3.00", "USD")),)


async def check(
    bench: Bench, requires: tuple[Requirement, ...] = NEEDS, *, company: str = COMPANY, waited: bool = False
) -> None:
    earlier = bench.earlier() if waited else None
    captures = bench.captures()
    await prerequisites.check(bench.inbox(), company, requires, captures=captures, earlier=earlier, day=DAY)


async def test_what_is_not_known_is_missing_by_its_name(bench: Bench) -> None:
    with pytest.raises(PrerequisiteMissing, match="fact:1 is not in the books yet") as missing:
        await check(bench)
    assert missing.value.reason == "prerequisite:fact:1"
    assert bench.solid.sent() == [], "what is merely late costs no call"


async def test_what_is_sent_but_not_known_to_be_applied_is_missing(bench: Bench) -> None:
    bench.solid.faults.append("answer_lost")
    with pytest.raises(Exception, match="waiting"):
        await bench.applier().apply(fact(), Plan(writes=(entry("fact:1"),)))
    with pytest.raises(PrerequisiteMissing):
        await check(bench)


async def test_what_a_restored_inbox_left_half_done_is_there_where_a_lost_one_finished_it(bench: Bench) -> None:
    """Its own event was settled in the time that was lost: nobody will ever hand it over again."""
    bench.solid.faults.append("never_arrived")
    with pytest.raises(Exception, match="waiting"):
        await bench.applier().apply(fact(), Plan(writes=(entry("fact:1"),)))
    for _ in ("its last call may still land", "nothing came of it"):
        with pytest.raises((NotYet, PrerequisiteMissing)):
            await check(bench, waited=True)
        bench.clock.advance(TIMING.settle + TIMING.unasked)
    bench.solid.add(record_of(entry("fact:1"), {}, CHART))
    await EarlierRecords(bench.engine, bench.clock).begin_anew(COMPANY, by="me")
    with pytest.raises(NotYet):
        await check(bench, waited=True)
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await check(bench, waited=True)


async def test_what_is_applied_is_there_for_its_own_company_only(bench: Bench) -> None:
    await bench.applier().apply(fact(), Plan(writes=(entry("fact:1"),)))
    await check(bench)
    with pytest.raises(PrerequisiteMissing):
        await check(bench, company="another")


async def test_what_a_lost_inbox_posted_is_in_the_books(bench: Bench) -> None:
    bench.solid.add(record_of(entry("fact:1"), {}, CHART))
    with pytest.raises(NotYet):  # its last call may still land
        await check(bench, waited=True)
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await check(bench, waited=True)
    for needs in (
        (Prerequisite(external_id="fact:2", kind="entry"),),
        (Prerequisite(external_id="fact:1"),),  # this inbox must know the lines of what it takes back
    ):
        with pytest.raises(PrerequisiteMissing):
            await check(bench, needs, waited=True)


async def test_where_the_list_cannot_be_read_a_person_is_asked(bench: Bench) -> None:
    bench.solid.add(record_of(entry("fact:1"), {}, CHART))
    bench.solid.unreadable = Inconclusive("the list shows no key")
    with pytest.raises(NotYet):
        await check(bench, waited=True)
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    with pytest.raises(PrerequisiteMissing):
        await check(bench, waited=True)


async def test_refunds_must_add_up_to_the_total(bench: Bench) -> None:
    async def refund(name: str, amount: str) -> None:
        group = Group(key="refunds", amount=Money.of(amount, "USD"))
        await bench.applier().apply(fact(), Plan(writes=(entry(name, amount),), group=group))

    await refund("refund:1", "1.25")
    with pytest.raises(PrerequisiteMissing, match=r"3\.00 USD refunded in all, but only 1\.25 USD") as missing:
        await check(bench, REACH)
    assert missing.value.reason == "prerequisite:refunds"
    await refund("refund:2", "1.75")
    await check(bench, REACH)
    assert bench.solid.sent() == ["create refund:1", "create refund:2"], "no call is spent on the question"
