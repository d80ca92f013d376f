"""What the purchase orders of one item say it costs, what of them came, and what vendors charge for it.

What comes is credited to Received Not Billed at the order's cost, and a bill clears it with what it charges: what would
be left there once all that came is billed is the variance of price. A sum of what is known, in whatever order it came.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Any, Final, NamedTuple, Self

ZERO: Final = Decimal(0)

OrderedCost = tuple[str, str | None, Decimal]
"""When an order said it, the line of the order, the cost of one."""


class Tally(NamedTuple):
    """Sums of an order, or of one line of it; `*_worth` at the costs at which it came or went.

    `came` holds what was `rejected` too. `billed` and `credited` are quantities, `charged` is the amount of both.
    """

    came: Decimal = ZERO
    came_worth: Decimal = ZERO
    back: Decimal = ZERO
    back_worth: Decimal = ZERO
    rejected: Decimal = ZERO
    rejected_worth: Decimal = ZERO
    billed: Decimal = ZERO
    credited: Decimal = ZERO
    charged: Decimal = ZERO

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(*map(add, self, other))

    @property
    def claimed(self) -> Decimal:
        """How much the vendor still owes for: rejected, and not credited. Credits are first for what went back."""
        return self.rejected - min(max(self.credited - self.back, ZERO), self.rejected)

    @property
    def claims(self) -> Decimal:
        """What that is worth."""
        return self.rejected_worth * self.claimed / self.rejected if self.rejected else ZERO

    @property
    def variance(self) -> Decimal:
        """What the vendor charges above the cost of what came (below: negative), as far as it is billed."""
        if self.came:
            unit = self.came_worth / self.came
        elif self.back:
            unit = self.back_worth / self.back
        else:
            return ZERO
        if not (self.billed or self.credited):
            return ZERO
        credited_to_us = self.rejected - self.claimed
        not_billed = self.came - self.back - credited_to_us - (self.billed - self.credited)
        worth = self.came_worth - self.back_worth - self.rejected_worth + self.claims
        return self.charged - worth + not_billed * unit


class Purchases:
    """All orders of one item. Mutable."""

    def __init__(self) -> None:
        self._costs: dict[str, list[OrderedCost]] = defaultdict(list)
        self._tallies: dict[str, dict[str | None, Tally]] = defaultdict(dict)

    def copy(self) -> "Purchases":
        """Another that says the same."""
        other = Purchases()
        other._costs.update({order: list(told) for order, told in self._costs.items()})
        other._tallies.update({order: dict(lines) for order, lines in self._tallies.items()})
        return other

    def ordered(self, order: str, line: str | None, *, at: str, cost: Decimal) -> None:
        """An order says what one costs."""
        told = self._costs[order]
        told.append((at, line, cost))
        told.sort(key=lambda each: (each[0], each[1] or "", each[2]))

    def received(self, order: str, line: str | None, quantity: Decimal, *, rejected: Decimal, cost: Decimal) -> None:
        """Goods came and were accepted (negative: went back), and others came and were not, at a cost each."""
        came, back = max(quantity, ZERO) + rejected, max(-quantity, ZERO)
        new = Tally(came, came * cost, back, back * cost, rejected, rejected * cost)
        self._add(order, line, new)

    def billed(self, order: str, line: str | None, quantity: Decimal, amount: Decimal) -> None:
        """The vendor charges an amount for a quantity, or credits it (negative)."""
        new = Tally(billed=max(quantity, ZERO), credited=max(-quantity, ZERO), charged=amount)
        self._add(order, line, new)

    def knows_goods_of(self, order: str | None) -> bool:
        """Whether anything came of the order, or went back."""
        total = self.tally(order)
        return bool(total.came or total.back)

    def tally(self, order: str | None) -> Tally:
        """Sums of all lines of the order."""
        return _sum(self._tallies.get(order or "", {}))

    @property
    def claims(self) -> Decimal:
        """What vendors owe for goods that came and were not accepted."""
        return sum((tally.claims for tally in self._matched()), ZERO)

    @property
    def variance(self) -> Decimal:
        """What vendors charge above the orders' costs."""
        return sum((tally.variance for tally in self._matched()), ZERO)

    def cost(self, order: str | None, line: str | None, at: str) -> Decimal | None:
        """What the order says the item costs: the last it said before, or else the first it said at all.

        None where the order has the item on lines of other costs, and which of them is meant is not said.
        """
        lines = self._costs.get(order or "", ())
        if told := [each for each in lines if each[1] in {None, line}]:
            return _last(told, at)
        costs = {_last([each for each in lines if each[1] == named], at) for _, named, _ in lines}
        return costs.pop() if len(costs) == 1 else None

    def _add(self, order: str, line: str | None, new: Tally) -> None:
        lines = self._tallies[order]
        lines[line] = lines[line].plus(new) if line in lines else new

    def _matched(self) -> list[Tally]:
        """Line by line where bills name lines of which goods came; else order by order."""
        return [each for lines in self._tallies.values() for each in _matched(lines)]

    def as_json(self) -> dict[str, Any]:
        """For the store; `from_json` reads it."""
        return {
            "costs": [[order, at, line, str(cost)] for order, told in self._costs.items() for at, line, cost in told],
            "tallies": [
                [order, line, *map(str, tally)]
                for order, lines in self._tallies.items()
                for line, tally in lines.items()
            ],
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """What `as_json` wrote."""
        purchases = cls()
        for order, at, line, cost in body["costs"]:
            purchases._costs[order].append((at, line, Decimal(cost)))
        for order, line, *sums in body["tallies"]:
            purchases._tallies[order][line] = Tally(*map(Decimal, sums))
        return purchases


def _last(told: Sequence[OrderedCost], at: str) -> Decimal:
    before = [cost for when, _, cost in told if when <= at]
    return before[-1] if before else told[0][2]


def _matched(lines: Mapping[str | None, Tally]) -> Sequence[Tally]:
    all_named = None not in lines
    if all_named and all(tally.came or tally.back for tally in lines.values()):
        return list(lines.values())
    return [_sum(lines)]


def _sum(lines: Mapping[str | None, Tally]) -> Tally:
    return reduce(Tally.plus, lines.values()) if lines else Tally()
