"""The card of one item: its movements in order of time, and what the books should hold for it because of them. Pure.

What the books should hold is a function of the *set* of movements: whatever order they came in, the same ones end in
the same card. What a new fact posts is the difference between the card before it and the card with it; so a late
fact, a count that supersedes it and a cost that changes afterwards need no rule of their own.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any, Final, Self

from workers.plans.movement import Movement
from workers.stock.purchases import Purchases
from workers.stock.rounding import Pair, rounded

Position = tuple[str, int, str, int]

ZERO: Final = Decimal(0)
VARIANCE: Final = ("purchase_price_variance", "received_not_billed")
CLAIMS: Final = ("supplier_claims", "received_not_billed")
_COST_STEP: Final = Decimal(1).scaleb(-12)
_EXACT: Final = Context(prec=60)


class NoCost(Exception):
    """Neither the source nor the order nor anything received before says what the item costs."""


class AmbiguousPlace(Exception):
    """A place was counted, and some stock of the item is at no place in particular."""


class AmbiguousLot(Exception):
    """A lot was counted, and some stock of the item is of no lot in particular."""


class Card:
    """Quantities by place and lot, the moving average cost, and what is booked, of one item. Mutable.

    `cost` is per unit, in `currency`. `opened` says for which places the level it began with was told, and as of when.
    Since `steady` the cost has not changed and nothing was counted: `lowest` is at least how much there was since.
    """

    def __init__(self) -> None:
        self.last: Position | None = None
        self.steady: Position | None = None
        self.lowest = ZERO
        self._disturbed = False
        self.opened: dict[str | None, str] = {}
        self.currency: str | None = None
        self.cost: Decimal | None = None
        self.levels: dict[tuple[str | None, str | None], Decimal] = defaultdict(Decimal)
        self.booked: dict[Pair, Decimal] = defaultdict(Decimal)
        self.purchases = Purchases()

    @property
    def quantity(self) -> Decimal:
        """All there is of the item, at all places."""
        return sum(self.levels.values(), ZERO)

    def is_opened(self, movement: Movement) -> bool:
        """Whether the level before it is known: that of its place was told, as of a moment that is not later.

        What was told of one place is not believed of all of them.
        """
        told = [self.opened[place] for place in {None, movement.place} if place in self.opened]
        return any(since <= movement.position[0] for since in told)

    @property
    def is_anywhere(self) -> bool:
        """Whether some of it is at no place in particular."""
        return any(level and place is None for (place, _), level in self.levels.items())

    def _is_of_no_lot(self, at: str | None) -> bool:
        """Whether some of what is there is of no lot in particular."""
        return any(level and lot is None and at in {None, place} for (place, lot), level in self.levels.items())

    def takes_at_the_end(self, movement: Movement) -> bool:
        """Whether the card is the same when the movement is added at the end; else it must be made anew with it.

        It is where nothing later was told, or nothing later that depends on it: no count, and no other cost.
        """
        if movement.kind == "order":
            return not self.purchases.knows_goods_of(movement.order)
        if self.last is None or movement.position > self.last:
            return True
        at_the_average = self.cost is not None and movement.unit_cost in {None, self.cost}
        return movement.kind == "change" and at_the_average and movement.position > (self.steady or self.last)

    def add(self, movement: Movement, *, first_cost: Decimal | None = None) -> None:
        """Take a movement in at the end. Raises NoCost, AmbiguousPlace, AmbiguousLot."""
        self._disturbed = movement.kind in {"count", "opening"}
        if self.currency is None:
            self.currency = movement.currency
        if self.cost is None:
            self.cost = first_cost
        with localcontext(_EXACT):
            self._add(movement)
        late = self.last is not None and movement.position < self.last
        if not late:
            self.last = movement.position
        if self._disturbed or self.steady is None:
            self.steady, self.lowest = self.last, self.quantity
        elif late:
            self.lowest += min(movement.quantity, ZERO)
        else:
            self.lowest = min(self.lowest, self.quantity)

    def _add(self, movement: Movement) -> None:
        match movement.kind:
            case "order":
                self._order(movement)
            case "receipt":
                self._receive(movement)
            case "change":
                self._move(movement, movement.quantity, movement.unit_cost)
            case "count":
                self._count(movement)
            case "opening":
                self.opened.setdefault(movement.place, movement.position[0])
                self._count(movement)
            case "bill":
                self.purchases.billed(str(movement.order), movement.line, movement.quantity, movement.amount)

    def copy(self) -> "Card":
        """Another card that says the same."""
        card = Card()
        card.last, card.steady, card.lowest = self.last, self.steady, self.lowest
        card.opened, card.currency, card.cost = dict(self.opened), self.currency, self.cost
        card.levels.update(self.levels)
        card.booked.update(self.booked)
        card.purchases = self.purchases.copy()
        return card

    def totals(self) -> dict[Pair, Decimal]:
        """What the books should hold, to the minor unit, pair by pair."""
        if self.currency is None:
            return {}
        with localcontext(_EXACT):
            exact = dict(self.booked)
            for pair, amount in ((CLAIMS, self.purchases.claims), (VARIANCE, self.purchases.variance)):
                exact[pair] = exact.get(pair, ZERO) + amount
            return rounded(exact, self.currency, goods=self.quantity)

    def _order(self, movement: Movement) -> None:
        if movement.unit_cost is not None and movement.order is not None:
            at = movement.position[0]
            self.purchases.ordered(movement.order, movement.line, at=at, cost=movement.unit_cost)

    def _receive(self, movement: Movement) -> None:
        cost = movement.unit_cost
        if cost is None:
            cost = self.purchases.cost(movement.order, movement.line, movement.position[0])
        if cost is None:
            cost = self.cost
        if cost is None:
            raise NoCost
        if movement.quantity:
            value = self._move(movement, movement.quantity, cost)
            if value != movement.quantity * cost:  # less was here than what went back is credited for
                self.booked[VARIANCE] += movement.quantity * cost - value
        if movement.order is not None:
            self.purchases.received(
                movement.order, movement.line, movement.quantity, rejected=movement.rejected, cost=cost
            )
        elif movement.rejected:
            self.booked[CLAIMS] += movement.rejected * cost

    def _count(self, movement: Movement) -> None:
        if movement.place is not None and self.is_anywhere:
            raise AmbiguousPlace
        if movement.lot is not None and self._is_of_no_lot(movement.place):
            raise AmbiguousLot
        there = sum(
            (
                level
                for (place, lot), level in self.levels.items()
                if movement.place in {None, place} and movement.lot in {None, lot}
            ),
            ZERO,
        )
        self._move(movement, movement.quantity - there, movement.unit_cost)

    def _move(self, movement: Movement, change: Decimal, cost: Decimal | None) -> Decimal:
        """Change the quantity, at a cost that was told or else at the average, and book the value against the role."""
        value = ZERO
        if change:
            value, self.cost = self._valued(change, cost, posts=movement.role is not None)
            self.levels[movement.place, movement.lot] += change
            if movement.role is not None:
                self.booked["inventory", movement.role] += value
        elif self.cost is None:
            self.cost = cost
        return value

    def _valued(self, change: Decimal, told: Decimal | None, *, posts: bool) -> tuple[Decimal, Decimal | None]:
        """The value of a change, and the average cost after it."""
        have, average = self.quantity, self.cost
        cost = average if told is None else told
        if cost is None:
            if posts:
                raise NoCost
            return ZERO, None
        if cost == average:
            return change * cost, cost
        self._disturbed = True
        if average is None:
            return change * cost, cost
        if change > 0:
            return change * cost, self._average_after(change, cost, average)
        left = have + change
        if have <= 0:
            return change * cost, _average(have * average + change * cost, left)
        worth = max(have * average + change * cost, ZERO) if left > 0 else left * cost
        return worth - have * average, _average(worth, left) if left > 0 else cost

    def _average_after(self, came: Decimal, cost: Decimal, average: Decimal) -> Decimal:
        have = self.quantity
        if have > 0:
            return _average(have * average + came * cost, have + came)
        self._cover(min(came, -have), average, cost)
        return cost if have + came > 0 else average

    def _cover(self, quantity: Decimal, went_out_at: Decimal, came_in_at: Decimal) -> None:
        """What went out before it was received went out at a guess: the difference is a variance of price."""
        self.booked["inventory", "purchase_price_variance"] += quantity * (went_out_at - came_in_at)

    def as_json(self) -> dict[str, Any]:
        """For the store; `from_json` reads it."""
        return {
            "last": self.last,
            "steady": self.steady,
            "lowest": str(self.lowest),
            "opened": [[place, since] for place, since in self.opened.items()],
            "currency": self.currency,
            "cost": None if self.cost is None else str(self.cost),
            "levels": [[place, lot, str(level)] for (place, lot), level in self.levels.items() if level],
            "booked": [[*pair, str(amount)] for pair, amount in self.booked.items()],
            "purchases": self.purchases.as_json(),
        }

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """The card that `as_json` wrote."""
        card = cls()
        card.last = tuple(body["last"]) if body["last"] else None
        card.steady = tuple(body["steady"]) if body["steady"] else None
        card.lowest = Decimal(body["lowest"])
        card.opened, card.currency = dict(body["opened"]), body["currency"]
        card.cost = None if body["cost"] is None else Decimal(body["cost"])
        card.levels.update({(place, lot): Decimal(level) for place, lot, level in body["levels"]})
        card.booked.update({(debit, credit): Decimal(amount) for debit, credit, amount in body["booked"]})
        card.purchases = Purchases.from_json(body["purchases"])
        return card


def card_of(movements: Iterable[Movement]) -> tuple[Card, dict[tuple[str, int], Decimal]]:
    """The card that movements make, whatever order they are given in; and how much there was after each of them.

    Raises NoCost, AmbiguousPlace, AmbiguousLot.
    """
    ordered = sorted(movements, key=lambda movement: movement.position)
    card = Card()
    for movement in ordered:
        if movement.kind == "order":
            card.add(movement)
    card.last = None
    first_cost = _first_cost(card, ordered)
    after: dict[tuple[str, int], Decimal] = {}
    for movement in ordered:
        if movement.kind != "order":
            card.add(movement, first_cost=first_cost)
        after[movement.fact, movement.number] = card.quantity
    if ordered:
        card.last = ordered[-1].position
    return card, after


def _first_cost(card: Card, ordered: Sequence[Movement]) -> Decimal | None:
    """The first cost that anything says: what moved before it moved at that, for want of a better one."""
    for movement in ordered:
        cost = movement.unit_cost
        if cost is None and movement.kind == "receipt":
            cost = card.purchases.cost(movement.order, movement.line, movement.position[0])
        if cost is not None and movement.kind != "order":
            return cost
    return None


def _average(worth: Decimal, quantity: Decimal) -> Decimal:
    return (worth / quantity).quantize(_COST_STEP, ROUND_HALF_UP)
