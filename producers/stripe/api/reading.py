"""What Stripe has of some time, told as webhooks would have told it.

Balance transactions come first: they tell a fact with its settlement. Events follow, for the days that Stripe keeps
them, and lists for what is older and moves no balance. It must not decide how far to read: `since` and `until` are
given.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.reading.fields import Fields
from producers.stripe.api.client import Row, StripeApi
from producers.stripe.api.listing import Listing, Span, read_whole
from producers.stripe.api.telling import Teller
from producers.stripe.balance import transaction
from producers.stripe.stripe import KINDS, normalise
from runtime.clock import Clock

EVENTS_REACH: Final = timedelta(days=30)
"""So long Stripe keeps events. What is nearer to the end than a day is read from lists too."""
TYPES_A_CALL: Final = 20
"""Event types that one list may be asked for."""

Progress = Callable[[str, int], None]
"""Told what is being read, and how many rows of it were."""


def no_progress(what: str, rows: int) -> None:
    """For where nobody looks."""


@dataclass(frozen=True, slots=True)
class Older:
    """A list that stands for events which Stripe keeps no more: those with the status, told as events of the type.

    `asked`: the list takes the status itself.
    """

    path: str
    type: str
    status: str
    asked: bool = False
    at: Callable[[Row], object] = lambda row: row.get("created")


def _paid_at(invoice: Row) -> object:
    """When an invoice was paid, where it says so; else it counts as paid when it was made."""
    times = invoice.get("status_transitions")
    return times.get("paid_at") if isinstance(times, dict) else None


OLDER: Final = (
    Older("/v1/disputes", "charge.dispute.closed", "lost"),
    Older("/v1/invoices", "invoice.paid", "paid", asked=True, at=_paid_at),
    Older("/v1/checkout/sessions", "checkout.session.completed", "complete", asked=True),
    Older("/v1/credit_notes", "credit_note.created", "issued"),
)
"""What moves no balance, and is booked. All else that is older comes with its balance transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads one account: that of the key, or the connected one that `account` names, whose books `context` has.

    `seen` are ids of rows that need not be looked at; `met` are all that were listed, and are settled.
    """

    api: StripeApi
    context: NormaliseContext
    teller: Teller
    clock: Clock
    account: str | None = None
    progress: Progress = no_progress
    seen: frozenset[str] = frozenset()
    met: dict[str, None] = field(default_factory=dict)

    async def read(self, span: Span) -> None:
        """Tell all of a time. Safe to cancel and to repeat at any moment.

        Raises:
            ProviderError: Stripe could not be read, or refuses; what was told before is told.
            MessagingError, StoreError: it could not be told.
        """
        expanded = (("expand[]", "data.source"),)
        await self._list(Listing(path="/v1/balance_transactions", query=expanded, **self._of(span)), self._moved)
        oldest = self.clock.now() - EVENTS_REACH
        if span.until > oldest:
            for types in _groups(sorted(KINDS)):
                query = tuple(("types[]", each) for each in types)
                recent = Span(max(span.since, oldest), span.until)
                await self._list(Listing(path="/v1/events", query=query, **self._of(recent)), self._event)
        if span.since < oldest + timedelta(days=1):
            for older in OLDER:
                if older.type in KINDS:
                    await self._older(older, Span(span.since, min(span.until, oldest + timedelta(days=1))))

    async def tell_as(self, stripe_type: str, row: Row, *, at: object) -> None:
        """Tell an object as the event of this type would have."""
        await self._tell([row], lambda each, context: normalise(self.as_event(stripe_type, each, at=at), context))

    def as_event(self, stripe_type: str, row: Row, *, at: object) -> bytes:
        """The event of this type that would hold the object, as Stripe writes it."""
        event = {
            "id": f"api:{stripe_type}:{row['id']}",
            "object": "event",
            "type": stripe_type,
            "created": at if isinstance(at, int) else row.get("created"),
            "livemode": self.api.key.is_live,
            "data": {"object": row},
        }
        return written(event | ({} if self.account is None else {"account": self.account}))

    async def _older(self, older: Older, span: Span) -> None:
        query = (("status", older.status),) if older.asked else ()

        async def take(rows: list[Row]) -> None:
            for row in rows:
                if row.get("status") == older.status:
                    await self.tell_as(older.type, row, at=older.at(row))

        await self._list(Listing(path=older.path, query=query, **self._of(span)), take)

    async def _list(self, listing: Listing, take: Callable[[list[Row]], Any]) -> None:
        done = 0

        async def taken(rows: list[Row]) -> None:
            nonlocal done
            await take([row for row in rows if row["id"] not in self.seen])
            self.met.update((row["id"], None) for row in rows)
            self.teller.told.rows += len(rows)
            done += len(rows)
            self.progress(listing.path, done)

        await read_whole(self.api, listing, taken)

    async def _moved(self, rows: list[Row]) -> None:
        await self._tell(rows, lambda row, context: transaction(Fields(row), context))

    async def _event(self, rows: list[Row]) -> None:
        await self._tell(rows, lambda row, context: normalise(written(self._told_of(row)), context))

    def _told_of(self, event: Row) -> Row:
        """An event with the account that it was read of, as a webhook names it."""
        return event if self.account is None else {**event, "account": self.account}

    async def _tell(self, rows: Sequence[Row], normalised: Callable[[Row, NormaliseContext], Normalised]) -> None:
        """The oldest first, as they happened."""
        told: list[Normalised] = []
        for row in reversed(rows):
            try:
                told.append(normalised(row, self.context))
            except Rejected as rejected:
                await self.teller.keep(written(row), rejected, company=self.context.company)
            except Exception as error:  # noqa: BLE001 - a mistake of ours must not stop what can be told
                await self.teller.keep(written(row), Rejected.of_mistake(error), company=self.context.company)
        for each in told:
            if each.ignored is not None:
                self.teller.told.ignored[each.ignored.partition(":")[0]] += 1
        await self.teller.tell([event for each in told for event in each.events])

    def _of(self, span: Span) -> dict[str, Any]:
        return {"span": span, "account": self.account}


def written(row: Row) -> bytes:
    """A row as JSON, the same bytes whenever it says the same."""
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _groups(types: Sequence[str]) -> list[Sequence[str]]:
    return [types[start : start + TYPES_A_CALL] for start in range(0, len(types), TYPES_A_CALL)]
