"""What must be in the books, as plain tables. Pure values: they know neither the relay nor where the events go."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Fate = Literal["applied", "parked", "dead"]
"""applied: in the books; parked: before a person, who must decide; dead: before a person, as it cannot be read."""


@dataclass(frozen=True, slots=True)
class Posting:
    """What one record does to one account. `amount` in the books' currency: debits positive, credits negative."""

    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ExpectedRecord:
    """One record that must be in the books exactly once, with exactly these postings (a contact has none)."""

    kind: str
    external_id: str
    what: str
    postings: tuple[Posting, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, whichever events tell of it and however often.

    `records` are all that it must leave in the books; facts may share a contact.
    """

    name: str
    fate: Fate
    records: tuple[ExpectedRecord, ...] = ()
