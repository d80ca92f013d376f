"""Xero Payroll's pay runs into our events: which country's shape it is, and the Australian one.

Australia gives totals on the run (`PayRuns`, dates as `/Date(ms)/`); New Zealand and the United Kingdom give them on
the slips (`payRun`, see `xero_slips`). Categories are the names of the totals. Pure.
Source: the examples of XeroAPI/Xero-OpenAPI (MIT) in tests/data/xero-payroll-au; docs/payroll-sources.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from producers.normalising import NormaliseContext, Normalised, Normaliser, Rejected
from producers.payroll.amounts import ZERO, amount, needed_amount, reading
from producers.payroll.guarding import fields_of, guarded
from producers.payroll.options import XeroOptions
from producers.payroll.tally import Run, Tally, differ, negative_net_pay, normalised
from producers.payroll.xero import slips as xero_slips
from producers.reading.fields import Fields
from producers.reading.options import read_options

NAME: Final = "xero-payroll"

_AUD: Final = "AUD"
_OTHER_BODIES: Final = frozenset(
    {
        "Timesheets",
        "Timesheet",
        "Settings",
        "SuperFunds",
        "PayItems",
        "PayrollCalendars",
        "Employees",
        "LeaveApplications",
    }
)
_ON_SLIP: Final[Mapping[str, str]] = {"Reimbursement": "Reimbursements"}
_TOTALS: Final = ("Wages", "Deductions", "Tax", "Super", "Reimbursement", "NetPay")


def _read(document: object, context: NormaliseContext) -> Normalised:
    options = read_options(XeroOptions, context.options)
    fields = _with_its_body(fields_of(document))
    keys = fields.values.keys()
    if "PayRuns" in keys:
        _not_another_product(options, "au")
        return _several([_pay_run(run, context, options) for run in fields.sections("PayRuns") or ()])
    if {"payRun", "payRuns"} & keys:
        _not_another_product(options, "nz", "uk")
        single = fields.section("payRun")
        runs = (fields.sections("payRuns") or ()) if single is None else (single,)
        return _several([xero_slips.read(run, context, options) for run in runs])
    if {"Payslip", "paySlip", "paySlips"} & keys:
        return Normalised((), ignored="payslip_alone")
    other = sorted(_OTHER_BODIES & keys)
    if other:
        return Normalised((), ignored=f"type_not_used:{other[0]}")
    raise Rejected("unknown_shape", "neither pay runs of Xero Payroll (PayRuns, payRuns, payRun) nor slips")


normalise: Final[Normaliser] = guarded(_read)
"""Turn the body of a response with pay runs into `RunPaid`.

Ignored: `run_open`, `zero_run`, `payslip_alone`, `type_not_used:<body>`, `empty_list`. Raises Rejected.
"""


def _with_its_body(fields: Fields) -> Fields:
    """A single pay run as the body of a response has it."""
    keys = fields.values.keys()
    if "PayRun" in keys:
        return Fields({"PayRuns": [fields.get("PayRun")]})
    if {"PayRunID", "PayRunStatus"} <= keys:
        return Fields({"PayRuns": [fields.values]})
    return Fields({"payRun": fields.values}) if {"payRunID", "payRunStatus"} <= keys else fields


def _not_another_product(options: XeroOptions, *possible: str) -> None:
    if options.product is not None and options.product not in possible:
        message = f"the document has the shape of {' or '.join(possible)}, the option says {options.product}"
        raise Rejected("bad_options", message, field="options.product")


def _several(found: Sequence[Normalised]) -> Normalised:
    events = tuple(event for one in found for event in one.events)
    reasons = sorted({one.ignored for one in found if one.ignored}) or ["empty_list"]
    return Normalised(events, ignored=None if events else ",".join(reasons))


@dataclass(frozen=True, slots=True)
class _Totals:
    wages: Decimal
    deductions: Decimal
    tax: Decimal
    superannuation: Decimal
    reimbursement: Decimal
    net_pay: Decimal


def _pay_run(fields: Fields, context: NormaliseContext, options: XeroOptions) -> Normalised:
    if (fields.token_or_none("PayRunStatus") or "").upper() != "POSTED":
        return Normalised((), ignored="run_open")
    totals = _Totals(*(_total(fields, name) for name in _TOTALS))
    if totals.net_pay < 0 <= totals.wages:
        raise negative_net_pay(fields.at("NetPay"))
    slips = fields.sections("Payslips") or ()
    _slips_sum(slips, fields)
    tally = _tally(totals, slips, options)
    run = Run(
        source=NAME,
        provider=NAME,
        entity=options.entity or context.company,
        id=fields.identifier("PayRunID"),
        pay_date=fields.day("PaymentDate"),
        currency=_AUD,
        period_start=fields.day_or_none("PayRunPeriodStartDate"),
        period_end=fields.day_or_none("PayRunPeriodEndDate"),
        type="reversal" if totals.wages < 0 else "regular",
    )
    return normalised(run, tally, context, limit=options.rounding_limit)


def _total(fields: Fields, name: str) -> Decimal:
    if name in {"Wages", "NetPay"}:
        return needed_amount(fields, name, currency=_AUD)
    return amount(fields, name, currency=_AUD)


def _slips_sum(slips: Sequence[Fields], run: Fields) -> None:
    """Check each total against the slips, where these are in the document. Raises Rejected `totals_differ`."""
    if not slips:
        return
    for slip in slips:
        if amount(slip, "NetPay", currency=_AUD) < 0 <= amount(slip, "Wages", currency=_AUD):
            raise negative_net_pay("Payslips[].NetPay")
    for name in _TOTALS:
        total = amount(run, name, currency=_AUD)
        of_slips = sum((amount(slip, _ON_SLIP.get(name, name), currency=_AUD) for slip in slips), ZERO)
        if of_slips != total:
            raise differ(f"{name} of the slips", of_slips, "of the pay run", total, currency=_AUD)


def _tally(totals: _Totals, slips: Sequence[Fields], options: XeroOptions) -> Tally:
    gap = totals.wages - totals.deductions - totals.tax - totals.net_pay
    held = reading(gap, unclear={"Reimbursement": -totals.reimbursement}, limit=options.rounding_limit)
    if held is None:
        paid = totals.net_pay + gap
        raise differ("Wages less Deductions and Tax", paid, "NetPay", totals.net_pay, currency=_AUD)
    tally = Tally()
    _add_wages(tally, totals, slips, options)
    tally.add("reimbursement", "Reimbursement", totals.reimbursement)
    tally.add("employer_benefit", "Super", totals.superannuation)
    tally.add("employee_tax", "Tax", totals.tax)
    tally.add("deduction", "Deductions", totals.deductions)
    tally.add("net_pay", "NetPay", totals.net_pay if held else totals.net_pay + totals.reimbursement)
    return tally


def _add_wages(tally: Tally, totals: _Totals, slips: Sequence[Fields], options: XeroOptions) -> None:
    if options.split == "none":
        tally.add("wages", "Wages", totals.wages)
        return
    if options.split == "location" or not slips:
        message = "a pay run is split by department (EmployeeGroup) only, and only where its slips are in the document"
        raise Rejected("split_not_possible", message, field="options.split")
    for slip in slips:
        tally.add("wages", "Wages", amount(slip, "Wages", currency=_AUD), department=slip.text_or_none("EmployeeGroup"))
