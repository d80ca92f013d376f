"""Solid, or a proxy before it, fails one list or look-up and serves all others: nothing is taken for not there."""

import contextlib
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from solid.client import Everything, Inconclusive
from solid.errors import OutcomeUnknown, Refused, RefusedInDoubt, SolidError, Unavailable
from solid.lookups import Lookup, Sought
from solid.models import RecordKind
from store.cases import Cases
from store.earlier import EarlierRecords
from tests.fakes import NOON
from tests.unit.workers.bench import CHART, COMPANY, DAY, NEWS, TIMING, Bench, contact, entry, fact, one, sale
from tests.unit.workers.solid import FakeSolid
from workers.applying import Applier
from workers.errors import Conflicting, NotYet
from workers.failing import LONG_SECONDS, TIMES, TOO_LONG_SECONDS
from workers.plans.writes import Plan
from workers.records import record_of
from workers.sweeping import Sweeper

FEE = "fact:fee"
ADA = "stripe:customer:cus_1"
OLD = NOON - timedelta(days=3)
AFTER = timedelta(hours=1)
WAYS: list[Callable[[], SolidError]] = [
    lambda: Unavailable("unavailable", "HTTP 504", sent=True),
    lambda: OutcomeUnknown("waiting", "HTTP 500"),
    lambda: RefusedInDoubt("redirect", "to a page that says maintenance", status=302),
]


@pytest.fixture(params=WAYS, ids=["504", "500", "302"])
def failure(request: pytest.FixtureRequest) -> SolidError:
    error: SolidError = request.param()
    return error


def failing(bench: Bench, monkeypatch: pytest.MonkeyPatch, error: SolidError, *, times: int = 1) -> list[str]:
    """Let so many readings of lists fail. Gives the kinds that were read, also later."""
    real, read = type(bench.solid).everything, list[str]()

    async def everything(solid: FakeSolid, kind: RecordKind, **days: date) -> Everything | Inconclusive:
        read.append(kind)
        if len(read) <= times:
            raise error
        return await real(solid, kind, **days)

    monkeypatch.setattr(FakeSolid, "everything", everything)
    return read


async def settled(bench: Bench) -> None:
    bench.watch.saw(("inbox", COMPANY, await EarlierRecords(bench.engine, bench.clock).began(COMPANY)))
    bench.clock.advance(TIMING.settle + TIMING.unasked)


async def refused_then_posted_and_restored(bench: Bench) -> None:
    """A backup says that the fee was refused, and the store that was lost has posted it since."""
    await settled(bench)
    bench.solid.faults.append("refused")
    with pytest.raises(Refused):
        await bench.applier().apply(fact(happened=OLD), one())
    bench.solid.add(record_of(entry(FEE), {}, CHART))
    bench.clock.advance(1)
    began, _ = await EarlierRecords(bench.engine, bench.clock).begin_anew(COMPANY, by="ops")
    bench.watch.saw(("inbox", COMPANY, began))
    bench.clock.advance(TIMING.settle + TIMING.unasked)


async def waits_then_applies(bench: Bench, plan: Plan, *, happened: datetime = OLD) -> None:
    """The list fails, is left alone for a while, and is read then: nothing is sent before."""
    applier, before = bench.applier("b"), dict(bench.solid.counts)
    with pytest.raises((Unavailable, OutcomeUnknown)):
        await applier.apply(fact(2, happened=happened), plan)
    with pytest.raises(NotYet, match="list_failed"):
        await applier.apply(fact(2, happened=happened), plan)
    assert dict(bench.solid.counts) == before
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await applier.apply(fact(2, happened=happened), plan)


async def test_what_a_lost_store_has_under_way_may_still_land(
    young: Bench, monkeypatch: pytest.MonkeyPatch, failure: SolidError
) -> None:
    failing(young, monkeypatch, failure)
    applier = young.applier()
    with pytest.raises((Unavailable, OutcomeUnknown)):
        await applier.apply(fact(happened=OLD), one())
    young.solid.add(record_of(entry(FEE), {}, CHART))
    young.clock.advance(TIMING.settle + TIMING.unasked)
    await applier.apply(fact(happened=OLD), one())
    assert young.solid.counts[FEE] == 1


async def test_what_a_backup_says_was_refused_a_lost_store_may_have_posted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, failure: SolidError
) -> None:
    await refused_then_posted_and_restored(bench)
    failing(bench, monkeypatch, failure)
    await waits_then_applies(bench, one())
    assert bench.solid.counts[FEE] == 1


async def test_what_a_backup_says_was_refused_is_looked_up_where_the_list_is_too_long(bench: Bench) -> None:
    await refused_then_posted_and_restored(bench)
    bench.solid.unreadable = Inconclusive("more than 50 pages")
    await bench.applier("b").apply(fact(2, happened=OLD), one())
    assert bench.solid.counts[FEE] == 1


async def test_a_pay_run_of_a_lost_store_may_stand_on_another_day(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, failure: SolidError
) -> None:
    await settled(bench)
    bench.solid.add(record_of(entry(FEE), {}, CHART))
    bench.solid.hidden = True  # on the day of the run as it is now
    failing(bench, monkeypatch, failure)
    run = entry(FEE).model_copy(update={"totals": {"wages": Decimal("1.50")}})
    with pytest.raises(Conflicting, match="another day"):
        await waits_then_applies(bench, Plan(writes=(run,)))
    assert bench.solid.counts[FEE] == 1


@pytest.mark.parametrize("happened", [OLD, NEWS], ids=["an old fact", "a new fact"])
async def test_a_customer_of_a_lost_store_may_have_another_name_by_now(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, failure: SolidError, happened: datetime
) -> None:
    await settled(bench)
    bench.solid.add(record_of(contact(), {}, CHART))
    failing(bench, monkeypatch, failure)
    await waits_then_applies(bench, Plan(writes=(contact(display_name="Ada Lovelace"),)), happened=happened)
    assert bench.solid.counts == {ADA: 1}


async def ask_for_hours(bench: Bench, applier: Applier, hours: int, *, writing: bool) -> None:
    """Ten new customers an hour, of whom the list of contacts would have to tell, and one write that needs no list."""
    for hour in range(hours):
        for number in range(10):
            with pytest.raises((Unavailable, OutcomeUnknown, NotYet)):
                await applier.apply(fact(number), Plan(writes=(contact(f"cus_{number}"),)))
        if writing:
            await applier.apply(fact(100 + hour), one(f"fact:hour-{hour}"))
        bench.clock.advance(LONG_SECONDS)


async def cases_of(bench: Bench) -> list[tuple[str, str]]:
    return [(case.kind, case.subject) for case in await Cases(bench.engine, bench.clock).list()]


async def test_a_failing_list_is_asked_once_in_a_while_whoever_needs_it_and_comes_before_a_person(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, failure: SolidError
) -> None:
    await settled(bench)
    read = failing(bench, monkeypatch, failure, times=1_000)
    await ask_for_hours(bench, bench.applier(), TIMES, writing=True)
    assert read == ["contact"] * TIMES
    assert await cases_of(bench) == [("unverified_record", "every contact")]


@pytest.mark.long
async def test_what_an_outage_fails_is_no_case_unless_it_lasts_for_days(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, failure: SolidError
) -> None:
    await settled(bench)
    failing(bench, monkeypatch, failure, times=1_000)
    applier = bench.applier()
    await ask_for_hours(bench, applier, 24, writing=False)
    assert await cases_of(bench) == []
    bench.clock.advance(TOO_LONG_SECONDS)
    await ask_for_hours(bench, applier, 1, writing=False)
    assert await cases_of(bench) == [("unverified_record", "every contact")]


async def test_a_list_that_another_process_could_read_fails_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, failure: SolidError
) -> None:
    await settled(bench)
    before, fails = bench.earlier("a"), TIMES - 1
    failing(bench, monkeypatch, failure, times=fails)
    for _ in range(fails):
        with pytest.raises((Unavailable, OutcomeUnknown)):
            await before.find("entry", FEE, day=DAY)
        bench.clock.advance(LONG_SECONDS)
    await bench.earlier("b").find("entry", FEE, day=DAY)
    await before.find("entry", FEE, day=DAY)
    await bench.applier().apply(fact(), one())
    failing(bench, monkeypatch, failure)
    with pytest.raises((Unavailable, OutcomeUnknown)):
        await before.find("entry", FEE, day=DAY - timedelta(days=365))
    assert await cases_of(bench) == []


class Failing:
    """Solid, and a proxy before it that gives up on one look-up, on the list of one kind, or on all, each time."""

    def __init__(self, bench: Bench, fails: str, error: SolidError, *, after_seconds: float = 0.0) -> None:
        self.bench, self.fails, self.error, self.after_seconds = bench, fails, error, after_seconds

    def fail(self, *names: str) -> None:
        if self.fails == "all" or any(name.startswith(self.fails) for name in names):
            self.bench.clock.advance(self.after_seconds)
            raise self.error

    async def look_up(self, sought: Sought) -> Lookup:
        self.fail(sought.external_id)
        return self.bench.solid.lookup_of(sought.external_id)

    async def everything(
        self, kind: RecordKind, *, since: date, until: date | None = None
    ) -> Everything | Inconclusive:
        self.fail(kind)
        return await self.bench.solid.everything(kind, since=since, until=until)


async def in_doubt_and_settled(bench: Bench, name: str) -> None:
    bench.solid.faults.append("answer_lost")
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(), one(name))
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await bench.applier().apply(fact(), one(name))


def sweeper(bench: Bench, looking: Failing) -> Sweeper:
    cases = Cases(bench.engine, bench.clock)
    return Sweeper(looking, bench.inbox("sweeper"), cases, COMPANY, AFTER, bench.clock)


async def sweep(bench: Bench, sweeping: Sweeper, *, minutes: int) -> None:
    """Rounds, five minutes apart, as `Sweeper.run` makes them."""
    for _ in range(minutes // 5):
        for look in (sweeping.sweep_once, sweeping.read_once):
            with contextlib.suppress(Unavailable):
                await look()
        bench.clock.advance(300)


async def left(bench: Bench, names: Iterable[str]) -> set[str]:
    return {name for name in names if (await bench.row(name)).swept_at is None}


SALE = [write.external_id for write in sale().writes]


@pytest.mark.parametrize(
    ("fails", "case"),
    [(FEE, FEE), ("contact", "every contact"), ("invoice", "every invoice"), ("entry", "every entry")],
)
@pytest.mark.parametrize("error", [WAYS[0](), WAYS[1](), Unavailable("unauthorised", "HTTP 403")], ids=repr)
@pytest.mark.long
async def test_what_always_fails_holds_up_nothing_else_of_the_sweep_and_becomes_one_case(
    bench: Bench, fails: str, case: str, error: SolidError
) -> None:
    sweeping = sweeper(bench, Failing(bench, fails, error))
    for name in (FEE, "fact:behind"):
        await in_doubt_and_settled(bench, name)
    await bench.applier().apply(fact(), Plan(writes=(*sale().writes, entry("fact:other"))))
    bench.clock.advance(AFTER.total_seconds() + 1)
    for hour in range(5):
        await in_doubt_and_settled(bench, f"fact:hour-{hour}")
        await sweep(bench, sweeping, minutes=65)
    kinds = {"contact": {ADA}, "invoice": {"fact:invoice"}, "entry": {"fact:other"}}
    assert await left(bench, [FEE, "fact:behind", "fact:other", *SALE]) == kinds.get(fails, {fails})
    assert await cases_of(bench) == [("unverified_record", case)]


@pytest.mark.parametrize("error", [WAYS[0](), WAYS[1]()], ids=repr)
async def test_a_list_that_fails_alone_is_a_case_where_nothing_else_is_swept(bench: Bench, error: SolidError) -> None:
    sweeping = sweeper(bench, Failing(bench, "entry", error))
    for hour in range(5):
        await bench.applier().apply(fact(), one(f"fact:hour-{hour}"))
        await sweep(bench, sweeping, minutes=65)
    assert ("unverified_record", "every entry") in await cases_of(bench)


async def test_look_ups_that_fail_hold_up_no_list_of_their_day(bench: Bench) -> None:
    doubted = [f"doubt:{number}" for number in range(15)]
    for name in doubted:
        await in_doubt_and_settled(bench, name)
    sweeping = sweeper(bench, Failing(bench, "doubt:", OutcomeUnknown("waiting"), after_seconds=30))
    for hour in range(12):
        await bench.applier().apply(fact(), one(f"fact:hour-{hour}"))
        await sweep(bench, sweeping, minutes=60)
    assert await left(bench, [f"fact:hour-{hour}" for hour in range(10)]) == set()
    assert {subject for _, subject in await cases_of(bench)} == set(doubted)


async def test_short_outages_make_no_cases_and_what_they_held_up_is_swept_then(
    bench: Bench, failure: SolidError
) -> None:
    looking = Failing(bench, "all", failure)
    sweeping = sweeper(bench, looking)
    doubted = [f"doubt:{number}" for number in range(15)]
    for name in doubted:
        await in_doubt_and_settled(bench, name)
    await bench.applier().apply(fact(), sale())
    bench.clock.advance(AFTER.total_seconds() + 1)
    for outage in range(2):
        looking.fails = "all"
        await sweep(bench, sweeping, minutes=10)
        looking.fails = "nothing"
        await bench.applier().apply(fact(), one(f"fact:between-{outage}"))
        await sweep(bench, sweeping, minutes=50)
    await sweep(bench, sweeping, minutes=120)
    assert await left(bench, [*doubted, *SALE]) == set()
    if not isinstance(failure, RefusedInDoubt):  # of those the sweep asks a person at once
        assert await cases_of(bench) == []
