"""Solid, or a proxy before it, fails one list or look-up and serves all others: nothing is taken for not there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copyfile

import pytest

from solid.client import Everything, Inconclusive
from solid.errors import OutcomeUnknown, Refused, SolidError, Unavailable
from solid.lookups import Lookup, Sought
from solid.models import Kind
from store.cases import Cases
from store.earlier import EarlierRecords
from store.engine import connect
from tests.fakes import NOON
from tests.unit.workers.bench import CHART, COMPANY, NEWS, TIMING, Bench, contact, entry, fact, one, sale
from tests.unit.workers.solid import FakeSolid
from workers.earlier import FAILS_FOR_LONG_SECONDS
from workers.errors import Conflicting, NotYet
from workers.plans.writes import Plan
from workers.records import record_of
from workers.sweeping import Sweeper

FEE = "fact:fee"
ADA = "stripe:customer:cus_1"
OLD = NOON - timedelta(days=3)
AFTER = timedelta(hours=1)
ROUNDS = 6
WAYS: list[Callable[[], SolidError]] = [
    lambda: Unavailable("unavailable", "HTTP 504", sent=True),
    lambda: OutcomeUnknown("waiting", "HTTP 500"),
]


@pytest.fixture(params=WAYS, ids=["504", "500"])
def failure(request: pytest.FixtureRequest) -> SolidError:
    error: SolidError = request.param()
    return error


def failing(bench: Bench, monkeypatch: pytest.MonkeyPatch, error: SolidError, *, times: int = 1) -> list[str]:
    """Let so many readings of lists fail. Gives the kinds that were read, also later."""
    real, read = type(bench.solid).everything, list[str]()

    async def everything(solid: FakeSolid, kind: Kind, **days: date) -> Everything | Inconclusive:
        read.append(kind)
        if len(read) <= times:
            raise error
        return await real(solid, kind, **days)

    monkeypatch.setattr(FakeSolid, "everything", everything)
    return read


async def settled(bench: Bench) -> None:
    bench.watch.saw(("inbox", COMPANY, await EarlierRecords(bench.engine, bench.clock).began(COMPANY)))
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


@pytest.fixture
async def young(bench: Bench, tmp_path: Path, migrated_file: Path) -> AsyncIterator[Bench]:
    """Give an empty store beside the same Solid, begun when the test begins."""
    copyfile(migrated_file, tmp_path / "young.db")
    engine = connect(f"sqlite:///{tmp_path / 'young.db'}")
    another = Bench(engine, bench.clock, bench.solid)
    another.watch.saw(("inbox", COMPANY, await EarlierRecords(engine, bench.clock).began(COMPANY)))
    yield another
    await engine.dispose()


async def test_what_a_lost_store_has_under_way_may_still_land(
    young: Bench, monkeypatch: pytest.MonkeyPatch, failure: SolidError
) -> None:
    failing(young, monkeypatch, failure)
    applier = young.applier()
    with pytest.raises(type(failure)):
        await applier.apply(fact(happened=OLD), one())
    young.solid.add(record_of(entry(FEE), {}, CHART))
    young.clock.advance(TIMING.settle + TIMING.unasked)
    await applier.apply(fact(happened=OLD), one())
    assert young.solid.counts[FEE] == 1


async def test_what_a_backup_says_was_refused_a_lost_store_may_have_posted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, failure: SolidError
) -> None:
    await settled(bench)
    bench.solid.faults.append("refused")
    with pytest.raises(Refused):
        await bench.applier().apply(fact(happened=OLD), one())
    bench.solid.add(record_of(entry(FEE), {}, CHART))
    began, _ = await EarlierRecords(bench.engine, bench.clock).begin_anew(COMPANY, by="ops")
    bench.watch.saw(("inbox", COMPANY, began))
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    failing(bench, monkeypatch, failure)
    await waits_then_applies(bench, one())
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


async def test_a_failing_list_is_asked_once_in_a_while_whoever_needs_it_and_comes_before_a_person(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, failure: SolidError
) -> None:
    await settled(bench)
    cases, read = Cases(bench.engine, bench.clock), failing(bench, monkeypatch, failure, times=1_000)
    applier = bench.applier()
    for hours in (0, 1):
        bench.clock.advance(hours * FAILS_FOR_LONG_SECONDS)
        assert await cases.list() == []
        for number in range(10):
            with pytest.raises((type(failure), NotYet)):
                await applier.apply(fact(number), Plan(writes=(contact(f"cus_{number}"),)))
    assert read == ["contact", "contact"]
    await applier.apply(fact(20), one())  # what needs no list of contacts goes on
    assert [(case.kind, case.subject) for case in await cases.list()] == [("unverified_record", "every contact")]


class Failing:
    """Solid, and a proxy before it that gives up on one look-up, on the list of one kind, or on all, each time."""

    def __init__(self, bench: Bench, fails: str, error: SolidError) -> None:
        self.bench, self.fails, self.error = bench, fails, error

    async def look_up(self, sought: Sought) -> Lookup:
        if self.fails in {sought.external_id, "all"}:
            raise self.error
        return self.bench.solid.lookup_of(sought.external_id)

    async def everything(self, kind: Kind, *, since: date, until: date | None = None) -> Everything | Inconclusive:
        if self.fails in {kind, "all"}:
            raise self.error
        return await self.bench.solid.everything(kind, since=since, until=until)


async def in_doubt_and_settled(bench: Bench, name: str) -> None:
    bench.solid.faults.append("answer_lost")
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(), one(name))
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await bench.applier().apply(fact(), one(name))


async def sweep_for_hours(bench: Bench, looking: Failing, *, until_hour: int = ROUNDS) -> tuple[set[str], list[str]]:
    """What is left unswept after hours of rounds, with a new write an hour, and the subjects of the cases."""
    cases = Cases(bench.engine, bench.clock)
    sweeper = Sweeper(looking, bench.inbox("sweeper"), cases, COMPANY, AFTER, bench.clock)
    await in_doubt_and_settled(bench, FEE)
    await in_doubt_and_settled(bench, "fact:behind")
    await bench.applier().apply(fact(), sale())
    writes = {FEE, "fact:behind", *(write.external_id for write in sale().writes)}
    running = asyncio.create_task(sweeper.run())
    for hour in range(ROUNDS):
        if hour == until_hour:
            looking.fails = "nothing"
        await in_doubt_and_settled(bench, f"fact:hour-{hour}")
        bench.clock.advance(AFTER.total_seconds() + 1)
        for _ in range(10):
            await asyncio.sleep(0.005)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    left = {key for key in writes if (await bench.row(key)).swept_at is None}
    return left, [case.subject for case in await cases.list()]


@pytest.mark.parametrize(
    ("fails", "unswept", "case"),
    [(FEE, FEE, FEE), ("contact", ADA, "every contact"), ("invoice", "fact:invoice", "every invoice")],
)
@pytest.mark.parametrize("error", [*(way() for way in WAYS), Unavailable("unauthorised", "HTTP 403")], ids=repr)
async def test_what_always_fails_holds_up_nothing_else_of_the_sweep_and_becomes_one_case(
    bench: Bench, fails: str, unswept: str, case: str, error: SolidError
) -> None:
    left, cases = await sweep_for_hours(bench, Failing(bench, fails, error))
    assert (left, cases) == ({unswept}, [case])


async def test_an_outage_of_all_is_no_case_and_what_it_held_up_is_swept_then(bench: Bench, failure: SolidError) -> None:
    left, cases = await sweep_for_hours(bench, Failing(bench, "all", failure), until_hour=ROUNDS // 2)
    assert (left, cases) == (set(), [])
