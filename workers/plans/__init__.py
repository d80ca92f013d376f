"""Plans: pure functions from an event and the books to the writes it becomes. One module a domain, one table of all."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.envelope import Event
from workers.books import Books
from workers.plans import sales
from workers.plans.periods import place_in_open_period
from workers.plans.writes import Plan

PLANS: Final[Mapping[str, Callable[[Event, Any, Books], Plan]]] = {
    "sales.payment.succeeded.v1": sales.payment_succeeded,
    "sales.payment.refunded.v1": sales.payment_refunded,
    "sales.payment.refund_failed.v1": sales.refund_failed,
    "sales.dispute.opened.v1": sales.dispute_opened,
    "sales.dispute.won.v1": sales.dispute_won,
    "sales.dispute.lost.v1": sales.dispute_lost,
    "sales.payout.paid.v1": sales.payout_paid,
    "sales.payout.failed.v1": sales.payout_failed,
    "sales.subscription.updated.v1": sales.subscription_updated,
}


def plan(event: Event, books: Books) -> Plan:
    """The writes of an event. Pure: the same event and books always give the same plan.

    Raises:
        Parked: it cannot be booked until a person does something.
    """
    planned = PLANS[event.type](event, event.data, books)
    return place_in_open_period(planned, books, stream=event.type.partition(".")[0])
