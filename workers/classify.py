"""Which failure goes where: a pure function from an exception to an outcome. The table is in `docs/lifecycle.md`."""

import traceback
from dataclasses import dataclass
from pathlib import Path

from messaging.bucket import NoToken
from schemas.errors import InvalidEvent
from solid.errors import DialectMismatch, OutcomeUnknown, Refused, RefusedInDoubt, Unavailable
from store.errors import LeaseLost, StoreUnavailable, WrongStore
from workers.errors import Conflicting, HeldForPerson, NotYet, Undecided
from workers.outcomes import DeadLetter, Defer, GiveBack, Outcome, Retry
from workers.plans.writes import Parked
from workers.prerequisites import PrerequisiteMissing
from workers.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What `classify` must know of the delivery: how often it was tried, and what may be tried still."""

    attempt: int
    deferred: int
    seed: str
    settle_seconds: float
    policy: RetryPolicy


def classify(error: Exception, at: Circumstances) -> Outcome:  # noqa: C901, PLR0911, PLR0912 - one branch a row
    """The outcome of a delivery that ended in an exception. Pure."""
    match error:
        case NoToken():
            return GiveBack("no_token")
        case WrongStore():
            return GiveBack(error.cause)
        case StoreUnavailable():
            return GiveBack("store_unavailable")
        case DialectMismatch():
            return GiveBack("dialect_mismatch")
        case Unavailable(sent=False):
            return GiveBack(f"solid_{error.cause}")
        case Unavailable():
            return Defer(at.settle_seconds, f"solid_{error.cause}")
        case NotYet():
            return Defer(error.after_seconds, error.reason)
        case LeaseLost():
            return Defer(at.settle_seconds, "lease_lost")
        case PrerequisiteMissing():
            after = at.policy.after_deferral(at.deferred, seed=at.seed)
            return DeadLetter(error.reason, str(error)) if after is None else Defer(after, error.reason)
        case OutcomeUnknown():
            return _retry(at, reason="outcome_unknown", error=str(error), at_least=at.settle_seconds)
        case InvalidEvent():
            return DeadLetter("undecodable", str(error))
        case Parked():
            return DeadLetter(error.reason, str(error))
        case RefusedInDoubt():
            return Defer(at.settle_seconds, "refused_in_doubt")
        case Refused():
            return DeadLetter(f"refused:{error.code}", str(error))
        case Conflicting():
            return DeadLetter("conflict", str(error))
        case Undecided():
            return _retry(at, reason="undecided", error=str(error), at_least=at.settle_seconds)
        case HeldForPerson():
            return DeadLetter("held", str(error))
        case _:
            return _retry(at, reason=f"bug:{type(error).__name__}", error=_where(error), at_least=0)


def _retry(at: Circumstances, *, reason: str, error: str, at_least: float) -> Outcome:
    after = at.policy.after_attempt(at.attempt, seed=at.seed)
    return DeadLetter(reason, error) if after is None else Retry(max(after, at_least), reason)


def _where(error: Exception) -> str:
    """The exception's type and place, without its message: that may hold people's data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    return f"{type(error).__name__}{place}"
