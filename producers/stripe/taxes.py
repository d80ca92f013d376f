"""Which tax a Stripe object tells, in the shapes of all API versions: `tax`, `total_tax_amounts`, `total_taxes`.

Where several of them are there they must say the same; what contradicts itself is refused with its figures. Tax is
never computed from a rate.
"""

from collections.abc import Sequence

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from schemas.money import Money
from schemas.told import TaxPart


def taxes_of(document: Fields, *, total: Money) -> tuple[TaxPart, ...]:
    """Give the taxes of an invoice or a credit note, by rate; none where it tells of none.

    Raises Rejected: `does_not_add_up`, and as `minor` does.
    """
    listed = listed_taxes(document)
    sums = [_sum(listed, total)] if listed is not None else []
    if document.get("tax") is not None:
        sums.append(stripe_amounts.money(document, "tax"))
    if document.get("total_excluding_tax") is not None:
        sums.append(total - stripe_amounts.money(document, "total_excluding_tax"))
    for other in sums[1:]:
        must_be(other, sums[0], what="the tax", field=document.at(_field_of(document)))
    found = listed or _by_line(document) if not sums else listed
    if found is None:
        found = (TaxPart(amount=sums[0]),) if sums else ()
    elif sums and not listed and sums[0]:
        found = (TaxPart(amount=sums[0]),)
    _possible(_sum(found, total), total, field=document.at(_field_of(document)))
    return tuple(part for part in found if part.amount)


def listed_taxes(document: Fields) -> tuple[TaxPart, ...] | None:
    """Give the taxes that an object lists; None where it has no such list."""
    for name in ("total_taxes", "total_tax_amounts", "taxes", "tax_amounts"):
        if document.get(name) is not None:
            return tuple(_part(row, document) for row in document.sections(name) or ())
    return None


def taxes_of_line(line: Fields, document: Fields) -> tuple[TaxPart, ...]:
    """Give the taxes that a line lists, in the currency of its document."""
    return listed_taxes(Fields({**line.values, "currency": document.get("currency")}, line.path)) or ()


def must_be(one: Money, other: Money, *, what: str, field: str) -> None:
    """Return where two figures of one thing are the same. Raises Rejected `does_not_add_up`, `mixed_currencies`."""
    stripe_amounts.one_currency((one, other), field=field)
    if one != other:
        raise Rejected("does_not_add_up", f"{what} is {other} and {one}", field=field)


def lines_of(document: Fields) -> tuple[Fields, ...] | None:
    """Give the lines of an invoice; None where they are not all there."""
    listed = document.section("lines")
    if listed is None or listed.flag_or_none("has_more"):
        return None
    return listed.sections("data")


def _part(row: Fields, document: Fields) -> TaxPart:
    amount = stripe_amounts.minor(row.get("amount"), document, "amount")
    details = row.section("tax_rate_details") if isinstance(row.get("tax_rate_details"), dict) else None
    code = details.identifier_or_none("tax_rate") if details else row.identifier_or_none("tax_rate")
    inclusive = row.token_or_none("tax_behavior") == "inclusive" or row.flag_or_none("inclusive") is True
    return TaxPart(code=code, amount=amount, inclusive=inclusive)


def _by_line(document: Fields) -> tuple[TaxPart, ...] | None:
    """What the lines tell, added up by rate, where nothing else tells it."""
    found: dict[tuple[str | None, bool], Money] = {}
    for line in lines_of(document) or ():
        for part in taxes_of_line(line, document):
            key = (part.code, part.inclusive)
            found[key] = found.get(key, Money.zero(part.amount.currency)) + part.amount
    return (
        tuple(TaxPart(code=code, amount=amount, inclusive=inclusive) for (code, inclusive), amount in found.items())
        or None
    )


def _sum(parts: Sequence[TaxPart], total: Money) -> Money:
    return sum((part.amount for part in parts), Money.zero(total.currency))


def _possible(tax: Money, total: Money, *, field: str) -> None:
    """Refuse tax that is more than the whole, or has another sign."""
    stripe_amounts.one_currency((tax, total), field=field)
    if abs(tax) > abs(total) or tax.amount * total.amount < 0:
        raise Rejected("does_not_add_up", f"the tax is {tax}, and the total with it {total}", field=field)


def _field_of(document: Fields) -> str:
    names = ("total_taxes", "total_tax_amounts", "tax", "total_excluding_tax")
    return next((name for name in names if document.get(name) is not None), "lines")
