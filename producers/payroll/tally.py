"""Adding up a run: its lines by kind, category, department and location, their event, and what it says.

It must not know any provider, and must not keep anything of a person.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final, Literal, TypeVar, get_args

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.payroll.amounts import ZERO
from schemas.envelope import Event
from schemas.money import Money
from schemas.payroll import OWED, LineKind, PostedRun, RunLine, RunPaid

RunType = Literal["regular", "off_cycle", "bonus", "correction", "reversal", "contractor", "year_end"]
TAKES_BACK: Final[frozenset[RunType]] = frozenset({"correction", "reversal"})
"""Types of runs in which a person, or the whole run, may owe the company: their provider says itself that they do."""
Sums = Mapping[str, Decimal]
"""Amounts by category."""
T = TypeVar("T")

MOST_LINES: Final = 300
"""More lines than this are no totals: a column of persons was taken for a department or a category."""

_ORDER: Final[Mapping[str, int]] = {kind: place for place, kind in enumerate(get_args(LineKind))}
_EARNED: Final = frozenset({"wages", "reimbursement", "contractor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What names a run and dates it. `source` is the name of the source where that is not the provider's."""

    provider: str
    entity: str
    run: str
    pay_date: date
    currency: str
    period_start: date | None = None
    period_end: date | None = None
    run_type: RunType = "regular"
    source: str = ""


@dataclass(slots=True)
class Tally:
    """Sums by kind, category, department and location."""

    sums: dict[tuple[LineKind, str, str | None, str | None], Decimal] = field(default_factory=dict)

    def add(self, kind: LineKind, category: str, amount: Decimal, **place: str | None) -> None:
        """Add to one line. `place`: its `department` or `location`."""
        key = (kind, category, place.get("department"), place.get("location"))
        self.sums[key] = self.sums.get(key, ZERO) + amount

    def add_all(self, kind: LineKind, amounts: Sums) -> None:
        """Add amounts by category."""
        for category, amount in amounts.items():
            self.add(kind, category, amount)

    def total(self, kinds: Iterable[str]) -> Decimal:
        """Sum what is of these kinds."""
        wanted = frozenset(kinds)
        return sum((amount for key, amount in self.sums.items() if key[0] in wanted), ZERO)

    def balance(self, *, limit: Decimal, currency: str) -> None:
        """Add the rounding line that is missing, within the limit. Raises Rejected `totals_differ`."""
        earned, owed = self.total(_EARNED), self.total(OWED)
        if abs(owed - earned) > limit:
            raise differ("what was earned", earned, "what is owed for it", owed, currency=currency)
        if owed != earned:
            self.add("rounding", "rounding", owed - earned)

    def lines(self, currency: str) -> tuple[RunLine, ...]:
        """Give the lines that are not zero, in a fixed order. Raises Rejected `too_many_lines`."""
        used = [(key, amount) for key, amount in self.sums.items() if amount]
        used.sort(key=lambda each: (_ORDER[each[0][0]], *(word or "" for word in each[0][1:])))
        if len(used) > MOST_LINES:
            message = (
                f"{len(used)} lines are no totals (the most are {MOST_LINES}): a column or field of persons was taken"
            )
            raise Rejected("too_many_lines", f"{message} for departments or categories")
        return tuple(
            RunLine(kind=kind, category=category, department=department, location=location, amount=money)
            for (kind, category, department, location), amount in used
            for money in (Money.of(amount, currency),)
        )


def normalised(run: Run, tally: Tally, context: NormaliseContext, *, limit: Decimal = ZERO) -> Normalised:
    """Make the event of a run, or say `zero_run`. Raises Rejected as `balance`, `lines` and `_company_of`."""
    if not any(tally.sums.values()):
        return Normalised((), ignored="zero_run")
    tally.balance(limit=limit, currency=run.currency)
    return Normalised((_event(run, tally.lines(run.currency), _company_of(run.entity, context)),))


def several(found: Sequence[Normalised]) -> Normalised:
    """Make one of what came of the runs of a list: their events, or why there is none at all."""
    events = tuple(event for one in found for event in one.events)
    reasons = sorted({one.ignored for one in found if one.ignored}) or ["empty_list"]
    return Normalised(events, ignored=None if events else ",".join(reasons))


def sums_of(
    items: Iterable[T], *, name_of: Callable[[T], str | None], amount_of: Callable[[T], Decimal]
) -> Sums | None:
    """Sum by name; None when something has no name that can be used."""
    sums: dict[str, Decimal] = {}
    for item in items:
        name = name_of(item)
        if name is None:
            return None
        sums[name] = sums.get(name, ZERO) + amount_of(item)
    return sums


def _company_of(entity: str, context: NormaliseContext) -> str:
    """Say whose books. Raises Rejected `unmapped:payroll_company:<id>` when companies are set and this is none."""
    if not context.accounts:
        return context.company
    if entity not in context.accounts:
        message = f"no company is set for the payroll company {entity}: add it to the companies of this source"
        raise Rejected(f"unmapped:payroll_company:{entity}", message)
    return context.accounts[entity]


def differ(one: str, first: Decimal, other: str, second: Decimal, *, currency: str) -> Rejected:
    """Build the refusal for two totals of a run that should be the same, with both shown.

    Not their difference: where one person is missing on one side, that is the person's pay.
    """
    figures = f"{one} {Money.of(first, currency)}, {other} {Money.of(second, currency)}"
    message = f"{figures}: these must be the same. Read the run again, or have the provider correct it."
    return Rejected("totals_differ", message)


def negative_net_pay(where: str) -> Rejected:
    """Build the refusal for a person who would owe the company; it does not say who or how much."""
    message = "the net pay of a person is negative. Correct that person's pay at the provider and read the run again."
    return Rejected("negative_net_pay", message, field=where)


def _event(run: Run, lines: tuple[RunLine, ...], company: str) -> Event:
    named = f"{run.entity}:{run.run}"
    told = ("provider", "entity", "run", "run_type", "pay_date", "period_start", "period_end")
    fields = {name: getattr(run, name) for name in told}
    data = RunPaid(fact=f"{run.provider}:run:{named}:v1", version=1, lines=lines, **fields)
    return Event.of(
        data,
        id=f"{data.fact}:{fingerprint_of(data)[:16]}",
        source=f"/payroll/{run.source or run.provider}",
        time=datetime.combine(run.pay_date, time(12), UTC),
        subject=named,
        partitionkey=named,
        company=company,
    )


def paid(event: Event) -> RunPaid:
    """The run that an event tells. Raises TypeError when it tells something else."""
    if not isinstance(event.data, RunPaid):
        message = f"{event.type} is no pay run"
        raise TypeError(message)
    return event.data


def fingerprint(event: Event) -> str:
    """Hash the content of a run, as `fingerprint_of`. Version, fact, deadline and what it replaces do not count."""
    return fingerprint_of(paid(event))


def same_amounts(one: RunPaid | PostedRun, other: RunPaid | PostedRun) -> bool:
    """Whether two have the same dates and the same total of each kind, whatever categories and departments they say."""
    return _days(one) == _days(other) and _totals(one) == _totals(other)


def fingerprint_of(run: RunPaid | PostedRun) -> str:
    """Hash the dates of a run and its lines, in any order (sha256, 64 hex digits)."""
    lines = sorted(json.dumps(line.model_dump(mode="json"), sort_keys=True) for line in run.lines)
    return hashlib.sha256(json.dumps([_days(run), lines]).encode()).hexdigest()


def _days(run: RunPaid | PostedRun) -> list[str]:
    return [str(day) for day in (run.pay_date, run.period_start, run.period_end)]


def _totals(run: RunPaid | PostedRun) -> dict[str, Decimal]:
    """The total of each kind that is not zero. A run is in one currency."""
    kinds = {line.kind for line in run.lines}
    sums = {kind: sum(line.amount.amount for line in run.lines if line.kind == kind) for kind in kinds}
    return {kind: Decimal(total) for kind, total in sums.items() if total}
