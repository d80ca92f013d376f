"""The stock book of one company: records what events tell of stock, and gives the entries that follow from it.

A fact is recorded and its entry decided in one transaction of the store, once: told again it has the same entry, so
that the inbox knows it. Nothing is sent to Solid here.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from schemas.money import Money
from store.inbox import EventRef
from store.stock import Body, Decided, NewMovement, OtherContent, Recording, StockFact
from workers.books import Books
from workers.errors import Conflicting
from workers.plans.ledger import account_of
from workers.plans.periods import place_in_open_period
from workers.plans.writes import AdjustmentWrite, AnyWrite, Parked, Plan
from workers.stock.card import Card
from workers.stock.items import Items
from workers.stock.movement import Movement, Told
from workers.stock.recording import Posting, entry_of, needs_history, record, refuse_worthless

STREAM = "inventory"


class Records(Protocol):
    """What the book needs of `store.stock`."""

    async def record(self, recording: Recording) -> StockFact:
        """See `StockStore.record`."""
        ...

    async def knows(self, company: str, fact: str) -> bool:
        """See `StockStore.knows`."""
        ...


class KnowsEarlier(Protocol):
    """What the book needs of `workers.earlier`."""

    async def merged_stock(self, happened: datetime, day: date) -> bool:
        """See `Earlier.merged_stock`."""
        ...


class StockBook:
    """One company's. `items` are those of Solid; without it every SKU is believed (offline).

    `adjusts`: Solid has an endpoint for adjustments, so that they move its quantities; else they are entries of value.
    """

    def __init__(  # noqa: PLR0913 - one keyword a part
        self,
        *,
        records: Records,
        books: Books,
        company: str,
        items: Items | None = None,
        adjusts: bool = False,
        earlier: KnowsEarlier | None = None,
    ) -> None:
        self._records = records
        self._books = books
        self._company = company
        self._items = items
        self._adjusts = adjusts
        self._earlier = earlier

    async def complete(self, plan: Plan, event: EventRef) -> Plan:
        """The plan with the entry that what it tells of stock makes; without one where that is nothing, or comes later.

        Idempotent. Safe to cancel: what was recorded is recorded.

        Raises:
            Parked: see `workers.stock.recording.record`; an item is not in Solid, or is there several times.
            PrerequisiteMissing: a bill for goods that have not come.
            Conflicting: the fact is recorded already, and says something else now.
            StoreUnavailable: see there.
        """
        told = plan.stock
        if told is None:
            return plan
        if self._items is not None and any(movement.kind != "order" for movement in told.movements):
            await self._items.refuse_unknown(told.items)
        self._refuse_without_opt_in(told)
        await self._refuse_merged_before(told)
        try:
            fact = await self._records.record(self._recording(told, event))
        except OtherContent:
            msg = f"{told.fact} is recorded already, with other quantities, costs or places than it has now"
            raise Conflicting(msg) from None
        if fact.state != "own":
            return plan.model_copy(update={"stock": None})
        postings = [posting_of(body) for body in fact.postings]
        if self._adjusts and told.merges:
            own: tuple[AnyWrite, ...] = tuple([await self._adjustment(told, posting) for posting in postings])
        else:
            entry = entry_of(told, postings, self._books)
            own = (entry,) if entry else ()
        completed = plan.model_copy(update={"stock": None, "writes": (*plan.writes, *own)})
        return place_in_open_period(completed, self._books, stream=STREAM)

    def _refuse_without_opt_in(self, told: Told) -> None:
        posts = told.merges and any(movement.role for movement in told.movements)
        if posts and not self._adjusts and not self._books.inventory.value_entries:
            msg = (
                "books.toml: [inventory] value_entries is not true. Adjustments would be posted as entries of their "
                "value, and the quantities in Solid would not move with them: opt in if that is wanted."
            )
            raise Parked("opt_in:inventory.value_entries", msg)

    async def _refuse_merged_before(self, told: Told) -> None:
        """A store that was lost took with it which facts are in the entries that it merged: a person must look."""
        if self._earlier is None or self._adjusts or not (told.merges and told.waits):
            return
        merged = await self._earlier.merged_stock(told.movements[0].at, told.day)
        if merged and not await self._records.knows(self._company, told.fact):
            msg = (
                f"{told.fact} is older than this store, and Solid has merged adjustments of an earlier one: whether it "
                "is among them is not known. Compare, then discard it, or replay it with --waive to post it."
            )
            raise Parked("held:merged_before", msg)

    async def _adjustment(self, told: Told, posting: Posting) -> AdjustmentWrite:
        """The change of an item's quantity, valued by Solid where it goes down and where no cost was told."""
        role, cost = posting.pair[1], told.movements[0].unit_cost
        item_id = await self._items.id_of(posting.item) if self._items is not None else posting.item
        return AdjustmentWrite(
            external_id=told.external_id,
            date=told.day,
            currency=posting.amount.currency,
            memo=told.memo,
            sku=posting.item,
            item_id=item_id,
            quantity=posting.quantity,
            unit_cost=cost if posting.quantity > 0 else None,
            role=role,
            account=account_of(self._books, role, posting.amount),
            reason=told.reason,
        )

    def _recording(self, told: Told, event: EventRef) -> Recording:
        def history(cards: Mapping[str, Body]) -> list[str]:
            return needs_history(told, _cards(cards), self._books)

        def decide(cards: Mapping[str, Body], histories: Mapping[str, Sequence[Body]]) -> Decided:
            before = _cards(cards)
            seen = {item: [Movement.model_validate(body) for body in bodies] for item, bodies in histories.items()}
            adjusts = self._adjusts and told.merges
            kept = _unbooked(told) if adjusts else told
            postings, after = record(kept, before, seen, self._books)
            if adjusts:
                postings = _quantities(told, before, after)
                if postings and after[postings[0].item].cost is not None:
                    refuse_worthless(postings[0].item, told.movements, after[postings[0].item], self._books)
            else:
                entry_of(told, postings, self._books)  # what has no account is parked before anything is recorded
            merges = told.merges and self._books.inventory.merge_seconds > 0 and bool(postings) and not adjusts
            return Decided(
                movements=[_row(number, movement) for number, movement in enumerate(kept.movements)],
                cards={item: card.as_json() for item, card in after.items()},
                postings=[_body(posting, told.reason) for posting in postings],
                state="pending" if merges else "own",
            )

        return Recording(
            company=self._company,
            fact=told.fact,
            content_hash=told.content_hash,
            day=told.day,
            event=event,
            items=told.items,
            needs_history=history,
            decide=decide,
        )


def _unbooked(told: Told) -> Told:
    """The same without roles: Solid books it, the card follows the quantities."""
    unbooked = tuple(movement.model_copy(update={"role": None}) for movement in told.movements)
    fields = {name: getattr(told, name) for name in Told.model_fields}  # model_copy would copy what is cached too
    return Told(**fields | {"movements": unbooked})


def _quantities(told: Told, before: Mapping[str, Card], after: Mapping[str, Card]) -> list[Posting]:
    """By how much the quantity of the item moves, for the role of the reason."""
    movement = told.movements[0]
    change = after[movement.item].quantity - before[movement.item].quantity
    currency = movement.currency or after[movement.item].currency or "USD"
    if movement.role is None or not change:
        return []
    return [Posting(movement.item, ("inventory", movement.role), Money.zero(currency), change)]


def posting_of(body: Mapping[str, Any]) -> Posting:
    """The posting that the store keeps as JSON."""
    return Posting(
        item=body["item"],
        pair=(body["pair"][0], body["pair"][1]),
        amount=Money.of(body["amount"], body["currency"]),
        quantity=Decimal(body["quantity"]),
    )


def _body(posting: Posting, reason: str) -> Body:
    return {
        "item": posting.item,
        "pair": list(posting.pair),
        "amount": f"{posting.amount.amount:f}",
        "currency": posting.amount.currency,
        "quantity": f"{posting.quantity:f}",
        "reason": reason,
    }


def _row(number: int, movement: Movement) -> NewMovement:
    return NewMovement(number, movement.item, movement.at, movement.model_dump(mode="json", exclude_none=True))


def _cards(bodies: Mapping[str, Body]) -> dict[str, Card]:
    return {item: Card.from_json(body) if body else Card() for item, body in bodies.items()}


class MemoryRecords:
    """Records that are forgotten with the process: for `relay plan`, which must not need a database."""

    def __init__(self) -> None:
        self.cards: dict[str, Body] = {}
        self._movements: dict[str, list[Body]] = {}
        self._facts: dict[str, tuple[str, StockFact]] = {}

    async def knows(self, company: str, fact: str) -> bool:
        """As `StockStore.knows`; there is one company."""
        del company
        return fact in self._facts

    async def record(self, recording: Recording) -> StockFact:
        """As `StockStore.record`."""
        known = self._facts.get(recording.fact)
        if known is not None:
            if known[0] != recording.content_hash:
                raise OtherContent(recording.fact)
            return known[1]
        cards = {item: self.cards.get(item, {}) for item in recording.items}
        histories = {item: self._movements.get(item, []) for item in recording.needs_history(cards)}
        decided = recording.decide(cards, histories)
        self.cards.update(decided.cards)
        for movement in decided.movements:
            self._movements.setdefault(movement.item, []).append(movement.body)
        event = recording.event
        fact = StockFact(
            recording.company,
            recording.fact,
            recording.day,
            decided.postings,
            "own",
            None,
            event.source,
            event.id,
            event.type,
            event.subject,
        )
        self._facts[recording.fact] = (recording.content_hash, fact)
        return fact
