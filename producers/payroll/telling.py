"""Telling the broker what the table of pay runs holds: publish the stored bytes, and only then mark them told.

A crash between the two publishes the same event again; the inbox knows its identity. It must not make or change events.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

from messaging.headers import PARTITION
from messaging.publisher import event_key
from messaging.topology import routing_key
from schemas.envelope import decode
from store.payroll_runs import NewVersion, PayrollRuns, RunKey, RunRow

LOST_AFTER: Final = timedelta(days=1)
"""Longer than an event may wait for its retries: each pull would else tell again what is merely under way."""


class Publisher(Protocol):
    """Where events go. Both calls return once the broker has confirmed, and else raise PublishFailed."""

    async def publish_raw(self, body: bytes, *, key: str, message_id: str | None, headers: Mapping[str, Any]) -> None:
        """Publish an encoded event."""
        ...

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        """Put before a person what could not be normalised."""
        ...


class Teller:
    """Publishes versions in the order of their numbers. Safe to cancel and to repeat."""

    def __init__(self, runs: PayrollRuns, publisher: Publisher) -> None:
        self._runs = runs
        self._publisher = publisher

    async def tell_pending(self, provider: str | None = None) -> int:
        """Tell what an earlier pull stored and did not get told; how many those were.

        Raises:
            PublishFailed, StoreUnavailable: the rest stays pending.
        """
        waiting = await self._runs.pending(provider)
        await self.tell(waiting)
        return len(waiting)

    async def tell(self, rows: Sequence[RunRow]) -> None:
        """Publish stored versions, each confirmed and marked before the next. Raises as `tell_pending`."""
        for row in rows:
            body = row.event or b""
            event = decode(body)
            await self._publisher.publish_raw(
                body,
                key=routing_key(event.company, event.type),
                message_id=event_key(event),
                headers={PARTITION: event.partitionkey},
            )
            await self._runs.told(row)

    async def advance(self, key: RunKey, following: Callable[[RunRow | None], NewVersion | None]) -> int | None:
        """Store and tell what follows the newest version of a run; gives the newest that was told, None for nothing.

        What was told a day ago and is neither in the books nor before a person is told again: the broker has lost it.

        Raises:
            PublishFailed, StoreUnavailable: the rest stays pending.
        """
        await self._runs.tell_again(key.company, key, older_than=LOST_AFTER)
        await self._runs.advance(key, following)
        rows = [row for row in await self._runs.pending(key.provider) if row.key == key]
        await self.tell(rows)
        return rows[-1].version if rows else None

    async def put_before_a_person(
        self, key: RunKey, *, source: str, reason: str, field: str | None, error: str
    ) -> None:
        """Keep a reference to a run that could not be normalised, never its body. Raises PublishFailed."""
        reference = {"provider": key.provider, "entity": key.entity, "run": key.run, "reason": reason, "field": field}
        body = json.dumps({name: value for name, value in reference.items() if value is not None}).encode()
        await self._publisher.keep_raw(body, source=source, company=key.company, reason=reason, error=error)
