"""Telling the broker what the table of pay runs holds: publish the stored bytes, and only then mark them told.

A crash between the two publishes the same event again; the inbox knows its identity. It must not make or change events.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

from messaging.errors import PublishFailed
from messaging.headers import PARTITION
from messaging.publisher import event_key
from messaging.topology import routing_key
from schemas.envelope import decode
from schemas.errors import InvalidEvent
from store.payroll_runs import NewVersion, PayrollRuns, RunKey, RunRow

LOST_AFTER: Final = timedelta(days=1)
"""Longer than an event may wait for its retries: each pull would else tell again what is merely under way."""


class Unreadable(PublishFailed):
    """A stored version that this relay cannot read: another version of the relay has stored it."""

    def __init__(self, row: RunRow, error: InvalidEvent) -> None:
        super().__init__(
            f"version {row.version} of pay run {row.run} of {row.provider} ({row.company}) cannot be told: what is "
            f"stored of it is no event of this relay ({error}). Start the relay that stored it once more; or book "
            "the run by hand."
        )


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

    async def tell_pending(self, companies: Collection[str], provider: str | None = None) -> int:
        """Tell what was stored of these companies earlier and did not get told; how many those were.

        Raises:
            PublishFailed, StoreUnavailable: the rest stays pending.
        """
        waiting = await self._runs.pending(provider, companies=companies)
        await self.tell(waiting)
        return len(waiting)

    async def tell_run(self, key: RunKey) -> Sequence[RunRow]:
        """Tell what is stored of one run and not told yet; give it. Raises as `tell_pending`."""
        rows = [row for row in await self._runs.pending(key.provider, companies=[key.company]) if row.key == key]
        await self.tell(rows)
        return rows

    async def tell(self, rows: Sequence[RunRow]) -> None:
        """Publish stored versions, each confirmed and marked before the next. Raises as `tell_pending`, at the end.

        A company whose queue takes none, or a run that cannot be read, waits alone: the others are told first.
        """
        failed: dict[str | RunKey, PublishFailed] = {}
        for row in rows:
            if failed.keys() & {row.company, row.key}:
                continue
            try:
                await self._tell_one(row)
            except Unreadable as error:
                failed[row.key] = error
            except PublishFailed as error:
                failed[row.company] = error
        if failed:
            raise next(iter(failed.values()))

    async def _tell_one(self, row: RunRow) -> None:
        body = row.event or b""
        try:
            event = decode(body)
        except InvalidEvent as error:
            raise Unreadable(row, error) from error
        key, headers = routing_key(event.company, event.type), {PARTITION: event.partitionkey}
        await self._publisher.publish_raw(body, key=key, message_id=event_key(event), headers=headers)
        await self._runs.told(row)

    async def advance(self, key: RunKey, following: Callable[[RunRow | None], NewVersion | None]) -> int | None:
        """Store and tell what follows the newest version of a run; gives the newest that was told, None for nothing.

        What was told a day ago and is neither in the books nor before a person is told again: the broker has lost it.

        Raises:
            PublishFailed, StoreUnavailable: the rest stays pending.
        """
        await self._runs.tell_again(key.company, key, older_than=LOST_AFTER)
        await self._runs.advance(key, following)
        rows = await self.tell_run(key)
        return rows[-1].version if rows else None

    async def put_before_a_person(
        self, key: RunKey, *, source: str, reason: str, field: str | None, error: str
    ) -> None:
        """Keep a reference to a run that could not be normalised, never its body. Raises PublishFailed."""
        reference = {"provider": key.provider, "entity": key.entity, "run": key.run, "reason": reason, "field": field}
        body = json.dumps({name: value for name, value in reference.items() if value is not None}).encode()
        await self._publisher.keep_raw(body, source=source, company=key.company, reason=reason, error=error)
