"""What a run says, as one hash: whether it changed since it was told. It must not depend on how it came."""

import hashlib
import json

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


def fingerprint_of(run: RunPaid | PostedRun) -> str:
    """Hash the dates and lines of a run or of a version of it that was told before; the same content, the same hash."""
    lines = sorted(json.dumps(line.model_dump(mode="json"), sort_keys=True) for line in run.lines)
    dates = [str(day) for day in (run.pay_date, run.period_start, run.period_end)]
    return hashlib.sha256(json.dumps([dates, lines]).encode()).hexdigest()
