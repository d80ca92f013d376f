"""Whether a payout adds up: its transactions, what left the balance, and what is in the books, to the cent. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from store.sales.payouts import Payout, PayoutItem
from workers.plans.in_clearing import ids_in_clearing

ProofState = Literal["proven", "missing", "does_not_add_up", "not_listed", "failed", "canceled", "waiting"]

HOLDS_NOT: Final[frozenset[ProofState]] = frozenset({"missing", "does_not_add_up"})
_UNDOES: Final = ":failed"
_UNDONE: Final[Mapping[str, ProofState]] = {"failed": "failed", "canceled": "canceled"}


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a payout lacks in the books: a transaction of its list, with its net, or what undoes the payout itself."""

    transaction: str
    kind: str
    source: str | None
    net: Decimal
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """What the transactions of one kind add up to."""

    kind: str
    count: int
    gross: Decimal
    fee: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class Proof:
    """A payout as it was judged.

    `left` is what left the balance, `listed` the sum of its list, `bank` its line in the books, None while there is
    none. `other` are currencies of transactions that are not the payout's.
    """

    payout: Payout
    state: ProofState
    sums: tuple[Sum, ...]
    count: int
    left: Decimal
    listed: Decimal
    bank: Decimal | None
    lacking: tuple[Lacking, ...] = ()
    other: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nobody need look at it."""
        return self.state not in HOLDS_NOT


def units_of_payout(payout: Payout, items: Sequence[PayoutItem]) -> tuple[str, ...]:
    """All external ids that `judge` asks for."""
    own = (payout.fact, f"{payout.fact}:fee", f"{payout.fact}{_UNDOES}")
    bases = (fact.removesuffix(_UNDOES) for item in items for fact in item.facts if fact.endswith(_UNDOES))
    return (*own, *bases, *(unit for item in items for unit in _units(item)))


def judge(
    payout: Payout,
    items: Sequence[PayoutItem],
    *,
    applied: frozenset[str],
    bank: Decimal | None,
    void: frozenset[str] = frozenset(),
) -> Proof:
    """Judge a payout by what its processor lists and by the external ids that are in the books.

    `bank` is the amount of its own entry, signed as the payout is; None where it is not in the books. What is `void`
    was undone before it was booked: neither it nor what undid it is in the books, and neither is missing.
    """
    left, listed = payout.amount + payout.fee, sum((item.net for item in items), Decimal(0))
    other = tuple(sorted({item.currency for item in items} - {payout.currency}))
    lacking = tuple(each for item in items if (each := _lacking(item, applied, void)) is not None)
    if payout.status in _UNDONE:
        lacking += _not_undone(payout, applied)
    elif payout.fee and bank is not None and f"{payout.fact}:fee" not in applied:
        lacking += (Lacking(payout.payout, "payout", None, -payout.fee, (f"{payout.fact}:fee",)),)
    adds_up = not payout.automatic or (listed == left and not other)
    if bank is not None and bank != payout.amount:
        adds_up = False
    state = _state(payout, adds_up=adds_up, complete=not lacking, arrived=bank is not None)
    sums = tuple(_sum(kind, items) for kind in dict.fromkeys(item.kind for item in items))
    return Proof(payout, state, sums, len(items), left, listed, bank, lacking, other)


def _state(payout: Payout, *, adds_up: bool, complete: bool, arrived: bool) -> ProofState:
    if not adds_up:
        return "does_not_add_up"
    if not complete:
        return "missing"
    if payout.status in _UNDONE:
        return _UNDONE[payout.status]
    if not arrived:
        return "waiting"
    return "proven" if payout.automatic else "not_listed"


def _units(item: PayoutItem) -> tuple[str, ...]:
    fee = bool(item.fee or item.tax)
    units = (ids_in_clearing(item.type or "", fact, gross=bool(item.gross), fee=fee) for fact in item.facts)
    return tuple(unit for each in units for unit in each)


def _lacking(item: PayoutItem, applied: frozenset[str], void: frozenset[str]) -> Lacking | None:
    """What of a transaction is not in the books; None where all is, or where it tells nothing."""
    if item.ignored is not None or (not item.net and not item.gross):
        return None
    wanted = _units(item)
    missing = tuple(unit for unit in wanted if unit not in applied and unit not in void)
    if (wanted and not missing) or _undoes_nothing(item, applied):
        return None
    return Lacking(item.transaction, item.kind, item.source, item.net, missing)


def _undoes_nothing(item: PayoutItem, applied: frozenset[str]) -> bool:
    """Whether a payout came back that was never booked: then nothing is booked for its return."""
    came_back = [fact for fact in item.facts if fact.endswith(_UNDOES)]
    return bool(came_back) and not any(fact.removesuffix(_UNDOES) in applied for fact in came_back)


def _not_undone(payout: Payout, applied: frozenset[str]) -> tuple[Lacking, ...]:
    """The return of a payout that is booked, and whose return is not."""
    back = f"{payout.fact}{_UNDOES}"
    if payout.fact not in applied or back in applied:
        return ()
    return (Lacking(payout.payout, f"payout {payout.status}", None, payout.amount, (back,)),)


def _sum(kind: str, items: Sequence[PayoutItem]) -> Sum:
    mine = [item for item in items if item.kind == kind]
    zero = Decimal(0)
    return Sum(
        kind,
        len(mine),
        sum((each.gross for each in mine), zero),
        sum((each.fee + each.tax for each in mine), zero),
        sum((each.net for each in mine), zero),
    )
