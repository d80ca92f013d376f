"""Gusto's payments to contractors into pay runs of the type `contractor`: one payment, a list, or a group.

A single payment is a run of one: its amount is the run's total, and whom it went to stays here. Pure.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.payroll.amounts import ZERO, amount, amount_or_none, needed_amount, number
from producers.payroll.options import GustoOptions
from producers.payroll.tally import Run, Tally, differ, normalised
from producers.reading.fields import Fields
from producers.reading.options import read_options

_USD: Final = "USD"
_HALF_A_CENT: Final = Decimal("0.005")
"""Whichever way Gusto rounds hours at their rate."""
_PAID: Final = frozenset({"funded", "paid"})


def read(fields: Fields, context: NormaliseContext) -> Normalised | None:
    """Read contractor payments; None when the document is none. Ignored: `run_open`, `zero_run`. Raises Rejected."""
    options = read_options(GustoOptions, context.options)
    if "contractor_uuid" in fields.values and "wage_type" in fields.values:
        return _one(fields, context, options)
    if "contractor_payments" in fields.values and "check_date" in fields.values:
        return _group(fields, context, options)
    if "contractor_payments" in fields.values:
        return _several(fields, context, options)
    return None


def _one(payment: Fields, context: NormaliseContext, options: GustoOptions) -> Normalised:
    if _is_historical(payment) and options.external == "ignore":
        return Normalised((), ignored="external_run")
    if (payment.token_or_none("status") or "").lower() not in _PAID:
        return Normalised((), ignored="run_open")
    wages = _wages(payment)
    tally = _tally(wages, amount(payment, "reimbursement", currency=_USD))
    run = _run(payment, payment.identifier("uuid"), "date", context, options)
    return normalised(run, tally, context)


def _group(group: Fields, context: NormaliseContext, options: GustoOptions) -> Normalised:
    if (group.token_or_none("status") or "").lower() not in _PAID:
        return Normalised((), ignored="run_open")
    payments = group.sections("contractor_payments") or ()
    totals = group.section("totals")
    for name, found in zip(("wage_amount", "reimbursement_amount"), _sums(payments), strict=True):
        told = amount_or_none(totals, name, currency=_USD) if totals else None
        if told is not None and told != found:
            raise differ(f"{name} of all payments", found, "the group's total", told, currency=_USD)
    wages, reimbursed = _sums([one for one in payments if options.external == "post" or not _is_historical(one)])
    number = group.identifier_or_none("uuid") or group.identifier("contractor_payment_group_uuid")
    return normalised(_run(group, number, "check_date", context, options), _tally(wages, reimbursed), context)


def _sums(payments: Iterable[Fields]) -> tuple[Decimal, Decimal]:
    """Wages and reimbursements of payments."""
    each = [(_wages(one), amount(one, "reimbursement", currency=_USD)) for one in payments]
    return sum((wages for wages, _ in each), ZERO), sum((reimbursed for _, reimbursed in each), ZERO)


def _is_historical(payment: Fields) -> bool:
    """Whether it was paid elsewhere and is only told to Gusto for the year's figures."""
    return payment.text_or_none("payment_method") == "Historical Payment"


def _several(listed: Fields, context: NormaliseContext, options: GustoOptions) -> Normalised:
    of_each = [one.sections("payments") or (one,) for one in listed.sections("contractor_payments") or ()]
    found = [_one(payment, context, options) for payments in of_each for payment in payments]
    events = tuple(event for one in found for event in one.events)
    reasons = sorted({one.ignored for one in found if one.ignored}) or ["empty_list"]
    return Normalised(events, ignored=None if events else ",".join(reasons))


def _wages(payment: Fields) -> Decimal:
    """The wages of one payment; what its parts make is checked, and no figure of it is ever shown."""
    told = needed_amount(payment, "wage_total", currency=_USD)
    fixed = amount(payment, "wage", currency=_USD) + amount(payment, "bonus", currency=_USD)
    by_the_hour = number(payment, "hours") * number(payment, "hourly_rate")
    if told != fixed and abs(told - fixed - by_the_hour) > _HALF_A_CENT:
        message = "the parts of a payment (wage, bonus, hours at their rate) do not make its total"
        raise Rejected("totals_differ", message, field=payment.at("wage_total"))
    if told < 0:
        message = "a payment to a contractor is negative. Look at it at the provider."
        raise Rejected("negative_net_pay", message, field=payment.at("wage_total"))
    return told


def _tally(wages: Decimal, reimbursed: Decimal) -> Tally:
    tally = Tally()
    tally.add("contractor", "contractor_wages", wages)
    tally.add("reimbursement", "reimbursements", reimbursed)
    tally.add("net_pay", "net_pay", wages + reimbursed)
    return tally


def _run(fields: Fields, number: str, dated: str, context: NormaliseContext, options: GustoOptions) -> Run:
    return Run(
        source="gusto",
        provider="gusto",
        entity=fields.identifier_or_none("company_uuid") or options.entity or context.company,
        id=number,
        pay_date=fields.day(dated),
        currency=_USD,
        type="contractor",
    )
