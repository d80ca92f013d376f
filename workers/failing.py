"""Calls that Solid fails again and again while it does other work: what waits for them comes before a person.

An outage fails them too, and ends by itself: nobody is asked to look at what it holds up.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from runtime.clock import Clock
from store.inbox import Inbox

LONG_SECONDS: Final = 3_600.0
TIMES: Final = 3
"""Two short outages may meet the same call by chance."""

TOO_LONG_SECONDS: Final = 4 * 86_400.0
"""Longer than a long weekend: then nothing may have been written just because everything waits."""


@dataclass(slots=True)
class _Failure:
    since: datetime
    first: float
    last: float
    times: int = 1


@dataclass(slots=True)
class Failures:
    """The calls of one company that fail, as far as this process knows, by any name."""

    inbox: Inbox
    company: str
    clock: Clock
    _of: dict[Hashable, _Failure] = field(default_factory=dict)

    def over(self, call: Hashable) -> None:
        """It was served, or nobody needs it."""
        self._of.pop(call, None)

    def clear(self) -> None:
        """Forget all."""
        self._of.clear()

    def seconds_ago(self, call: Hashable) -> float | None:
        """When it last failed; None where it was served since."""
        failure = self._of.get(call)
        return None if failure is None else self.clock.monotonic() - failure.last

    async def failed(self, call: Hashable) -> bool:
        """It failed once more. True: a person must know, as Solid fails this one and does not just rest.

        Raises:
            StoreUnavailable: see there.
        """
        now = self.clock.monotonic()
        if call not in self._of:
            self._of[call] = _Failure(self.clock.now(), now, now)
            return False
        failure = self._of[call]
        failure.last, failure.times = now, failure.times + 1
        seconds = now - failure.first
        if failure.times < TIMES or seconds < LONG_SECONDS:
            return False
        return seconds >= TOO_LONG_SECONDS or await self.inbox.applied_since(self.company, failure.since)
