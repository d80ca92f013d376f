"""Plans: pure functions from an event and the books to the writes it becomes. One module a domain, one table of all."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.envelope import Event
from workers.books.books import Books
from workers.plans import disputes, inventory, moves, payroll, sales, summaries, tax
from workers.plans.foreign import awaiting_settlement
from workers.plans.periods import must_be_open, place_in_open_period
from workers.plans.writes import Plan

PLANS: Final[Mapping[str, Callable[[Event, Any, Books], Plan]]] = {
    "sales.payment.succeeded.v1": sales.payment_succeeded,
    "sales.payment.failed.v1": sales.payment_failed,
    "sales.payment.refunded.v1": sales.payment_refunded,
    "sales.payment.refund_pending.v1": sales.refund_pending,
    "sales.payment.refund_failed.v1": sales.refund_failed,
    "sales.dispute.opened.v1": disputes.dispute_opened,
    "sales.dispute.won.v1": disputes.dispute_won,
    "sales.dispute.lost.v1": disputes.dispute_lost,
    "sales.payout.paid.v1": sales.payout_paid,
    "sales.payout.failed.v1": sales.payout_failed,
    "sales.balance.moved.v1": moves.balance_moved,
    "sales.subscription.updated.v1": sales.subscription_updated,
    "sales.summary.closed.v1": summaries.summary_closed,
    "sales.sale.told.v1": tax.sale_told,
    "sales.sale.linked.v1": tax.sale_linked,
    "sales.sale.credited.v1": tax.sale_credited,
    "sales.sale.credit_voided.v1": tax.credit_voided,
    "sales.payment.expected.v1": tax.payment_expected,
    "payroll.run.paid.v1": payroll.run_paid,
    "payroll.run.reversed.v1": payroll.run_reversed,
    "inventory.stock.adjusted.v1": inventory.stock_adjusted,
    "inventory.stock.counted.v1": inventory.stock_counted,
    "inventory.stock.merged.v1": inventory.stock_merged,
    "inventory.receipt.posted.v1": inventory.receipt_posted,
    "inventory.order.placed.v1": inventory.order_placed,
    "inventory.bill.received.v1": inventory.bill_received,
}

TAKES_BACK: Final = frozenset(
    {
        "sales.payment.failed.v1",
        "sales.payment.refund_failed.v1",
        "sales.dispute.won.v1",
        "sales.dispute.lost.v1",
        "sales.payout.failed.v1",
    }
)
"""Types of events that take something back: no person may have them posted without it."""


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
