"""The desk: dead letters move from their queues into the database, and from there a person sends them again.

Moving is insert by id, then acknowledge; replaying is publish with confirm, then mark. A crash between the two repeats
the step, and neither repetition books anything twice. Every act leaves a line in the audit trail.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from messaging import headers as h
from messaging.connection import Link
from messaging.drain import DeadMessage, drain_dead_letters
from messaging.errors import MessagingError
from messaging.publisher import Publisher, event_key
from messaging.topology import RAW_DLQ, replay_key, routing_key
from ops.composing.feeds import facts_of
from ops.composing.workers import open_link, open_publisher, open_store, sealing_of
from ops.desk.origins import Origin, feed_of, origin_of, told_in
from producers.feeds.reading import normalise_document
from producers.normalising import Rejected
from producers.webhooks.intake import NOBODY
from runtime.clock import Clock
from runtime.settings import ConfigurationError, Settings
from schemas.envelope import decode, encode
from schemas.errors import InvalidEvent
from store.audit import AuditTrail
from store.dead_letters import DeadLetters, Letter, LetterState, ListedLetter, StoredLetter
from store.errors import BodySealed
from store.feeds.names import FeedNames
from store.lost import BECAME
from workers.plans import TAKES_BACK

NOT_WAIVED: Final = "which must be in the books first, and cannot be waived: replay it without --waive once it is"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one dead letter that was to be sent again."""

    id: str
    sent: int
    error: str | None = None


class Desk:
    """Dead letters of all companies."""

    def __init__(  # noqa: PLR0913  (one keyword a port)
        self,
        *,
        letters: DeadLetters,
        audit: AuditTrail,
        names: FeedNames,
        link: Link,
        publisher: Publisher,
        actor: str,
        told: Callable[[Letter], bytes] = lambda letter: letter.body,
    ) -> None:
        self.letters = letters
        self._told = told
        self.names = names
        self._audit = audit
        self._link = link
        self._publisher = publisher
        self._actor = actor

    async def collect(self) -> int:
        """Move what lies in the dead-letter queues into the database; returns how many were new.

        A copy of one that waits there already is not: an event that was delivered twice is one letter.
        """
        new = 0

        async def keep(message: DeadMessage) -> None:
            nonlocal new
            letter = letter_of(message)
            new += await self.letters.keep(letter, told=self._told(letter))

        await drain_dead_letters(self._link, keep)
        return new

    async def waiting(self, reason: str | None, state: LetterState = "waiting") -> list[ListedLetter]:
        """Letters in one state, of one reason (`period_closed` means every month of it) or of all."""
        letters = await self.letters.list(state)
        return [each for each in letters if reason is None or f"{each.reason}:".startswith(f"{reason}:")]

    async def collect_if_reachable(self) -> str | None:
        """Collect, or say why that could not be done: what the database has can be seen without the broker."""
        try:
            await self.collect()
        except MessagingError as error:
            return f"{error} What lies in the dead-letter queues is not shown."
        return None

    async def replay(self, letter: StoredLetter, *, origin: Origin, waive: bool = False) -> Replayed:
        """Send one dead letter again, under its own identity: the inbox still knows what has been written.

        It travels in the company's queue of replays, so that nothing live stands behind it.

        Raw input is normalised again. `waive`: post although what must come first is not in the books; a person has
        decided so.
        """
        if letter.company not in (None, NOBODY, origin.context.company):
            return Replayed(letter.id, 0, f"it is company {letter.company}'s: replay it with RELAY_COMPANY set to that")
        if letter.state != "waiting":
            return Replayed(letter.id, 0, f"it is {letter.state} already")
        if waive and letter.event_type in TAKES_BACK:
            return Replayed(letter.id, 0, f"it takes back {_missing(letter)}, {NOT_WAIVED}")
        try:
            messages = _messages(self.letters.opened(letter), origin, waive=waive)
            for key, message_id, body, headers in messages:
                await self._publisher.publish_raw(body, key=key, message_id=message_id, headers=headers)
        except (Rejected, InvalidEvent, MessagingError, BodySealed) as error:
            return Replayed(letter.id, 0, str(error))
        kept = None  # what raw input became is kept: should the broker lose that, the letter waits again
        if letter.queue == RAW_DLQ:
            events = [decode(body).id for _, _, body, _ in messages]
            kept = {**letter.headers, BECAME: {"company": origin.context.company, "events": events}}
        await self.letters.set_state(letter.id, "waiting", "replayed", headers=kept)
        detail = {"reason": letter.reason, "event": letter.event_id, "messages": len(messages)}
        await self._audit.append(actor=self._actor, act="dead_letter.replayed", subject=letter.id, detail=detail)
        return Replayed(letter.id, len(messages))


@asynccontextmanager
async def open_desk(settings: Settings, *, clock: Clock, actor: str) -> AsyncIterator[Desk]:
    """A desk on the broker and database of the settings."""
    async with (
        open_store(settings) as engine,
        open_link(settings, "desk") as link,
        open_publisher(settings, clock, "desk") as publisher,
    ):
        yield Desk(
            letters=DeadLetters(engine, clock, sealing_of(settings)),
            names=FeedNames(engine),
            audit=AuditTrail(engine, clock),
            link=link,
            publisher=publisher,
            actor=actor,
            told=lambda letter: told_in(letter, settings),
        )


def letter_of(message: DeadMessage) -> Letter:
    """A dead message with what can be read of its event; one that cannot be read is kept just the same."""
    try:
        event = decode(message.body) if message.queue != RAW_DLQ else None
    except InvalidEvent:
        event = None
    return Letter(
        id=message.id,
        queue=message.queue,
        reason=message.reason,
        error=message.error,
        attempts=message.attempts,
        headers=json.loads(json.dumps(message.headers, default=str)),
        body=message.body,
        company=event.company if event else message.headers.get(h.COMPANY),
        event_id=event.id if event else None,
        event_source=event.source if event else message.headers.get(h.SOURCE),
        event_type=event.type if event else None,
        subject=event.subject if event else None,
        content_type=message.content_type,
        routing_key=message.key,
        died_at=_time(message.died_at),
    )


def _missing(letter: StoredLetter) -> str:
    return letter.reason.removeprefix("prerequisite:") if letter.reason.startswith("prerequisite:") else "something"


def _time(text: str | None) -> datetime | None:
    """When it died, as far as that can be read: a header may hold anything."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _messages(
    letter: StoredLetter, origin: Origin, *, waive: bool
) -> Sequence[tuple[str, str, bytes, Mapping[str, Any]]]:
    """What to publish: the letter's own bytes, or the events that its raw input becomes now."""
    marked = {h.REPLAY_OF: letter.id}
    if letter.queue != RAW_DLQ:
        if letter.routing_key is None:
            msg = "its routing key is not known"
            raise InvalidEvent(msg)
        key = replay_key(letter.routing_key)
        if waive and letter.reason.startswith("prerequisite:"):
            marked[h.WAIVED] = "prerequisite"
        event = decode(letter.body)
        return [(key, event_key(event), letter.body, {**marked, h.PARTITION: event.partitionkey})]
    if origin.source is None:
        msg = f"no feed and no webhook is known as {letter.event_source!r}"
        raise InvalidEvent(msg)
    normalised = normalise_document(origin.source, letter.body, origin.context)
    if not normalised.events:
        msg = f"there is nothing to send: {normalised.ignored}"
        raise InvalidEvent(msg)
    return [
        (
            replay_key(routing_key(event.company, event.type)),
            event_key(event),
            encode(event),
            {**marked, h.PARTITION: event.partitionkey},
        )
        for event in normalised.events
    ]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters are to be sent again: those of `ids`, or all that wait (of `reason`, if given)."""

    ids: Sequence[str] = ()
    reason: str | None = None
    waive: bool = False


async def replay_chosen(desk: Desk, settings: Settings, choice: Choice, *, dry_run: bool) -> list[Replayed]:
    """Replay what was chosen, one body in memory at a time; a dry run only says which those are.

    Raises:
        LetterNotFound, AmbiguousId: an id names none, or several.
    """
    if choice.ids:
        chosen = [(await desk.letters.get(text)).id for text in choice.ids]
    else:
        chosen = [letter.id for letter in await desk.waiting(choice.reason)]
    if dry_run:
        return [Replayed(each, 0) for each in chosen]
    return [await _replay(desk, await desk.letters.get(each), settings, waive=choice.waive) for each in chosen]


async def _replay(desk: Desk, letter: StoredLetter, settings: Settings, *, waive: bool) -> Replayed:
    try:
        name = feed_of(letter) or ""
        feed = settings.feeds.get(name)
        named = "" if feed is None else await facts_of(name, feed, settings, desk.names, decide=False)
        origin = origin_of(letter, settings, facts_of=named)
    except ConfigurationError as error:
        return Replayed(letter.id, 0, str(error))
    return await desk.replay(letter, origin=origin, waive=waive)
