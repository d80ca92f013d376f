"""A feed that is made at its first look: what is wrong with one as it is set stops that feed, and no other."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ops.composing.waiting_company import LOOK_SECONDS, NOT_TO_BE_MADE
from producers.feeds.feed import Feed
from producers.feeds.passing import Pass, Turn
from runtime.settings import ConfigurationError
from runtime.tracebacks import words_of


@dataclass(slots=True)
class WaitingFeed:
    """Tries at each look until its feed can be made, and then is that feed. Satisfies `Feed`."""

    name: str
    make: Callable[[], Awaitable[Feed]]
    feed: Feed | None = None

    @property
    def every_seconds(self) -> float:
        """Until it is made, as often as a company's files are looked at."""
        return LOOK_SECONDS if self.feed is None else self.feed.every_seconds

    async def look(self, turn: Turn) -> Pass:
        """See `Feed`. Raises ConfigurationError too: the feed cannot be used as it is set."""
        if self.feed is None:
            try:
                self.feed = await self.make()
            except ConfigurationError:
                raise
            except NOT_TO_BE_MADE as error:
                msg = f"feeds.{self.name}: {words_of(error)}"
                raise ConfigurationError(msg) from error
        return await self.feed.look(turn)

    async def close(self) -> None:
        """See `Feed`."""
        if self.feed is not None:
            await self.feed.close()
