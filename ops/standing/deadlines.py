"""Pay runs that somebody waits for: whether each will be in the books by its deadline. It must not change anything.

A run with a deadline goes before all other bulk, so what it waits for is the runs that are due before it, and what the
other lanes use.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from messaging.lanes import Lane
from ops.standing.forecast import Recent, forecast

Verdict = Literal["in time", "late", "missed", "not known"]


class ToldRun(Protocol):
    """What this needs of a row of `store.payroll_runs`."""

    @property
    def provider(self) -> str: ...  # noqa: D102
    @property
    def entity(self) -> str: ...  # noqa: D102
    @property
    def run(self) -> str: ...  # noqa: D102
    @property
    def fact(self) -> str | None: ...  # noqa: D102
    @property
    def live(self) -> bool: ...  # noqa: D102
    @property
    def deadline(self) -> datetime | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Allowance:
    """What there is to serve them with: calls a second, weights, what was seen, and what waits in other streams.

    `stopped` is why nothing is served now; None where it is.
    """

    rate: float
    weights: Mapping[Lane, int]
    recent: Recent
    elsewhere: Mapping[str, int]
    stopped: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """A run that is not in the books yet. `expected` is None where nobody knows; `why` says what holds it up."""

    provider: str
    run: str
    deadline: datetime
    expected: datetime | None
    verdict: Verdict
    why: str | None


def open_runs(told: Sequence[ToldRun], applied: Collection[str]) -> list[ToldRun]:
    """The runs with a deadline whose last version is not in the books, what is due first before the others."""
    waiting = [row for row in told if row.live and row.deadline and row.fact and row.fact not in applied]
    return sorted(waiting, key=lambda row: (row.deadline, row.fact))


def verdicts(
    waiting: Sequence[ToldRun], parked: Mapping[str, str], allowance: Allowance, *, now: datetime
) -> Iterator[Due]:
    """What will become of each. `parked`: fact → why it lies before a person."""
    position = 0
    for row in waiting:
        deadline, fact = row.deadline, row.fact
        if deadline is None or fact is None:
            continue
        why, expected = parked.get(fact) or allowance.stopped, None
        if fact not in parked:
            position += 1
        if why is None:
            expected = now + timedelta(seconds=_seconds_for(position, allowance))
        yield Due(row.provider, row.run, deadline, expected, _verdict(deadline, expected, now), why)


def _seconds_for(position: int, allowance: Allowance) -> float:
    backlog = {**allowance.elsewhere, "inventory": 0, "payroll": position}
    seconds = forecast(backlog, rate=allowance.rate, weights=allowance.weights, recent=allowance.recent)
    return seconds["payroll"]


def _verdict(deadline: datetime, expected: datetime | None, now: datetime) -> Verdict:
    if deadline <= now:
        return "missed"
    if expected is None:
        return "not known"
    return "in time" if expected <= deadline else "late"
