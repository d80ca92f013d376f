"""Plans: pure functions from an event and the books to the writes it becomes. One module a domain, one table of all."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.envelope import Event
from workers.books.books import Books
from workers.plans import disputes, inventory, moves, payroll, sales
from workers.plans.foreign import awaiting_settlement
from workers.plans.periods import must_be_open, place_in_open_period
from workers.plans.writes import Plan

PLANS: Final[Mapping[str, Callable[[Event, Any, Books], Plan]]] = {
    "sales.payment.succeeded.v1": sales.payment_succeeded,
    "sales.payment.refunded.v1": sales.payment_refunded,
    "sales.payment.refund_failed.v1": sales.refund_failed,
    "sales.dispute.opened.v1": disputes.dispute_opened,
    "sales.dispute.won.v1": disputes.dispute_won,
    "sales.dispute.lost.v1": disputes.dispute_lost,
    "sales.payout.paid.v1": sales.payout_paid,
    "sales.payout.failed.v1": sales.payout_failed,
    "sales.balance.moved.v1": moves.balance_moved,
    "sales.subscription.updated.v1": sales.subscription_updated,
    "payroll.run.paid.v1": payroll.run_paid,
    "payroll.run.reversed.v1": payroll.run_reversed,
    "inventory.stock.adjusted.v1": inventory.stock_adjusted,
    "inventory.stock.counted.v1": inventory.stock_counted,
    "inventory.stock.merged.v1": inventory.stock_merged,
    "inventory.receipt.posted.v1": inventory.receipt_posted,
    "inventory.order.placed.v1": inventory.order_placed,
    "inventory.bill.received.v1": inventory.bill_received,
}


def plan(event: Event, books: Books) -> Plan:
    """The writes of an event. Pure: the same event and books always give the same plan.

    Raises:
        Parked: it cannot be booked until a person does something.
    """
    planned = awaiting_settlement(event, books) or PLANS[event.type](event, event.data, books)
    stream = stream_of(event)
    if planned.stock is not None:
        must_be_open(planned.stock.day, books, stream=stream)
    return place_in_open_period(planned, books, stream=stream)


def stream_of(event: Event) -> str:
    """The stream of an event: whose policy for late facts holds."""
    return event.type.partition(".")[0]
