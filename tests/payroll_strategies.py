"""Hypothesis strategies for pay runs: any of them balances, as the schema asks; in categories that Gusto has."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st

from schemas.money import EXPONENTS, Money
from schemas.payroll import LineKind, PostedRun, RunLine, RunPaid, RunReversed

CATEGORIES: Final[Mapping[LineKind, tuple[str, ...]]] = {
    "wages": ("gross_pay", "Bonus", "Commission"),
    "employer_tax": ("FUTA", "Social Security", "employer_taxes"),
    "employer_benefit": ("401K", "Medical Insurance", "benefits"),
    "reimbursement": ("reimbursements",),
    "contractor": ("contractor_wages",),
    "employee_tax": ("Federal Income Tax", "Social Security", "employee_taxes"),
    "deduction": ("401K", "other_deductions", "employee_benefits_deductions"),
    "garnishment": ("child_support",),
}
DEPARTMENTS: Final = ("Sales", "Engineering", None)
ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
instants = st.datetimes(datetime(2020, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (it adds UTC)


@st.composite
def run_lines(draw: st.DrawFn, currency: str = "USD") -> tuple[RunLine, ...]:
    """Lines of any sign; net pay is what is left."""
    lines = draw(st.lists(_lines(currency), max_size=12))
    zero = Money.zero(currency)
    earned = sum((line.amount for line in lines if line.kind in ("wages", "reimbursement", "contractor")), zero)
    withheld = sum((line.amount for line in lines if line.kind in ("employee_tax", "deduction", "garnishment")), zero)
    return (*lines, RunLine(kind="net_pay", category="net_pay", amount=earned - withheld))


@st.composite
def _lines(draw: st.DrawFn, currency: str) -> RunLine:
    kind = draw(st.sampled_from(sorted(CATEGORIES)))
    amount = Money.of(Decimal(draw(st.integers(-(10**9), 10**9))).scaleb(-EXPONENTS[currency]), currency)
    department = draw(st.sampled_from(DEPARTMENTS)) if kind == "wages" else None
    return RunLine(kind=kind, category=draw(st.sampled_from(CATEGORIES[kind])), department=department, amount=amount)


@st.composite
def runs_paid(draw: st.DrawFn, currency: str | None = None) -> RunPaid:
    """A first version of a run, or a later one that replaces the one before it."""
    code = currency or draw(st.sampled_from(sorted(EXPONENTS)))
    version = draw(st.integers(1, 9))
    entity, run = draw(ids), draw(ids)
    start, end = sorted((draw(days), draw(days)))
    old = draw(st.booleans()) if version > 1 else False
    return RunPaid(
        fact=f"gusto:run:{entity}:{run}:v{version}",
        provider="gusto",
        entity=entity,
        run=run,
        version=version,
        pay_date=draw(days),
        period_start=start,
        period_end=end,
        lines=draw(run_lines(code)),
        replaces=draw(posted_runs(f"gusto:run:{entity}:{run}", version - 1, code)) if old else None,
        reverses=draw(st.none() | ids),
        deadline=draw(st.none() | instants),
    )


@st.composite
def posted_runs(draw: st.DrawFn, name: str, version: int, currency: str) -> PostedRun:
    """A version that was told before."""
    return PostedRun(
        fact=f"{name}:v{version}",
        version=version,
        pay_date=draw(days),
        period_end=draw(st.none() | days),
        lines=draw(run_lines(currency)),
    )


@st.composite
def runs_reversed(draw: st.DrawFn, currency: str | None = None) -> RunReversed:
    """The cancellation of a run."""
    code = currency or draw(st.sampled_from(sorted(EXPONENTS)))
    entity, run, version = draw(ids), draw(ids), draw(st.integers(2, 9))
    name = f"gusto:run:{entity}:{run}"
    return RunReversed(
        fact=f"{name}:v{version}",
        provider="gusto",
        entity=entity,
        run=run,
        version=version,
        taken_back=draw(posted_runs(name, version - 1, code)),
        day=draw(days),
        reason=draw(st.none() | ids),
    )
