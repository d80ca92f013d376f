"""From what an event tells to what it posts: the cards of its items before and after it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from schemas.money import Money
from workers.books.books import Books
from workers.plans.inventory import QUANTITIES_STAY, entry_lines, said_of
from workers.plans.movement import Movement, Told
from workers.plans.writes import EntryWrite, Parked
from workers.prerequisites import PrerequisiteMissing
from workers.stock.card import AmbiguousLot, AmbiguousPlace, Card, NoCost, card_of
from workers.stock.rounding import Pair


@dataclass(frozen=True, slots=True)
class StockPosting:
    """What the books must take up for one item: a positive amount is DR `pair[0]` / CR `pair[1]`.

    `item` is what the source calls it.
    """

    item: str
    pair: Pair
    amount: Money
    quantity: Decimal


def needs_history(told: Told, cards: Mapping[str, Card], books: Books) -> list[str]:
    """Items of which all movements must be seen again, because something that was told lies before the last of them."""
    return [item for item, new in told.by_card.items() if any(_must_see_all(m, cards[item], books) for m in new)]


def _must_see_all(movement: Movement, card: Card, books: Books) -> bool:
    if not card.takes_at_the_end(movement) or (books.inventory.default_place and card.is_anywhere):
        return True
    late = card.last is not None and movement.position < card.last
    return late and books.inventory.negative_stock == "park" and card.lowest + movement.quantity < 0


def _placed(movements: Sequence[Movement], books: Books) -> Sequence[Movement]:
    """What is said to be nowhere is at the default place, if there is one: also what was told before that was set."""
    place = books.inventory.default_place
    if place is None:
        return movements
    return [
        movement if movement.place is not None else movement.model_copy(update={"place": place})
        for movement in movements
    ]


def record(
    told: Told, cards: Mapping[str, Card], histories: Mapping[str, Sequence[Movement]], books: Books
) -> tuple[list[StockPosting], dict[str, Card]]:
    """What the fact posts, and the cards after it, by their names; the given ones stay as they are.

    Raises:
        Parked: no cost, no known level, a negative level, no value, another currency, an ambiguous place.
        PrerequisiteMissing: a bill for goods that have not come.
    """
    postings: list[StockPosting] = []
    after: dict[str, Card] = {}
    for key, movements in told.by_card.items():
        item, before, new = movements[0].item, cards[key], _placed(movements, books)
        _refuse_unknown(item, new, before, books)
        with _ExplainedFor(item):
            card, lowest = _with(new, before, _placed(histories[key], books) if key in histories else None)
        if told.waits:
            _refuse_before_goods(item, new, card)
        _refuse_negative(item, before, card, lowest=lowest, books=books)
        after[key] = card
        postings += _difference(item, before, card)
        refuse_worthless(item, new, card, books)
    return postings, after


def entry_of(told: Told, postings: Sequence[StockPosting], books: Books) -> EntryWrite | None:
    """The entry of an event's postings; None where they come to nothing. Raises Parked: a role has no account."""
    lines = [
        line
        for posting in postings
        for line in entry_lines(
            posting.pair, posting.amount, memo=said_of(posting.item, posting.quantity, told.reason), books=books
        )
    ]
    if not lines:
        return None
    return EntryWrite(
        external_id=told.external_id,
        date=told.day,
        currency=postings[0].amount.currency,
        memo=f"{told.memo} ({QUANTITIES_STAY})" if any(each.quantity for each in postings) else told.memo,
        lines=tuple(lines),
    )


def _with(new: Sequence[Movement], before: Card, history: Sequence[Movement] | None) -> tuple[Card, Decimal]:
    """The card with the new movements, and the lowest level from the first of them on."""
    if history is None:
        card = before.copy()
        levels = []
        for movement in new:
            late = card.last is not None and movement.position < card.last
            card.add(movement)
            levels.append(card.lowest if late else card.quantity)
        return card, min(levels)
    card, after = card_of([*history, *new])
    first = min(movement.position for movement in new)
    later = [movement for movement in (*history, *new) if movement.position >= first]
    return card, min(after[movement.fact, movement.number] for movement in later)


def _difference(item: str, before: Card, after: Card) -> list[StockPosting]:
    held, due = before.totals(), after.totals()
    quantity = after.quantity - before.quantity
    currency = after.currency or ""
    return [
        StockPosting(item, pair, Money.of(amount, currency), quantity)
        for pair in sorted({*held, *due})
        if (amount := due.get(pair, Decimal(0)) - held.get(pair, Decimal(0)))
    ]


def refuse_two_costs(told: Told) -> None:
    """Return where an order says one cost of each line of an item. Raises Parked."""
    for new in told.by_card.values():
        costs: dict[str | None, Decimal | None] = {}
        for movement in new:
            if movement.kind == "order" and costs.setdefault(movement.line, movement.unit_cost) != movement.unit_cost:
                msg = (
                    f"order {movement.order} has {movement.item} twice, at other costs, and nothing tells the two "
                    "lines apart: which of them is received cannot be known. Name the lines in the order and in its "
                    "receipts, or tell the order with one cost of the item."
                )
                raise Parked(f"ambiguous:cost:{movement.item}", msg)


def _refuse_unknown(item: str, new: Sequence[Movement], before: Card, books: Books) -> None:
    unknown = any(movement.kind == "count" and not before.is_opened(movement) for movement in new)
    if unknown and books.inventory.opening != "zero":
        msg = (
            f"{item} was counted, and how much of it there was at that place before is not known. Tell its opening "
            'level (reason "opening"), or set [inventory] opening = "zero" if all of it came through the relay.'
        )
        raise Parked(f"unmapped:opening:{item}", msg)
    for movement in new:
        if before.currency and movement.currency and movement.currency != before.currency:
            msg = f"{item} is kept in {before.currency}, and this says {movement.currency}"
            raise Parked(f"unmapped:currency:{movement.currency}", msg)


def _refuse_before_goods(item: str, new: Sequence[Movement], after: Card) -> None:
    for movement in new:
        if movement.kind == "bill":
            tally = after.purchases.tally(movement.order)
            billed = tally.billed - tally.credited
            if billed > tally.came and movement.quantity > 0:
                msg = f"{billed:f} of {item} are billed on order {movement.order}, and {tally.came:f} have come"
                raise PrerequisiteMissing(f"prerequisite:receipt:{movement.order}:{item}", msg)


def _refuse_negative(item: str, before: Card, after: Card, *, lowest: Decimal, books: Books) -> None:
    known = after.opened or books.inventory.opening == "zero"
    takes_out = after.quantity < before.quantity
    if known and takes_out and lowest < 0 and books.inventory.negative_stock == "park":
        msg = (
            f"this would leave {lowest:f} of {item}. Either a receipt is missing, or this is wrong; "
            '[inventory] negative_stock = "allow" posts it all the same.'
        )
        raise Parked(f"negative_stock:{item}", msg)


def refuse_worthless(item: str, new: Sequence[Movement], card: Card, books: Books) -> None:
    """Return where what moved has a value, or need not have one. Raises Parked."""
    if books.inventory.zero_value == "park" and any(_is_worthless(movement, card) for movement in new):
        msg = f'{item} moved at a cost of 0. Correct its cost, or set [inventory] zero_value = "skip".'
        raise Parked(f"zero_value:{item}", msg)


def _is_worthless(movement: Movement, card: Card) -> bool:
    if movement.kind not in {"change", "receipt"} or movement.role is None:
        return False
    cost = movement.unit_cost
    if cost is None and movement.kind == "receipt":
        cost = card.purchases.cost(movement.order, movement.line, movement.position[0])
    return not (card.cost if cost is None else cost)


class _ExplainedFor:
    """Says of which item a card complains."""

    def __init__(self, item: str) -> None:
        self._item = item

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, NoCost):
            msg = (
                f"nothing says what {self._item} costs: neither the source nor its order, and none was received yet. "
                "Tell the order (inventory.order.placed) or a receipt with its cost, then replay."
            )
            raise Parked(f"unmapped:cost:{self._item}", msg) from None
        if isinstance(error, AmbiguousPlace):
            msg = (
                f"{self._item} was counted at one place, and some of it was received at none. "
                "Set [inventory] default_place to where that is."
            )
            raise Parked(f"ambiguous:place:{self._item}", msg) from None
        if isinstance(error, AmbiguousLot):
            msg = (
                f"one lot of {self._item} was counted, and some of it is known to be of no lot in particular. "
                "Tell the lot of what came, or count all lots together."
            )
            raise Parked(f"ambiguous:lot:{self._item}", msg) from None
