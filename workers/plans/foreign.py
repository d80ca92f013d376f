"""Sales in a currency that the books are not kept in: they settle at the processor's own amount, or wait for it. Pure.

No rate is assumed anywhere: what reached the balance is told by its transaction.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from schemas.envelope import Event
from schemas.money import Money, iso_exponent
from schemas.sales import DisputeOpened, DisputeWon, PaymentRefunded, PaymentSucceeded, RefundFailed
from solid.models import RecordKind
from workers.books.books import Books
from workers.plans.ledger import account_of
from workers.plans.writes import EntryWrite, Line, Plan, Prerequisite

GAIN_LOSS = "exchange_gain_loss"


class Booked(NamedTuple):
    """What a customer paid, and what the sale was booked at."""

    paid: Money
    amount: Money


def awaiting_settlement(event: Event, books: Books) -> Plan | None:
    """A plan that posts nothing and waits until the same fact is told with its settlement; None where none must.

    The balance transaction that Stripe sends later, or that is read with a key, tells it under the same external ids.
    """
    data, base = event.data, books.base_currency
    told = getattr(data, "settlement", None) is not None
    if told or base is None or not isinstance(data, _SETTLED) or data.amount.currency == base:
        return None
    if isinstance(data, PaymentRefunded) and data.refund is None:
        return None
    external_id, kind = _first_write(data)
    needs = Prerequisite(
        external_id=external_id,
        kind=kind,
        reason=f"unmapped:currency:{data.amount.currency}",
        message=f"{data.amount} cannot be posted before what moved the balance is told in {base}",
    )
    return Plan(requires=(needs,))


_Settled = PaymentSucceeded | PaymentRefunded | RefundFailed | DisputeOpened | DisputeWon
_SETTLED = (PaymentSucceeded, PaymentRefunded, RefundFailed, DisputeOpened, DisputeWon)


def _first_write(data: _Settled) -> tuple[str, RecordKind]:
    return (f"{data.fact}:payment", "payment") if isinstance(data, PaymentSucceeded) else (data.fact, "entry")


def at_the_rate_of_the_sale(write: EntryWrite, sale: Booked, *, back: Money, books: Books) -> EntryWrite:
    """The entry of a refund that takes back the share of what its sale was booked at; the difference is exchange.

    `back` is what the customer got back, in the currency of `sale.paid`.

    Raises:
        Parked: the books name no account for the exchange difference.
    """
    [returns] = [line for line in write.lines if line.role == "sales_returns"]
    moved, share = returns.debit or returns.credit or Decimal(0), _share(sale, back)
    if share == moved or not share:
        return write
    side, other = ("debit", "credit") if returns.debit is not None else ("credit", "debit")
    lines = [line.model_copy(update={side: share}) if line is returns else line for line in write.lines]
    difference = moved - share
    account = account_of(books, GAIN_LOSS, Money.of(abs(difference), write.currency))
    lines.append(
        Line.model_validate({"role": GAIN_LOSS, "account": account, side if difference > 0 else other: abs(difference)})
    )
    return write.model_copy(update={"lines": tuple(sorted(lines, key=lambda line: line.debit is None))})


def in_the_share_of_the_sale(write: EntryWrite, sale: Booked, *, back: Money) -> EntryWrite:
    """An entry of two lines that moves on what the refund took out of sales, worth the share of the sale."""
    share = _share(sale, back)
    if not share:
        return write
    sides = [(line, "debit" if line.debit is not None else "credit") for line in write.lines]
    return write.model_copy(update={"lines": tuple(line.model_copy(update={side: share}) for line, side in sides)})


def _share(sale: Booked, back: Money) -> Decimal:
    part = sale.amount.amount * back.amount / sale.paid.amount
    return part.quantize(Decimal(1).scaleb(-iso_exponent(sale.amount.currency)), rounding=ROUND_HALF_UP)
