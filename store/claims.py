"""What is said about a write: the intent, the answer to a claim, what became of it, and the stored row.

Values only; `store.transitions` says what follows from what.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from schemas.envelope import Event
from store.databases.storable import MOST_KEY_BYTES, key_of, storable

State = Literal["intended", "unknown", "applied", "refused"]


@dataclass(frozen=True, slots=True)
class EventRef:
    """Which event a write comes from."""

    source: str
    id: str
    type: str
    subject: str | None

    def __post_init__(self) -> None:
        """Refuse text that cannot be kept (ValueError)."""
        _refuse_unstorable(self.source, self.id, self.type, self.subject)

    @classmethod
    def of(cls, event: Event) -> "EventRef":
        """The event's own."""
        return cls(source=event.source, id=event.id, type=event.type, subject=event.subject)


@dataclass(frozen=True, slots=True)
class Intent:
    """One write that is about to be sent. `payload_hash` must cover everything that Solid will be given.

    `amount` (finite) and `currency` count towards `Inbox.group_total` of `group_key` once applied. `about` is
    what a later look-up needs besides the external_id, such as {"date": "2026-03-26"}; of several dates that
    were ever intended (ISO 8601) the earliest is kept under `date`, the latest under `until` if that is another.
    Raises ValueError for text no database can keep as a key (NUL, lone surrogates, an external id of more than 500
    bytes) and for NaN or infinity.
    """

    external_id: str
    kind: str
    payload_hash: str
    group_key: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    about: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be kept (ValueError)."""
        _refuse_unstorable(self.external_id, self.kind, self.payload_hash, self.group_key, self.currency)
        _refuse_unstorable(*self.about, *self.about.values())
        if key_of(self.external_id) != self.external_id:
            message = f"{self.external_id[:80]}…: an external id of more than {MOST_KEY_BYTES} bytes"
            raise ValueError(message)
        if self.amount is not None and not self.amount.is_finite():
            message = f"{self.external_id}: the amount is not a finite number"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class WriteRow:
    """One row of the table `writes`, its columns in order.

    `event_*` and `subject` name the event of the last claim that was Fresh or Doubt.
    """

    company: str
    external_id: str
    kind: str
    payload_hash: str
    state: State
    epoch: int
    owner: str | None
    lease_until: datetime | None
    doubt_since: datetime | None
    was_unknown: bool
    adopted: bool
    solid_id: str | None
    error_code: str | None
    error_message: str | None
    event_source: str
    event_id: str
    event_type: str
    subject: str | None
    group_key: str | None
    amount: Decimal | None
    currency: str | None
    created_at: datetime
    updated_at: datetime
    about: Mapping[str, str] = field(default_factory=dict, hash=False)
    swept_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fresh:
    """The write is ours and this inbox never sent it, or Solid refused it (`refused_before`): it is not there."""

    epoch: int
    refused_before: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """Applied already, with the same payload."""

    solid_id: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """The write is ours, but it may have been sent, at the latest at `since`: look it up first.

    `watched`: for how many seconds this process has known of the doubt, by a clock that does not jump. `ours`: it gave
    the write up itself, so that nobody may still send it.
    `about` is what the inbox remembers of it, with the earliest `date` ever intended, and the latest as `until`.
    `no` is the answer to the last call, where it was a no that may have come after a yes.
    """

    epoch: int
    since: datetime
    about: Mapping[str, str] = field(default_factory=dict, hash=False)
    no: "Refusal | None" = None
    watched: float = field(default=0.0, compare=False)
    ours: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody is at it: try again after `until` (their lease), or sooner if they may be done."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Conflict:
    """The same external_id was, or may have been, sent with another payload. Nothing was claimed."""

    known_hash: str
    state: State


@dataclass(frozen=True, slots=True)
class Voided:
    """It was undone before it was sent, with the same payload: both cancel out, and neither is ever sent."""


Claim = Fresh | Done | Doubt | Busy | Conflict | Voided


@dataclass(frozen=True, slots=True)
class Renew:
    """Go on holding the claim."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Solid has the record."""

    solid_id: str
    adopted: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Solid said no, for good, and keeps nothing of it."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was sent and no answer came that proves anything. `no`: what was said was a no."""

    no: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Nothing was sent under this claim."""


Change = Renew | Accepted | Refusal | Unknown | Release


def _refuse_unstorable(*texts: str | None) -> None:
    for text in texts:
        if text is not None and storable(text) != text:
            message = f"{text!r} holds characters that no database keeps (NUL or half a surrogate pair)"
            raise ValueError(message)
