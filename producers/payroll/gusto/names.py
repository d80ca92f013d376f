"""The names inside a Gusto payroll: taxes, benefits and deductions by name, wages by department, where they sum.

A split that does not sum to its total is not used; one that was asked for and does not sum is refused.
It must not give an amount that is not a sum over all people.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from producers.payroll.amounts import ZERO, amount
from producers.payroll.guarding import GARNISHMENT, may_name_its_holder
from producers.payroll.gusto.totals import GustoTotals
from producers.payroll.options import GustoOptions
from producers.payroll.tally import Tally, differ
from producers.reading.fields import Fields

UNNAMED: Final = "unnamed_deductions"
"""All deductions of a run in which one has a name that may be a person's. No books know it by themselves."""

_USD: Final = "USD"
NameOf = Callable[[object], str | None]
Sums = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class NamedLines:
    """Amounts by category, each summing to its total."""

    employee_taxes: Sums
    employer_taxes: Sums
    benefits: Sums
    deductions: Sums
    garnishments: Sums


def split_by_name(payroll: Fields, totals: GustoTotals, *, name_of: NameOf) -> NamedLines:
    """Split what has names that sum; the rest is one line with the name of its total. Raises Rejected `bad_amount`."""
    people = payroll.sections("employee_compensations") or ()
    paid, company = (payroll.sections(name) or () for name in ("payroll_taxes", "company_taxes"))
    of_people = [tax for person in people for tax in person.sections("taxes") or ()]
    benefits = [benefit for person in people for benefit in person.sections("benefits") or ()]
    employee = [_sums(_taxes(taxes, employer=False), name_of) for taxes in (paid, of_people)]
    employer = [
        _sums(_taxes(taxes, employer=True), name_of)
        for taxes in ([*paid, *company], paid, [*of_people, *company], of_people)
    ]
    contributed = _sums(((b, "company_contribution") for b in benefits), name_of)
    deductions, garnishments = _deductions(people, benefits, totals, name_of)
    return NamedLines(
        employee_taxes=_first_that_sums(employee, totals.employee_taxes, otherwise="employee_taxes"),
        employer_taxes=_first_that_sums(employer, totals.employer_taxes, otherwise="employer_taxes"),
        benefits=_first_that_sums([contributed], totals.benefits, otherwise="benefits"),
        deductions=deductions,
        garnishments=garnishments,
    )


def split_wages(tally: Tally, payroll: Fields, totals: GustoTotals, options: GustoOptions) -> None:
    """Add the wages, by department or location where that is asked for.

    Raises Rejected `totals_differ` when it is asked for and the people's gross pay is not the total.
    """
    tally.add("wages", "owners_draw", totals.owners_draw)
    tally.add("wages", "employee_paycheck_tips", totals.paycheck_tips)
    if options.split == "none":
        tally.add("wages", "gross_pay", totals.wages)
        return
    people = payroll.sections("employee_compensations") or ()
    gross = sum((amount(person, "gross_pay", currency=_USD) for person in people), ZERO)
    if gross != totals.gross_pay:
        raise differ("gross_pay of all employees", gross, "the total", totals.gross_pay, currency=_USD)
    for person in people:
        place = _place(person, options)
        department = place if options.split == "department" else None
        location = place if options.split == "location" else None
        gross_pay = amount(person, "gross_pay", currency=_USD)
        tally.add("wages", "gross_pay", gross_pay, department=department, location=location)
    tally.add("wages", "gross_pay", totals.wages - totals.gross_pay)


def _place(person: Fields, options: GustoOptions) -> str | None:
    known = options.departments if options.split == "department" else options.locations
    return person.text_or_none(options.split) or known.get(person.identifier_or_none("employee_uuid") or "")


def _taxes(taxes: Iterable[Fields], *, employer: bool) -> list[tuple[Fields, str]]:
    return [(tax, "amount") for tax in taxes if bool(tax.flag_or_none("employer")) is employer]


def _sums(items: Iterable[tuple[Fields, str]], name_of: NameOf) -> Sums | None:
    """Sum by name; None when something has no name that can be used."""
    sums: Sums = {}
    for item, name in items:
        word = name_of(item.get("name"))
        if word is None:
            return None
        sums[word] = sums.get(word, ZERO) + amount(item, name, currency=_USD)
    return sums


def _first_that_sums(candidates: Iterable[Mapping[str, Decimal] | None], total: Decimal, *, otherwise: str) -> Sums:
    for candidate in candidates:
        if candidate and sum(candidate.values(), ZERO) == total:
            return dict(candidate)
    return {otherwise: total}


def _whole(each: Iterable[Iterable[Fields]], benefits: Iterable[Fields]) -> Decimal:
    """What was deducted from all people, whatever it is called."""
    of_people = sum((amount(one, "amount", currency=_USD) for own in each for one in own), ZERO)
    return sum((amount(one, "employee_deduction", currency=_USD) for one in benefits), of_people)


def _added(one: Sums, other: Sums) -> Sums:
    return {name: one.get(name, ZERO) + other.get(name, ZERO) for name in one | other}


def _deductions(
    people: Iterable[Fields], benefits: Iterable[Fields], totals: GustoTotals, name_of: NameOf
) -> tuple[Sums, Sums]:
    """Deductions, and garnishments among them: by name where all of them sum to all that was deducted.

    Where they do and one of their names cannot be told, the books' owner must say where such deductions go.
    """
    whole = totals.deductions + totals.other_deductions + totals.child_support
    each = [person.sections("deductions") or () for person in people]
    holders = Counter(name for own in each for name in {str(one.get("name")) for one in own})

    def typed(name: object) -> str | None:
        return None if may_name_its_holder(name, holders=holders[str(name)]) else name_of(name)

    of_benefits = _sums(((benefit, "employee_deduction") for benefit in benefits), name_of)
    of_people = _sums(((one, "amount") for own in each for one in own), typed)
    sums = None if of_benefits is None or of_people is None else _added(of_benefits, of_people)
    if sums is None and whole and _whole(each, benefits) == whole:
        return {UNNAMED: totals.deductions + totals.other_deductions}, {"child_support": totals.child_support}
    if not sums or sum(sums.values(), ZERO) != whole:
        others = {"employee_benefits_deductions": totals.deductions, "other_deductions": totals.other_deductions}
        return others, {"child_support": totals.child_support}
    garnished = {name: value for name, value in sums.items() if GARNISHMENT.search(name)}
    return {name: value for name, value in sums.items() if name not in garnished}, garnished
