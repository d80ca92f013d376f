"""The totals of a Gusto payroll: read, checked against one another, and told apart where Gusto does not say.

Net pay is gross pay less taxes and deductions. Whether `other_deductions` stand inside the deductions, reimbursements
inside net pay, or tips, draws and imputed pay inside gross pay, differs between payrolls: the reading is taken with
which the totals add up to the cent, and none is believed otherwise. It must not look at employees.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from producers.payroll.amounts import ZERO, amount, amount_or_none, nearest, needed_amount, reading
from producers.payroll.tally import differ, negative_net_pay
from producers.reading.fields import Fields

_USD: Final = "USD"
_WITHHELD: Final = ("other_deductions", "child_support_debit", "employee_cash_tips", "imputed_pay")
_PAID_BESIDE_GROSS: Final = ("reimbursements", "owners_draw", "employee_paycheck_tips")


@dataclass(frozen=True, slots=True)
class GustoTotals:
    """What a payroll costs and owes, in dollars.

    `gross_pay` is as Gusto says, `wages` without what is not an expense or not paid. `net_pay` holds reimbursements.
    `deductions` are those of benefits, `other_deductions` only what stands beside them, both without child support.
    """

    gross_pay: Decimal
    wages: Decimal
    owners_draw: Decimal
    paycheck_tips: Decimal
    reimbursements: Decimal
    employee_taxes: Decimal
    employer_taxes: Decimal
    deferred_taxes: Decimal
    benefits: Decimal
    deductions: Decimal
    other_deductions: Decimal
    child_support: Decimal
    net_pay: Decimal


def read_totals(totals: Fields, *, limit: Decimal = ZERO, may_owe: bool = False) -> GustoTotals:
    """Read and check the totals. `may_owe`: net pay may be negative though gross pay is not, as in a correction.

    Raises Rejected `missing_field`, `bad_amount`, `totals_differ`, `totals_ambiguous`, `negative_net_pay`.
    """
    gross, net = (needed_amount(totals, name, currency=_USD) for name in ("gross_pay", "net_pay"))
    employee_taxes, deductions, other, child_support, draw, tips, reimbursements, cash_tips, imputed = (
        amount(totals, name, currency=_USD)
        for name in (
            "employee_taxes",
            "employee_benefits_deductions",
            "other_deductions",
            "child_support_debit",
            "owners_draw",
            "employee_paycheck_tips",
            "reimbursements",
            "employee_cash_tips",
            "imputed_pay",
        )
    )
    if net < 0 <= gross and not may_owe:
        raise negative_net_pay(totals.at("net_pay"))
    held = _reading(totals, gap=gross - employee_taxes - deductions - net, limit=limit)
    _check_debits(totals)
    employer_taxes, deferred = _employer_taxes(totals, employee_taxes)
    benefit_deductions, others = _without_child_support(
        ZERO if "child_support_debit" in held else child_support,
        deductions,
        other if "other_deductions" in held else ZERO,
    )
    not_paid = (cash_tips if "employee_cash_tips" in held else ZERO) + (imputed if "imputed_pay" in held else ZERO)
    inside = (ZERO if "owners_draw" in held else draw) + (ZERO if "employee_paycheck_tips" in held else tips)
    return GustoTotals(
        gross_pay=gross,
        wages=gross - not_paid - inside,
        owners_draw=draw,
        paycheck_tips=tips,
        reimbursements=reimbursements,
        employee_taxes=employee_taxes,
        employer_taxes=employer_taxes,
        deferred_taxes=deferred,
        benefits=amount(totals, "benefits", currency=_USD),
        deductions=benefit_deductions,
        other_deductions=others,
        child_support=child_support,
        net_pay=net if "reimbursements" in held else net + reimbursements,
    )


def _reading(totals: Fields, *, gap: Decimal, limit: Decimal) -> frozenset[str]:
    unclear = {name: amount(totals, name, currency=_USD) for name in _WITHHELD}
    if unclear["child_support_debit"] == unclear["other_deductions"]:
        del unclear["child_support_debit"]  # the other deductions are the child support: one reading, not two
    unclear |= {name: -amount(totals, name, currency=_USD) for name in _PAID_BESIDE_GROSS}
    found = reading(gap, unclear=unclear, limit=limit)
    if found is None:
        net = needed_amount(totals, "net_pay", currency=_USD)
        made = net + gap - nearest(gap, unclear=unclear)
        raise differ("gross_pay less employee_taxes and deductions", made, "net_pay", net, currency=_USD)
    return found


def _without_child_support(child_support: Decimal, deductions: Decimal, other: Decimal) -> tuple[Decimal, Decimal]:
    """Take child support out of the other deductions where it fits, else out of those of benefits."""
    if abs(other) >= abs(child_support):
        return deductions, other - child_support
    if abs(deductions) < abs(child_support):
        raise differ("child_support_debit", child_support, "all deductions", deductions + other, currency=_USD)
    return deductions - child_support, other


def _employer_taxes(totals: Fields, employee_taxes: Decimal) -> tuple[Decimal, Decimal]:
    """Employer taxes without the deferred ones, and these. The debit, where there is one, says which holds which."""
    taxes = amount(totals, "employer_taxes", currency=_USD)
    deferred = amount(totals, "deferred_payroll_taxes", currency=_USD)
    debit = amount(totals, "tax_debit", currency=_USD)
    if debit == employee_taxes + taxes:
        return taxes, deferred
    if debit and debit != employee_taxes + taxes - deferred:
        raise differ("tax_debit", debit, "employee_taxes and employer_taxes", employee_taxes + taxes, currency=_USD)
    return taxes - deferred, deferred


def _check_debits(totals: Fields) -> None:
    debit = amount_or_none(totals, "company_debit", currency=_USD)
    names = ("net_pay_debit", "tax_debit", "reimbursement_debit", "child_support_debit")
    parts = sum((amount(totals, name, currency=_USD) for name in names), ZERO)
    if debit and debit != parts:
        raise differ("company_debit", debit, "its parts", parts, currency=_USD)
    check, net_debit = (amount(totals, name, currency=_USD) for name in ("check_amount", "net_pay_debit"))
    net, reimbursed = (amount(totals, name, currency=_USD) for name in ("net_pay", "reimbursements"))
    paid = net_debit + check
    if paid and abs(paid - net) > abs(reimbursed):  # reimbursements may be paid by check, in whole or in part
        raise differ("net_pay_debit and check_amount", paid, "net_pay", net, currency=_USD)
