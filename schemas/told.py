"""Sales events that tell of a sale without being its money: invoices, checkout sessions, credit notes, payment intents.

They say what a sale consists of (tax, lines, credit that was used) and which money belongs to it. The money itself is
`schemas.sales.PaymentSucceeded`, told by its charge. Nothing of a person stands here: ids, amounts and codes.
"""

from typing import Self

from pydantic import model_validator

from schemas.event_data import EventData, EventModel, NotNegativeMoney, PositiveMoney, Text
from schemas.money import Money


class TaxPart(EventModel):
    """Tax of one rate. `code` is the processor's own name of the rate; `inclusive`: the price held it already."""

    code: Text | None = None
    amount: Money
    inclusive: bool = False


class SaleLine(EventModel):
    """What was sold: `amount` is net of tax and discount. `item` and `product` are the processor's ids."""

    item: Text | None = None
    product: Text | None = None
    quantity: int | None = None
    amount: Money


class SaleTold(EventData):
    """What a sale consists of. `fact`: `stripe:invoice:in_1`, or `stripe:session:cs_1` where there is no invoice.

    `total` is with tax. `paid` is what the processor took for it: the total without what came from the customer's
    credit balance (`from_balance`; negative where the sale put something onto it), what was credited before it was paid
    (`credited`), and what was paid outside of the processor (`paid_outside`). Raises ValidationError where they do not
    add up. `lines` are all of them, or none. `session` is the one that tells.
    """

    invoice: Text | None = None
    session: Text | None = None
    payment_intent: Text | None = None
    charge: Text | None = None
    customer: Text | None = None
    total: Money
    paid: NotNegativeMoney
    from_balance: Money | None = None
    credited: NotNegativeMoney | None = None
    paid_outside: NotNegativeMoney | None = None
    taxes: tuple[TaxPart, ...] = ()
    lines: tuple[SaleLine, ...] = ()

    @property
    def tax(self) -> Money:
        """The sum of its taxes."""
        return sum((part.amount for part in self.taxes), Money.zero(self.total.currency))

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        none = Money.zero(self.total.currency)
        parts = (self.paid, self.from_balance or none, self.credited or none, self.paid_outside or none)
        if sum(parts, none) != self.total:
            figures = " + ".join(str(part) for part in parts)
            msg = f"paid + from balance + credited + paid outside = {figures} is not the total {self.total}"
            raise ValueError(msg)
        return self


class SaleLinked(EventData):
    """Money belongs to an invoice. `fact`: `stripe:invoice_payment:inpay_1`.

    `outside`: it was paid outside of the processor, and there is neither payment intent nor charge.
    """

    invoice: Text
    payment_intent: Text | None = None
    charge: Text | None = None
    amount: PositiveMoney
    outside: bool = False


class SaleCredited(EventData):
    """A sale was credited, in whole or in part. `fact`: `stripe:credit_note:cn_1`.

    `amount` is with its `tax`. It is the sum of what was `refunded` (by the `refunds`, facts of their own), went
    `to_balance` of the customer, is given back `outside` of the processor, and was never paid (`before_payment`); or
    there is a ValidationError.
    """

    credit_note: Text
    invoice: Text
    amount: PositiveMoney
    tax: NotNegativeMoney
    refunds: tuple[Text, ...] = ()
    refunded: NotNegativeMoney
    to_balance: NotNegativeMoney
    outside: NotNegativeMoney
    before_payment: NotNegativeMoney

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        parts = (self.refunded, self.to_balance, self.outside, self.before_payment)
        if sum(parts[1:], parts[0]) != self.amount:
            figures = " + ".join(str(part) for part in parts)
            msg = f"refunded + to balance + outside + before payment = {figures} is not the credit of {self.amount}"
            raise ValueError(msg)
        return self


class CreditVoided(EventData):
    """A credit note was taken back. `fact`: `stripe:credit_note:cn_1:voided`; `of` is the credit note."""

    of: Text
    credit_note: Text
    invoice: Text


class PaymentExpected(EventData):
    """Money was taken, and its charge is told elsewhere. `fact`: `stripe:payment_intent:pi_1`. It posts nothing.

    Where neither charge nor payment intent is known, some money of this processor must have been told.
    """

    payment_intent: Text | None = None
    charge: Text | None = None
    amount: PositiveMoney
