"""One sale told many ways: its money by a charge, its tax by an invoice or a checkout session, in any order.

Where sales are not taxed, a charge posts at once and is not even looked at here; its tax is an entry of its own, once
it is told. Where they are, a charge waits for its telling. What is known is recorded before anything is posted, so that
whoever comes second finds the first.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

from schemas.envelope import Event
from schemas.money import Money
from schemas.sales import PaymentSucceeded
from schemas.told import SaleLinked, SaleTold
from workers.books.books import Books
from workers.earlier import KnowsEarlier, NotRead
from workers.in_books import Remembers
from workers.patience import when_open
from workers.plans.writes import InvoiceWrite, Parked, Plan
from workers.prerequisites import PrerequisiteMissing
from workers.sales.deciding import decided, missing
from workers.sales.names import names_of, processor_of
from workers.sales.noting import Awaits, noted, waited
from workers.sales.postings import postings_of, rate_missing, with_lines
from workers.sales.sale import Sale, known

STREAM: Final = "sales"

Body = dict[str, Any]

_TELL_TAX: Final[Mapping[str, str]] = {
    "stripe": "invoice.paid, invoice_payment.paid and checkout.session.completed",
    "shopify": "orders/paid",
}
_TELL_MONEY: Final[Mapping[str, str]] = {
    "stripe": "charge.succeeded and charge.captured (docs/stripe-events.md says which events)",
    "shopify": "order_transactions/create",
}
"""What a processor is asked to send where something of a sale is missing; others are asked in plain words."""


class Records(Protocol):
    """What this needs of the store of sales."""

    async def change(self, company: str, names: Sequence[str], work: Callable[[Sequence[Body]], Body]) -> Body:
        """See `SalesStore.change`."""
        ...

    async def any_held(self, company: str) -> bool:
        """See `SalesStore.any_held`."""
        ...


class FindsItems(Protocol):
    """What this needs of Solid's items."""

    async def known_as(self, skus: Sequence[str]) -> Mapping[str, str]:
        """See `Items.known_as`."""
        ...


@dataclass(slots=True)
class SalesBook:
    """The sales of one company, as they were told. Without `items` an item is called as the books call it."""

    records: Records
    inbox: Remembers
    books: Books
    company: str
    items: FindsItems | None = None
    earlier: KnowsEarlier | None = None
    _held_some: bool | None = field(default=None, init=False)
    _money_came: bool = field(default=False, init=False)

    async def complete(self, plan: Plan, event: Event) -> Plan:
        """The plan with what is known of the sale. Idempotent; safe to cancel.

        Raises:
            PrerequisiteMissing: the tax of a charge, or the money of a sale, has not been told yet.
            NotYet, Unavailable, OutcomeUnknown: as for `Earlier.find`.
            Parked: what was told does not make the charge.
            Conflicting: it was told otherwise before.
        """
        data, names = event.data, names_of(event.data)
        if not names or (isinstance(data, PaymentSucceeded) and not await self._counts(data)):
            return plan
        came = not isinstance(data, Awaits) or plan.insists or await self._money_is_there(data, event)
        whole = isinstance(data, PaymentSucceeded) and await self._posts_whole(data, plan)

        def work(bodies: Sequence[Body]) -> Body:
            sale = waited(noted(known(bodies), event, self.books, whole=whole), event, came=came)
            return decided(sale, taxed=self.books.sales.taxed).body()

        sale = Sale.model_validate(await self.records.change(self.company, names, work))
        own = await self._own(plan, event, sale)
        known_ids = {write.external_id for write in own.writes}
        more = [write for write in postings_of(sale, self.books, stream=STREAM) if write.external_id not in known_ids]
        return own.model_copy(update={"writes": (*own.writes, *more)})

    async def _counts(self, data: PaymentSucceeded) -> bool:
        """Whether a charge is looked at: where sales are taxed, or were once, and one in another currency."""
        settled = data.settlement
        if self.books.sales.taxed or (settled is not None and settled.gross.currency != data.amount.currency):
            return True
        if self._held_some is None:
            self._held_some = await self.records.any_held(self.company)
        return self._held_some

    async def _posts_whole(self, data: PaymentSucceeded, plan: Plan) -> bool:
        """A charge posts without its tax where nothing is taxed, a person wants it, or it did so already."""
        if plan.insists or not self.books.sales.taxed:
            return True
        invoice = next((write.external_id for write in plan.writes if isinstance(write, InvoiceWrite)), data.fact)
        return bool(await self.inbox.state_of(self.company, [invoice]))

    async def _money_is_there(self, data: Awaits, event: Event) -> bool:
        """Whether the charge of a sale is in the books, as far as it is named; else whether any charge ever was."""
        if isinstance(data, SaleTold) and not data.paid:
            return True
        beginning = processor_of(data.fact)
        if isinstance(data, SaleLinked) or (data.charge is None and data.payment_intent is None):
            self._money_came = self._money_came or await self._any_money(beginning)
            return self._money_came or (isinstance(data, SaleLinked) and data.outside)
        if data.charge is not None:
            payment = f"{beginning}:charge:{data.charge}:payment"
            if (await self.inbox.state_of(self.company, [payment])).get(payment) == "applied":
                return True
            if await self._posted_earlier(payment, event):
                return True
        intent = f"{beginning}:payment_intent:{data.payment_intent}"
        amount = data.total if isinstance(data, SaleTold) else data.amount
        for currency in {amount.currency, self.books.base_currency or amount.currency}:
            if data.payment_intent is not None and await self.inbox.group_total(self.company, intent, currency):
                return True
        return False

    async def _posted_earlier(self, payment: str, event: Event) -> bool:
        """Whether an inbox that was lost has booked it, as far as Solid's list tells."""
        earlier, day = self.earlier, self.books.day_of(event.time)
        if earlier is None or not await earlier.concerns(STREAM, event.time, day):
            return False
        with contextlib.suppress(NotRead):
            return await when_open(lambda: earlier.find("payment", payment, day=day)) is not None
        return False

    async def _any_money(self, beginning: str) -> bool:
        charges = f"{beginning}:charge:"
        return await self.inbox.knows_any(self.company, charges) or await self.records.any_held(self.company)

    async def _own(self, plan: Plan, event: Event, sale: Sale) -> Plan:
        """The plan of the event itself, now that the sale is known."""
        data = event.data
        if isinstance(data, PaymentSucceeded):
            return await self._charge(plan, data, sale)
        if isinstance(data, Awaits):
            if sale.waiting is not None and sale.waiting.event == event.id:
                raise _not_there(data)
            if isinstance(data, SaleLinked) and data.outside:
                return _paid_outside(plan, data, sale)
            if isinstance(data, SaleTold) and not sale.waiting and rate_missing(sale, self.books):
                raise _no_rate(data)
            tax = f"{data.fact}:tax"
            kept = tuple(write for write in plan.writes if write.external_id != tax)
            return plan.model_copy(update={"writes": () if sale.waiting else kept})
        return plan

    async def _charge(self, plan: Plan, data: PaymentSucceeded, sale: Sale) -> Plan:
        charge, telling = sale.charge(data.fact), sale.telling
        if charge is None or charge.state == "whole":
            return plan
        if telling is None:
            msg = (
                f"nobody has told the tax of {data.fact} ({data.amount}), and books.toml says that sales are taxed: "
                f"have {_TELL_TAX.get(processor_of(data.fact), 'its order')} sent, or replay with --waive "
                "to post it without tax"
            )
            raise PrerequisiteMissing(f"untold:tax:{data.fact}", msg)
        if charge.state == "waits":
            raise _not_all(data, sale)
        split = with_lines(plan, charge, telling.data, self.books)
        return await self._with_items(split)

    async def _with_items(self, plan: Plan) -> Plan:
        """The plan with Solid's ids of items that the books name by SKU."""
        invoices = [write for write in plan.writes if isinstance(write, InvoiceWrite)]
        named = {line.item_id for write in invoices for line in write.lines if line.item_id is not None}
        skus = sorted(name for name in named if not _is_id(name))
        if not skus or self.items is None:
            return plan
        ids = await self.items.known_as(skus)
        writes = tuple(
            write.model_copy(
                update={
                    "lines": tuple(
                        line.model_copy(update={"item_id": ids.get(line.item_id or "", line.item_id)})
                        for line in write.lines
                    )
                }
            )
            if isinstance(write, InvoiceWrite)
            else write
            for write in plan.writes
        )
        return plan.model_copy(update={"writes": writes})


def _paid_outside(plan: Plan, data: SaleLinked, sale: Sale) -> Plan:
    """Nothing where the invoice itself tells that it was paid elsewhere; so it is waited for."""
    if sale.telling is None:
        if plan.insists:
            return plan
        invoice = f"{processor_of(data.fact)}:invoice:{data.invoice}"
        msg = f"{data.fact} says that {invoice} was paid elsewhere, and nobody has told it: have invoice.paid sent"
        raise PrerequisiteMissing(f"untold:{invoice}", msg)
    return plan.model_copy(update={"writes": ()}) if sale.telling.data.paid_outside else plan


def _not_there(data: Awaits) -> PrerequisiteMissing:
    beginning = processor_of(data.fact)
    which = "any" if data.payment_intent is None else f"of:{data.payment_intent}"
    which = which if data.charge is None else f"{data.charge}:payment"
    amount = data.paid if isinstance(data, SaleTold) else data.amount
    msg = (
        f"{data.fact} tells of {amount} that no charge has told: "
        f"have {_TELL_MONEY.get(beginning, 'its payments')} sent too, and send the charge again"
    )
    return PrerequisiteMissing(f"prerequisite:{beginning}:charge:{which}", msg)


def _no_rate(data: SaleTold) -> PrerequisiteMissing:
    code = data.total.currency
    msg = (
        f"{data.fact} tells {data.tax} of tax, and what reached the balance of its charges is not known: "
        "it is waited for (charge.updated, or the key to Stripe tells it)"
    )
    return PrerequisiteMissing(f"unmapped:currency:{code}", msg)


def _not_all(data: PaymentSucceeded, sale: Sale) -> Exception:
    telling = sale.telling
    assert telling is not None  # noqa: S101 - for the types: the caller has looked
    came = [charge.amount for charge in sale.charges]
    shown, told = " + ".join(map(str, came)), telling.data
    msg = f"{told.fact} tells that {told.paid} was paid of {told.total}, and its charges took {shown}"
    comparable = all(amount.currency == told.paid.currency for amount in came)
    if comparable and missing(sale, telling) > Money.zero(told.paid.currency):
        return PrerequisiteMissing(f"untold:tax:{data.fact}", msg)
    return Parked(f"does_not_add_up:{told.fact}", msg)


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
