"""The lines of a Gusto payroll: its totals, checked and told apart, and their parts by name where these sum.

Net pay is gross pay less taxes and deductions. Whether `other_deductions` stand inside the deductions, reimbursements
inside net pay, or tips, draws and imputed pay inside gross pay, differs between payrolls: the reading is taken with
which the totals add up to the cent, and none is believed otherwise. Names of taxes, benefits or deductions split a kind
only where they sum to its total, as neither `payroll_taxes` nor the page of employees has to be complete.
It must not give an amount that is not a sum over all people.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from itertools import combinations
from typing import Final

from producers.normalising import Rejected
from producers.payroll.amounts import ZERO, amount, needed_amount
from producers.payroll.guarding import GARNISHMENT, category, may_name_its_holder, words_of_people
from producers.payroll.options import GustoOptions
from producers.payroll.tally import Sums, Tally, differ, negative_net_pay, sums_of
from producers.reading.fields import Fields
from schemas.payroll import LineKind

UNNAMED: Final = "unnamed_deductions"
"""All deductions of a run in which one has a name that may be a person's. No books know it by themselves."""

_AS_THEY_ARE: Final[tuple[tuple[LineKind, str], ...]] = (
    ("wages", "owners_draw"),
    ("wages", "employee_paycheck_tips"),
    ("reimbursement", "reimbursements"),
    ("employer_tax", "deferred_payroll_taxes"),
    ("net_pay", "net_pay"),
)
_WITHHELD: Final = ("other_deductions", "child_support_debit", "employee_cash_tips", "imputed_pay")
_PAID_BESIDE_GROSS: Final = ("reimbursements", "owners_draw", "employee_paycheck_tips")
_TOLD: Final = (
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
_differ: Final = partial(differ, currency="USD")
_usd: Final = partial(amount, currency="USD")
NameOf = Callable[[object], str | None]


def read_totals(totals: Fields, *, limit: Decimal, may_owe: bool) -> Sums:
    """Read and check the totals, in dollars by Gusto's names, and `wages`.

    `wages` are `gross_pay` without what is not an expense or not paid; `net_pay` holds the reimbursements;
    `other_deductions` are those beside the ones of benefits, and neither holds child support.
    `may_owe`: net pay may be negative though gross pay is not, as in a correction.
    Raises Rejected `missing_field`, `bad_amount`, `totals_differ`, `totals_ambiguous`, `negative_net_pay`.
    """
    gross, net = (needed_amount(totals, name, currency="USD") for name in ("gross_pay", "net_pay"))
    told = {name: _usd(totals, name) for name in _TOLD}
    taxes, of_benefits = told["employee_taxes"], told["employee_benefits_deductions"]
    if net < 0 <= gross and not may_owe:
        raise negative_net_pay(totals.at("net_pay"))
    held = _held(told, net, gap=gross - taxes - of_benefits - net, limit=limit)
    _check_debits(totals)
    employer_taxes, deferred = _employer_taxes(totals, taxes)
    inside = {name: value if name in held else ZERO for name, value in told.items()}
    beside = {name: value - inside[name] for name, value in told.items()}
    deductions, others = _without_child_support(beside["child_support_debit"], of_benefits, inside["other_deductions"])
    not_paid = inside["employee_cash_tips"] + inside["imputed_pay"]
    return told | {
        "gross_pay": gross,
        "wages": gross - not_paid - beside["owners_draw"] - beside["employee_paycheck_tips"],
        "employer_taxes": employer_taxes,
        "deferred_payroll_taxes": deferred,
        "benefits": _usd(totals, "benefits"),
        "employee_benefits_deductions": deductions,
        "other_deductions": others,
        "net_pay": net + beside["reimbursements"],
    }


def _held(told: Sums, net: Decimal, *, gap: Decimal, limit: Decimal) -> frozenset[str]:
    """Say which amounts of unclear place make up the gap, the fewest that do. Raises where none, or two readings do."""
    unclear = {name: told[name] for name in _WITHHELD}
    if unclear["child_support_debit"] == unclear["other_deductions"]:
        del unclear["child_support_debit"]  # the other deductions are the child support: one reading, not two
    unclear |= {name: -told[name] for name in _PAID_BESIDE_GROSS}
    known = [name for name, value in unclear.items() if value]
    readings = [names for size in range(len(known) + 1) for names in combinations(known, size)]
    makes = {names: sum((unclear[name] for name in names), ZERO) for names in readings}
    fitting = [names for names, made in makes.items() if abs(gap - made) <= limit]
    if not fitting:
        nearest = min(makes.values(), key=lambda made: abs(gap - made))
        raise _differ("gross_pay less employee_taxes and deductions", net + gap - nearest, "net_pay", net)
    fewest = [names for names in fitting if len(names) == len(fitting[0])]
    found = [names for names in fewest if makes[names] == gap] or fewest
    if len(found) > 1:
        words = " or ".join(" and ".join(names) for names in found)
        message = f"the totals add up with {words}: which is meant is not said. Ask the provider."
        raise Rejected("totals_ambiguous", message)
    return frozenset(found[0])


def _without_child_support(child_support: Decimal, deductions: Decimal, other: Decimal) -> tuple[Decimal, Decimal]:
    """Take child support out of the other deductions where it fits, else out of those of benefits."""
    if abs(other) >= abs(child_support):
        return deductions, other - child_support
    if abs(deductions) < abs(child_support):
        raise _differ("child_support_debit", child_support, "all deductions", deductions + other)
    return deductions - child_support, other


def _employer_taxes(totals: Fields, employee_taxes: Decimal) -> tuple[Decimal, Decimal]:
    """Employer taxes without the deferred ones, and these. The debit, where there is one, says which holds which."""
    names = ("employer_taxes", "deferred_payroll_taxes", "tax_debit")
    taxes, deferred, debit = (_usd(totals, name) for name in names)
    if debit == employee_taxes + taxes:
        return taxes, deferred
    if debit and debit != employee_taxes + taxes - deferred:
        raise _differ("tax_debit", debit, "employee_taxes and employer_taxes", employee_taxes + taxes)
    return taxes - deferred, deferred


def _check_debits(totals: Fields) -> None:
    debit, net_debit = _usd(totals, "company_debit"), _usd(totals, "net_pay_debit")
    others = ("tax_debit", "reimbursement_debit", "child_support_debit")
    parts = sum((_usd(totals, name) for name in others), net_debit)
    if debit and debit != parts:
        raise _differ("company_debit", debit, "its parts", parts)
    check, net, reimbursed = (_usd(totals, name) for name in ("check_amount", "net_pay", "reimbursements"))
    paid = net_debit + check
    if paid and abs(paid - net) > abs(reimbursed):  # reimbursements may be paid by check, in whole or in part
        raise _differ("net_pay_debit and check_amount", paid, "net_pay", net)


def tally_of(payroll: Fields, totals: Sums, options: GustoOptions) -> Tally:
    """Add up a payroll: what has names that sum is split, the rest is one line with the name of its total."""
    tally = Tally()
    _add_wages(tally, payroll, totals, options)
    for kind, name in _AS_THEY_ARE:
        tally.add(kind, name, totals[name])
    name_of = partial(category, people=words_of_people(payroll.values))
    people = payroll.sections("employee_compensations") or ()
    paid, company = (payroll.sections(name) or () for name in ("payroll_taxes", "company_taxes"))
    of_people = [tax for person in people for tax in person.sections("taxes") or ()]
    benefits = [benefit for person in people for benefit in person.sections("benefits") or ()]
    employee = [_named(_taxes(taxes, employer=False), "amount", name_of) for taxes in (paid, of_people)]
    employer = [
        _named(_taxes(taxes, employer=True), "amount", name_of)
        for taxes in ([*paid, *company], paid, [*of_people, *company], of_people)
    ]
    contributed = _named(benefits, "company_contribution", name_of)
    deductions, garnishments = _deductions(people, benefits, totals, name_of)
    tally.add_all("employee_tax", _first_that_sums(employee, totals, "employee_taxes"))
    tally.add_all("employer_tax", _first_that_sums(employer, totals, "employer_taxes"))
    tally.add_all("employer_benefit", _first_that_sums([contributed], totals, "benefits"))
    tally.add_all("deduction", deductions)
    tally.add_all("garnishment", garnishments)
    return tally


def _add_wages(tally: Tally, payroll: Fields, totals: Sums, options: GustoOptions) -> None:
    """Add the wages, by department or location where that is asked for."""
    if options.split == "none":
        tally.add("wages", "gross_pay", totals["wages"])
        return
    people = payroll.sections("employee_compensations") or ()
    each = [_usd(person, "gross_pay") for person in people]
    gross = sum(each, ZERO)
    if gross != totals["gross_pay"]:
        raise _differ("gross_pay of all employees", gross, "the total", totals["gross_pay"])
    known = options.departments if options.split == "department" else options.locations
    for person, own in zip(people, each, strict=True):
        place = person.text_or_none(options.split) or known.get(person.identifier_or_none("employee_uuid") or "")
        tally.add("wages", "gross_pay", own, **{options.split: place})
    tally.add("wages", "gross_pay", totals["wages"] - gross)


def _taxes(taxes: Iterable[Fields], *, employer: bool) -> list[Fields]:
    return [tax for tax in taxes if bool(tax.flag_or_none("employer")) is employer]


def _named(items: Iterable[Fields], field: str, name_of: NameOf) -> Sums | None:
    return sums_of(items, name_of=lambda item: name_of(item.get("name")), amount_of=lambda item: _usd(item, field))


def _first_that_sums(candidates: Iterable[Sums | None], totals: Sums, name: str) -> Sums:
    fitting = (sums for sums in candidates if sums and sum(sums.values(), ZERO) == totals[name])
    return next(fitting, {name: totals[name]})


def _deductions(
    people: Sequence[Fields], benefits: Iterable[Fields], totals: Sums, name_of: NameOf
) -> tuple[Sums, Sums]:
    """Deductions, and garnishments among them: by name where all of them sum to all that was deducted.

    Where they do and one of their names cannot be told, the books' owner must say where such deductions go.
    """
    own = {name: totals[name] for name in ("employee_benefits_deductions", "other_deductions")}
    child_support = {"child_support": totals["child_support_debit"]}
    whole = sum(own.values(), totals["child_support_debit"])
    each = [person.sections("deductions") or () for person in people]
    of_people = [one for ones in each for one in ones]
    holders = Counter(name for ones in each for name in {str(one.get("name")) for one in ones})

    def typed(name: object) -> str | None:
        return None if may_name_its_holder(name, holders=holders[str(name)]) else name_of(name)

    of_benefits = _named(benefits, "employee_deduction", name_of)
    by_name = _named(of_people, "amount", typed)
    if of_benefits is None or by_name is None:
        sums = {}
        if whole and whole == _whole(of_people, benefits):
            return {UNNAMED: sum(own.values(), ZERO)}, child_support
    else:
        sums = {name: of_benefits.get(name, ZERO) + by_name.get(name, ZERO) for name in {**of_benefits, **by_name}}
    if not sums or sum(sums.values(), ZERO) != whole:
        return own, child_support
    garnished = {name: value for name, value in sums.items() if GARNISHMENT.search(name)}
    return {name: value for name, value in sums.items() if name not in garnished}, garnished


def _whole(deductions: Iterable[Fields], benefits: Iterable[Fields]) -> Decimal:
    """What was deducted from all people, whatever it is called."""
    of_people = sum((_usd(one, "amount") for one in deductions), ZERO)
    return sum((_usd(one, "employee_deduction") for one in benefits), of_people)
