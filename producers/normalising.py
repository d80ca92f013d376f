"""What it means to normalise: one raw document in, events out, or a clear refusal.

Shared by every producer. A normaliser is pure: it must not do input or output, read a clock or read settings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from schemas.envelope import DEFAULT_COMPANY, Event


@dataclass(frozen=True, slots=True)
class NormaliseContext:
    """What a normaliser is told besides the document.

    `company` gets what names no account of its own; `accounts` maps a source's account ids to companies.
    """

    company: str = DEFAULT_COMPANY
    accounts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Normalised:
    """What came of one document: events, or the reason why it has none (`type_not_used:customer.created`)."""

    events: tuple[Event, ...]
    ignored: str | None = None


class Rejected(Exception):
    """An authentic document that cannot be turned into events; it is kept for a person.

    `reason` is for machines (`unknown_currency`), `field` the dotted path at fault or None, the message for
    people. None of the three holds a value of the document other than ids, field names, amounts and
    currency codes.
    """

    def __init__(self, *, reason: str, message: str, field: str | None = None) -> None:
        """Keep the parts; the message is led by the field."""
        super().__init__(message if field is None else f"{field}: {message}")
        self.reason = reason
        self.field = field


Normaliser = Callable[[bytes, NormaliseContext], Normalised]
"""Raises Rejected. The bytes are one document, as they came."""
