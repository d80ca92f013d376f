"""Captures: what an event adds to what was told of the same payment before it.

One that tells a sum from nothing may hold parts that others have told, in whatever order they come: only the rest is
new, under the name that it has by its range. It posts nothing itself.
"""

from decimal import Decimal
from typing import Protocol

from schemas.envelope import Event
from schemas.money import Money
from schemas.sales import Capture, PaymentRefunded, PaymentSucceeded, RefundPending
from store.claims import EventRef
from store.sales.captures import Part, PartsContradict
from workers.errors import Conflicting


class KeepsCaptures(Protocol):
    """What this needs of `store.sales.captures`."""

    async def take(self, company: str, payment: str, part: Part) -> Part | None:
        """See `Captures.take`."""
        ...

    async def released(self, company: str, payment: str, currency: str) -> Decimal:
        """See `Captures.released`."""
        ...

    async def pending(self, company: str, payment: str, *, refund: str, amount: Decimal, currency: str) -> None:
        """See `Captures.pending`."""
        ...


async def resolved(event: Event, captures: KeepsCaptures) -> Event | None:
    """The event as it is to be posted; None where others have told all of it. Idempotent.

    A refund that moved nothing and is exactly what was never captured is its release, which the capture has told.

    Raises:
        Conflicting: it contradicts what was told before, or its settlement is that of another part.
        StoreUnavailable: see there.
    """
    data = event.data
    if isinstance(data, RefundPending):
        amount, currency = data.amount.amount, data.amount.currency
        await captures.pending(event.company, data.of, refund=data.becomes, amount=amount, currency=currency)
    if isinstance(data, PaymentRefunded) and data.unmoved and data.of is not None:
        released = await captures.released(event.company, data.of, data.amount.currency)
        return None if released == data.amount.amount else event
    if not isinstance(data, PaymentSucceeded) or data.capture is None:
        return event
    payment = data.capture.payment(data.fact)
    wanted = _part(data.capture, EventRef.of(event))
    try:
        new = await captures.take(event.company, payment, wanted)
    except PartsContradict as error:
        raise Conflicting(f"{data.fact}: {error}") from None
    if new is not None and (new.before, new.in_all) == (wanted.before, wanted.in_all):
        return event
    if data.settlement is not None:
        msg = f"{data.fact}: its settlement is of {data.amount}, of which a part was told before without it"
        raise Conflicting(msg)
    return None if new is None else _only(new, event, data, payment)


def _part(capture: Capture, event: EventRef) -> Part:
    return Part(
        before=capture.before.amount,
        in_all=capture.in_all.amount,
        currency=capture.in_all.currency,
        released=None if capture.released is None else capture.released.amount,
        event_source=event.source,
        event_id=event.id,
    )


def _only(part: Part, event: Event, data: PaymentSucceeded, payment: str) -> Event:
    """The event as if it had told this part alone."""
    before, in_all = Money.of(part.before, part.currency), Money.of(part.in_all, part.currency)
    capture = Capture(before=before, in_all=in_all)
    changes = {"fact": capture.fact(payment), "amount": in_all - before, "capture": capture}
    return event.model_copy(update={"data": data.model_copy(update=changes)})
