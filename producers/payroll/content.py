"""What a run says, as one hash: whether it changed since it was told. It must not depend on how it came."""

import hashlib
import json
from decimal import Decimal

from schemas.envelope import Event
from schemas.payroll import PostedRun, RunPaid


def fingerprint(event: Event) -> str:
    """Hash the content of a run: its dates and its lines, in any order (sha256, 64 hex digits).

    Version, fact, deadline and what it replaces do not count. Raises TypeError when the event is no RunPaid.
    """
    if not isinstance(event.data, RunPaid):
        message = f"{event.type} is no pay run"
        raise TypeError(message)
    return fingerprint_of(event.data)


def same_amounts(one: RunPaid | PostedRun, other: RunPaid | PostedRun) -> bool:
    """Whether two have the same dates and the same total of each kind, whatever categories and departments they say."""
    return _days(one) == _days(other) and _totals(one) == _totals(other)


def fingerprint_of(run: RunPaid | PostedRun) -> str:
    """Hash the dates and lines of a run or of a version of it that was told before; the same content, the same hash."""
    lines = sorted(json.dumps(line.model_dump(mode="json"), sort_keys=True) for line in run.lines)
    return hashlib.sha256(json.dumps([_days(run), lines]).encode()).hexdigest()


def _days(run: RunPaid | PostedRun) -> list[str]:
    return [str(day) for day in (run.pay_date, run.period_start, run.period_end)]


def _totals(run: RunPaid | PostedRun) -> dict[str, Decimal]:
    """The total of each kind that is not zero. A run is in one currency."""
    kinds = {line.kind for line in run.lines}
    sums = {kind: sum(line.amount.amount for line in run.lines if line.kind == kind) for kind in kinds}
    return {kind: Decimal(total) for kind, total in sums.items() if total}
