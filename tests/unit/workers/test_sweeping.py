"""The sweep: what was ever in doubt is looked up once more, and what is wrong becomes one case."""

import asyncio
from datetime import date, timedelta

import pytest

from solid.client import Everything, Inconclusive, Present
from solid.errors import OutcomeUnknown
from solid.lookups import Lookup, Sought
from solid.models import RecordKind
from store.cases import Cases
from tests.unit.workers.bench import COMPANY, DAY, TIMING, Bench, fact, one, sale
from tests.unit.workers.solid import Crash
from workers.plans.writes import Plan
from workers.sweeping import Sweeper

FEE = "fact:fee"
AFTER = timedelta(hours=1)
MOST_ROUNDS = 100


class Looking:
    """The fake Solid, asked by key alone."""

    def __init__(self, bench: Bench, answer: Lookup | None = None) -> None:
        self.bench = bench
        self.answer = answer
        self.asked: list[Sought] = []

    async def look_up(self, sought: Sought) -> Lookup:
        self.asked.append(sought)
        return self.answer or self.bench.solid.lookup_of(sought.external_id)

    async def everything(
        self, kind: RecordKind, *, since: date, until: date | None = None
    ) -> Everything | Inconclusive:
        return await self.bench.solid.everything(kind, since=since, until=until)


def sweeper(bench: Bench, looking: Looking) -> Sweeper:
    cases = Cases(bench.engine, bench.clock)
    return Sweeper(looking, bench.inbox("sweeper"), cases, COMPANY, AFTER, bench.clock)


async def in_doubt_and_settled(bench: Bench, fault: str = "answer_lost") -> None:
    bench.solid.faults.append(fault)  # type: ignore[arg-type]  # a fault of any kind
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(), one())
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await bench.applier().apply(fact(), one())


async def found(bench: Bench) -> list[tuple[str, str]]:
    return [(case.kind, case.subject) for case in await Cases(bench.engine, bench.clock).list()]


async def test_a_record_that_landed_after_its_look_up_is_found_later_and_becomes_a_case(bench: Bench) -> None:
    await in_doubt_and_settled(bench, "lands_late")
    bench.solid.land()
    looking = Looking(bench)
    assert await sweeper(bench, looking).sweep_once() == 0, "not yet: it could still be on its way"
    bench.clock.advance(AFTER.total_seconds() + 1)
    assert await sweeper(bench, looking).sweep_once() == 1
    assert await found(bench) == [("duplicate_record", FEE)]
    assert bench.solid.counts[FEE] == 2, "nothing is deleted silently"
    assert await sweeper(bench, looking).sweep_once() == 0, "once is enough"


async def test_a_doubt_that_ended_well_opens_no_case_and_costs_one_look(bench: Bench) -> None:
    await in_doubt_and_settled(bench)
    bench.clock.advance(AFTER.total_seconds() + 1)
    looking = Looking(bench)
    assert await sweeper(bench, looking).sweep_once() == 1
    assert await sweeper(bench, looking).sweep_once() == 0
    assert await found(bench) == []
    assert [sought.since for sought in looking.asked] == [one().writes[0].date]


async def test_what_was_never_in_doubt_is_not_looked_up_write_by_write(bench: Bench) -> None:
    await bench.applier().apply(fact(), sale())
    bench.clock.advance(AFTER.total_seconds() + 1)
    looking = Looking(bench)
    assert await sweeper(bench, looking).sweep_once() == 0
    assert looking.asked == []


async def sweep(bench: Bench) -> None:
    await sweeper(bench, Looking(bench)).sweep_once()
    await sweeper(bench, Looking(bench)).read_once()


async def read_all(bench: Bench, looking: Looking | None = None) -> list[str]:
    """Sweep until nothing is due; returns what Solid was asked."""
    bench.clock.advance(AFTER.total_seconds() + 1)
    bench.solid.sent()
    reading = sweeper(bench, looking or Looking(bench))
    for _ in range(MOST_ROUNDS):
        if not await reading.read_once():
            return bench.solid.sent()
    pytest.fail(f"after {MOST_ROUNDS} rounds something is still due")


async def test_a_call_that_solid_did_twice_becomes_a_case_though_its_answer_came(bench: Bench) -> None:
    await bench.applier().apply(fact(), one())
    bench.solid.records.append(("solid-2", bench.solid.records[0][1]))
    assert len(await read_all(bench)) == 1
    assert await found(bench) == [("duplicate_record", FEE)]
    assert await read_all(bench) == [], "once is enough"


async def test_one_reading_of_a_list_answers_for_all_writes_of_a_day(bench: Bench) -> None:
    for number in range(7):
        await bench.applier().apply(fact(), one(f"fact:{number}"))
    other = one("another day").writes[0].model_copy(update={"date": DAY + timedelta(days=40)})
    await bench.applier().apply(fact(), Plan(writes=(other,)))
    calls = await read_all(bench)
    assert sorted(calls) == [f"everything entry since {day - timedelta(days=1)}" for day in (DAY, other.date)]
    assert await found(bench) == []


async def test_what_is_not_yet_due_is_left_for_a_later_round(bench: Bench) -> None:
    await bench.applier().apply(fact(), one())
    assert await sweeper(bench, Looking(bench)).read_once() == 0
    assert "everything" not in " ".join(bench.solid.sent())


async def test_a_record_that_was_adopted_from_another_day_is_no_case(bench: Bench) -> None:
    await bench.applier().apply(fact(), one())
    bench.solid.hidden = True
    assert len(await read_all(bench)) == 2, "its own days, and then all"
    assert await found(bench) == []


async def test_a_record_that_is_gone_is_a_case_though_its_answer_came(bench: Bench) -> None:
    await bench.applier().apply(fact(), one())
    bench.solid.records.clear()
    await read_all(bench)
    assert await found(bench) == [("missing_record", FEE)]


async def test_where_the_list_cannot_be_read_writes_are_looked_up_one_by_one(bench: Bench) -> None:
    await bench.applier().apply(fact(), one("one"))
    await bench.applier().apply(fact(), one("two"))
    bench.solid.records.append(("solid-3", bench.solid.records[0][1]))
    bench.solid.unreadable = Inconclusive("more than 50 pages")
    looking = Looking(bench)
    await read_all(bench, looking)
    assert sorted(sought.external_id for sought in looking.asked) == ["one", "two"]
    assert await found(bench) == [("duplicate_record", "one")]


async def test_where_nothing_tells_it_is_one_case_for_all_and_nothing_is_asked_again(bench: Bench) -> None:
    await bench.applier().apply(fact(), one("one"))
    await bench.applier().apply(fact(), one("two"))
    bench.solid.unreadable = Inconclusive("more than 50 pages")
    looking = Looking(bench, Inconclusive("a person looks for it"))
    await read_all(bench, looking)
    assert await found(bench) == [("unverified_record", "every entry")]
    assert len(looking.asked) == 1


async def test_a_list_that_changed_while_it_was_read_is_read_again(bench: Bench) -> None:
    await bench.applier().apply(fact(), one())
    bench.solid.unreadable = Inconclusive("it changed", moved=True)
    bench.clock.advance(AFTER.total_seconds() + 1)
    reading = sweeper(bench, Looking(bench))
    assert await reading.read_once() == 1
    assert await found(bench) == []
    bench.solid.unreadable = None
    bench.solid.records.append(("solid-2", bench.solid.records[0][1]))
    await reading.read_once()
    assert await found(bench) == [("duplicate_record", FEE)]


@pytest.mark.parametrize("doubted", [True, False])
async def test_a_crash_before_the_case_is_written_leaves_the_write_to_be_swept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, doubted: bool
) -> None:
    if doubted:
        await in_doubt_and_settled(bench)
    else:
        await bench.applier().apply(fact(), one())
    bench.solid.records.append(("solid-2", bench.solid.records[0][1]))
    bench.clock.advance(AFTER.total_seconds() + 1)

    async def dies(*_: object) -> bool:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(Cases, "open", dies)
        with pytest.raises(Crash):
            await sweep(bench)
    await sweep(bench)
    assert await found(bench) == [("duplicate_record", FEE)]


async def test_a_record_that_is_gone_and_one_that_cannot_be_told_are_cases_too(bench: Bench) -> None:
    await in_doubt_and_settled(bench)
    bench.clock.advance(AFTER.total_seconds() + 1)
    bench.solid.records.clear()
    await sweeper(bench, Looking(bench)).sweep_once()
    assert await found(bench) == [("missing_record", FEE)]


async def test_a_look_that_cannot_tell_is_a_case(bench: Bench) -> None:
    await in_doubt_and_settled(bench)
    bench.clock.advance(AFTER.total_seconds() + 1)
    await sweeper(bench, Looking(bench, Inconclusive("a full page"))).sweep_once()
    assert await found(bench) == [("unverified_record", FEE)]


async def test_a_single_record_that_is_not_the_one_we_know_is_a_case(bench: Bench) -> None:
    await in_doubt_and_settled(bench)
    bench.clock.advance(AFTER.total_seconds() + 1)
    await sweeper(bench, Looking(bench, Present(("solid-99",)))).sweep_once()
    assert await found(bench) == [("other_record", FEE)]


async def test_two_sweeps_at_once_open_one_case(bench: Bench) -> None:
    await in_doubt_and_settled(bench, "lands_late")
    bench.solid.land()
    bench.clock.advance(AFTER.total_seconds() + 1)
    looking = Looking(bench)
    await asyncio.gather(sweeper(bench, looking).sweep_once(), sweeper(bench, looking).sweep_once())
    assert await found(bench) == [("duplicate_record", FEE)]


async def test_each_round_looks_at_what_was_in_doubt_and_at_some_of_the_rest(bench: Bench) -> None:
    await bench.applier().apply(fact(), one("fact:never:in:doubt"))
    await in_doubt_and_settled(bench)
    bench.solid.records += [(f"twin-{number}", record) for number, (_, record) in enumerate(bench.solid.records)]
    bench.clock.advance(AFTER.total_seconds() + 1)
    running = asyncio.create_task(sweeper(bench, Looking(bench)).run())
    async with asyncio.timeout(60):
        while len(await found(bench)) < 2:  # noqa: ASYNC110 - what it waits for is in a database
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert {subject for _, subject in await found(bench)} == {"fact:never:in:doubt", FEE}


async def test_a_clock_that_is_set_forward_makes_no_write_due_before_its_time(bench: Bench) -> None:
    sweeping = sweeper(bench, Looking(bench))
    assert await sweeping.read_once() == 0
    await bench.applier().apply(fact(), one())
    bench.clock.step(2 * AFTER.total_seconds())
    assert await sweeping.read_once() == 0
    bench.clock.advance(AFTER.total_seconds() - 1)
    assert await sweeping.read_once() == 0
    bench.clock.advance(1)
    assert await sweeping.read_once() == 1


@pytest.mark.parametrize("day", [date.max, date.min], ids=str)
@pytest.mark.parametrize("doubted", [True, False])
async def test_a_record_of_the_last_day_there_is_does_not_end_the_sweep(
    bench: Bench, day: date, *, doubted: bool
) -> None:
    odd = Plan(writes=(one("odd").writes[0].model_copy(update={"date": day}),))
    await bench.applier().apply(fact(), odd)
    await (in_doubt_and_settled(bench) if doubted else bench.applier().apply(fact(2), one()))
    bench.solid.records += [(f"twin-{number}", record) for number, (_, record) in enumerate(bench.solid.records)]
    bench.clock.advance(AFTER.total_seconds() + 1)
    sweeping = sweeper(bench, Looking(bench))
    while await sweeping.sweep_once() + await sweeping.read_once():
        pass
    assert set(await found(bench)) == {("duplicate_record", "odd"), ("duplicate_record", FEE)}


class Unreadable(Looking):
    """Lists that begin before a day, or of a kind, cannot be read; `raises` is for one write."""

    def __init__(self, bench: Bench, *, kind: RecordKind = "entry", before: date = date.max, raises: str = "") -> None:
        super().__init__(bench)
        self.kind, self.before, self.raises = kind, before, raises
        self.mended = False

    async def look_up(self, sought: Sought) -> Lookup:
        self.asked.append(sought)
        if sought.external_id == self.raises:
            raise OverflowError
        return (
            Inconclusive("too many pages") if self._cannot(sought.kind, sought.since) else await super().look_up(sought)
        )

    async def everything(
        self, kind: RecordKind, *, since: date, until: date | None = None
    ) -> Everything | Inconclusive:
        found = await super().everything(kind, since=since, until=until)
        return Inconclusive("too many pages") if self._cannot(kind, since) else found

    def _cannot(self, kind: RecordKind, since: date | None) -> bool:
        return not self.mended and kind == self.kind and (since or date.min) < self.before


def twins(bench: Bench) -> None:
    bench.solid.records += [(f"twin-{number}", record) for number, (_, record) in enumerate(bench.solid.records)]


@pytest.mark.parametrize("doubted", [True, False])
async def test_what_could_not_be_read_is_looked_at_once_it_can_be(bench: Bench, *, doubted: bool) -> None:
    await (in_doubt_and_settled(bench) if doubted else bench.applier().apply(fact(), one()))
    twins(bench)
    bench.clock.advance(AFTER.total_seconds() + 1)
    looking = Unreadable(bench)
    sweeping = sweeper(bench, looking)
    for _ in range(5):
        await sweeping.sweep_once() + await sweeping.read_once()
    assert [kind for kind, _ in await found(bench)] == ["unverified_record"]
    asked = len(looking.asked)
    assert asked == 1, "it is not asked again and again"
    looking.mended = True
    bench.clock.advance(AFTER.total_seconds() + 1)
    for _ in range(3):
        await sweeping.sweep_once() + await sweeping.read_once()
    assert ("duplicate_record", FEE) in await found(bench)


async def test_days_that_cannot_be_read_hold_up_no_others(bench: Bench) -> None:
    await bench.applier().apply(fact(), one("old"))
    later = one("later").writes[0].model_copy(update={"date": DAY + timedelta(days=40)})
    await bench.applier().apply(fact(2), Plan(writes=(later,)))
    twins(bench)
    await read_all(bench, Unreadable(bench, before=DAY + timedelta(days=20)))
    assert set(await found(bench)) == {("unverified_record", "every entry"), ("duplicate_record", "later")}


async def test_a_kind_that_cannot_be_read_holds_up_no_other(bench: Bench) -> None:
    await bench.applier().apply(fact(), sale())
    await bench.applier().apply(fact(2), one())
    twins(bench)
    await read_all(bench, Unreadable(bench, kind="invoice"))
    assert {("unverified_record", "every invoice"), ("duplicate_record", FEE)} <= set(await found(bench))


async def test_a_write_that_fails_in_an_unexpected_way_holds_up_none_behind_it(bench: Bench) -> None:
    for name in ("first", "second"):
        bench.solid.faults.append("answer_lost")
        with pytest.raises(OutcomeUnknown):
            await bench.applier().apply(fact(), one(name))
        bench.clock.advance(TIMING.settle + TIMING.unasked)
        await bench.applier().apply(fact(), one(name))
    twins(bench)
    bench.clock.advance(AFTER.total_seconds() + 1)
    looking = Unreadable(bench, before=date.min, raises="first")
    sweeping = sweeper(bench, looking)
    for _ in range(3):
        await sweeping.sweep_once()
    assert await found(bench) == [("duplicate_record", "second")]
    looking.raises = ""
    bench.clock.advance(AFTER.total_seconds() + 1)
    for _ in range(2):
        await sweeping.sweep_once()
    assert ("duplicate_record", "first") in await found(bench)


async def test_what_a_person_has_looked_at_is_not_asked_for_again(bench: Bench) -> None:
    await in_doubt_and_settled(bench)
    looking = Unreadable(bench)
    sweeping = sweeper(bench, looking)
    cases = Cases(bench.engine, bench.clock)
    for _ in range(4):
        bench.clock.advance(AFTER.total_seconds() + 1)
        await sweeping.sweep_once()
        for case in await cases.list():
            await cases.close(case.id, by="Ann", note="it is there once")
    assert len(await cases.list(open_only=False)) == 1
    assert len(looking.asked) == 2
