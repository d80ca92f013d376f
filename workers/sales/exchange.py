"""Refunds of foreign sales: what their sale was booked at is asked of the inbox. Nothing here asks Solid.

Where the inbox does not know it, a refund takes back its own amount, and there is no exchange difference.
"""

from typing import Final, Protocol

from schemas.envelope import Event
from schemas.money import Money
from schemas.sales import PaymentRefunded, RefundFailed
from store.claims import WriteRow
from workers.books.books import Books
from workers.plans.foreign import Booked, at_the_rate_of_the_sale, in_the_share_of_the_sale
from workers.plans.writes import Afterwards, AnyWrite, EntryWrite, IfPosted, Plan

PAID: Final = "paid"
"""Under which name the inbox remembers what a customer paid in another currency."""


class Remembers(Protocol):
    """What this needs of the inbox."""

    async def trace(self, text: str) -> list[WriteRow]:
        """See `Inbox.trace`."""
        ...


class ExchangeBook:
    """Finishes the plans of refunds of one company. Idempotent; safe to cancel."""

    def __init__(self, *, inbox: Remembers, books: Books, company: str) -> None:
        self._inbox = inbox
        self._books = books
        self._company = company

    async def complete(self, plan: Plan, event: Event) -> Plan:
        """The plan with its refund at the rate of the sale.

        Raises:
            Parked: the books name no account for the exchange difference.
            StoreUnavailable: see there.
        """
        data = event.data
        if not isinstance(data, PaymentRefunded | RefundFailed) or not data.charge or data.settlement is None:
            return plan
        if data.settlement.gross.currency == data.amount.currency:
            return plan
        sale = await self._sale(f"{self._books.processor_of(data.fact).key}:charge:{data.charge}")
        if sale is None or sale.paid.currency != data.amount.currency:
            return plan
        writes = [await self._at_rate(write, sale, data) for write in plan.writes]
        if tuple(writes) == plan.writes:
            return plan
        further = [_in_share(each, sale, data) for each in plan.afterwards]
        return plan.model_copy(update={"writes": tuple(writes), "afterwards": tuple(further)})

    async def _sale(self, fact: str) -> Booked | None:
        row = await self._row(f"{fact}:payment")
        if row is None or row.amount is None or row.currency is None or PAID not in row.about:
            return None
        amount, _, currency = row.about[PAID].partition(" ")
        return Booked(paid=Money.of(amount, currency), amount=Money.of(row.amount, row.currency))

    async def _at_rate(self, write: AnyWrite, sale: Booked, data: PaymentRefunded | RefundFailed) -> AnyWrite:
        """The entry as it is to be posted; as it was posted already, where the sale was not known then."""
        if not isinstance(write, EntryWrite) or write.external_id != data.fact:
            return write
        if write.currency != sale.amount.currency:
            return write
        known = await self._row(write.external_id)
        if known is not None and known.payload_hash == write.payload_hash:
            return write
        return at_the_rate_of_the_sale(write, sale, back=data.amount, books=self._books)

    async def _row(self, external_id: str) -> WriteRow | None:
        rows = await self._inbox.trace(external_id)
        return next((row for row in rows if (row.company, row.external_id) == (self._company, external_id)), None)


def _in_share(each: Afterwards, sale: Booked, data: PaymentRefunded | RefundFailed) -> Afterwards:
    if not isinstance(each, IfPosted):
        return each
    return each.model_copy(update={"write": in_the_share_of_the_sale(each.write, sale, back=data.amount)})
