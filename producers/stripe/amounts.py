"""Stripe's amounts and balance transactions as Money.

What does not add up is refused with its figures. It must not round, or plug a gap.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from producers.normalising import Rejected
from producers.reading.fields import Fields
from schemas.errors import AmountRefused, UnknownCurrency
from schemas.minor_units import from_minor
from schemas.money import Money
from schemas.sales import Settlement


def money(fields: Fields, name: str) -> Money:
    """Read a signed amount beside its `currency`.

    Raises Rejected: `missing_field`, `unknown_currency`, `amount_not_integer`, `amount_too_large`,
    `amount_not_possible`.
    """
    amount = fields.get(name)
    if amount is None:
        raise fields.missing(name)
    return minor(amount, fields, name)


def not_negative(fields: Fields, name: str) -> Money:
    """Read an amount that cannot be negative. Raises Rejected as `money` does, and `amount_negative`."""
    found = money(fields, name)
    if found.amount < 0:
        raise Rejected("amount_negative", f"{found} is negative", field=fields.at(name))
    return found


def minor(amount: object, fields: Fields, name: str) -> Money:
    """Turn Stripe's whole number into money of the `currency` in `fields`; `name` is where it stood."""
    currency = fields.get("currency")
    if currency is None:
        raise fields.missing(name="currency")
    code = currency if isinstance(currency, str) else ""
    try:
        return from_minor("stripe", amount, code)
    except UnknownCurrency as error:
        raise Rejected("unknown_currency", str(error), field=fields.at("currency")) from None
    except AmountRefused as error:
        raise Rejected(error.reason, str(error), field=fields.at(name)) from None


@dataclass(frozen=True, slots=True)
class Fees:
    """The fee of a balance transaction, its tax apart. Negative when given back."""

    fee: Money
    tax: Money


def fees(transaction: Fields) -> Fees:
    """Split the fee of a balance transaction; without details it is all fee.

    Raises Rejected: `does_not_add_up` when the details are not the fee, `mixed_currencies`.
    """
    total = money(transaction, "fee") if transaction.get("fee") is not None else minor(0, transaction, "fee")
    details = transaction.sections("fee_details") or ()
    tax = Money.zero(total.currency)
    listed = Money.zero(total.currency)
    for detail in details:
        part = money(detail, "amount")
        one_currency((total, part), field=detail.at("currency"))
        listed += part
        if detail.get("type") == "tax":
            tax += part
    if details and listed != total:
        figures = f"the details are {listed}, the fee is {total}"
        raise _does_not_add_up(figures=figures, at=transaction.at("fee_details"))
    return Fees(fee=total - tax, tax=tax)


def settlement(fields: Fields, name: str, *, moved: Money) -> Settlement | None:
    """Read an expanded balance transaction; None when there is only its id, or nothing.

    `moved` is what the object says came in (or, negative, went out): in the same currency the transaction
    must say the same. Raises Rejected: `does_not_add_up`, and as `money` does.
    """
    if not isinstance(fields.get(name), dict):
        return None
    transaction = fields.section(name)
    if transaction is None:
        return None
    gross = money(transaction, "amount")
    if gross.currency == moved.currency and gross != moved:
        figures = f"{gross} reached the balance, the object says {moved}"
        raise _does_not_add_up(figures=figures, at=transaction.at("amount"))
    parts = fees(transaction)
    return Settlement(
        balance_transaction=transaction.identifier("id"),
        gross=gross,
        fee=parts.fee,
        fee_tax=parts.tax,
        net=net(transaction, gross, parts),
    )


def net(transaction: Fields, gross: Money, parts: Fees) -> Money:
    """Give what is left of a balance transaction.

    Raises Rejected: `does_not_add_up` when its `net` says otherwise.
    """
    left = gross - parts.fee - parts.tax
    if transaction.get("net") is not None and (said := money(transaction, "net")) != left:
        figures = f"gross {gross} - fee {parts.fee} - tax {parts.tax} = {left}, but net is {said}"
        raise _does_not_add_up(figures=figures, at=transaction.at("net"))
    return left


def one_currency(amounts: Iterable[Money], *, field: str) -> None:
    """Raise Rejected `mixed_currencies` when the amounts are of several currencies."""
    currencies = {amount.currency for amount in amounts}
    if len(currencies) > 1:
        raise Rejected("mixed_currencies", f"{' and '.join(sorted(currencies))} cannot be one sum", field=field)


def _does_not_add_up(*, figures: str, at: str) -> Rejected:
    return Rejected("does_not_add_up", figures, field=at)
