"""Stripe's event types that move money and are not booked: none of them is passed over in silence.

Source: the lists of event types in Stripe's API reference (docs.stripe.com/api/events/types, and that of its second
version), read for what debits or credits a balance, on 2026-12-01. What only tells of something (`balance.available`,
`radar.early_fraud_warning.created`) is not here. A type that is read is in `KINDS`.
"""

from typing import Final

from producers.normalising import NormaliseContext, Normalised, Rejected

MOVES_MONEY: Final = frozenset(
    {
        # transfers to a bank, as payouts were called until 2017
        "transfer.paid",
        "transfer.failed",
        "transfer.canceled",
        # reserves that Stripe holds back, and gives back
        "reserve.hold.created",
        "reserve.release.created",
        # cards that are issued: what is spent with them, and their disputes
        "issuing_transaction.created",
        "issuing_dispute.funds_reinstated",
        "issuing_dispute.funds_rescinded",
        # loans: paid out, and paid back out of sales
        "capital.financing_offer.paid_out",
        "capital.financing_transaction.created",
        # what is bought with the balance
        "climate.order.created",
        "climate.order.canceled",
        # financial accounts
        "treasury.credit_reversal.posted",
        "treasury.debit_reversal.completed",
        "treasury.debit_reversal.initial_credit_granted",
        "treasury.inbound_transfer.succeeded",
        "treasury.outbound_payment.posted",
        "treasury.outbound_payment.returned",
        "treasury.outbound_transfer.posted",
        "treasury.outbound_transfer.returned",
        "treasury.received_credit.succeeded",
        "treasury.received_debit.created",
        # financial accounts of the second version of Stripe's API
        "v2.money_management.adjustment.created",
        "v2.money_management.inbound_transfer.bank_debit_succeeded",
        "v2.money_management.inbound_transfer.bank_debit_returned",
        "v2.money_management.outbound_payment.posted",
        "v2.money_management.outbound_payment.returned",
        "v2.money_management.outbound_transfer.posted",
        "v2.money_management.outbound_transfer.returned",
        "v2.money_management.received_credit.succeeded",
        "v2.money_management.received_credit.returned",
        "v2.money_management.received_debit.succeeded",
        "v2.money_management.transaction.created",
        "v2.payments.off_session_payment.succeeded",
    }
)
"""Each moves money for somebody, and has no event of ours."""


READ: Final = "read_by_reader"
"""Why nothing comes of an event that moved the balance: its balance transaction is read with the key."""

_ELSEWHERE: Final = ("treasury.", "v2.")
"""How types begin whose money is on no Stripe balance, and in none of its transactions."""


def unmapped(stripe_type: str) -> str:
    """Say why something that moved the balance is for a person."""
    return f"unmapped:stripe_type:{stripe_type}"


def moves_money(stripe_type: str) -> bool:
    """Whether a type that is not read moves money."""
    return stripe_type in MOVES_MONEY


def outside(stripe_type: str, context: NormaliseContext) -> Normalised:
    """What becomes of an event whose type is not read: ignored, where no money moved or the setting says so.

    Where Stripe is read with a key, the balance transaction tells what moved the balance.

    Raises Rejected: it moved money, and a person is to look at it.
    """
    if moves_money(stripe_type) and context.is_read and not stripe_type.startswith(_ELSEWHERE):
        return Normalised((), ignored=READ)
    if moves_money(stripe_type) and context.outside == "hold":
        message = f"{stripe_type} moves money and is not booked: post it by hand, or set stripe.outside to ignore"
        raise Rejected(unmapped(stripe_type), message, field="type")
    return Normalised((), ignored=f"type_not_used:{stripe_type}")
