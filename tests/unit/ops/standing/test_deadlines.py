"""Whether a pay run will be in the books by its deadline: what is due first goes first, and what is held says why."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from ops.standing.deadlines import Allowance, Due, open_runs, verdicts
from ops.standing.forecast import Recent
from runtime.settings import BucketSettings

NOW = datetime(2026, 4, 23, 12, tzinfo=UTC)
NOTHING = Recent(60, {}, {})
FREE = Allowance(rate=1.0, weights=BucketSettings().lanes, recent=NOTHING, elsewhere={}, stopped=None)


@dataclass(frozen=True)
class Run:
    """A run as it was told."""

    run: str
    deadline: datetime | None
    live: bool = True
    provider: str = "gusto"
    entity: str = "company"

    @property
    def fact(self) -> str:
        """Its name."""
        return f"gusto:run:company:{self.run}:v1"


def due_in(run: str, seconds: float) -> Run:
    return Run(run, NOW + timedelta(seconds=seconds))


def judged(*runs: Run, parked: dict[str, str] | None = None, allowance: Allowance = FREE) -> dict[str, Due]:
    return {due.run: due for due in verdicts(open_runs(runs, ()), parked or {}, allowance, now=NOW)}


def test_what_is_due_first_is_served_first() -> None:
    found = judged(due_in("second", 10), due_in("first", 1))
    assert list(found) == ["first", "second"]
    assert [found[run].expected for run in found] == [NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)]
    assert {due.verdict for due in found.values()} == {"in time"}


def test_more_runs_than_the_time_allows_are_late() -> None:
    found = judged(*(due_in(str(number), 3.5 + number / 100) for number in range(5)))
    assert [due.verdict for due in found.values()] == ["in time", "in time", "in time", "late", "late"]


def test_stock_does_not_hold_it_up_and_sales_do_as_far_as_their_lane_goes() -> None:
    stock = judged(due_in("7", 5), allowance=replace(FREE, elsewhere={"inventory": 30_000, "payroll": 40}))
    assert stock["7"].expected == NOW + timedelta(seconds=1)
    sales = judged(due_in("7", 2), allowance=replace(FREE, elsewhere={"sales": 30_000}))
    assert sales["7"].verdict == "late"


def test_a_run_before_a_person_is_not_known_and_holds_no_other_up() -> None:
    found = judged(due_in("held", 10), due_in("next", 20), parked={due_in("held", 0).fact: "period_closed:2026-03"})
    assert (found["held"].verdict, found["held"].why) == ("not known", "period_closed:2026-03")
    assert found["next"].expected == NOW + timedelta(seconds=1)


@pytest.mark.parametrize("why", ["closed", "no mint is running"])
def test_while_nothing_is_served_nobody_knows(why: str) -> None:
    due = judged(due_in("7", 10), allowance=replace(FREE, stopped=why))["7"]
    assert (due.verdict, due.expected, due.why) == ("not known", None, why)


def test_a_deadline_that_has_passed_is_missed() -> None:
    assert judged(due_in("7", -1))["7"].verdict == "missed"


def test_only_what_is_live_has_a_deadline_and_is_not_in_the_books_is_waited_for() -> None:
    rows = [due_in("7", 5), Run("none", None), replace(due_in("gone", 5), live=False), due_in("done", 5)]
    assert [row.run for row in open_runs(rows, [due_in("done", 5).fact])] == ["7"]
