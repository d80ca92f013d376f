"""What became of a delivery, as a value. The consumer loop settles it; nothing else does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Applied:
    """All writes of the event are in Solid (or it has none)."""

    writes: int = 0


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after a while; uses an attempt."""

    after_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Defer:
    """Not its time yet; come again after a while. Uses no attempt."""

    after_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A person must see it. `reason` is for grouping, `error` for reading."""

    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Nothing was done and nobody is at fault (Solid closed, worker stopping): the broker keeps the message."""

    reason: str


Outcome = Applied | Retry | Defer | DeadLetter | GiveBack
