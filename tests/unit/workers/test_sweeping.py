"""The sweep: what was ever in doubt is looked up once more, and what is wrong becomes one case."""

import asyncio
from datetime import timedelta

import pytest

from solid.client import Inconclusive, Present
from solid.errors import OutcomeUnknown
from solid.lookups import Lookup, Sought
from store.cases import Cases
from tests.unit.workers.bench import COMPANY, TIMING, Bench, fact, one, sale
from workers.sweeping import Sweeper

FEE = "fact:fee"
AFTER = timedelta(hours=1)


class Looking:
    """The fake Solid, asked by key alone."""

    def __init__(self, bench: Bench, answer: Lookup | None = None) -> None:
        self.bench = bench
        self.answer = answer
        self.asked: list[Sought] = []

    async def look_up(self, sought: Sought) -> Lookup:
        self.asked.append(sought)
        return self.answer or self.bench.solid.lookup_of(sought.external_id)


def sweeper(bench: Bench, looking: Looking) -> Sweeper:
    cases = Cases(bench.engine, bench.clock)
    return Sweeper(looking, bench.inbox("sweeper"), cases, COMPANY, AFTER, bench.clock)


async def in_doubt_and_settled(bench: Bench, fault: str = "answer_lost") -> None:
    bench.solid.faults.append(fault)  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(), one())
    bench.clock.advance(TIMING.settle)
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


async def test_what_was_never_in_doubt_is_never_asked_for(bench: Bench) -> None:
    await bench.applier().apply(fact(), sale())
    bench.clock.advance(AFTER.total_seconds() + 1)
    looking = Looking(bench)
    assert await sweeper(bench, looking).sweep_once() == 0
    assert looking.asked == []


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
