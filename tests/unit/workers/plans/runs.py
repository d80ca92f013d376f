"""Pay runs for tests, and what their plans move: worked entries by hand, and runs of any size."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schemas.envelope import Event
from schemas.money import Money
from schemas.payroll import LineKind, PostedRun, RunLine, RunPaid, RunReversed
from workers.books.books import Books, sample_books
from workers.plans import plan
from workers.plans.writes import EntryWrite, Plan

ANY_BOOKS = sample_books()
BOOKS = ANY_BOOKS.model_copy(update={"base_currency": "USD"})
NAME = "gusto:run:company:run"
PAY_DATE = date(2021, 2, 22)


def books(**policy: object) -> Books:
    """The sample in USD, with another `[payroll]`."""
    return Books.model_validate({**BOOKS.model_dump(), "payroll": {**BOOKS.payroll.model_dump(), **policy}})


def line(  # noqa: PLR0913 - one argument a field
    kind: LineKind,
    category: str,
    amount: str,
    *,
    department: str | None = None,
    location: str | None = None,
    currency: str = "USD",
) -> RunLine:
    money = Money.of(amount, currency)
    return RunLine(kind=kind, category=category, department=department, location=location, amount=money)


GUSTO = (
    line("wages", "gross_pay", "130635.89"),
    line("employer_tax", "employer_taxes", "6917.19"),
    line("employee_tax", "employee_taxes", "35546.72"),
    line("deduction", "employee_benefits_deductions", "13336.23"),
    line("net_pay", "net_pay", "81752.94"),
)


def run(*lines: RunLine, version: int = 1, **fields: Any) -> RunPaid:  # noqa: ANN401 - fields of RunPaid
    """A run of the Gusto example, or of these lines."""
    return RunPaid.model_validate(
        {
            "fact": f"{NAME}:v{version}",
            "provider": "gusto",
            "entity": "company",
            "run": "run",
            "version": version,
            "pay_date": PAY_DATE,
            "lines": lines or GUSTO,
            **fields,
        }
    )


def posted(of: RunPaid) -> PostedRun:
    """A version as the next one names it."""
    return PostedRun.model_validate(of.model_dump())


def cancelled(of: RunPaid, *, day: date) -> RunReversed:
    """The cancellation of a version."""
    return RunReversed(
        fact=f"{NAME}:v{of.version + 1}",
        provider=of.provider,
        entity=of.entity,
        run=of.run,
        version=of.version + 1,
        taken_back=posted(of),
        day=day,
    )


def event(data: RunPaid | RunReversed) -> Event:
    noon = datetime(2021, 2, 22, 12, tzinfo=UTC)
    return Event.of(
        data, id=data.fact, source="/payroll/gusto", time=noon, subject="company:run", partitionkey="company:run"
    )


def planned(data: RunPaid | RunReversed, by: Books = BOOKS) -> Plan:
    return plan(event(data), by)


def entries(data: RunPaid | RunReversed, by: Books = BOOKS) -> dict[str, EntryWrite]:
    """External id → entry, in the order of the plan."""
    return {write.external_id: write for write in planned(data, by).writes if isinstance(write, EntryWrite)}


def moved(writes: Iterable[EntryWrite]) -> Mapping[str, Decimal]:
    """Account → what the entries move on it, debits positive."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for write in writes:
        for each in write.lines:
            sums[each.account] += (each.debit or Decimal(0)) - (each.credit or Decimal(0))
    return {account: amount for account, amount in sums.items() if amount}


def by_month(writes: Iterable[EntryWrite]) -> Mapping[tuple[int, int, str], Decimal]:
    """Year, month and account → what the entries move."""
    sums: defaultdict[tuple[int, int, str], Decimal] = defaultdict(Decimal)
    for write in writes:
        for account, amount in moved([write]).items():
            sums[write.date.year, write.date.month, account] += amount
    return {key: amount for key, amount in sums.items() if amount}


def figures(**amounts: str) -> dict[str, Decimal]:
    """Role → amount, as accounts of the sample."""
    return {BOOKS.accounts[role]: Decimal(amount) for role, amount in amounts.items()}
