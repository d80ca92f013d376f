"""Which kinds of Solid's accounts may play which role: income booked to a liability is wrong to the cent and for good.

Solid's codes are those of its public pages; what has another code, or none, is told and not refused.
"""

from collections.abc import Mapping
from typing import Final

CLEARING: Final = "_clearing"
"""How the role of a processor's clearing account ends: `square_clearing`."""

ASSETS: Final = frozenset({"CASH", "RECEIVABLE", "ASSET", "FIXED_ASSET"})
LIABILITIES: Final = frozenset({"PAYABLE", "LIABILITY", "LT_LIABILITY"})
EXPENSES: Final = frozenset({"COGS", "EXPENSE"})
INCOME: Final = frozenset({"INCOME"})
KNOWN: Final = ASSETS | LIABILITIES | EXPENSES | INCOME | {"EQUITY"}

_EITHER_SIDE: Final = ASSETS | LIABILITIES
"""Of accounts that may be owed to us today and by us tomorrow, such as clearing and tax."""

ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("receivable", "inventory", "disputes_receivable"), ASSETS),
    **dict.fromkeys(("bank", "sales_tax_payable", "input_vat", "due_to_sellers", "processor_reserve"), _EITHER_SIDE),
    **dict.fromkeys(("received_not_billed", "supplier_claims", "net_pay_payable", "customer_credit"), _EITHER_SIDE),
    **dict.fromkeys(("payable", "payroll_tax_payable", "deductions_payable", "benefits_payable"), LIABILITIES),
    **dict.fromkeys(("garnishments_payable", "reimbursements_payable", "accrued_payroll"), LIABILITIES),
    "income": INCOME,
    **dict.fromkeys(("sales_returns", "processing_fees", "payroll_rounding", "shrinkage"), EXPENSES | INCOME),
    **dict.fromkeys(
        ("dispute_fees", "chargeback_loss", "cogs", "write_off", "purchase_price_variance"), EXPENSES | INCOME
    ),
    "exchange_gain_loss": EXPENSES | INCOME,
    **dict.fromkeys(("wages", "payroll_tax_expense", "benefits_expense"), EXPENSES),
    **dict.fromkeys(("reimbursement_expense", "contractor_expense"), EXPENSES),
}
"""Every role there is, but for those of clearing accounts."""


def wrong_kind(role: str, name: str, kind: str, *, where: str) -> str | None:
    """Say what is wrong with an account of this kind in this role; None for nothing, or where that is not known."""
    allowed, code = allowed_kinds(role), kind.upper()
    if allowed is None or code not in KNOWN or code in allowed:
        return None
    may = ", ".join(sorted(allowed))
    return f'"{name}" is a {code} account in Solid, and {role} must be one of {may}. Correct {where}.'


def untold_kind(role: str, name: str, kind: str) -> str | None:
    """Say that the kind of an account could not be looked at."""
    if allowed_kinds(role) is None or kind.upper() in KNOWN:
        return None
    shown = f"of the unknown type {kind[:30]!r}" if kind else "without a type"
    return f'"{name}" is {shown} in Solid: whether it fits {role} is not known'


def allowed_kinds(role: str) -> frozenset[str] | None:
    """Give the kinds that may play a role; None for one that is not known."""
    return _EITHER_SIDE if role.endswith(CLEARING) else ALLOWED.get(role)
