"""What an event tells of a sale, noted in it. Pure: the same event noted twice changes nothing."""

from typing import Final, Literal

from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import PaymentRefunded, PaymentSucceeded, RefundFailed, Settlement
from schemas.told import CreditVoided, PaymentExpected, SaleCredited, SaleLinked, SaleTold
from workers.books.books import Books
from workers.sales.deciding import with_charge, with_credit, with_refund, with_telling
from workers.sales.sale import Charge, Credit, Refund, Sale, Waiting

Awaits = SaleTold | SaleLinked | PaymentExpected
"""What names money that its charge must tell."""

_RANKS: Final[dict[type[EventData], int]] = {SaleTold: 2, SaleLinked: 1, PaymentExpected: 0}
"""Who waits for the money of a sale on behalf of all, so that a person hears of it once."""


def noted(sale: Sale, event: Event, books: Books, *, whole: bool) -> Sale:
    """The sale with what the event tells. `whole`: its charge is posted without tax.

    Raises:
        Conflicting: the sale was told otherwise before.
    """
    data, day = event.data, books.day_of(event.time)
    match data:
        case SaleTold():  # whose sale it is decides nothing here, so the store need not know it
            sale = with_telling(sale, data.model_copy(update={"customer": None}), day)
        case PaymentSucceeded():
            state: Literal["whole", "waits"] = "whole" if whole else "waits"
            booked = _booked(data.amount, data.settlement)
            owed = data.destination is not None
            charge = Charge(fact=data.fact, amount=data.amount, booked=booked, state=state, owed=owed)
            sale = with_charge(sale, charge)
        case SaleLinked(outside=True):
            sale = sale.model_copy(update={"outside": True})
        case PaymentRefunded():
            booked = _booked(data.amount, data.settlement)
            sale = with_refund(sale, Refund(fact=data.fact, amount=data.amount, booked=booked, day=day))
        case RefundFailed():
            sale = sale.model_copy(update={"failed": {data.of: day, **sale.failed}})
        case SaleCredited():
            sale = with_credit(sale, _credit(data, event, books))
        case CreditVoided():
            sale = sale.model_copy(update={"voided": {data.of: day, **sale.voided}})
    return sale


def waited(sale: Sale, event: Event, *, came: bool) -> Sale:
    """The sale with who waits for its money: nobody once it came, else one event for all that name it."""
    rank = _RANKS.get(type(event.data))
    if rank is None:
        return sale
    if came or sale.charges or sale.outside:
        return sale.model_copy(update={"waiting": None})
    waiting = sale.waiting
    if waiting is not None and waiting.event != event.id and waiting.rank >= rank:
        return sale
    return sale.model_copy(update={"waiting": Waiting(event=event.id, rank=rank)})


def _booked(amount: Money, settlement: Settlement | None) -> Money:
    return amount if settlement is None else abs(settlement.gross)


def _credit(data: SaleCredited, event: Event, books: Books) -> Credit:
    return Credit(
        fact=data.fact,
        name=data.credit_note,
        tax=data.tax,
        owed=data.to_balance + data.outside,
        refunds=data.refunds,
        unpaid=data.before_payment == data.amount,
        day=books.day_of(event.time),
    )
