"""The accounts the books open with: a sample that has one for every role of the relay, or a file's.

Types are Solid's own codes. The ids are derived from the names, so that a restart finds the same accounts.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from simulator.books.money import ZERO, Cents, parse
from simulator.errors import SwitchError

TYPES: Final = (
    "CASH",
    "RECEIVABLE",
    "ASSET",
    "FIXED_ASSET",
    "PAYABLE",
    "LIABILITY",
    "LT_LIABILITY",
    "EQUITY",
    "INCOME",
    "COGS",
    "EXPENSE",
)
OPENING_DATE: Final = "2020-01-01"
OPENING_EQUITY: Final = "Opening Balance Equity"
SALES_TAX: Final = "Sales Tax Payable"
_NAMESPACE: Final = uuid.UUID("5e1f3a0c-9c53-4b5e-8a55-3c0d7f1f2a61")


@dataclass(frozen=True, slots=True)
class ChartAccount:
    """One account to open with; `opening` is its debit (negative: credit) against Opening Balance Equity."""

    name: str
    type: str
    number: str = ""
    opening: Cents = ZERO

    @property
    def id(self) -> str:
        """Its UUID, the same in every run."""
        return str(uuid.uuid5(_NAMESPACE, self.name))


_SAMPLE: Final = """
1000 CASH        Checking
1010 CASH        Savings
1050 CASH        Stripe Clearing
1060 CASH        Processor Clearing
1070 ASSET       Stripe Reserve
1100 RECEIVABLE  Accounts Receivable
1200 ASSET       Inventory Asset
1210 ASSET       Supplier Claims
1220 ASSET       Disputes Receivable
1230 ASSET       Input VAT
1500 FIXED_ASSET Equipment
2000 PAYABLE     Accounts Payable
2100 LIABILITY   Sales Tax Payable
2110 LIABILITY   Received Not Billed
2120 LIABILITY   Customer Credit
2200 LIABILITY   Payroll Tax Payable
2210 LIABILITY   Deductions Payable
2220 LIABILITY   Benefits Payable
2230 LIABILITY   Garnishments Payable
2240 LIABILITY   Reimbursements Payable
2250 LIABILITY   Net Pay Payable
2260 LIABILITY   Accrued Payroll
2270 LIABILITY   Tips Payable
2300 LIABILITY   Due to Sellers
2500 LT_LIABILITY Bank Loan
3000 EQUITY      Opening Balance Equity
3100 EQUITY      Retained Earnings
3200 EQUITY      Owner's Draw
4000 INCOME      Sales Income
4010 INCOME      Service Income
4090 INCOME      Sales Returns
5000 COGS        Cost of Goods Sold
5010 COGS        Purchase Price Variance
5020 COGS        Inventory Shrinkage
5030 COGS        Inventory Write-off
6000 EXPENSE     Stripe Fees
6010 EXPENSE     Dispute Fees
6020 EXPENSE     Chargeback Losses
6030 EXPENSE     Exchange Gain or Loss
6100 EXPENSE     Wages
6101 EXPENSE     Wages — Sales
6102 EXPENSE     Wages — Engineering
6103 EXPENSE     Wages — G&A
6110 EXPENSE     Payroll Tax Expense
6120 EXPENSE     Benefits Expense
6130 EXPENSE     Reimbursed Expenses
6140 EXPENSE     Contractors
6150 EXPENSE     Payroll Rounding
"""


def sample() -> tuple[ChartAccount, ...]:
    """The built-in chart: Checking opens with 10,000.00."""
    lines = [line.split(maxsplit=2) for line in _SAMPLE.strip().splitlines()]
    return tuple(
        ChartAccount(name, code, number, Cents(1_000_000) if name == "Checking" else ZERO)
        for number, code, name in lines
    )


def read(path: Path) -> tuple[ChartAccount, ...]:
    """The chart in a JSON file: a list of `{"name", "type", "number"?, "opening_balance"?: "108.00"}`.

    Raises SwitchError naming what is wrong with it.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        chart = tuple(_account(row) for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        msg = f"{path}: not a chart of accounts: {exc!r}"
        raise SwitchError(msg) from exc
    check(chart)
    return chart


def check(chart: Sequence[ChartAccount]) -> None:
    """Raise SwitchError unless types are known, names differ and an opening balance has its other side."""
    names = [account.name for account in chart]
    problems = [f"{account.name}: {account.type} is no account type" for account in chart if account.type not in TYPES]
    problems += [f"{name}: twice" for name in sorted({name for name in names if names.count(name) > 1})]
    problems += [f"no account of type {code}" for code in ("RECEIVABLE", "PAYABLE") if code not in _types(chart)]
    if any(account.opening for account in chart) and OPENING_EQUITY not in names:
        problems.append(f"an opening balance needs the account {OPENING_EQUITY}")
    if problems:
        msg = f"chart of accounts: {'; '.join(problems)}"
        raise SwitchError(msg)


def _types(chart: Sequence[ChartAccount]) -> set[str]:
    return {account.type for account in chart}


def _account(row: Mapping[str, object]) -> ChartAccount:
    name, code = row["name"], row["type"]
    opening = parse(row.get("opening_balance", "0.00"), "decimal_string")
    return ChartAccount(str(name), str(code), str(row.get("number") or ""), opening)
