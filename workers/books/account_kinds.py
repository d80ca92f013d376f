"""Which kinds of Solid's accounts may play which role: income booked to a liability is wrong to the cent and for good.

Solid's codes are those of its public pages; what has another code, or none, is told and not refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

CLEARING: Final = "_clearing"
"""How the role of a processor's clearing account ends: `square_clearing`."""

ASSETS: Final = frozenset({"CASH", "RECEIVABLE", "ASSET", "FIXED_ASSET"})
LIABILITIES: Final = frozenset({"PAYABLE", "LIABILITY", "LT_LIABILITY"})
EXPENSES: Final = frozenset({"COGS", "EXPENSE"})
INCOME: Final = frozenset({"INCOME"})
KNOWN: Final = ASSETS | LIABILITIES | EXPENSES | INCOME | {"EQUITY"}

PAY_COST: Final = KNOWN - INCOME
"""Of a category of pay with an account of its own: a draw of the owner is equity, tips that were collected are owed."""
PAY_OWED: Final = ASSETS | LIABILITIES
"""Of a category of pay that is owed, or paid back: an advance that is deducted was an asset."""

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


@dataclass(frozen=True, slots=True)
class Named:
    """An account as `books.toml` names it: where, for what, and of which kinds it may be."""

    place: str
    use: str
    account: str
    allowed: frozenset[str]


def is_wrong(named: Named, kind: str) -> bool:
    """Whether an account of this kind may not be named here; one whose kind is not known may."""
    code = kind.upper()
    return code in KNOWN and code not in named.allowed


def wrong_kind(named: Named, kind: str, *, nearest: str | None) -> str:
    """Say what is wrong with an account of this kind here, and which one of a right kind is most like it."""
    may = f"{named.use} must be one of {_said(named.allowed)}"
    hint = f'nearest of the right kind: "{nearest}"' if nearest else "Solid has no account of such a kind"
    return f'"{named.account}" is a {kind.upper()} account in Solid, and {may}; {hint}. Correct {named.place}.'


def untold_kind(named: Named, kind: str) -> str | None:
    """Say that the kind of an account could not be looked at."""
    if kind.upper() in KNOWN:
        return None
    shown = f"of the unknown type {kind[:30]!r}" if kind else "without a type"
    return f'"{named.account}" is {shown} in Solid: whether it fits {named.use} is not known'


def no_kind_for_all(named: Iterable[Named]) -> str | None:
    """Say which account is named for two things that no kind of account can be at once; None where there is none."""
    seen: dict[str, list[Named]] = {}
    for each in named:
        for other in seen.setdefault(each.account, []):
            if not each.allowed & other.allowed:
                first, second = (f"{one.use} ({one.place}) {_said(one.allowed)}" for one in (other, each))
                msg = f'"{each.account}" cannot be both: {first}, {second}'
                return f"{msg}. An account is of one kind: give one of them another"
        seen[each.account].append(each)
    return None


def allowed_kinds(role: str) -> frozenset[str] | None:
    """Give the kinds that may play a role; None for one that is not known."""
    return _EITHER_SIDE if role.endswith(CLEARING) else ALLOWED.get(role)


def _said(kinds: frozenset[str]) -> str:
    return ", ".join(sorted(kinds))
