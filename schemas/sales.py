"""Sales events: payments, refunds, disputes, payouts and subscriptions, of any payment processor.

They say what happened to money, not how it is booked. People's names and addresses may stand in `Customer`
only. What one refers to stands in `of`, as the `fact` of that other event.
"""

from datetime import date
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from schemas.dates import Day
from schemas.event_data import EventData, EventModel, NotNegativeMoney, PositiveMoney, Text
from schemas.money import Money, iso_exponent

_CAPTURED: Final = ":captured:"


class Customer(EventModel):
    """Who paid. The only place in any sales event for personal data."""

    id: Text
    name: Text | None = None
    email: Text | None = None


class Settlement(EventModel):
    """What reached, or left, our balance at the processor, in the currency of that balance.

    Signed as the processor signs it: `gross` and `net` are positive when money comes in (a charge) and
    negative when it goes out (a refund, a payout). `fee` excludes `fee_tax`; both are negative when given
    back. `gross - fee - fee_tax == net`, in one currency, or there is no Settlement (ValidationError).
    """

    balance_transaction: Text
    gross: Money
    fee: Money
    fee_tax: Money
    net: Money

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.gross - self.fee - self.fee_tax != self.net:
            msg = f"gross {self.gross} - fee {self.fee} - tax {self.fee_tax} is not net {self.net}"
            raise ValueError(msg)
        return self


class Capture(EventModel):
    """Which part of an authorised payment was taken: from `before` up to `in_all`, both counted from its beginning.

    `released` is what the source counts as refunded, from now on, and was never taken.
    """

    before: NotNegativeMoney
    in_all: PositiveMoney
    released: PositiveMoney | None = None

    def fact(self, payment: str) -> str:
        """How the fact of this part is called: the first bears the name of the payment."""
        minor_units = self.in_all.amount.scaleb(iso_exponent(self.in_all.currency))
        return f"{payment}{_CAPTURED}{minor_units:.0f}" if self.before else payment

    @staticmethod
    def payment(fact: str) -> str:
        """The name of the payment that a part belongs to."""
        return fact.partition(_CAPTURED)[0]


class PaymentSucceeded(EventData):
    """Money was taken from a customer. `fact`: `stripe:charge:ch_1`.

    `amount` is what the customer paid, `settlement` what reached the balance; the currencies may differ.
    `destination` is the connected account for which a platform took it: then it is owed to that account, the whole or
    only `for_destination`.
    A payment that was authorised first may be taken in parts, each an event of its own: `amount` is that of the part,
    and the fact of every part but the first names the sum with it (`stripe:charge:ch_1:captured:10000`).
    """

    charge: Text
    payment_intent: Text | None = None
    invoice: Text | None = None
    customer: Customer | None = None
    amount: PositiveMoney
    settlement: Settlement | None = None
    destination: Text | None = None
    for_destination: NotNegativeMoney | None = None
    capture: Capture | None = None

    @model_validator(mode="after")
    def _is_its_part(self) -> Self:
        if self.capture is not None and self.capture.in_all - self.capture.before != self.amount:
            msg = f"{self.amount} is not what was captured from {self.capture.before} to {self.capture.in_all}"
            raise ValueError(msg)
        return self


class PaymentFailed(EventData):
    """A customer's bank took back what it had given, without a dispute. `fact`: `stripe:charge:ch_1:failed`.

    `of` is the payment, which may never have been told as succeeded: then there is nothing to take back.
    """

    of: Text
    charge: Text
    amount: PositiveMoney
    settlement: Settlement | None = None


class PaymentRefunded(EventData):
    """Money went back to a customer, in whole or in part. `fact`: `stripe:refund:re_1`.

    Where the source only says how much has been refunded of a charge so far, `refund` is None, `amount` is
    the increase, `refunded_total` the sum after it, and `fact` is `stripe:refunded:ch_1:<that sum in minor
    units>`. `of` is the payment, where the source tells it.
    `released` is how much of `refunded_total` was surely never captured, and so is no refund; None where the event does
    not tell whether any was. `unmoved`: it names no transaction of the balance, though it is over, and so may be the
    release of what was never captured.
    """

    of: Text | None = None
    charge: Text | None = None
    payment_intent: Text | None = None
    invoice: Text | None = None
    refund: Text | None = None
    amount: PositiveMoney
    settlement: Settlement | None = None
    refunded_total: PositiveMoney | None = None
    released: PositiveMoney | None = None
    unmoved: Literal[True] | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, value: object) -> object:
        return _with_of(value, "stripe:charge:{charge}")


class RefundPending(EventData):
    """A refund was asked for, and is under way; it posts nothing. `fact`: `stripe:refund:re_1:pending`.

    The source counts it as refunded already. `of` is the payment, `becomes` the fact of the refund if it succeeds.
    """

    of: Text
    becomes: Text
    charge: Text
    refund: Text
    amount: PositiveMoney


class RefundFailed(EventData):
    """A refund that had left our balance came back. `fact`: `stripe:refund:re_1:failed`; `of` is the refund."""

    of: Text
    charge: Text | None = None
    refund: Text
    amount: PositiveMoney
    settlement: Settlement | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, value: object) -> object:
        return _with_of(value, "stripe:refund:{refund}")


class DisputeOpened(EventData):
    """A customer's bank took money back. `fact`: `stripe:dispute:dp_1:withdrawn`.

    `amount`, `fee` and `fee_tax` all left the balance: its loss is their sum, in the currency of the
    balance where known.
    """

    dispute: Text
    charge: Text | None = None
    amount: PositiveMoney
    fee: NotNegativeMoney
    fee_tax: NotNegativeMoney

    @model_validator(mode="before")
    @classmethod
    def _no_tax_unless_said(cls, value: object) -> object:
        return _with_zero_fee_tax(value)


class DisputeWon(EventData):
    """The money came back to us. `fact`: `stripe:dispute:dp_1:reinstated`; `of` is the dispute that took it.

    `fee` and `fee_tax` are what was given back of the dispute fee: zero when it was kept. `taken` is what had been
    withdrawn and is given back with this: another amount than `amount` where the rate has changed since; None for the
    same.
    """

    of: Text
    dispute: Text
    charge: Text | None = None
    amount: PositiveMoney
    fee: NotNegativeMoney
    fee_tax: NotNegativeMoney
    taken: PositiveMoney | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_before(cls, value: object) -> object:
        return _with_of(_with_zero_fee_tax(value), "stripe:dispute:{dispute}:withdrawn")


class DisputeLost(EventData):
    """A withdrawal was closed, in whole or in part, against us; no money moves with it. `stripe:dispute:dp_1:lost`.

    `of` is the withdrawal. `amount` is what was still withdrawn then, `taken` all that the withdrawal took: what of it
    was, or will be, given back is no loss. None (events of before) for a loss of `amount` that is final.
    """

    of: Text
    dispute: Text
    charge: Text | None = None
    amount: PositiveMoney
    taken: PositiveMoney | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, value: object) -> object:
        return _with_of(value, "stripe:dispute:{dispute}:withdrawn")


class PayoutPaid(EventData):
    """The processor paid our balance out to the bank. `fact`: `stripe:payout:po_1`.

    `amount` is signed: negative when the processor debits the bank. `arrival_date` is a day in UTC.
    """

    payout: Text
    amount: Money
    arrival_date: Day
    settlement: Settlement | None = None


class PayoutFailed(EventData):
    """A payout came back. `amount` is the payout's, with its sign. `fact`: `stripe:payout:po_1:failed`.

    `of` is the payout.
    """

    of: Text
    payout: Text
    amount: Money
    arrival_date: Day
    settlement: Settlement | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, value: object) -> object:
        return _with_of(value, "stripe:payout:{payout}")


MoveCategory: TypeAlias = Literal[
    "topup",
    "application_fee",
    "application_fee_refund",
    "transfer",
    "transfer_reversal",
    "reserve",
    "fee",
    "adjustment",
    "conversion",
    "other",
]
"""Why a balance moved, where it was no sale, refund, dispute or payout."""


class BalanceMoved(EventData):
    """The balance at the processor moved for another reason than a sale, a refund, a dispute or a payout.

    `fact` is named by the source where there is one (`stripe:topup:tu_1`, `stripe:transfer_reversal:trr_1`), else by
    the balance transaction (`stripe:balance:txn_1`). `transaction` is that one's id where it is told, `kind` the
    processor's own word (`stripe_fee`), `of` the fact that this takes back. `settlement` is signed as the processor
    signs it.
    """

    transaction: Text | None = None
    kind: Text
    category: MoveCategory
    of: Text | None = None
    settlement: Settlement


class SubscriptionUpdated(EventData):
    """A subscription changed; it posts nothing. `fact`: `stripe:subscription:sub_1:<event id>`.

    `customer` is an id.
    """

    subscription: Text
    customer: Text | None = None
    status: Text | None = None


class SummarisedLine(EventModel):
    """One line of a summary: what `facts` of one role and tax code come to on one side.

    `account` is an account's name where it is not the one of the role.
    """

    role: Text
    account: Text | None = None
    tax_code: Text | None = None
    side: Literal["debit", "credit"]
    amount: PositiveMoney
    facts: Annotated[int, Field(ge=1)]


class SummaryClosed(EventData):
    """Sales of one day or payout as one entry, made by the relay itself of what it recorded.

    `fact`: `stripe:summary:2026-11-30:1`, with `bucket` and `number` in it: what comes later is in the next number.
    `facts` is of how many it is made. `day` is without bounds: what was recorded is booked, whenever it says it was.
    """

    bucket: Text
    number: Annotated[int, Field(ge=1)]
    day: date
    facts: Annotated[int, Field(ge=1)]
    lines: Annotated[tuple[SummarisedLine, ...], Field(min_length=2)]


def _with_zero_fee_tax(value: object) -> object:
    """Let events without `fee_tax` decode: it is zero in the currency of the fee."""
    if not isinstance(value, dict) or value.get("fee_tax") is not None:
        return value
    fee = value.get("fee")
    currency = fee.get("currency") if isinstance(fee, dict) else getattr(fee, "currency", None)
    return {**value, "fee_tax": {"amount": "0", "currency": currency}}


def _with_of(value: object, form: str) -> object:
    """Let events of the time before `of` decode: they were all Stripe's, and their ids say what they refer to."""
    if not isinstance(value, dict) or value.get("of") is not None or not str(value.get("fact")).startswith("stripe:"):
        return value
    ids = {name: value[name] for name in ("charge", "refund", "dispute", "payout") if value.get(name) is not None}
    try:
        return {**value, "of": form.format(**ids)}
    except KeyError:
        return value
