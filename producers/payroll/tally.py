"""Adding up a run: the lines by kind, category, department and location, and the event that they become.

It must not know any provider, and must not keep anything of a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final, Literal, get_args

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.payroll.amounts import ZERO
from producers.payroll.content import fingerprint_of
from schemas.envelope import Event
from schemas.money import Money
from schemas.payroll import OWED, LineKind, RunLine, RunPaid

RunType = Literal["regular", "off_cycle", "bonus", "correction", "reversal", "contractor", "year_end"]
TAKES_BACK: Final[frozenset[RunType]] = frozenset({"correction", "reversal"})
"""Types of runs in which a person, or the whole run, may owe the company: their provider says itself that they do."""
Key = tuple[LineKind, str, str | None, str | None]

MOST_LINES: Final = 300
"""More lines than this are no totals: a column of persons was taken for a department or a category."""

_ORDER: Final[Mapping[str, int]] = {kind: place for place, kind in enumerate(get_args(LineKind))}
_EARNED: Final = frozenset({"wages", "reimbursement", "contractor"})


@dataclass(frozen=True, slots=True)
class Run:
    """What names a run and dates it. `source` is the name of the source, `provider` whose run it is."""

    source: str
    provider: str
    entity: str
    id: str
    pay_date: date
    currency: str
    period_start: date | None = None
    period_end: date | None = None
    type: RunType = "regular"
    reverses: str | None = None


@dataclass(slots=True)
class Tally:
    """Sums by kind, category, department and location."""

    sums: dict[Key, Decimal] = field(default_factory=dict)

    def add(
        self,
        kind: LineKind,
        category: str,
        amount: Decimal,
        *,
        department: str | None = None,
        location: str | None = None,
    ) -> None:
        """Add to one line."""
        key = (kind, category, department, location)
        self.sums[key] = self.sums.get(key, ZERO) + amount

    def add_all(self, kind: LineKind, amounts: Mapping[str, Decimal]) -> None:
        """Add amounts by category."""
        for category, amount in amounts.items():
            self.add(kind, category, amount)

    def total(self, kinds: Iterable[str]) -> Decimal:
        """Sum what is of these kinds."""
        wanted = frozenset(kinds)
        return sum((amount for key, amount in self.sums.items() if key[0] in wanted), ZERO)

    def is_zero(self) -> bool:
        """Whether there is no amount at all."""
        return not any(self.sums.values())

    def balance(self, *, limit: Decimal, currency: str) -> None:
        """Add the rounding line that is missing, within the limit. Raises Rejected `totals_differ`."""
        earned, owed = self.total(_EARNED), self.total(OWED)
        if abs(owed - earned) > limit:
            raise differ("what was earned", earned, "what is owed for it", owed, currency=currency)
        if owed != earned:
            self.add("rounding", "rounding", owed - earned)

    def lines(self, currency: str) -> tuple[RunLine, ...]:
        """Give the lines that are not zero, in a fixed order. Raises Rejected `too_many_lines`."""
        used = sorted(
            (key for key, amount in self.sums.items() if amount),
            key=lambda key: (_ORDER[key[0]], key[1], key[2] or "", key[3] or ""),
        )
        if len(used) > MOST_LINES:
            message = (
                f"{len(used)} lines are no totals (the most are {MOST_LINES}): a column or field of persons was taken"
            )
            raise Rejected("too_many_lines", f"{message} for departments or categories")
        return tuple(
            RunLine(kind=kind, category=category, department=department, location=location, amount=amount)
            for kind, category, department, location in used
            for amount in (Money.of(self.sums[kind, category, department, location], currency),)
        )


def normalised(run: Run, tally: Tally, context: NormaliseContext, *, limit: Decimal = ZERO) -> Normalised:
    """Make the event of a run that was added up; `zero_run` when there is no amount in it.

    Raises Rejected `totals_differ`, `too_many_lines`, `unmapped:payroll_company:<id>`.
    """
    if tally.is_zero():
        return Normalised((), ignored="zero_run")
    tally.balance(limit=limit, currency=run.currency)
    return Normalised((_event(run, tally.lines(run.currency), company_of(run.entity, context)),))


def company_of(entity: str, context: NormaliseContext) -> str:
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
    data = RunPaid(
        fact=f"{run.provider}:run:{run.entity}:{run.id}:v1",
        provider=run.provider,
        entity=run.entity,
        run=run.id,
        version=1,
        run_type=run.type,
        pay_date=run.pay_date,
        period_start=run.period_start,
        period_end=run.period_end,
        lines=lines,
        reverses=run.reverses,
    )
    return Event.of(
        data,
        id=f"{data.fact}:{fingerprint_of(data)[:16]}",
        source=f"/payroll/{run.source}",
        time=datetime.combine(run.pay_date, time(12), UTC),
        subject=f"{run.entity}:{run.id}",
        partitionkey=f"{run.entity}:{run.id}",
        company=company,
    )
