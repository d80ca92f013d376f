"""Payouts, and what Stripe lists for each: told, kept, and added up. Nothing is ever put in to make a sum right."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Protocol

from producers.normalising import Normalised, Rejected
from producers.reading.fields import Fields
from producers.stripe.api.client import Row
from producers.stripe.api.listing import Listing, Span, read_whole
from producers.stripe.api.reading import Reader
from producers.stripe.balance import transaction
from producers.stripe.payout_lists import is_own, item, payout
from schemas.money import Money
from store.sales.payouts import Payout, PayoutItem

DOES_NOT_ADD_UP: Final = "payout_does_not_add_up"
_ENDED: Final = frozenset({"paid", "failed", "canceled"})


class KeepsPayouts(Protocol):
    """Where payouts are kept with what belongs to them."""

    async def keep(self, company: str, payout: Payout, items: Sequence[PayoutItem]) -> None:
        """Durable on return. Raises StoreError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutReader:
    """Reads the payouts of the account of its reader.

    `marks` are what is settled of them (`po_1:paid`): added to, and gone with those that are listed no more. `patient`:
    one that does not add up is given another reading, as Stripe's lists may lag, before a person has it.
    """

    reader: Reader
    kept: KeepsPayouts | None
    marks: dict[str, None] = field(default_factory=dict)
    patient: bool = True

    async def read(self, span: Span) -> None:
        """Tell and keep the payouts that were made in a time. Raises as `Reader.read`."""
        found: dict[str, Row] = {}

        async def take(rows: list[Row]) -> None:
            found.update((row["id"], row) for row in rows)

        reader = self.reader
        query = (("expand[]", "data.balance_transaction"),)
        listing = Listing(path="/v1/payouts", query=query, account=reader.account, span=span)
        for number in await read_whole(reader.api, listing, take):
            await self._one(found[number])
        for mark in [mark for mark in self.marks if mark.partition(":")[0] not in found]:
            del self.marks[mark]
        reader.progress("/v1/payouts", len(found))

    async def _one(self, row: Row) -> None:
        status = row.get("status")
        mark = f"{row['id']}:{status}"
        if mark in self.marks:
            return
        if status == "paid":
            await self.reader.tell_as("payout.paid", row, at=row.get("arrival_date"))
        if await self._listed(row) and status in _ENDED:
            self.marks[mark] = None

    async def _listed(self, row: Row) -> bool:
        """Keep what belongs to it; whether that is settled, as far as can be known."""
        try:
            if row.get("automatic") is False:
                await self._keep(payout(Fields(row)), ())
                return True
            if row.get("reconciliation_status") == "in_progress":
                return False
            return await self._automatic(row)
        except Rejected as rejected:
            await self._letter(row, rejected)
            return True

    async def _automatic(self, row: Row) -> bool:
        belongs, own = await self._items(row)
        found = payout(Fields(row), own)
        wanted = found.amount + found.fee
        listed = sum((each.net for each in belongs), Decimal(0))
        if listed == wanted and all(each.currency == found.currency for each in belongs):
            await self._keep(found, belongs)
            return True
        off = f"{row['id']}:off"
        if self.patient and off not in self.marks:
            self.marks[off] = None
            return False
        await self._keep(found, belongs)
        await self._letter(row, _off(found, belongs))
        return False

    async def _items(self, row: Row) -> tuple[list[PayoutItem], Fields | None]:
        """What its list holds, the payout itself apart."""
        found: dict[str, PayoutItem] = {}
        own: list[Fields] = []

        async def take(rows: list[Row]) -> None:
            for each in map(Fields, rows):
                if is_own(each, str(row["id"])):
                    own.append(each)
                else:
                    found[each.identifier("id")] = item(each, self._told(each))

        query = (("payout", str(row["id"])), ("expand[]", "data.source"))
        listing = Listing(path="/v1/balance_transactions", query=query, account=self.reader.account)
        ids = await read_whole(self.reader.api, listing, take)
        return [found[number] for number in ids if number in found], own[-1] if own else None

    def _told(self, document: Fields) -> Normalised | None:
        try:
            return transaction(document, self.reader.context)
        except Rejected:
            return None

    async def _keep(self, found: Payout, items: Sequence[PayoutItem]) -> None:
        if self.kept is not None:
            await self.kept.keep(self.reader.context.company, found, items)

    async def _letter(self, row: Row, why: Rejected) -> None:
        """Once for each payout."""
        mark = f"{row['id']}:{why.reason}"
        if mark not in self.marks:
            document = self.reader.as_event("payout.paid", row, at=row.get("arrival_date"))
            await self.reader.teller.keep(document, why, company=self.reader.context.company)
            self.marks[mark] = None


def _off(found: Payout, items: Sequence[PayoutItem]) -> Rejected:
    sums: dict[str, Decimal] = {}
    for each in items:
        sums[each.currency] = sums.get(each.currency, Decimal(0)) + each.net
    listed = " and ".join(str(Money(amount=sum_, currency=currency)) for currency, sum_ in sums.items()) or "nothing"
    whole = Money(amount=found.amount + found.fee, currency=found.currency)
    message = f"{len(items)} transactions of payout {found.payout} add up to {listed}, and {whole} left the balance"
    return Rejected(
        DOES_NOT_ADD_UP, f"{message}. Nothing is put in between: ask Stripe what is missing, then read again"
    )
