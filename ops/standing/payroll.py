"""What `relay payroll status` shows: for each company at a provider its pay periods, and what became of their runs.

It reads the versions that were told, the inbox and the dead letters, and asks no provider.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any, Final

from ops.composing.workers import open_store
from producers.payroll.provider import Span
from producers.payroll.scheduling import lies_in, months_before, periods
from producers.payroll.versions import REVERSED
from runtime.clock import Clock
from runtime.sections_payroll import EXPORTS, PayrollSettings
from runtime.settings import ConfigurationError, Settings
from schemas.envelope import decode
from store.dead_letters import DeadLetters
from store.engine import reading
from store.payroll_runs import PayrollRuns, RunKey, RunRow
from store.writes import matching

GRACE: Final = timedelta(days=10)
"""So long after its end a period may have no run yet."""

_WORST_FIRST: Final = ("refused", "parked", "missing", "open", "pulled", "reversed", "posted", "ignored")

Whose = tuple[str, str, str]
"""Company, provider, entity."""


@dataclass(frozen=True, slots=True)
class RunStanding:
    """A run with what became of its newest version."""

    row: RunRow
    state: str
    reason: str | None


async def payroll_status(settings: Settings, clock: Clock, *, company: str | None) -> dict[str, Any]:
    """The calendars, ready for JSON.

    Raises:
        ConfigurationError: the company is not known.
        StoreUnavailable: see there.
    """
    companies = [each for each in settings.fed if company in (None, each)]
    if not companies:
        msg = f"company {company} is not known; known: {', '.join(settings.fed)}"
        raise ConfigurationError(msg)
    async with open_store(settings) as engine:
        runs, letters = PayrollRuns(engine, clock), DeadLetters(engine, clock)
        rows = await runs.all(companies)
        calendars = []
        for whose, own in _accounts(settings, companies, rows):
            newest = _newest([row for row in rows if (row.company, row.provider, row.entity) == whose])
            states = [await _state(row, letters, engine) for row in newest]
            pulls = await runs.pulls(*whose)
            today = clock.now().astimezone(own.zone if own else UTC).date()
            calendars.append(_calendar(whose, own, states, today) | {"last_pull": max(pulls.values(), default=None)})
    return {"calendars": calendars}


def _accounts(
    settings: Settings, companies: Sequence[str], rows: Sequence[RunRow]
) -> list[tuple[Whose, PayrollSettings | None]]:
    """Every company at a provider that the settings or the rows speak of."""
    found: dict[Whose, PayrollSettings | None] = {(row.company, row.provider, row.entity): None for row in rows}
    for own in settings.payroll.values():
        if own.provider != EXPORTS:
            found |= {(of, own.provider, entity): own for entity, of in own.entities.items() if of in companies}
    return sorted(found.items(), key=lambda each: each[0])


def _newest(rows: Sequence[RunRow]) -> list[RunRow]:
    """Of each run the reference, if it has one (it is newer), else the newest version."""
    by_run: dict[RunKey, list[RunRow]] = defaultdict(list)
    for row in rows:
        by_run[row.key].append(row)
    return [each[0] if each[0].version == 0 else each[-1] for each in by_run.values()]


async def _state(row: RunRow, letters: DeadLetters, engine: Any) -> RunStanding:  # noqa: ANN401 - AsyncEngine
    if row.version == 0:
        return RunStanding(row, row.state, row.reason)
    if row.missing_since is not None:
        return RunStanding(row, "missing", "not_listed")
    event = decode(row.event or b"")
    waiting = [letter for letter in await letters.about(event.id) if letter.state == "waiting"]
    if waiting:
        return RunStanding(row, "parked", waiting[0].reason)
    async with reading(engine) as connection:
        writes = [write for write in await matching(connection, event.id) if write.company == row.company]
    if writes and all(write.state == "applied" for write in writes):
        return RunStanding(row, "reversed" if row.fingerprint == REVERSED else "posted", None)
    return RunStanding(row, "pulled", "not_told" if row.state == "pending" else None)


def _calendar(whose: Whose, own: PayrollSettings | None, states: Sequence[RunStanding], today: date) -> dict[str, Any]:
    company, provider, entity = whose
    rest, shown = list(states), []
    for period in _expected(own, states, today):
        mine = [each for each in rest if lies_in(period, period_end=each.row.period_end, pay_date=each.row.pay_date)]
        rest = [each for each in rest if each not in mine]
        shown.append(_period(period.first, period.last, mine, due=period.last + GRACE < today, expected=True))
    for each in rest:
        row = each.row
        shown.append(_period(row.period_start or row.pay_date, row.period_end or row.pay_date, [each]))
    shown.sort(key=lambda each: (each["start"] or date.min, each["end"] or date.min))
    return {"company": company, "provider": provider, "entity": entity, "periods": shown}


def _expected(own: PayrollSettings | None, states: Sequence[RunStanding], today: date) -> list[Span]:
    """The periods there should be: from the first that is set, else from that of the oldest run that is known."""
    if own is None or own.frequency is None:
        return []
    known = [row.period_start for row in (each.row for each in states) if row.period_start is not None]
    first = own.first_period or min(known, default=months_before(today, own.months_back))
    return list(periods(own.frequency, first=first, until=today))


def _period(
    start: date | None, end: date | None, states: Sequence[RunStanding], *, due: bool = False, expected: bool = False
) -> dict[str, Any]:
    regular = [each for each in states if each.row.run_type in (None, "regular")]
    words = {each.state for each in states}
    state = next((word for word in _WORST_FIRST if word in words), "expected")
    if expected and not regular and state not in ("refused", "parked", "missing"):
        state = "missing" if due else "expected"
    return {"start": start, "end": end, "state": state, "runs": [_run(each) for each in states]}


def _run(each: RunStanding) -> Mapping[str, Any]:
    row = each.row
    return {
        "run": row.run,
        "type": row.run_type,
        "version": row.version or None,
        "pay_date": row.pay_date,
        "state": each.state,
        "reason": each.reason,
        "field": row.field,
        "fact": row.fact,
        "deadline": row.deadline,
    }
