"""Whatever the mode was when: the books end the same, nothing is in them twice, and summaries cost few calls."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copyfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from store.engine import connect
from tests.fakes import FakeClock
from tests.searching import examples, search
from tests.unit.workers.bench import Bench
from tests.unit.workers.sales.stage import BOOKS, Mode, Stage
from tests.unit.workers.sales.told import (
    charge,
    disputed,
    foreign_charge,
    foreign_refund,
    lost,
    payout,
    refund,
    refund_failed,
    won,
)
from workers.outcomes import Applied
from workers.plans import plan
from workers.plans.writes import Parked


@pytest.fixture
async def stage(bench: Bench) -> Stage:
    return await Stage(bench, "day").open()


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.long)])
async def test_ten_thousand_charges_cost_few_calls_and_end_in_the_same_trial_balance(stage: Stage, count: int) -> None:
    await stage.tell_many(charge(number, day=number % 30) for number in range(count))
    stage.bench.clock.advance(40 * 86400)
    await stage.close()
    assert stage.calls() == 30, "one a day"
    assert stage.balances() == {
        "Sales Income": Decimal("-20.00") * count,
        "Stripe Clearing": Decimal("19.12") * count,
        "Stripe Fees": Decimal("0.88") * count,
    }


async def test_a_month_that_was_closed_before_the_entry_was_made_is_held_or_dated_anew_as_for_all(stage: Stage) -> None:
    await stage.tell(charge(1))
    stage.bench.clock.advance(40 * 86400)
    await stage.closer.once()
    [event] = stage.broker.waiting
    closed = BOOKS.model_copy(update={"open_from": date(2026, 2, 1)})
    with pytest.raises(Parked) as parked:
        plan(event, closed)
    assert parked.value.reason == "period_closed:2026-01"
    [entry] = plan(event, closed.model_copy(update={"late": {"sales": "first_open_day"}})).writes
    assert (entry.external_id, entry.date, entry.true_date) == (event.id, date(2026, 2, 1), date(2026, 1, 15))


STORY = (
    charge(1),
    charge(2, fee=None),
    refund(1, of=1),
    charge(3, day=1),
    disputed(3, day=1),
    charge(2),
    refund(2, of=3, day=2, amount="7.77"),
    refund_failed(1, of=1, day=2),
    payout(1, amount="30.00", day=2),
    lost(3, day=3),
    won(3, amount="12.00", day=4),
    disputed(5, day=1),
    won(5, day=2),
    foreign_charge(4, day=1),
    foreign_refund(4, of=4, day=2),
)


async def booked(bench: Bench, acts: Sequence[tuple[Event | None, Mode]]) -> Stage:
    """Tell the events, each in its mode, what could not be told at once later; None closes what is due."""
    stage = await Stage(bench).open()
    waiting: list[Event] = []
    for event, mode in acts:
        stage.mode = mode
        if event is None:
            await stage.close(after=timedelta(hours=30))
        else:
            waiting.append(event)
        outcomes = await stage.tell(*waiting)
        waiting = [each for each, outcome in zip(waiting, outcomes, strict=True) if not isinstance(outcome, Applied)]
    for _ in range(len(waiting) + 1):
        outcomes = await stage.tell(*waiting)
        waiting = [each for each, outcome in zip(waiting, outcomes, strict=True) if not isinstance(outcome, Applied)]
    assert waiting == []
    await stage.close(after=timedelta(days=60))
    return stage


@search
@settings(max_examples=examples(12), deadline=None)
@given(
    acts=st.permutations((*STORY, None, None, STORY[0], STORY[5])),
    modes=st.lists(st.sampled_from(("each", "day", "payout")), min_size=len(STORY) + 4, max_size=len(STORY) + 4),
)
async def test_whatever_the_mode_was_when_the_books_end_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    migrated_file: Path,
    acts: Sequence[Event | None],
    modes: Sequence[Mode],
) -> None:
    async def stage_of(acts: Sequence[tuple[Event | None, Mode]]) -> Stage:
        path = tmp_path_factory.mktemp("relay") / "relay.db"
        copyfile(migrated_file, path)
        engine = connect(f"sqlite:///{path}")
        try:
            return await booked(Bench(engine, FakeClock()), acts)
        finally:
            await engine.dispose()

    alone = await stage_of([(event, "each") for event in STORY])
    mixed = await stage_of(list(zip(acts, modes, strict=True)))
    assert mixed.balances() == alone.balances()
    assert mixed.twice() == {}
