"""What was published and never arrived: in no books, and before no person.

The broker can lose what it has confirmed: its disk, a queue that somebody deletes or purges. What still waits in the
broker looks the same here, so whatever is told again for this must be harmless to tell twice.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from store.databases.storable import key_of
from store.schema import DEAD_LETTERS, STOCK_FACTS, SUMMARY_LINES, WRITE_EVENTS, WRITES
from store.writes import KEYS_AT_A_TIME

BECAME: Final = "relay-became"
"""Of a letter of raw input that was replayed, among its headers: whose events it became, and which."""


def applied(company: str, external_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a write is in the books: a condition."""
    is_it = (WRITES.c.company == company) & (WRITES.c.external_id == external_id)
    return exists().where(is_it & (WRITES.c.state == "applied"))


def no_letter(event_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether no dead letter of an event waits for a person: a condition."""
    return ~exists().where((DEAD_LETTERS.c.event_id == event_id) & (DEAD_LETTERS.c.state == "waiting"))


def replayed_in_vain(company: str | ColumnElement[str] = DEAD_LETTERS.c.company) -> ColumnElement[bool]:
    """Of the table of dead letters: replayed, and nothing is known of its event since. A condition.

    Of one company, or of each.
    """
    letter, later = DEAD_LETTERS.c, DEAD_LETTERS.alias()
    ours = (WRITES.c.company == company) & (WRITES.c.event_id == letter.event_id)
    booked = exists().where(ours & (WRITES.c.state == "applied")) & ~exists().where(
        ours & (WRITES.c.state != "applied")
    )
    by_another = exists().where((WRITE_EVENTS.c.company == company) & (WRITE_EVENTS.c.event_id == letter.event_id))
    in_stock = exists().where((STOCK_FACTS.c.company == company) & (STOCK_FACTS.c.event_id == letter.event_id))
    summed = exists().where((SUMMARY_LINES.c.company == company) & (SUMMARY_LINES.c.event_id == letter.event_id))
    died_again = exists().where((later.c.event_id == letter.event_id) & (later.c.state == "waiting"))
    sent = (letter.company == company) & (letter.state == "replayed") & letter.erased_at.is_(None)
    return sent & letter.event_id.is_not(None) & ~booked & ~by_another & ~in_stock & ~summed & ~died_again


async def raw_replayed_in_vain(connection: AsyncConnection, company: str) -> list[str]:
    """Of the letters of raw input that were replayed, those whose events are not all known of since. Their ids."""
    letter = DEAD_LETTERS.c
    sent = (letter.state == "replayed") & letter.event_id.is_(None) & letter.erased_at.is_(None)
    became: dict[str, set[str]] = {}
    for row in await connection.execute(select(letter.id, letter.headers).where(sent)):
        replay = row.headers.get(BECAME)
        if isinstance(replay, dict) and replay["company"] == company:
            became[row.id] = {key_of(event_id) for event_id in replay["events"]}
    known = await _known_events(connection, company, set().union(*became.values()))
    return sorted(letter_id for letter_id, events in became.items() if not events <= known)


async def _known_events(connection: AsyncConnection, company: str, event_ids: Collection[str]) -> set[str]:
    """Those that are in books, stock or summaries, or ever became a dead letter: then that letter says what is lost."""
    known = {key_of(event_id) for event_id in (await arrived_events(connection, company, event_ids)).posted}
    ids = sorted(event_ids)
    for start in range(0, len(ids), KEYS_AT_A_TIME):
        some = ids[start : start + KEYS_AT_A_TIME]
        for table in (WRITE_EVENTS, STOCK_FACTS, SUMMARY_LINES, DEAD_LETTERS):
            here = (table.c.company == company) & table.c.event_id.in_(some)
            known.update((await connection.scalars(select(table.c.event_id).where(here))).all())
    return known


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Ids of events. `posted`: all that they write is in the books. `before_a_person`: a dead letter waits."""

    posted: Collection[str]
    before_a_person: Collection[str]


async def arrived_events(connection: AsyncConnection, company: str, event_ids: Collection[str]) -> Whereabouts:
    """Which of these events of a company have arrived."""
    ids, states, letters = sorted(event_ids), defaultdict[str, set[str]](set), set[str]()
    for start in range(0, len(ids), KEYS_AT_A_TIME):
        some = ids[start : start + KEYS_AT_A_TIME]
        writes = select(WRITES.c.event_id, WRITES.c.state)
        ours = (WRITES.c.company == company) & WRITES.c.event_id.in_(some)
        for row in await connection.execute(writes.where(ours)):
            states[row.event_id].add(row.state)
        waiting = DEAD_LETTERS.c.event_id.in_(some) & (DEAD_LETTERS.c.state == "waiting")
        letters.update((await connection.scalars(select(DEAD_LETTERS.c.event_id).where(waiting))).all())
    return Whereabouts(
        posted={event_id for event_id in ids if states.get(key_of(event_id)) == {"applied"}},
        before_a_person={event_id for event_id in ids if event_id in letters},
    )
