"""The stock book of one company: records what events tell of stock, and gives the entries that follow from it.

A fact is recorded and its entry decided in one transaction of the store, once: told again it has the same entry, so
that the inbox knows it. Nothing is sent to Solid here.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any, Protocol

from schemas.envelope import Event
from schemas.money import Money
from store.inbox import EventRef
from store.stock import Body, Decided, NewMovement, OtherContent, Recording, StockFact
from workers.books.books import Books
from workers.earlier import KnowsEarlier
from workers.plans.ledger import account_of
from workers.plans.movement import Movement, Told
from workers.plans.periods import place_in_open_period
from workers.plans.writes import AdjustmentWrite, AnyWrite, Parked, Plan
from workers.stock.card import Card
from workers.stock.items import Items
from workers.stock.recording import StockPosting, entry_of, needs_history, record, refuse_two_costs, refuse_worthless
from workers.stock.retelling import belongs_to, conflict, may_grow, name_of_rest, rest_of

STREAM = "inventory"


class Records(Protocol):
    """What the book needs of `store.stock`."""

    async def record(self, recording: Recording) -> StockFact:
        """See `StockStore.record`."""
        ...

    async def knows(self, company: str, fact: str) -> bool:
        """See `StockStore.knows`."""
        ...

    async def movements(self, company: str, fact: str) -> Sequence[Body]:
        """See `StockStore.movements`."""
        ...

    async def tell_again(self, company: str, batch: str) -> int:
        """See `StockStore.tell_again`."""
        ...


class StockBook:
    """One company's. `items` are those of Solid; without it every SKU is believed (offline).

    The card of an item is named by its id in Solid, so that all names of an item have one.

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
        self._told_again: set[str] = set()

    async def complete(self, plan: Plan, event: Event) -> Plan:
        """The plan with the entry that what it tells of stock makes; without one where that is nothing, or comes later.

        Idempotent. Safe to cancel: what was recorded is recorded.

        Raises:
            Parked: see `workers.stock.recording.record`; an item is not in Solid, or is there several times.
            PrerequisiteMissing: a bill for goods that have not come.
            Conflicting: the fact is recorded already, and says something else now; a receipt or an order may say more.
            StoreUnavailable: see there.
        """
        told = plan.stock
        if told is None:
            return plan
        told = told.saying(cards=await self._cards_of(told))
        refuse_two_costs(told)
        self._refuse_without_opt_in(told)
        await self._refuse_merged_before(told)
        try:
            fact = await self._records.record(self._recording(told, EventRef.of(event)))
        except OtherContent as other:
            told, fact = await self._told_otherwise(told, EventRef.of(event), known=other.known)
        if fact.batch is not None:
            await self._tell_again(fact.batch)
        if fact.state != "own":
            return plan.model_copy(update={"stock": None})
        postings = [posting_of(body) for body in fact.postings]
        if self._adjusts and told.merges:
            entries: tuple[AnyWrite, ...] = tuple(self._adjustment(told, posting) for posting in postings)
        else:
            entry = entry_of(told, postings, self._books)
            entries = (entry,) if entry else ()
        completed = plan.model_copy(update={"stock": None, "writes": (*plan.writes, *entries)})
        return place_in_open_period(completed, self._books, stream=STREAM)

    async def _tell_again(self, batch: str) -> None:
        """A merged fact that is told again: if its entry never came, the broker has lost it. Once a session."""
        if batch not in self._told_again:
            await self._records.tell_again(self._company, batch)
            self._told_again.add(batch)

    async def _cards_of(self, told: Told) -> Mapping[str, str]:
        """What an order says of items that hold no stock is kept, and matters to nobody."""
        if self._items is None:
            return self._books.items
        if all(movement.kind == "order" for movement in told.movements):
            return await self._items.known_as(told.names)
        return await self._items.ids_of(told.names)

    async def _told_otherwise(self, told: Told, event: EventRef, *, known: StockFact) -> tuple[Told, StockFact]:
        """What a receipt or an order says more than is recorded, as a fact of its own. Raises Conflicting."""
        more = told.saying(fact=name_of_rest(told), external_id=name_of_rest(told))
        recorded: list[Movement] = []
        if not await self._records.knows(self._company, more.fact):
            bodies = await self._records.movements(self._company, told.fact)
            recorded = [Movement.model_validate(body) for body in bodies]
            if known.day != told.day or not may_grow(told):
                raise conflict(told, recorded)
            rest_of(told, recorded)
        return more, await self._records.record(self._recording(more, event, of=told, recorded=recorded))

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
                "is among them is not known. Compare: if it is not, replay it with --waive; if it is, leave it."
            )
            raise Parked("held:merged_before", msg)

    def _adjustment(self, told: Told, posting: StockPosting) -> AdjustmentWrite:
        """The change of an item's quantity, valued by Solid where it goes down and where no cost was told."""
        role, cost = posting.pair[1], told.movements[0].unit_cost
        return AdjustmentWrite(
            external_id=told.external_id,
            date=told.day,
            currency=posting.amount.currency,
            memo=told.memo,
            sku=posting.item,
            item_id=told.cards.get(posting.item, posting.item),
            quantity=posting.quantity,
            unit_cost=cost if posting.quantity > 0 else None,
            role=role,
            account=account_of(self._books, role, posting.amount),
            reason=told.reason,
        )

    def _recording(
        self, told: Told, event: EventRef, *, of: Told | None = None, recorded: Sequence[Movement] = ()
    ) -> Recording:
        """Of a fact, or of what a fact says more than is `recorded` of it, on whichever cards."""

        def history(cards: Mapping[str, Body]) -> Sequence[str]:
            return list(cards) if of is not None else needs_history(told, _cards(cards), self._books)

        def decide(cards: Mapping[str, Body], histories: Mapping[str, Sequence[Body]]) -> Decided:
            before = _cards(cards)
            seen = {item: [Movement.model_validate(body) for body in bodies] for item, bodies in histories.items()}
            adjusts = self._adjusts and told.merges
            kept = told if of is None else _more(told, of, chain(recorded, *seen.values()))
            if not kept.movements:
                return Decided(movements=[], cards={}, postings=[], state="own")
            kept = _unbooked(kept) if adjusts else kept
            postings, after = record(kept, before, seen, self._books)
            if adjusts:
                postings = _quantities(told, before, after)
                card = after[told.card_of(told.movements[0])]
                if postings and card.cost is not None:
                    refuse_worthless(postings[0].item, told.movements, card, self._books)
            else:
                entry_of(kept, postings, self._books)  # what has no account is parked before anything is recorded
            merges = told.merges and self._books.inventory.merge_seconds > 0 and bool(postings) and not adjusts
            return Decided(
                movements=[_row(movement, kept) for movement in kept.movements],
                cards={name: card.as_json() for name, card in after.items()},
                postings=[_body(posting, told.reason) for posting in postings],
                state="pending" if merges else "own",
            )

        return Recording(
            company=self._company,
            fact=told.fact,
            content_hash=(of or told).content_hash,
            day=told.day,
            event=event,
            items=tuple(told.by_card),
            needs_history=history,
            decide=decide,
        )


def _unbooked(told: Told) -> Told:
    """The same without roles: Solid books it, the card follows the quantities."""
    return told.saying(movements=[movement.model_copy(update={"role": None}) for movement in told.movements])


def _more(told: Told, whole: Told, seen: Iterable[Movement]) -> Told:
    """What the whole says more than is recorded of it; `seen` may hold a movement twice, and those of other facts."""
    recorded = {(movement.fact, movement.number): movement for movement in seen if belongs_to(whole.fact, movement)}
    rest = rest_of(whole, recorded.values())
    return told.saying(movements=[movement.model_copy(update={"fact": told.fact}) for movement in rest])


def _quantities(told: Told, before: Mapping[str, Card], after: Mapping[str, Card]) -> list[StockPosting]:
    """By how much the quantity of the item moves, for the role of the reason."""
    movement = told.movements[0]
    card = told.card_of(movement)
    change = after[card].quantity - before[card].quantity
    currency = movement.currency or after[card].currency or "USD"
    if movement.role is None or not change:
        return []
    return [StockPosting(movement.item, ("inventory", movement.role), Money.zero(currency), change)]


def posting_of(body: Mapping[str, Any]) -> StockPosting:
    """The posting that the store keeps as JSON."""
    return StockPosting(
        item=body["item"],
        pair=(body["pair"][0], body["pair"][1]),
        amount=Money.of(body["amount"], body["currency"]),
        quantity=Decimal(body["quantity"]),
    )


def _body(posting: StockPosting, reason: str) -> Body:
    return {
        "item": posting.item,
        "pair": list(posting.pair),
        "amount": f"{posting.amount.amount:f}",
        "currency": posting.amount.currency,
        "quantity": f"{posting.quantity:f}",
        "reason": reason,
    }


def _row(movement: Movement, told: Told) -> NewMovement:
    return NewMovement(
        movement.number, told.card_of(movement), movement.at, movement.model_dump(mode="json", exclude_none=True)
    )


def _cards(bodies: Mapping[str, Body]) -> dict[str, Card]:
    return {item: Card.from_json(body) if body else Card() for item, body in bodies.items()}
