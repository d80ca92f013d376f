"""Lanes: on whose behalf a call to Solid is made, and whose turn it is. Pure, but for what the running task says.

`live` is what people wait for, `batch` what comes in bulk, `replay` what a person sends again, `background` what
nobody waits for (sweep, audit, export, checks).
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

Lane = Literal["live", "batch", "replay", "background"]
LANES: Final[tuple[Lane, ...]] = get_args(Lane)

_BATCH_STREAMS: Final = ("inventory", "payroll")
_running_on: Final[ContextVar[Lane]] = ContextVar("lane", default="live")
_due_by: Final[ContextVar[datetime | None]] = ContextVar("due_by", default=None)


@contextmanager
def on_lane(lane: Lane) -> Iterator[None]:
    """Take tokens on this lane within the block, in tasks that are started there too."""
    token = _running_on.set(lane)
    try:
        yield
    finally:
        _running_on.reset(token)


def current_lane() -> Lane:
    """The lane of the running task; `live` where none was said."""
    return _running_on.get()


@contextmanager
def due_by(deadline: datetime | None) -> Iterator[None]:
    """Take tokens before those of the same lane that are due later, or at no time, within the block."""
    token = _due_by.set(deadline)
    try:
        yield
    finally:
        _due_by.reset(token)


def current_deadline() -> datetime | None:
    """When what the running task does is due; None where nobody waits for it."""
    return _due_by.get()


def lane_of(stream: str | None, *, replayed: bool) -> Lane:
    """The lane of a delivery: replays have their own, stock and payroll are batch, everything else is live."""
    if replayed or stream == "replay":
        return "replay"
    return "batch" if stream in _BATCH_STREAMS else "live"


@dataclass(slots=True)
class Turns:
    """Weighted turns among those who want one: smooth, so that turns of one lane are spread evenly.

    Over `sum(weights)` turns that all lanes want, each gets as many as its weight; nobody waits longer than that.
    What a lane does not want goes to the others by their weights.
    """

    weights: Mapping[Lane, int]
    _credit: dict[Lane, int] = field(default_factory=dict)

    def next(self, wanting: Collection[Lane]) -> Lane:
        """Whose turn it is, of those who want one; at least one must."""
        for lane in wanting:
            self._credit[lane] = self._credit.get(lane, 0) + self.weights[lane]
        chosen = max(sorted(wanting, key=LANES.index), key=lambda lane: self._credit[lane])
        self._credit[chosen] -= sum(self.weights[lane] for lane in wanting)
        for lane in self._credit.keys() - set(wanting):
            self._credit[lane] = 0  # who was away does not save up
        return chosen
