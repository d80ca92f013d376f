"""The life of a write as pure functions: a row and a request in, an answer and a new row out.

No clock and no database here.

    (no row) ──claim──► intended ──applied──► applied
                           ├──refused──► refused ──claim──► intended (a new payload is welcome)
                           ├──release──► intended, free: nothing was sent under this claim
                           ├──unknown──► unknown ──claim──► intended, in doubt
                           └──lease runs out──claim──► intended, in doubt

What is undone before it was ever sent is `refused` with a code of its own (`void`), for ever: it is never sent.
A claim in doubt that is released goes back to `unknown` with its old `doubt_since`, and one of a refused write to
`refused`: giving up a claim changes nothing of what is known. Every claim adds one to the epoch, so (key, epoch)
names one claim for ever. Source: design, section 6.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from store.claims import (
    Accepted,
    Busy,
    Change,
    Claim,
    Conflict,
    Done,
    Doubt,
    EventRef,
    Fresh,
    Intent,
    Refusal,
    Release,
    Renew,
    State,
    Unknown,
    Voided,
    WriteRow,
)
from store.databases.storable import storable
from store.errors import LeaseLost

ABSENT: Final = "absent"
"""The code of a write that a person has looked for and not found."""

VOID: Final = "relay:void"
"""The code of a write that was undone before it was sent. Its colon keeps it apart from Solid's codes."""

_NO_ERROR: Final[Mapping[str, None]] = {"error_code": None, "error_message": None}


def claim(  # noqa: PLR0913 - the facts a claim depends on, all named at the call
    row: WriteRow | None,
    *,
    company: str,
    event: EventRef,
    intent: Intent,
    owner: str,
    lease: timedelta,
    held: bool,
    now: datetime,
) -> tuple[Claim, WriteRow | None]:
    """Decide who may send `intent`. Returns the answer and the row to store (None: no change).

    `held`: the row's claim is one that this very process made and has not settled yet.
    """
    if row is not None and is_void(row):
        return _void_or_conflict(row, intent), None
    if row is None or _certainly_unsent(row):
        mine = _intended(row, company=company, event=event, intent=intent, owner=owner, lease=lease, now=now)
        return Fresh(mine.epoch, refused_before=mine.error_code is not None), mine
    if row.payload_hash != intent.payload_hash:
        return Conflict(row.payload_hash, row.state), None
    if row.state == "applied":
        return Done(row.solid_id or ""), None  # never empty: the table's check constraint
    if row.lease_until is not None and row.lease_until > now and (held or row.owner != owner):
        return Busy(row.lease_until), None
    since, no = _doubt_since(row, now), _unproven_no(row)
    mine = replace(
        row,
        state="intended",
        epoch=row.epoch + 1,
        owner=owner,
        lease_until=now + lease,
        doubt_since=since,
        was_unknown=True,
        **_error_of(no),
        event_source=event.source,
        event_id=event.id,
        event_type=event.type,
        subject=event.subject,
        updated_at=now,
        about=_remembered(intent.about, row.about),
    )
    return Doubt(mine.epoch, since, mine.about, no=no), mine


def void(
    row: WriteRow | None, *, company: str, event: EventRef, intent: Intent, now: datetime
) -> tuple[Claim, WriteRow | None]:
    """Decide whether a write that nobody ever claimed may stay unsent for ever. Returns the answer and the row.

    Done where it was applied after all, Busy where its event has come, whatever became of that.
    """
    if row is not None and is_void(row):
        return _void_or_conflict(row, intent), None
    if row is None:
        none = timedelta(0)
        mine = _intended(None, company=company, event=event, intent=intent, owner="", lease=none, now=now)
        no = {"error_code": VOID, "error_message": "undone before it was booked: neither is posted"}
        return Voided(), _given_up(mine, now, state="refused", **no)
    if row.state == "applied":
        return Done(row.solid_id or ""), None
    return Busy(row.lease_until or now), None


def is_void(row: WriteRow) -> bool:
    """Whether it was undone before it was sent."""
    return row.state == "refused" and row.error_code == VOID


def _void_or_conflict(row: WriteRow, intent: Intent) -> Claim:
    return Voided() if row.payload_hash == intent.payload_hash else Conflict(row.payload_hash, row.state)


def settle(row: WriteRow, change: Change, *, lease: timedelta, now: datetime) -> WriteRow:
    """The row after `change` by the holder of its current claim. The caller has compared the epochs.

    Repeating a settlement is a no-op (the row comes back as it is); any other change to a settled claim
    raises LeaseLost.
    """
    if row.lease_until is None:
        if _says_the_same(row, change):
            return row
        raise LeaseLost(row.company, row.external_id, row.epoch)
    match change:
        case Renew():
            return replace(row, lease_until=now + lease, updated_at=now)
        case Accepted(solid_id=solid_id, adopted=adopted):
            changes = {"solid_id": solid_id, "adopted": adopted, "doubt_since": None}
            return _given_up(row, now, state="applied", **changes, **_NO_ERROR)
        case Refusal(code=code, message=message):
            return _given_up(row, now, state="refused", error_code=code, error_message=message, doubt_since=None)
        case Unknown(no=no):
            return _given_up(row, now, state="unknown", doubt_since=now, was_unknown=True, **_error_of(no))
        case Release():
            return _given_up(row, now, state=_as_before(row))
        case _ as never:
            assert_never(never)


def decide(row: WriteRow, solid_id: str | None, *, now: datetime) -> WriteRow | None:
    """The row after a person has looked for a write in doubt: found under that id, or certainly absent (None).

    None where nothing is in doubt: it is applied, or somebody is at it. An absent one counts as refused, so that
    the next claim sends it. The new epoch fences whoever held it.
    """
    at_it = row.lease_until is not None and row.lease_until > now
    if row.state == "applied" or at_it or is_void(row):
        return None
    decided: dict[str, Any] = {"epoch": row.epoch + 1, "doubt_since": None}
    if solid_id is not None:
        decided |= {"state": "applied", "solid_id": solid_id, "adopted": True, **_NO_ERROR}
    else:
        decided |= {"state": "refused", "error_code": ABSENT, "error_message": "a person looked and it was not there"}
    return _given_up(row, now, **decided)


def _as_before(row: WriteRow) -> State:
    """What is known of a write when a claim is given up unused: as much as before it."""
    if row.doubt_since is not None:
        return "unknown"
    return "intended" if row.error_code is None else "refused"


def _given_up(row: WriteRow, now: datetime, **changes: Any) -> WriteRow:  # noqa: ANN401 - as replace()
    return replace(row, owner=None, lease_until=None, updated_at=now, **changes)


def _certainly_unsent(row: WriteRow) -> bool:
    released = row.state == "intended" and row.lease_until is None
    return row.state == "refused" or released


def _intended(  # noqa: PLR0913 - one named argument a fact
    row: WriteRow | None,
    *,
    company: str,
    event: EventRef,
    intent: Intent,
    owner: str,
    lease: timedelta,
    now: datetime,
) -> WriteRow:
    """A row that says: `owner` is about to send `intent`. An older row lends epoch, age and history."""
    return WriteRow(
        company=company,
        external_id=intent.external_id,
        kind=intent.kind,
        payload_hash=intent.payload_hash,
        state="intended",
        epoch=1 if row is None else row.epoch + 1,
        owner=owner,
        lease_until=now + lease,
        doubt_since=None,
        was_unknown=row is not None and row.was_unknown,
        adopted=False,
        solid_id=None,
        error_code=None if row is None else row.error_code,
        error_message=None if row is None else row.error_message,
        event_source=event.source,
        event_id=event.id,
        event_type=event.type,
        subject=event.subject,
        group_key=intent.group_key,
        amount=intent.amount,
        currency=intent.currency,
        created_at=now if row is None else row.created_at,
        updated_at=now,
        about=_remembered({} if row is None else row.about, intent.about),
    )


def _remembered(under: Mapping[str, str], over: Mapping[str, str]) -> Mapping[str, str]:
    """What a look-up must know of all attempts: of each thing what `over` says, but the first and last date of both.

    A write in doubt goes on under what it was first sent with: a record of another name would not be found.
    """
    merged = {**under, **over}
    days = [about[name] for about in (under, over) for name in ("date", "until") if name in about]
    if days:
        merged["date"] = min(days)
    if days and max(days) > min(days):
        merged["until"] = max(days)
    return merged


def _doubt_since(row: WriteRow, now: datetime) -> datetime:
    """The last moment at which the earlier holder may have sent.

    That is when it gave up (`unknown`). A holder that only fell silent can send until this new epoch fences
    it: now, and not the end of its lease, which another host's clock may put anywhere.
    """
    return row.doubt_since if row.state == "unknown" and row.doubt_since is not None else now


def _unproven_no(row: WriteRow) -> Refusal | None:
    """What was answered to the call in doubt; not what an earlier one was refused with, before this one was made."""
    if row.doubt_since is None or row.error_code is None:
        return None
    return Refusal(row.error_code, row.error_message or "")


def _error_of(no: Refusal | None) -> Mapping[str, Any]:
    return _NO_ERROR if no is None else {"error_code": no.code, "error_message": no.message}


def _says_the_same(row: WriteRow, change: Change) -> bool:
    match change:
        case Accepted(solid_id=solid_id):
            return row.state == "applied" and row.solid_id == storable(solid_id)
        case Refusal():
            return row.state == "refused"
        case Unknown():
            return row.state == "unknown"
        case Release():
            return _certainly_unsent(row) or row.state == "unknown"
        case Renew():
            return False
        case _ as never:
            assert_never(never)
