"""Telling the broker what is stored of pay runs, and a person what cannot be told; or only saying what would be.

It must not make or change events, nor decide what follows.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import Final

from messaging.outbox import publish_waiting
from messaging.publisher import Publishes
from producers.payroll.versions import Following
from store.outbox import Outbox
from store.payroll_runs import STREAM, PayrollRuns, Reference, RunKey, RunRow, provider_of

LOST_AFTER: Final = timedelta(days=1)
"""Longer than an event may wait for its retries: each pull would else tell again what is merely under way."""


Noting = Callable[[PayrollRuns], Awaitable[None]]


class Teller:
    """Stores, and publishes in the order of versions; safe to cancel and to repeat.

    Raises StoreUnavailable, and PublishFailed: what was stored stays pending.
    """

    def __init__(self, runs: PayrollRuns, outbox: Outbox, publisher: Publishes) -> None:
        self._runs = runs
        self._outbox = outbox
        self._publisher = publisher

    async def tell_pending(self, companies: Collection[str], provider: str | None = None) -> int:
        """Tell what was stored of these companies earlier and did not get told; how many those were."""
        waiting = await self._outbox.unpublished(STREAM, companies)
        mine = [each for each in waiting if provider in (None, provider_of(each.key))]
        await publish_waiting(mine, self._outbox, self._publisher)
        return len(mine)

    async def tell_run(self, key: RunKey) -> Sequence[RunRow]:
        """Tell what is stored of one run and not told yet; give it."""
        rows = await self._runs.pending(key)
        waiting = await self._outbox.unpublished(STREAM, [key.company]) if rows else ()
        numbers = {row.outbox for row in rows}
        await publish_waiting([each for each in waiting if each.id in numbers], self._outbox, self._publisher)
        return rows

    async def advance(self, key: RunKey, following: Following) -> int | None:
        """Store and tell what follows the newest version of a run; gives the newest that was told, None for nothing.

        What was told a day ago and is neither in the books nor before a person is told again: the broker has lost it.
        """
        await self._runs.tell_again(key.company, key, older_than=LOST_AFTER)
        await self._runs.advance(key, following)
        rows = await self.tell_run(key)
        return rows[-1].version if rows else None

    async def note(self, noting: Noting) -> None:
        """Have something of runs stored that is not told."""
        await noting(self._runs)

    async def refuse(self, key: RunKey, reference: Reference, *, source: str, error: str) -> None:
        """Keep why a run has no (new) version; where that is new, a person gets a reference to it, never its body."""
        if await self._runs.is_new(key, reference):
            named = {"provider": key.provider, "entity": key.entity, "run": key.run}
            why = {"reason": reference.reason, "field": reference.field}
            body = json.dumps({name: value for name, value in (named | why).items() if value is not None}).encode()
            await self._publisher.keep_raw(
                body, source=source, company=key.company, reason=reference.reason, error=error
            )
        await self._runs.refer(key, reference)


class DryTeller:
    """Says what `Teller` would tell: nothing is stored or published."""

    def __init__(self, runs: PayrollRuns) -> None:
        self._runs = runs

    async def tell_pending(self, companies: Collection[str], provider: str | None = None) -> int:
        """Nothing."""
        del companies, provider
        return 0

    async def advance(self, key: RunKey, following: Following) -> int | None:
        """The version that would be told."""
        would = following(await self._runs.latest(key))
        return None if would is None else would.version

    async def note(self, noting: Noting) -> None:
        """Nothing."""

    async def refuse(self, key: RunKey, reference: Reference, *, source: str, error: str) -> None:
        """Nothing."""


Tells = Teller | DryTeller
