"""What it means to normalise: one raw document or file in, events out, or a clear refusal.

Shared by every producer. A normaliser is pure: it must not do input or output, read a clock or read settings.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal

from schemas.envelope import DEFAULT_COMPANY, Event

Mode = Literal["live", "test"]
"""Whether books take real money, or only what a source marks as a test. Never both."""


Outside = Literal["hold", "ignore"]
"""What becomes of a document that tells of money which is not booked: kept for a person, or passed over."""


@dataclass(frozen=True, slots=True)
class NormaliseContext:
    """What a normaliser is told besides the document.

    `company` gets what names no account of its own; `accounts` maps a source's account ids to companies. `currency` is
    that of documents which name none (the company's base currency). `options` are the source's own settings, as they
    were written: the source's model checks them. `mode` is that of the books; None offline, where nothing is posted.
    `outside` is what becomes of a document that tells of money which is not booked: kept for a person, or ignored.
    `is_read`: the source is also read with a key, which tells all that moves its balance.
    `facts_of` is the name under which the facts of a feed are known: two feeds with the same ids are two sources.
    """

    company: str = DEFAULT_COMPANY
    accounts: Mapping[str, str] = field(default_factory=dict)
    currency: str = "USD"
    options: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode | None = None
    facts_of: str = ""
    outside: Outside = "hold"
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class Normalised:
    """What came of one document: events, or the reason why it has none (`type_not_used:customer.created`)."""

    events: tuple[Event, ...]
    ignored: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Part of a file that cannot be turned into events; the parts around it may be fine. Fields as in `Rejected`."""

    where: str
    reason: str
    message: str
    field: str | None = None

    @property
    def is_warning(self) -> bool:
        """Whether it says what is wrong, and nothing is missing because of it (`warning:wrong_group`)."""
        return self.reason.startswith("warning:")


class Rejected(Exception):
    """An authentic document that cannot be turned into events; it is kept for a person.

    `reason` is for machines (`unknown_currency`), `field` the dotted path at fault, the message for people. None of
    them holds a value of the document other than ids, field names, amounts and currency codes.
    """

    def __init__(self, reason: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message if field is None else f"{field}: {message}")
        self.reason, self.message, self.field = reason, message, field

    @classmethod
    def of_mistake(cls, error: Exception) -> "Rejected":
        """Where a mistake of ours was made, without any value: its message may hold what was read."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = "unknown place" if trace is None else f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
        return cls("normaliser_failed", f"{type(error).__name__} at {place}")

    def at(self, where: str) -> Refused:
        """Say of one part of a file what was rejected there."""
        return Refused(where, self.reason, self.message, self.field)


Normaliser = Callable[[bytes, NormaliseContext], Normalised]
"""Raises Rejected. The bytes are one document, as they came."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Part of a file that was read: its events, or why it has none. `where` is `line 12`, `segment 40 (W07)`."""

    where: str
    events: tuple[Event, ...]
    ignored: str | None = None


Piece = Taken | Refused
FileReader = Callable[[BinaryIO, NormaliseContext], Iterator[Piece]]
"""Reads a file of many facts piece by piece, so that memory does not grow with it.

Raises Rejected where the file as a whole cannot be used (its control counts, its encoding, its columns): nothing that
was given before may then be published, so it is raised before the first piece wherever that can be known.
"""
