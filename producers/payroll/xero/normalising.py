"""Xero Payroll's pay runs into our events: which country's shape it is, and the Australian one.

Australia gives totals on the run (`PayRuns`, dates as `/Date(ms)/`); New Zealand and the United Kingdom give them on
the slips (`payRun`, see `slips`). Categories are the names of the totals. Pure.
Source: the examples of XeroAPI/Xero-OpenAPI (MIT) in tests/data/xero-payroll-au; docs/payroll-sources.md.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from producers.normalising import NormaliseContext, Normalised, Normaliser, Rejected
from producers.payroll.amounts import ZERO, amount, needed_amount, with_reimbursed
from producers.payroll.guarding import fields_of, guarded
from producers.payroll.options import XeroOptions
from producers.payroll.tally import Run, Sums, Tally, differ, negative_net_pay, normalised, several
from producers.payroll.xero import slips as xero_slips
from producers.reading.fields import Fields
from producers.reading.options import read_options
from schemas.payroll import LineKind

_AUD: Final = "AUD"
_OTHER_BODIES: Final = (
    "Employees",
    "LeaveApplications",
    "PayItems",
    "PayrollCalendars",
    "Settings",
    "SuperFunds",
    "Timesheet",
    "Timesheets",
)
_ON_SLIP: Final[Mapping[str, str]] = {"Reimbursement": "Reimbursements"}
_TOTALS: Final = ("Wages", "Deductions", "Tax", "Super", "Reimbursement", "NetPay")
_AS_THEY_ARE: Final[tuple[tuple[LineKind, str], ...]] = (
    ("reimbursement", "Reimbursement"),
    ("employer_benefit", "Super"),
    ("employee_tax", "Tax"),
    ("deduction", "Deductions"),
)


def _read(document: object, context: NormaliseContext) -> Normalised:
    options = read_options(XeroOptions, context.options)
    fields = _with_its_body(fields_of(document))
    keys = fields.values.keys()
    if "PayRuns" in keys:
        _not_another_product(options, "au")
        return several([_pay_run(run, context, options) for run in fields.sections("PayRuns") or ()])
    if {"payRun", "payRuns"} & keys:
        _not_another_product(options, "nz", "uk")
        single = fields.section("payRun")
        runs = (fields.sections("payRuns") or ()) if single is None else (single,)
        return several([xero_slips.read(run, context, options) for run in runs])
    if {"Payslip", "paySlip", "paySlips"} & keys:
        return Normalised((), ignored="payslip_alone")
    for name in _OTHER_BODIES:
        if name in keys:
            return Normalised((), ignored=f"type_not_used:{name}")
    raise Rejected("unknown_shape", "neither pay runs of Xero Payroll (PayRuns, payRuns, payRun) nor slips")


normalise: Final[Normaliser] = guarded(_read)
"""Ignored: `run_open`, `zero_run`, `payslip_alone`, `type_not_used:<body>`, `empty_list`. Raises Rejected."""


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


def _pay_run(fields: Fields, context: NormaliseContext, options: XeroOptions) -> Normalised:
    if (fields.token_or_none("PayRunStatus") or "").upper() != "POSTED":
        return Normalised((), ignored="run_open")
    totals = {name: _total(fields, name) for name in _TOTALS}
    if totals["NetPay"] < 0 <= totals["Wages"]:
        raise negative_net_pay(fields.at("NetPay"))
    slips = fields.sections("Payslips") or ()
    _slips_sum(slips, totals)
    tally = _tally(totals, slips, options)
    run = Run(
        provider="xero-payroll",
        entity=options.entity or context.company,
        run=fields.identifier("PayRunID"),
        pay_date=fields.day("PaymentDate"),
        currency=_AUD,
        period_start=fields.day_or_none("PayRunPeriodStartDate"),
        period_end=fields.day_or_none("PayRunPeriodEndDate"),
        run_type="reversal" if totals["Wages"] < 0 else "regular",
    )
    return normalised(run, tally, context, limit=options.rounding_limit)


def _total(fields: Fields, name: str) -> Decimal:
    read = needed_amount if name in {"Wages", "NetPay"} else amount
    return read(fields, name, currency=_AUD)


def _slips_sum(slips: Sequence[Fields], totals: Sums) -> None:
    """Check each total against the slips, where these are in the document. Raises Rejected `totals_differ`."""
    for slip in slips:
        if amount(slip, "NetPay", currency=_AUD) < 0 <= amount(slip, "Wages", currency=_AUD):
            raise negative_net_pay("Payslips[].NetPay")
    for name, total in totals.items() if slips else ():
        of_slips = sum((amount(slip, _ON_SLIP.get(name, name), currency=_AUD) for slip in slips), ZERO)
        if of_slips != total:
            raise differ(f"{name} of the slips", of_slips, "of the pay run", total, currency=_AUD)


def _tally(totals: Sums, slips: Sequence[Fields], options: XeroOptions) -> Tally:
    net, gap = totals["NetPay"], totals["Wages"] - totals["Deductions"] - totals["Tax"] - totals["NetPay"]
    net_pay = with_reimbursed(net, totals["Reimbursement"], gap=gap, limit=options.rounding_limit)
    if net_pay is None:
        raise differ("Wages less Deductions and Tax", net + gap, "NetPay", net, currency=_AUD)
    tally = Tally()
    _add_wages(tally, totals, slips, options)
    for kind, name in _AS_THEY_ARE:
        tally.add(kind, name, totals[name])
    tally.add("net_pay", "NetPay", net_pay)
    return tally


def _add_wages(tally: Tally, totals: Sums, slips: Sequence[Fields], options: XeroOptions) -> None:
    if options.split == "none":
        tally.add("wages", "Wages", totals["Wages"])
        return
    if options.split == "location" or not slips:
        message = "a pay run is split by department (EmployeeGroup) only, and only where its slips are in the document"
        raise Rejected("split_not_possible", message, field="options.split")
    for slip in slips:
        tally.add("wages", "Wages", amount(slip, "Wages", currency=_AUD), department=slip.text_or_none("EmployeeGroup"))
