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
    """Read a signed amount beside its `currency`. Raises Rejected as `minor` does, and `missing_field`."""
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
    """Turn Stripe's whole number into money of the `currency` in `fields`; `name` is where it stood.

    Raises Rejected: `missing_field`, `unknown_currency`, and what `from_minor` refuses an amount for.
    """
    currency = fields.get("currency")
    if currency is None:
        raise fields.missing("currency")
    try:
        return from_minor("stripe", amount, currency if isinstance(currency, str) else "")
    except UnknownCurrency as error:
        raise Rejected("unknown_currency", str(error), field=fields.at("currency")) from None
    except AmountRefused as error:
        raise Rejected(error.reason, str(error), field=fields.at(name)) from None


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved our balance: `gross`, and what was kept of it, the tax apart. Fees given back are negative."""

    gross: Money
    fee: Money
    tax: Money

    @property
    def net(self) -> Money:
        """What is left."""
        return self.gross - self.fee - self.tax


def movement(transaction: Fields, *, moved: Money | None = None) -> Movement:
    """Read a balance transaction.

    `moved` is what the object says came in (or, negative, went out): in the same currency the transaction must say the
    same. Raises Rejected: `does_not_add_up`, `mixed_currencies`, and as `money` does.
    """
    gross = money(transaction, "amount")
    if moved is not None and gross.currency == moved.currency and gross != moved:
        figures = f"{gross} reached the balance, the object says {moved}"
        raise Rejected("does_not_add_up", figures, field=transaction.at("amount"))
    found = Movement(gross, *_fees(transaction))
    if transaction.get("net") is not None and (said := money(transaction, "net")) != found.net:
        figures = f"gross {gross} - fee {found.fee} - tax {found.tax} = {found.net}, but net is {said}"
        raise Rejected("does_not_add_up", figures, field=transaction.at("net"))
    return found


def _fees(transaction: Fields) -> tuple[Money, Money]:
    """The fee and its tax; without details it is all fee."""
    total = money(transaction, "fee") if transaction.get("fee") is not None else minor(0, transaction, "fee")
    details = transaction.sections("fee_details") or ()
    tax = listed = Money.zero(total.currency)
    for detail in details:
        part = money(detail, "amount")
        one_currency((total, part), field=detail.at("currency"))
        listed += part
        if detail.get("type") == "tax":
            tax += part
    if details and listed != total:
        figures = f"the details are {listed}, the fee is {total}"
        raise Rejected("does_not_add_up", figures, field=transaction.at("fee_details"))
    return total - tax, tax


def settlement(fields: Fields, name: str, *, moved: Money) -> Settlement | None:
    """Read an expanded balance transaction; None when there is only its id, or nothing. Raises as `movement` does."""
    transaction = fields.section(name) if isinstance(fields.get(name), dict) else None
    if transaction is None:
        return None
    found = movement(transaction, moved=moved)
    number = transaction.identifier("id")
    return Settlement(balance_transaction=number, gross=found.gross, fee=found.fee, fee_tax=found.tax, net=found.net)


def own_settlement(charge: Fields, *, moved: Money) -> Settlement:
    """What reached the balance of a charge that tells its fee itself, as all did in 2012. Raises Rejected."""
    fee, tax = _fees(charge)
    one_currency((moved, fee), field=charge.at("fee"))
    number = charge.identifier("id")
    return Settlement(balance_transaction=number, gross=moved, fee=fee, fee_tax=tax, net=moved - fee - tax)


def one_currency(amounts: Iterable[Money], *, field: str) -> None:
    """Raise Rejected `mixed_currencies` when the amounts are of several currencies."""
    currencies = {amount.currency for amount in amounts}
    if len(currencies) > 1:
        raise Rejected("mixed_currencies", f"{' and '.join(sorted(currencies))} cannot be one sum", field=field)
