"""Finch's payments with their pay statements into pay runs.

A document is `{"payment": {...}, "pay_statements": [...]}` (or `"responses"`, as Finch answers), or a payment alone.
Statements give the lines, by name; each total of the payment is checked against them. A payment alone is used only
when it adds up by itself: what is missing is never called deductions. Amounts are whole cents. Pure.
Source: Finch's public API description (its SDKs); no real document is at hand, tests use made ones.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from itertools import chain
from typing import Final

from producers.normalising import NormaliseContext, Normalised, Normaliser, Rejected
from producers.payroll.amounts import ZERO, with_reimbursed
from producers.payroll.guarding import GARNISHMENT, category, fields_of, guarded, may_name_its_holder, words_of_people
from producers.payroll.options import FinchOptions
from producers.payroll.tally import Run, RunType, Tally, differ, negative_net_pay, normalised, several
from producers.reading.fields import Fields
from producers.reading.options import read_options
from schemas.errors import AmountRefused, UnknownCurrency
from schemas.minor_units import from_minor
from schemas.payroll import LineKind

_TOTALS: Final[Mapping[str, LineKind]] = {
    "gross_pay": "wages",
    "net_pay": "net_pay",
    "employee_taxes": "employee_tax",
    "employer_taxes": "employer_tax",
}
_STATEMENTS: Final = frozenset({"responses", "pay_statements"})
_EARNED: Final[Mapping[str, LineKind]] = {"reimbursement": "reimbursement", "1099": "contractor"}
"""The types of earnings that are no wages."""
_TYPES: Final[Mapping[str, RunType]] = {"off_cycle_payroll": "off_cycle", "one_time_payment": "off_cycle"}


def _read(document: object, context: NormaliseContext) -> Normalised:
    if isinstance(document, list):
        return several([_read(one, context) for one in document])
    fields = fields_of(document)
    if "payment" in fields.values:
        payment = fields_of(fields.get("payment"), "payment")
        alone = not _STATEMENTS & fields.values.keys()
        statements = () if alone else _statements(fields, payment)
        return _run(payment, statements, context, entity=fields.identifier_or_none("entity_id"))
    if {"id", "pay_date", "gross_pay"} <= fields.values.keys():
        return _run(fields, (), context)
    if _STATEMENTS & fields.values.keys():
        message = "statements do not say when they were paid or what the run makes: give their payment with them"
        raise Rejected("missing_field", message, field="payment")
    raise Rejected("unknown_shape", "neither a payment of Finch nor a payment with its pay_statements")


normalise: Final[Normaliser] = guarded(_read)
"""Ignored: `zero_run`, `empty_list`. Raises Rejected (see docs/payroll-sources.md)."""


@dataclass(slots=True)
class _Cents:
    """Reads amounts in whole cents, all in one currency: that of the first, or the company's where none is named."""

    default: str
    currency: str | None = None

    def of(self, holder: Fields, name: str | None = None) -> Decimal | None:
        """Give the amount of a field that holds an amount, or of the holder itself; None when absent."""
        money = holder if name is None else holder.section(name)
        value = None if money is None else money.get("amount")
        if money is None or value is None:
            return None
        told = money.token_or_none("currency")
        code = (told or self.currency or self.default).upper()
        try:
            found = from_minor("iso", value, code)
        except (AmountRefused, UnknownCurrency):
            message = "an amount is whole cents of a known currency"
            raise Rejected("bad_amount", message, field=money.at("amount")) from None
        if told is not None and self.currency not in {None, code}:
            message = f"a run is in one currency; {self.currency} and {code} stand in it"
            raise Rejected("mixed_currencies", message, field=money.at("currency"))
        self.currency = code if told is not None else self.currency
        return found.amount


def _statements(document: Fields, payment: Fields) -> tuple[Fields, ...]:
    """Give all statements of the payment. Raises Rejected `statements_incomplete`, `not_ready`."""
    direct = document.sections("pay_statements")
    if direct is not None:
        return _complete(direct, payment)
    found: list[Fields] = []
    count = 0
    for response in document.sections("responses") or ():
        if response.identifier_or_none("payment_id") not in {None, payment.identifier("id")}:
            continue
        if response.get("code") == HTTPStatus.ACCEPTED:
            message = "Finch is still fetching the statements of the payment: read them again later"
            raise Rejected("not_ready", message, field="pay_statements")
        if response.get("code") not in {None, HTTPStatus.OK}:
            raise _incomplete("Finch answered for the statements with an error")
        body = response.section("body")
        found += (body.sections("pay_statements") or ()) if body else ()
        said = paging.get("count") if body and (paging := body.section("paging")) else None
        count = max(count, said if isinstance(said, int) else 0)
    if len(found) < count:
        raise _incomplete(f"{count} statements are said to be there, and {len(found)} are")
    return _complete(tuple(found), payment)


def _complete(statements: tuple[Fields, ...], payment: Fields) -> tuple[Fields, ...]:
    expected = [] if payment.get("individual_ids") is None else payment.get("individual_ids")
    if not isinstance(expected, list) or not all(isinstance(person, str) for person in expected):
        raise payment.wrong_type("individual_ids", "a list of ids")
    people = frozenset(statement.identifier_or_none("individual_id") for statement in statements)
    missing = sum(1 for person in expected if person not in people)
    if missing:
        raise _incomplete(f"{missing} of the {len(expected)} people of the payment have no statement")
    totals = () if statements else (payment.section(name) for name in _TOTALS)
    if any(money is not None and money.get("amount") not in {None, 0} for money in totals):
        raise _incomplete("there is no statement at all, and the payment is of money")
    return statements


def _incomplete(why: str) -> Rejected:
    return Rejected("statements_incomplete", f"{why}: read all pages again", field="pay_statements")


def _run(
    payment: Fields, statements: Sequence[Fields], context: NormaliseContext, *, entity: str | None = None
) -> Normalised:
    options = read_options(FinchOptions, context.options)
    cents = _Cents(context.currency)
    told = {name: cents.of(payment, name) for name in _TOTALS}
    if (told["net_pay"] or ZERO) < 0 <= (told["gross_pay"] or ZERO):
        raise negative_net_pay(payment.at("net_pay"))
    tally = _of_statements(statements, cents, options) if statements else _of_payment(payment, told)
    currency = cents.currency or context.currency
    if statements:
        _check(tally, told, currency)
    period = payment.section("pay_period")
    run = Run(
        provider="finch",
        entity=entity or options.entity or context.company,
        run=payment.identifier("id"),
        pay_date=payment.day("pay_date"),
        currency=currency,
        period_start=period.day_or_none("start_date") if period else None,
        period_end=period.day_or_none("end_date") if period else None,
        run_type=_type(statements, tally),
    )
    return normalised(run, tally, context, limit=options.rounding_limit)


def _type(statements: Sequence[Fields], tally: Tally) -> RunType:
    if tally.total({"contractor"}) and not tally.total({"wages"}):
        return "contractor"
    if tally.total({"wages"}) < 0:
        return "reversal"
    types = {_TYPES.get(statement.token_or_none("type") or "", "regular") for statement in statements}
    return types.pop() if len(types) == 1 else "regular"


def _of_payment(payment: Fields, told: Mapping[str, Decimal | None]) -> Tally:
    tally = Tally()
    for name, value in told.items():
        if value is None:
            raise payment.missing(name)
        tally.add(_TOTALS[name], name, value)
    return tally


def _of_statements(statements: Sequence[Fields], cents: _Cents, options: FinchOptions) -> Tally:
    tally = Tally()
    people = frozenset(word for statement in statements for word in words_of_people(statement.values))
    items = [list(_items(statement)) for statement in statements]
    untold = _untold(items, people)
    gross = net = ZERO
    for statement, own in zip(statements, items, strict=True):
        own_net, own_gross = cents.of(statement, "net_pay") or ZERO, cents.of(statement, "gross_pay") or ZERO
        if own_net < 0 <= own_gross:
            raise negative_net_pay("pay_statements[].net_pay")
        net, gross = net + own_net, gross + own_gross
        place = _place(statement, options)
        for kind, item in own:
            value = cents.of(item) or ZERO
            name = None if (kind, item.token_or_none("type")) in untold else item.get("name")
            tally.add(kind, _word(name, item, people), value, **(place if kind == "wages" else {}))
    currency = cents.currency or cents.default
    earned, reimbursed = tally.total({"wages", "contractor"}), tally.total({"reimbursement"})
    if gross not in {earned, earned + reimbursed}:
        raise differ("gross_pay of the statements", gross, "their earnings", earned + reimbursed, currency=currency)
    gap = earned - tally.total({"employee_tax", "deduction", "garnishment"}) - net
    whole = with_reimbursed(net, reimbursed, gap=gap, limit=options.rounding_limit)
    if whole is None:
        raise differ("earnings less what was withheld", net + gap, "net_pay", net, currency=currency)
    tally.add("net_pay", "net_pay", whole)
    return tally


def _place(statement: Fields, options: FinchOptions) -> dict[str, str | None]:
    """Where the wages belong: Finch's statements name neither, so the one who pulls adds it, or gives `departments`."""
    if options.split == "none":
        return {}
    person = statement.identifier_or_none("individual_id") or ""
    known = options.departments.get(person) if options.split == "department" else None
    return {options.split: statement.text_or_none(options.split) or known}


def _items(statement: Fields) -> Iterable[tuple[LineKind, Fields]]:
    for earning in statement.sections("earnings") or ():
        yield _EARNED.get(earning.token_or_none("type") or "", "wages"), earning
    for tax in statement.sections("taxes") or ():
        is_employers = tax.flag_or_none("employer")
        if is_employers is None:
            message = "whether the company or the employee pays a tax is not said"
            raise Rejected("missing_field", message, field="pay_statements[].taxes[].employer")
        yield ("employer_tax" if is_employers else "employee_tax"), tax
    for deduction in statement.sections("employee_deductions") or ():
        words = f"{deduction.text_or_none('name')} {deduction.token_or_none('type')}"
        is_garnished = GARNISHMENT.search(words.replace("_", " "))
        yield ("garnishment" if is_garnished else "deduction"), deduction
    for contribution in statement.sections("employer_contributions") or ():
        yield "employer_benefit", contribution


_TAXES: Final = frozenset({"employee_tax", "employer_tax"})
"""Kinds whose names are the provider's own; all others somebody may have typed for one person."""


def _untold(
    items: Sequence[Sequence[tuple[LineKind, Fields]]], people: frozenset[str]
) -> set[tuple[LineKind, str | None]]:
    """The kinds and types of which a name cannot be told, so that none is: else its line would be one person's pay."""
    holders = Counter(each for own in items for each in {(kind, str(item.get("name"))) for kind, item in own})
    untold = set()
    for kind, item in chain.from_iterable(items):
        name = item.get("name")
        alone = kind not in _TAXES and may_name_its_holder(name, holders=holders[kind, str(name)])
        if alone or category(name, people=people) is None:
            untold.add((kind, item.token_or_none("type")))
    return untold


def _word(name: object, item: Fields, people: frozenset[str]) -> str:
    """Give the category: the name, where it may be told, else the type."""
    found = category(name, people=people) or category(item.token_or_none("type"), people=people)
    if found is None:
        message = "needs a name or a type that can be told without naming a person"
        raise Rejected("missing_field", message, field="pay_statements[].name")
    return found


def _check(tally: Tally, told: Mapping[str, Decimal | None], currency: str) -> None:
    """Check each total that the payment tells. Raises Rejected `totals_differ`."""
    reimbursed = tally.total({"reimbursement"})
    earned, net = tally.total({"wages", "contractor"}), tally.total({"net_pay"})
    possible = {
        "gross_pay": (earned, earned + reimbursed),
        "net_pay": (net, net - reimbursed),
        "employee_taxes": (tally.total({"employee_tax"}),),
        "employer_taxes": (tally.total({"employer_tax"}),),
    }
    for name, sums in possible.items():
        value = told[name]
        if value is not None and value not in sums:
            raise differ(f"{name} of the statements", sums[0], "of the payment", value, currency=currency)
