"""What need not be told again: what is in the books, or a line of a summary, and what a dead letter waits for.

It changes nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.topology import RAW_DLQ
from ops.composing.workers import books_of, sealing_of
from producers.stripe.api.telling import Known
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.settings import Settings
from schemas.envelope import Event
from schemas.sales import PaymentRefunded, PaymentSucceeded, RefundFailed, RefundPending
from schemas.told import CreditVoided, SaleCredited, SaleTold
from store.dead_letters import DeadLetters
from store.errors import BodySealed
from store.inbox import Inbox
from store.sales.summaries import SummaryStore
from store.sales.told import SalesStore
from workers.books.books import Books
from workers.in_books import InBooks
from workers.plans import plan
from workers.plans.writes import ContactWrite, Parked
from workers.sales.names import names_of
from workers.sales.sale import known as known_of

_OF_MONEY = (PaymentSucceeded, PaymentRefunded, RefundFailed, SaleCredited)
"""What posts by itself: whether it is in the books is known by that alone."""

FOREIGN = "unmapped:currency:"
"""Letters that wait for a settlement: whoever tells it frees them."""


@dataclass(slots=True)
class KnownHere(Known):
    """Compares events with the store, by the external ids of what they would write. One reading long."""

    settings: Settings
    engine: AsyncEngine
    clock: Clock
    _books: dict[str, Books | None] = field(default_factory=dict)
    _letters: Mapping[tuple[str | None, str | None], str] | None = None
    _raw: frozenset[str] | None = None

    async def lacking(self, events: Sequence[Event]) -> Sequence[Event]:
        """See `Known`. Of a company whose books cannot be read nothing is known."""
        planned = [(event, self._ids(event)) for event in events]
        states: dict[str, dict[str, str]] = {}
        inbox = Inbox(self.engine, owner="ops", lease=timedelta(seconds=1), clock=self.clock)
        in_books = InBooks(inbox, SummaryStore(self.engine, self.clock, inbox.marks))
        for company in {event.company for event in events}:
            wanted = {each for event, ids in planned if event.company == company for each in ids or ()}
            states[company] = await in_books.state_of(company, wanted)
        letters = await self._waiting()
        new = [
            event
            for event, ids in planned
            if not _is_applied(ids, states[event.company]) and not _waits(event, ids, letters)
        ]
        silent = {event.id for event, ids in planned if ids is None}
        return [event for event in new if event.id not in silent or not await self._is_noted(event)]

    async def is_kept(self, document: bytes) -> bool:
        """See `Known`."""
        if self._raw is None:
            letters = DeadLetters(self.engine, self.clock, sealing_of(self.settings))
            found = set()
            for listed in await letters.list(queue=RAW_DLQ):
                letter = await letters.get(listed.id)
                try:
                    found.add(hashlib.sha256(letters.opened(letter).body).hexdigest())
                except BodySealed:
                    continue
            self._raw = frozenset(found)
        return hashlib.sha256(document).hexdigest() in self._raw

    async def _is_noted(self, event: Event) -> bool:
        """Whether what it tells of a sale is noted: it writes nothing that could be found."""
        names = names_of(event.data)
        if not names or isinstance(event.data, _OF_MONEY):
            return False
        found = await SalesStore(self.engine, self.clock).look(event.company, names)
        sale = known_of(found.bodies)
        match event.data:
            case SaleTold():
                return any(telling.data.fact == event.data.fact for telling in sale.tellings)
            case CreditVoided():
                return event.data.of in sale.voided
            case _:
                return found.is_one

    def _ids(self, event: Event) -> list[str] | None:
        """The external ids of what it would write, contacts apart; None where that is nothing, or cannot be said."""
        books = self._books_of(event.company)
        if books is None:
            return None
        if isinstance(event.data, RefundPending):
            return [event.data.becomes]
        try:
            planned = plan(event, books)
        except Parked:
            return None
        return [write.external_id for write in planned.writes if not isinstance(write, ContactWrite)] or None

    def _books_of(self, company: str) -> Books | None:
        if company not in self._books:
            try:
                self._books[company] = books_of(self.settings.of(company))
            except ConfigurationError:
                self._books[company] = None
        return self._books[company]

    async def _waiting(self) -> Mapping[tuple[str | None, str | None], str]:
        """Type and subject of what waits for a person → why."""
        if self._letters is None:
            listed = await DeadLetters(self.engine, self.clock).list()
            self._letters = {(each.event_type, each.subject): each.reason for each in listed}
        return self._letters


def _is_applied(ids: Sequence[str] | None, states: Mapping[str, str]) -> bool:
    return ids is not None and all(states.get(each) == "applied" for each in ids)


def _waits(event: Event, ids: Sequence[str] | None, letters: Mapping[tuple[str | None, str | None], str]) -> bool:
    """Whether a person has it before them already; who tells the settlement that a letter lacks is heard."""
    reason = letters.get((event.type, event.subject))
    return reason is not None and not (reason.startswith(FOREIGN) and ids is not None)
