"""A store that was lost took with it what was recorded and sent: Solid is asked before either is done again."""

from datetime import timedelta
from decimal import Decimal

from solid.client import Inconclusive
from tests.unit.workers.bench import TIMING, Bench
from tests.unit.workers.sales.stage import Stage
from tests.unit.workers.sales.told import charge
from workers.outcomes import Applied, DeadLetter

OLD = -1
"""The day before either store began."""


async def stages(bench: Bench, young: Bench) -> tuple[Stage, Stage]:
    before, after = await Stage(bench, "day").open(), await Stage(young, "day").open()
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    return before, after


async def test_what_a_lost_store_sent_by_itself_is_no_line_of_a_summary(bench: Bench, young: Bench) -> None:
    before, after = await stages(bench, young)
    before.mode = "each"
    assert await before.tell(charge(1, day=OLD)) == [Applied(4)]
    assert await after.tell(charge(1, day=OLD), charge(2, day=OLD)) == [Applied(4), Applied(0)]
    await after.close()
    assert after.balances()["Sales Income"] == Decimal("-40.00")
    assert after.twice() == {}


async def test_what_may_be_in_a_summary_of_a_lost_store_comes_before_a_person(bench: Bench, young: Bench) -> None:
    before, after = await stages(bench, young)
    await before.tell(charge(1, day=OLD))
    await before.close()
    [outcome] = await after.tell(charge(1, day=OLD))
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "held:summarised_before"
    assert await after.tell(charge(2, day=OLD), waived=True) == [Applied(0)], "a person has compared"
    [outcome] = await after.tell(charge(3, day=OLD))
    assert isinstance(outcome, DeadLetter)
    assert await after.tell(charge(2, day=OLD)) == [Applied(0)], "what this store has recorded is its own"
    assert await after.tell(charge(4, day=1)) == [Applied(0)], "what happened since cannot be in it"


async def test_where_solid_s_list_cannot_be_read_a_person_is_asked(bench: Bench, young: Bench) -> None:
    _, after = await stages(bench, young)
    after.bench.solid.unreadable = Inconclusive("a page looks full")
    [outcome] = await after.tell(charge(1, day=OLD))
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "held:summarised_before"
    after.mode = "each"
    assert await after.tell(charge(1, day=OLD)) == [Applied(4)], "nobody ever had summaries here: each is looked up"


async def test_a_summary_of_the_same_name_and_other_amounts_is_not_taken_for_ours(bench: Bench, young: Bench) -> None:
    before, after = await stages(bench, young)
    await before.tell(charge(1, day=OLD))
    await before.close()
    await after.tell(charge(2, day=OLD, amount="7.00", fee=None), waived=True)
    after.bench.clock.advance(timedelta(days=2).total_seconds())
    await after.closer.once()
    [outcome] = await after.tell(*after.broker.waiting)
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "conflict"
    assert "20.00" in outcome.error
    assert "7.00" in outcome.error
