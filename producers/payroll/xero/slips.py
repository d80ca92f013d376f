"""Pay runs of Xero Payroll for New Zealand and the United Kingdom, added up from their slips.

The run itself says no more than what it costs and pays, so its slips must be in the document. The totals of a slip are
the authority; its lines give categories only where they sum to them over all slips. Pure.
Source: Xero's public descriptions of the two APIs, and figures of slips in the tests of its SDKs.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.payroll.amounts import ZERO, amount, amount_or_none, with_reimbursed
from producers.payroll.guarding import category, words_of_people
from producers.payroll.options import XeroOptions
from producers.payroll.tally import Run, RunType, Sums, Tally, differ, negative_net_pay, normalised, sums_of
from producers.reading.fields import Fields
from schemas.payroll import LineKind

_CURRENCIES: Final[Mapping[str, str]] = {"nz": "NZD", "uk": "GBP"}
_ONLY_NZ: Final = frozenset({"totalSuperannuation", "totalStatutoryDeductions", "superannuationLines"})
_ONLY_UK: Final = frozenset({"totalBenefits", "totalCourtOrders", "benefitLines", "courtOrderLines"})
_TYPES: Final[Mapping[str, RunType]] = {"unscheduled": "off_cycle", "earlieryearupdate": "year_end"}


class _Part(NamedTuple):
    """A total of the slips: its kind, and the category that it has as one line.

    Its lines are `<stem>Lines`; one is named by its `<stem>TypeID`, which taxes have not, or by its field `text`.
    """

    total: str
    kind: LineKind
    category: str
    stem: str
    text: str = ""


_PARTS: Final = (
    _Part("totalReimbursements", "reimbursement", "reimbursements", "reimbursement"),
    _Part("totalEmployerTaxes", "employer_tax", "employer_taxes", "employerTax", "description"),
    _Part("totalSuperannuation", "employer_benefit", "superannuation", "superannuation", "displayName"),
    _Part("totalBenefits", "employer_benefit", "benefits", "benefit", "displayName"),
    _Part("totalEmployeeTaxes", "employee_tax", "employee_taxes", "employeeTax", "description"),
    _Part("totalDeductions", "deduction", "deductions", "deduction"),
    _Part("totalStatutoryDeductions", "deduction", "statutory_deductions", "statutoryDeduction"),
    _Part("totalCourtOrders", "garnishment", "court_orders", "courtOrder"),
)
_WITHHELD: Final = frozenset({"totalEmployeeTaxes", "totalDeductions", "totalStatutoryDeductions", "totalCourtOrders"})
_ON_TOP: Final = ("totalEmployerTaxes", "totalSuperannuation", "totalBenefits", "totalReimbursements")


def read(run: Fields, context: NormaliseContext, options: XeroOptions) -> Normalised:
    """Read one pay run. Ignored: `run_open`, `zero_run`. Raises Rejected (docs/payroll-sources.md)."""
    if (run.token_or_none("payRunStatus") or "").lower() != "posted":
        return Normalised((), ignored="run_open")
    slips = run.sections("paySlips")
    if not slips:
        message = "a pay run of this country tells its parts on its slips only: read the run by its id, with its slips"
        raise Rejected("missing_field", message, field=run.at("paySlips"))
    if options.split != "none":
        message = "the slips of this country name no department or location"
        raise Rejected("split_not_possible", message, field="options.split")
    country = options.product or _product(slips)
    currency, kind = _CURRENCIES[country], _TYPES.get((run.token_or_none("payRunType") or "").lower(), "regular")
    totals = _totals(slips, currency, may_owe=kind == "year_end")
    _check(run, totals, currency)
    inside = country == "nz" and _taxed_inside(run, totals, currency)
    tally = _tally(slips, totals, options, currency, taxed_inside=inside)
    named = Run(
        provider="xero-payroll",
        entity=options.entity or context.company,
        run=run.identifier("payRunID"),
        pay_date=run.day("paymentDate"),
        currency=currency,
        period_start=run.day_or_none("periodStartDate"),
        period_end=run.day_or_none("periodEndDate"),
        run_type="reversal" if totals["earnings"] < 0 and kind != "year_end" else kind,
    )
    return normalised(named, tally, context, limit=options.rounding_limit)


def _product(slips: Sequence[Fields]) -> str:
    keys = frozenset(key for slip in slips for key in slip.values)
    is_nz, is_uk = bool(keys & _ONLY_NZ), bool(keys & _ONLY_UK)
    if is_nz == is_uk:
        message = "New Zealand or the United Kingdom: the slips do not say. Set the option product to nz or uk."
        raise Rejected("product_unknown", message, field="options.product")
    return "nz" if is_nz else "uk"


def _totals(slips: Sequence[Fields], currency: str, *, may_owe: bool) -> dict[str, Decimal]:
    """Sum the slips. `may_owe`: an update of an earlier year may take from a person what was paid too much."""
    names = ("totalPay", *(part.total for part in _PARTS))
    totals = {name: sum((amount(slip, name, currency=currency) for slip in slips), ZERO) for name in names}
    totals["earnings"] = sum((_earnings(slip, currency) for slip in slips), ZERO)
    for slip in slips:
        if amount(slip, "totalPay", currency=currency) < 0 <= _earnings(slip, currency) and not may_owe:
            raise negative_net_pay("paySlips[].totalPay")
    return totals


def _earnings(slip: Fields, currency: str) -> Decimal:
    total = amount_or_none(slip, "totalEarnings", currency=currency)
    return amount(slip, "grossEarnings", currency=currency) if total is None else total


def _check(run: Fields, totals: Mapping[str, Decimal], currency: str) -> None:
    """Check the run's own two totals. Raises Rejected `totals_differ`."""
    pay, cost = (amount_or_none(run, name, currency=currency) for name in ("totalPay", "totalCost"))
    reimbursed = totals["totalReimbursements"]
    if pay is not None and pay not in {totals["totalPay"], totals["totalPay"] + reimbursed}:
        raise differ("totalPay of the slips", totals["totalPay"], "of the pay run", pay, currency=currency)
    possible = {totals["earnings"]}
    for name in _ON_TOP:
        possible |= {made + totals[name] for made in possible}
    if cost is not None and cost not in possible:
        whole = totals["earnings"] + sum((totals[name] for name in _ON_TOP), ZERO)
        raise differ("the cost by the slips", whole, "totalCost of the pay run", cost, currency=currency)


def _taxed_inside(run: Fields, totals: Mapping[str, Decimal], currency: str) -> bool:
    """Whether the employer's tax (ESCT) is taken out of the contributions, as the law has it, and no cost on top.

    The cost of the run says so where it is told. Raises Rejected `totals_ambiguous` where it says both.
    """
    tax, contributions = totals["totalEmployerTaxes"], totals["totalSuperannuation"]
    if not tax or abs(tax) > abs(contributions):
        return False
    cost = amount_or_none(run, "totalCost", currency=currency)
    inside = {totals["earnings"] + contributions + beside for beside in (ZERO, totals["totalReimbursements"])}
    on_top = {each + tax for each in inside}
    if cost in inside & on_top:
        message = "totalCost holds either the reimbursements or the tax on contributions: which is not said. Ask Xero."
        raise Rejected("totals_ambiguous", message, field=run.at("totalCost"))
    return cost not in on_top


def _tally(
    slips: Sequence[Fields], totals: Mapping[str, Decimal], options: XeroOptions, currency: str, *, taxed_inside: bool
) -> Tally:
    withheld = sum((totals[name] for name in _WITHHELD), ZERO)
    net, gap = totals["totalPay"], totals["earnings"] - withheld - totals["totalPay"]
    net_pay = with_reimbursed(net, totals["totalReimbursements"], gap=gap, limit=options.rounding_limit)
    if net_pay is None:
        raise differ("earnings less what was withheld", net + gap, "totalPay", net, currency=currency)
    people = frozenset(word for slip in slips for word in words_of_people(slip.values))
    tally = Tally()
    tally.add("wages", "earnings", totals["earnings"])
    for part in _PARTS:
        sums = _by_name(slips, part, options, people, currency)
        if not sums or sum(sums.values(), ZERO) != totals[part.total]:
            sums = {part.category: totals[part.total]}
        if part.total == "totalSuperannuation" and taxed_inside:
            name = next(iter(sums)) if len(sums) == 1 else part.category
            sums = {name: totals[part.total] - totals["totalEmployerTaxes"]}
        tally.add_all(part.kind, sums)
    tally.add("net_pay", "net_pay", net_pay)
    return tally


def _lines(slip: Fields, part: _Part) -> tuple[Fields, ...]:
    """Give the lines of a part; those of employer's taxes may stand, marked, among those of the employee."""
    own = slip.sections(f"{part.stem}Lines") or ()
    if part.total == "totalEmployeeTaxes":
        return tuple(line for line in own if line.get("isEmployerTax") is not True)
    if part.total == "totalEmployerTaxes" and not own:
        among = slip.sections("employeeTaxLines") or ()
        return tuple(line for line in among if line.get("isEmployerTax") is True)
    return own


def _by_name(
    slips: Sequence[Fields], part: _Part, options: XeroOptions, people: frozenset[str], currency: str
) -> Sums | None:
    def name_of(line: Fields) -> str | None:
        typed = line.token_or_none(f"{part.stem}TypeID") or ""
        known = None if part.text == "description" else options.names.get(typed)
        return category(line.get(part.text), people=people) if known is None and part.text else known

    lines = [line for slip in slips for line in _lines(slip, part)]
    return sums_of(lines, name_of=name_of, amount_of=lambda line: amount(line, "amount", currency=currency))
