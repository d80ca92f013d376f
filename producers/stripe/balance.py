"""Stripe's balance transactions into our events: what moved the balance, read with a key.

The facts are those that webhooks name, so what is told both ways is one fact. A transaction proves that its money
moved, whatever its source says by now. It must not fetch anything: `source` is read as far as it is expanded.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from producers.currencies import refuse_gone
from producers.drafts import rejecting
from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.reading.fields import Fields
from producers.stripe import disputes, payments, refunds
from producers.stripe.amounts import not_negative
from producers.stripe.event import Content, StripeEvent
from producers.stripe.other_moves import is_dispute, moved_otherwise, settlement_of
from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.sales import PaymentRefunded, PaymentSucceeded, PayoutPaid

SOURCE: Final = "/api/stripe"
_UNDONE: Final = frozenset({"failed", "canceled"})
_ON_ITS_WAY: Final = frozenset({"pending", "in_transit"})


def transaction(document: Fields, context: NormaliseContext) -> Normalised:
    """Turn one balance transaction into our events of the company that the context names.

    Nothing comes of a payout that is on its way, that was undone before it arrived, or of an authorisation's release.
    A type that is not known is a move of category "other". Raises Rejected.
    """
    kind = document.token_or_none("type")
    if document.get("object") not in (None, "balance_transaction") or kind is None:
        raise Rejected("not_a_balance_transaction", "a balance transaction has a type", field=document.at("type"))
    number, created = document.identifier("id"), document.time("created")
    with rejecting():
        found = _READERS.get(kind, moved_otherwise)(document)
        if isinstance(found, str):
            return Normalised((), ignored=found)
        events = tuple(_wrap(data, number, created, context.company) for data in found)
    for event in events:
        refuse_gone(event)
    return Normalised(events)


def _payment(document: Fields) -> Content:
    """A charge; where its source is only an id, what reached the balance stands for what was paid."""
    charge, said = document.get("source"), settlement_of(document)
    if said.gross.amount <= 0:
        return moved_otherwise(document)
    if not isinstance(charge, dict):
        charge_id = document.identifier("source")
        return (
            PaymentSucceeded(fact=f"stripe:charge:{charge_id}", charge=charge_id, amount=said.gross, settlement=said),
        )
    return payments.payment(_event(document, _captured(document), status="succeeded", captured=True))


def _captured(document: Fields) -> Mapping[str, object]:
    """The transaction as if only what was captured had moved: another one gives the rest back (`_released`)."""
    charge = _source(document)
    whole, captured = not_negative(charge, "amount"), payments.captured_amount(charge)
    amount, net = document.get("amount"), document.get("net")
    is_whole = amount == charge.get("amount") and settlement_of(document).gross.currency == whole.currency
    if captured == whole or not is_whole or not isinstance(amount, int) or not isinstance(net, int):
        return document.values
    part = charge.get("amount_captured")
    rest = amount - part if isinstance(part, int) else 0
    return {**document.values, "amount": amount - rest, "net": net - rest}


def _refund(document: Fields) -> Content:
    if document.get("reporting_category") == "partial_capture_reversal":
        return _released(document)
    refund, said = document.get("source"), settlement_of(document)
    if said.gross.amount >= 0:
        return moved_otherwise(document)
    if isinstance(refund, dict) and refund.get("object") in (None, "refund"):
        return refunds.refund_created(_event(document, status="succeeded"))
    source = document.identifier_or_none("source")
    is_refund = source is not None and source.startswith(("re_", "pyr_"))
    number = source if source is not None and is_refund else document.identifier("id")
    fact = f"stripe:refund:{number}" if is_refund else f"stripe:balance:{number}"
    charge_id = _charge_of(document)
    of = f"stripe:charge:{charge_id}" if charge_id else None
    return (
        PaymentRefunded(fact=fact, of=of, charge=charge_id, refund=number, amount=abs(said.gross), settlement=said),
    )


def _charge_of(document: Fields) -> str | None:
    """The charge that a refund without an object of its own takes back: its source."""
    source = document.identifier_or_none("source")
    return source if source is not None and source.startswith(("ch_", "py_")) else None


def _released(document: Fields) -> Content:
    """What was authorised and never captured: `_captured` has left it out. A fee given back with it is booked."""
    said = settlement_of(document)
    return moved_otherwise(document, only_fees=True) if said.fee or said.fee_tax else "authorisation_released"


def _refund_failed(document: Fields) -> Content:
    if not isinstance(document.get("source"), dict) or settlement_of(document).gross.amount <= 0:
        return moved_otherwise(document)
    return refunds.refund_failed(_event(document, at="failure_balance_transaction"))


def _adjustment(document: Fields) -> Content:
    """What a dispute took or gave back; else a correction of Stripe's own."""
    source = document.get("source")
    if isinstance(source, dict) and is_dispute(source):
        return _of_dispute(document)
    if isinstance(source, dict) and source.get("object") == "refund":
        return _refund_failed(document)
    return moved_otherwise(document)


def _of_dispute(document: Fields) -> Content:
    """What this transaction adds to what the dispute's webhook told before it; what is lost is its webhook's to say."""
    before, own = _listed_before(document), dict(document.values)
    earlier = {data.fact for data in _listed(document, before)}
    return [data for data in _listed(document, [*before, own]) if data.fact not in earlier] or "amount_zero"


def _listed(document: Fields, transactions: Sequence[Mapping[str, object]]) -> Sequence[EventData]:
    found = disputes.changed(_event(document, balance_transactions=transactions, status=None))
    return () if isinstance(found, str) else found


def _listed_before(document: Fields) -> list[Mapping[str, object]]:
    created, number = document.time("created"), document.identifier("id")
    listed = _source(document).sections("balance_transactions") or ()
    return [each.values for each in listed if each.identifier("id") != number and each.time("created") <= created]


def _payout(document: Fields) -> Content:
    payout, said = document.get("source"), settlement_of(document)
    if not isinstance(payout, dict):
        payout_id = document.identifier("source")
        day, fact = document.time("available_on").date(), f"stripe:payout:{payout_id}"
        return (PayoutPaid(fact=fact, payout=payout_id, amount=-said.gross, arrival_date=day, settlement=said),)
    status = _source(document).token_or_none("status")
    if status in _ON_ITS_WAY:
        return "payout_on_its_way"
    if status in _UNDONE and not (said.fee or said.fee_tax):
        return "payout_undone"
    return payments.payout_paid(_event(document))


def _payout_undone(document: Fields) -> Content:
    if not isinstance(document.get("source"), dict):
        return moved_otherwise(document)
    return payments.payout_failed(_event(document, at="failure_balance_transaction"))


def _transfer(document: Fields) -> Content:
    """A transfer to a connected account; before 2017 a payout was one too."""
    source = document.get("source")
    if isinstance(source, dict) and (source.get("object") == "payout" or str(source.get("id")).startswith("po_")):
        return _payout(document)
    return moved_otherwise(document)


_READERS: Final[Mapping[str, Callable[[Fields], Content]]] = {
    "charge": _payment,
    "payment": _payment,
    "refund": _refund,
    "payment_refund": _refund,
    "payment_failure_refund": _refund,
    "payment_reversal": _refund,
    "partial_capture_reversal": _released,
    "refund_failure": _refund_failed,
    "adjustment": _adjustment,
    "payout": _payout,
    "payout_failure": _payout_undone,
    "payout_cancel": _payout_undone,
    "transfer": _transfer,
}
"""The types that have an event of their own; `moved_otherwise` reads all others."""


def _source(document: Fields) -> Fields:
    source = document.section("source")
    if source is None:
        raise document.missing("source")
    return source


def _event(
    document: Fields,
    values: Mapping[str, object] | None = None,
    *,
    at: str = "balance_transaction",
    **told: object,
) -> StripeEvent:
    """The source as a webhook would tell it: with this transaction, or other values of it, in its place."""
    source, told = _source(document), {at: values or document.values, **told}
    return StripeEvent(
        id=document.identifier("id"),
        created=document.time("created"),
        object=Fields({**source.values, **told}, source.path),
        previous=None,
    )


def _wrap(data: EventData, number: str, created: datetime, company: str) -> Event:
    names = ("refund", "dispute", "payout", "charge")
    subject = next((value for name in names if (value := getattr(data, name, None))), number)
    return Event.of(
        data,
        id=number,
        source=SOURCE,
        time=created,
        subject=subject,
        partitionkey=getattr(data, "charge", None) or subject,
        company=company,
    )
