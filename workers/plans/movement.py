"""Movements: what happened to the stock of one item, as its card takes it; and what an event tells. Pure values."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

MovementKind = Literal["order", "opening", "receipt", "change", "count", "bill"]

_RANK: Final[dict[MovementKind, int]] = {"order": 0, "opening": 1, "receipt": 2, "change": 3, "count": 5, "bill": 6}
_LESS: Final = 4


class Movement(BaseModel):
    """What happened to one item at one moment.

    `quantity` is a change (negative: less) for `receipt`, `change` and `bill`, a level for `count` and `opening`, and
    0 for `order`. `role` is against what Inventory is booked; None posts nothing (a transfer, the opening level).
    `unit_cost`, `amount` (of a bill) are in `currency`. `rejected` came with a receipt and was not accepted.
    """

    model_config = ConfigDict(frozen=True)

    fact: str
    number: int = 0
    item: str
    at: datetime
    kind: MovementKind
    quantity: Decimal = Decimal(0)
    place: str | None = None
    lot: str | None = None
    unit_cost: Decimal | None = None
    currency: str | None = None
    role: str | None = None
    order: str | None = None
    line: str | None = None
    rejected: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)

    @cached_property
    def position(self) -> tuple[str, int, str, int]:
        """Where it stands among the movements of its item: by time; at one time, what goes out after what comes in.

        Sources that give days only tell many things at one time; a count is then of all of them.
        """
        less = self.kind == "change" and self.quantity < 0
        rank = _LESS if less else _RANK[self.kind]
        return (self.at.astimezone(UTC).isoformat(timespec="microseconds"), rank, self.fact, self.number)


class Told(BaseModel):
    """What an event tells of stock; what it posts follows from the cards of its items, see `workers.stock.recording`.

    `external_id` is that of the entry, if there is one; `reason` the source's word for adjustments. `merges`: it may
    share an entry with others. `waits`: a bill waits for its goods, unless a person says otherwise. `cards` says which
    card is that of a name, where it is not the name: two names of one item share one.
    """

    model_config = ConfigDict(frozen=True)

    fact: str
    external_id: str
    day: date
    memo: str
    reason: str
    merges: bool
    waits: bool = True
    movements: tuple[Movement, ...]
    cards: Mapping[str, str] = {}

    @cached_property
    def by_card(self) -> Mapping[str, Sequence[Movement]]:
        """What is told of each item, in order of time."""
        by_card: dict[str, list[Movement]] = {}
        for movement in self.movements:
            by_card.setdefault(self.card_of(movement), []).append(movement)
        return {card: sorted(movements, key=lambda movement: movement.position) for card, movements in by_card.items()}

    def card_of(self, movement: Movement) -> str:
        """The name of the card that the movement is on."""
        return self.cards.get(movement.item, movement.item)

    @property
    def names(self) -> tuple[str, ...]:
        """The items it is about, as the source names them, each once."""
        return tuple(dict.fromkeys(movement.item for movement in self.movements))

    def saying(self, **other: object) -> "Told":
        """The same with other fields."""
        fields = {name: getattr(self, name) for name in Told.model_fields}  # model_copy would copy what is cached too
        return Told.model_validate(fields | other)

    @property
    def content_hash(self) -> str:
        """A SHA-256 of what is told: the same fact may never say something else."""
        movements = [movement.model_dump(mode="json", exclude={"role"}) for movement in self.movements]
        return hashlib.sha256(json.dumps([self.day.isoformat(), movements], sort_keys=True).encode()).hexdigest()
