"""Gusto payrolls into pay runs: one payroll, a list of them, or payments to contractors.

The totals are the authority for every amount. A kind is split by the names of its taxes, benefits or deductions only
where these sum to the total of the kind; otherwise it is one line with the name of the total (`employee_taxes`),
because neither `payroll_taxes` nor the page of employees has to be complete. Pure; amounts are in US dollars.
Source: the shapes and figures of Gusto's public OpenAPI examples; docs/payroll-sources.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from producers.normalising import NormaliseContext, Normalised, Normaliser, Rejected
from producers.payroll.amounts import amount_or_none
from producers.payroll.guarding import category, fields_of, guarded, words_of_people
from producers.payroll.gusto import contractors as gusto_contractors
from producers.payroll.gusto.names import split_by_name, split_wages
from producers.payroll.gusto.totals import GustoTotals, read_totals
from producers.payroll.options import GustoOptions
from producers.payroll.tally import TAKES_BACK, Run, RunType, Tally, negative_net_pay, normalised
from producers.reading.fields import Fields
from producers.reading.options import read_options
from schemas.payroll import RunPaid

NAME: Final = "gusto"
CURRENCY: Final = "USD"

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
        return _read_list(document, context)
    fields = fields_of(document)
    if {"license", "licensee", "right_to_refund"} & fields.values.keys():
        return Normalised((), ignored="receipt")
    if "pay_period" in fields.values and "check_date" in fields.values:
        return _payroll(fields, context)
    found = gusto_contractors.read(fields, context)
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
"""Turn a payroll, a list of payrolls, or contractor payments into `RunPaid`.

Ignored: `run_open`, `zero_run`, `receipt`, `external_run`, `type_not_used:<body>`, `empty_list`.
Raises Rejected (see docs/payroll-sources.md):
of a list the first refusal counts for all of it, so hand over one payroll at a time where that matters.
"""


def _read_list(documents: list[object], context: NormaliseContext) -> Normalised:
    found = [_with_what_it_reverses(_read(document, context), documents) for document in documents]
    events = tuple(event for one in found for event in one.events)
    reasons = sorted({one.ignored for one in found if one.ignored}) or ["empty_list"]
    return Normalised(events, ignored=None if events else ",".join(reasons))


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
    takes_back = run.type in TAKES_BACK
    totals = read_totals(fields_of(payroll.get("totals"), "totals"), limit=options.rounding_limit, may_owe=takes_back)
    employees = payroll.sections("employee_compensations") or ()
    if not takes_back and totals.gross_pay >= 0:
        _no_negative_net_pay(employees)
    if totals.gross_pay < 0 and run.type in {"regular", "off_cycle"}:
        run = replace(run, type="reversal")
    return normalised(run, _tally(payroll, totals, options), context, limit=options.rounding_limit)


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
    period = payroll.section("pay_period")
    return Run(
        source=NAME,
        provider=NAME,
        entity=payroll.identifier_or_none("company_uuid") or options.entity or _only_company(payroll, context),
        id=payroll.identifier_or_none("payroll_uuid") or payroll.identifier("uuid"),
        pay_date=payroll.day("check_date"),
        currency=CURRENCY,
        period_start=period.day_or_none("start_date") if period else None,
        period_end=period.day_or_none("end_date") if period else None,
        type=_type(payroll),
    )


def _only_company(payroll: Fields, context: NormaliseContext) -> str:
    """The company's own name, where there is only one. Raises Rejected `missing_field` where there may be several."""
    return payroll.identifier("company_uuid") if context.accounts else context.company


def _type(payroll: Fields) -> RunType:
    reason = payroll.text_or_none("off_cycle_reason")
    if reason is not None:
        return _TYPES.get(reason.lower(), "off_cycle")
    return "off_cycle" if payroll.flag_or_none("off_cycle") else "regular"


def _no_negative_net_pay(employees: Sequence[Fields]) -> None:
    for employee in employees:
        net = amount_or_none(employee, "net_pay", currency=CURRENCY)
        if net is not None and net < 0:
            raise negative_net_pay("employee_compensations[].net_pay")


def _tally(payroll: Fields, totals: GustoTotals, options: GustoOptions) -> Tally:
    tally = Tally()
    split_wages(tally, payroll, totals, options)
    tally.add("reimbursement", "reimbursements", totals.reimbursements)
    people = words_of_people(payroll.values)
    names = split_by_name(payroll, totals, name_of=lambda value: category(value, people=people))
    tally.add_all("employee_tax", names.employee_taxes)
    tally.add_all("employer_tax", names.employer_taxes)
    tally.add("employer_tax", "deferred_payroll_taxes", totals.deferred_taxes)
    tally.add_all("employer_benefit", names.benefits)
    tally.add_all("deduction", names.deductions)
    tally.add_all("garnishment", names.garnishments)
    tally.add("net_pay", "net_pay", totals.net_pay)
    return tally
