"""The lines of summaries as values, and what becomes of a recording within a transaction.

It must not know when a transaction begins or ends, nor of entries: that is `store.sales.summaries`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from store import writes
from store.claims import EventRef
from store.schema import SUMMARY_LINES

Body = dict[str, Any]

KEYS_AT_A_TIME: Final = 500


class OtherEconomics(Exception):
    """A write is recorded already, with other economics; `known` is what it was."""

    def __init__(self, known: "SummaryLine") -> None:
        super().__init__(known.external_id)
        self.known = known


@dataclass(frozen=True, slots=True)
class NewLine:
    """One write as it is to be recorded. `lines` are the caller's; `clears`: it moves the processor's balance.

    `group…` and `about` are as in `store.claims.Intent`.
    """

    external_id: str
    kind: str
    payload_hash: str
    day: date
    currency: str
    amount: Decimal
    lines: Sequence[Body]
    clears: bool = True
    about: Mapping[str, str] = field(default_factory=dict)
    group_key: str | None = None
    group_amount: Decimal | None = None
    group_currency: str | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """The writes of one event. Those of a unit (an invoice and its payment) are recorded all, or none of them."""

    company: str
    fact: str
    processor: str
    event: EventRef
    units: Sequence[Sequence[NewLine]]


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """A write that was recorded, its columns in order. `summary` is the entry that it is part of, None before that."""

    company: str
    external_id: str
    fact: str
    processor: str
    kind: str
    day: date
    currency: str
    amount: Decimal
    payload_hash: str
    lines: Sequence[Body]
    about: Mapping[str, str]
    group_key: str | None
    group_amount: Decimal | None
    group_currency: str | None
    event_source: str
    event_id: str
    event_type: str
    subject: str | None
    recorded_at: datetime
    summary: str | None


LINE_FIELDS: Final = tuple(SummaryLine.__dataclass_fields__)
LINES: Final = select(*(SUMMARY_LINES.c[name] for name in LINE_FIELDS))


def decided(
    recording: Recording, known: dict[str, SummaryLine], sent: Collection[str], new: list[Body], *, now: datetime
) -> Mapping[str, SummaryLine] | Exception:
    """What is recorded of an event now; what is new of it goes to `new`, and to `known` for the events after it."""
    answer: dict[str, SummaryLine] = {}
    for unit in recording.units:
        for line in unit:
            before = known.get(line.external_id)
            if before is not None and before.payload_hash != line.payload_hash:
                return OtherEconomics(before)
    for unit in recording.units:
        if any(line.external_id in sent for line in unit):
            continue
        for line in unit:
            if line.external_id not in known:
                row = _row(recording, line, now=now)
                new.append(row)
                known[line.external_id] = SummaryLine(**{name: row[name] for name in LINE_FIELDS})
            answer[line.external_id] = known[line.external_id]
    return answer


def _row(recording: Recording, line: NewLine, *, now: datetime) -> Body:
    event = recording.event
    return {
        **{name: getattr(line, name) for name in NewLine.__dataclass_fields__},
        "company": recording.company,
        "fact": recording.fact,
        "processor": recording.processor,
        "event_source": event.source,
        "event_id": event.id,
        "event_type": event.type,
        "subject": event.subject,
        "recorded_at": now,
        "summary": None,
    }


async def known_among(
    connection: AsyncConnection, company: str, external_ids: Collection[str]
) -> dict[str, SummaryLine]:
    """The lines of these external ids, of those that are recorded."""
    ids, found = sorted(set(external_ids)), dict[str, SummaryLine]()
    for start in range(0, len(ids), KEYS_AT_A_TIME):
        some = SUMMARY_LINES.c.external_id.in_(ids[start : start + KEYS_AT_A_TIME])
        rows = await connection.execute(LINES.where(SUMMARY_LINES.c.company == company, some))
        found |= {row.external_id: SummaryLine(*row) for row in rows}
    return found


async def sent_among(connection: AsyncConnection, company: str, external_ids: Collection[str]) -> dict[str, str]:
    """The states of these external ids in the inbox, of those that it knows."""
    ids, found = sorted(external_ids), dict[str, str]()
    for start in range(0, len(ids), KEYS_AT_A_TIME):
        found |= await writes.states(connection, company, ids[start : start + KEYS_AT_A_TIME])
    return found
