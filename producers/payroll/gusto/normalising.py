"""Gusto payrolls into pay runs: one payroll, a list of them, or payments to contractors.

The totals are the authority for every amount (see `lines`). Pure; amounts are in US dollars.
Source: the shapes and figures of Gusto's public OpenAPI examples; docs/payroll-sources.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Final

from producers.normalising import NormaliseContext, Normalised, Normaliser, Rejected
from producers.payroll.amounts import ZERO, amount, amount_or_none, needed_amount, number
from producers.payroll.guarding import fields_of, guarded
from producers.payroll.gusto.lines import read_totals, tally_of
from producers.payroll.options import GustoOptions
from producers.payroll.tally import TAKES_BACK, Run, RunType, Tally, differ, negative_net_pay, normalised, several
from producers.reading.fields import Fields
from producers.reading.options import read_options
from schemas.payroll import RunPaid

CURRENCY: Final = "USD"
_HALF_A_CENT: Final = Decimal("0.005")
"""Whichever way Gusto rounds hours at their rate."""
_usd: Final = partial(amount, currency=CURRENCY)
_TYPES: Final[Mapping[str, RunType]] = {
    "bonus": "bonus",
    "correction": "correction",
    "wage correction": "correction",
    "benefit reversal": "correction",
    "reversal": "reversal",
    "tax reconciliation": "year_end",
}
"""Gusto's reasons for an off-cycle payroll, in lower case; any other reason is `off_cycle`."""


_OTHER_BODIES: Final[Mapping[str, frozenset[str]]] = {
    "company_benefit": frozenset({"benefit_type", "company_uuid"}),
    "earning_type": frozenset({"custom", "default"}),
    "employee_benefit": frozenset({"company_benefit_uuid", "employee_uuid"}),
    "event": frozenset({"event_type", "entity_uuid"}),
    "garnishment": frozenset({"court_ordered", "employee_uuid"}),
    "invoice_data": frozenset({"active_companies"}),
    "pay_period": frozenset({"start_date", "end_date", "payroll"}),
    "pay_schedule": frozenset({"anchor_pay_date", "frequency"}),
    "payroll_blocker": frozenset({"key", "message"}),
    "webhook_subscription": frozenset({"subscription_types", "url"}),
}
"""What else Gusto's API gives, by fields that it alone has: settings and notices, which move no money."""


def _read(document: object, context: NormaliseContext) -> Normalised:
    if isinstance(document, list):
        return several([_with_what_it_reverses(_read(one, context), document) for one in document])
    fields = fields_of(document)
    if {"license", "licensee", "right_to_refund"} & fields.values.keys():
        return Normalised((), ignored="receipt")
    if "pay_period" in fields.values and "check_date" in fields.values:
        return _payroll(fields, context)
    found = _contractors(fields, context)
    if found is not None:
        return found
    for name, its_own in _OTHER_BODIES.items():
        if its_own <= fields.values.keys():
            return Normalised((), ignored=f"type_not_used:{name}")
    raise Rejected(
        "unknown_shape",
        "neither a Gusto payroll (check_date, pay_period, totals) nor payments to contractors",
    )


normalise: Final[Normaliser] = guarded(_read)
"""Ignored: `run_open`, `zero_run`, `receipt`, `external_run`, `type_not_used:<body>`, `empty_list`.

Raises Rejected (see docs/payroll-sources.md): of a list the first refusal counts for all of it.
"""


def _with_what_it_reverses(found: Normalised, documents: Sequence[object]) -> Normalised:
    """Name the run that a reversal takes back: only the run that was reversed tells it, so both must be in the list."""
    if not found.events:
        return found
    event = found.events[0]
    for document in documents:
        reversals = document.get("reversal_payroll_uuids") if isinstance(document, dict) else None
        if not isinstance(reversals, list) or not isinstance(event.data, RunPaid) or event.data.run not in reversals:
            continue
        original = fields_of(document)
        reverses = original.identifier_or_none("payroll_uuid") or original.identifier("uuid")
        data = event.data.model_copy(update={"reverses": reverses, "run_type": "reversal"})
        return replace(found, events=(event.model_copy(update={"data": data}),))
    return found


def _payroll(payroll: Fields, context: NormaliseContext) -> Normalised:
    options = read_options(GustoOptions, context.options)
    if not _is_processed(payroll):
        return Normalised((), ignored="run_open")
    if payroll.flag_or_none("external") and options.external == "ignore":
        return Normalised((), ignored="external_run")
    if payroll.get("totals") is None:
        raise payroll.missing("totals")
    _must_be_dollars(payroll)
    run = _run(payroll, options, context)
    takes_back = run.run_type in TAKES_BACK
    totals = read_totals(fields_of(payroll.get("totals"), "totals"), limit=options.rounding_limit, may_owe=takes_back)
    employees = payroll.sections("employee_compensations") or ()
    if not takes_back and totals["gross_pay"] >= 0 and any(_usd(each, "net_pay") < 0 for each in employees):
        raise negative_net_pay("employee_compensations[].net_pay")
    if totals["gross_pay"] < 0 and run.run_type in {"regular", "off_cycle"}:
        run = replace(run, run_type="reversal")
    return normalised(run, tally_of(payroll, totals, options), context, limit=options.rounding_limit)


def _is_processed(payroll: Fields) -> bool:
    """Whether the run is final. Raises Rejected `missing_field` where it is not said and there are totals."""
    processed = payroll.flag_or_none("processed")
    if processed is None and payroll.get("totals") is not None:
        raise payroll.missing("processed")
    return processed is True


def _must_be_dollars(payroll: Fields) -> None:
    """Gusto names no currency. Raises Rejected `other_currency` where a document does, and it is another."""
    for holder in (payroll, payroll.section("totals")):
        said = holder.text_or_none("currency") if holder else None
        if holder and said is not None and said.upper() != CURRENCY:
            message = f"payrolls of Gusto are in {CURRENCY}, and this one says another currency: nothing of it was used"
            raise Rejected("other_currency", message, field=holder.at("currency"))


def _run(payroll: Fields, options: GustoOptions, context: NormaliseContext) -> Run:
    """Name the run; where the document does not name its company, there must be only one that it can be of."""
    period = payroll.section("pay_period")
    otherwise = options.entity or (None if context.accounts else context.company)
    return Run(
        provider="gusto",
        entity=payroll.identifier_or_none("company_uuid") or otherwise or payroll.identifier("company_uuid"),
        run=payroll.identifier_or_none("payroll_uuid") or payroll.identifier("uuid"),
        pay_date=payroll.day("check_date"),
        currency=CURRENCY,
        period_start=period.day_or_none("start_date") if period else None,
        period_end=period.day_or_none("end_date") if period else None,
        run_type=_type(payroll),
    )


def _type(payroll: Fields) -> RunType:
    reason = payroll.text_or_none("off_cycle_reason")
    if reason is not None:
        return _TYPES.get(reason.lower(), "off_cycle")
    return "off_cycle" if payroll.flag_or_none("off_cycle") else "regular"


def _contractors(fields: Fields, context: NormaliseContext) -> Normalised | None:
    """Read contractor payments; None when the document is none. A single one is a run of one."""
    options = read_options(GustoOptions, context.options)
    if {"contractor_uuid", "wage_type"} <= fields.values.keys():
        return _payment(fields, context, options)
    if {"contractor_payments", "check_date"} <= fields.values.keys():
        return _group(fields, context, options)
    if "contractor_payments" in fields.values:
        each = [one.sections("payments") or (one,) for one in fields.sections("contractor_payments") or ()]
        return several([_payment(payment, context, options) for payments in each for payment in payments])
    return None


def _payment(payment: Fields, context: NormaliseContext, options: GustoOptions) -> Normalised:
    if _is_historical(payment) and options.external == "ignore":
        return Normalised((), ignored="external_run")
    if not _is_paid(payment):
        return Normalised((), ignored="run_open")
    sums = _sums([payment])
    return _contractor_run(payment, payment.identifier("uuid"), "date", sums, context, options)


def _group(group: Fields, context: NormaliseContext, options: GustoOptions) -> Normalised:
    if not _is_paid(group):
        return Normalised((), ignored="run_open")
    payments = group.sections("contractor_payments") or ()
    totals = group.section("totals")
    for name, found in zip(("wage_amount", "reimbursement_amount"), _sums(payments), strict=True):
        told = amount_or_none(totals, name, currency=CURRENCY) if totals else None
        if told is not None and told != found:
            raise differ(f"{name} of all payments", found, "the group's total", told, currency=CURRENCY)
    sums = _sums([one for one in payments if options.external == "post" or not _is_historical(one)])
    run = group.identifier_or_none("uuid") or group.identifier("contractor_payment_group_uuid")
    return _contractor_run(group, run, "check_date", sums, context, options)


def _is_paid(fields: Fields) -> bool:
    return (fields.token_or_none("status") or "").lower() in {"funded", "paid"}


def _is_historical(payment: Fields) -> bool:
    """Whether it was paid elsewhere and is only told to Gusto for the year's figures."""
    return payment.text_or_none("payment_method") == "Historical Payment"


def _sums(payments: Iterable[Fields]) -> tuple[Decimal, Decimal]:
    """Wages and reimbursements of payments."""
    each = [(_wages(one), _usd(one, "reimbursement")) for one in payments]
    return sum((wages for wages, _ in each), ZERO), sum((reimbursed for _, reimbursed in each), ZERO)


def _wages(payment: Fields) -> Decimal:
    """The wages of one payment; what its parts make is checked, and no figure of it is ever shown."""
    told = needed_amount(payment, "wage_total", currency=CURRENCY)
    fixed = _usd(payment, "wage") + _usd(payment, "bonus")
    by_the_hour = number(payment, "hours") * number(payment, "hourly_rate")
    if told != fixed and abs(told - fixed - by_the_hour) > _HALF_A_CENT:
        message = "the parts of a payment (wage, bonus, hours at their rate) do not make its total"
        raise Rejected("totals_differ", message, field=payment.at("wage_total"))
    if told < 0:
        message = "a payment to a contractor is negative. Look at it at the provider."
        raise Rejected("negative_net_pay", message, field=payment.at("wage_total"))
    return told


def _contractor_run(  # noqa: PLR0913, PLR0917 - a document, what was added up of it, and how it is read
    fields: Fields,
    run: str,
    dated: str,
    sums: tuple[Decimal, Decimal],
    context: NormaliseContext,
    options: GustoOptions,
) -> Normalised:
    wages, reimbursed = sums
    tally = Tally()
    tally.add("contractor", "contractor_wages", wages)
    tally.add("reimbursement", "reimbursements", reimbursed)
    tally.add("net_pay", "net_pay", wages + reimbursed)
    named = Run(
        provider="gusto",
        entity=fields.identifier_or_none("company_uuid") or options.entity or context.company,
        run=run,
        pay_date=fields.day(dated),
        currency=CURRENCY,
        run_type="contractor",
    )
    return normalised(named, tally, context)
