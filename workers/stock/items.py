"""Which SKUs Solid knows: read when the first is asked for, and again, once a while, when one is missing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from runtime.clock import Clock
from solid.models import Item
from workers.catalogue import Catalogue
from workers.plans.writes import Parked

GOOD_FOR_SECONDS = 30.0


class Items:
    """The items of one company's Solid, for one session of a worker."""

    def __init__(
        self, read: Callable[[], Awaitable[Sequence[Item]]], *, overrides: Mapping[str, str], clock: Clock
    ) -> None:
        self._read = read
        self._overrides = overrides
        self._clock = clock
        self._catalogue: Catalogue | None = None
        self._read_at = 0.0
        self._reading = asyncio.Lock()

    async def refuse_unknown(self, skus: Sequence[str]) -> None:
        """Return when Solid has each SKU exactly once, or `books.toml` says which item is meant.

        Raises:
            Parked: `unmapped:item:<sku>`.
            Unavailable, OutcomeUnknown, Refused, DialectMismatch: what Solid said to the question.
        """
        async with self._reading:
            catalogue = self._catalogue or await self._read_again()
            try:
                _find(catalogue, skus)
            except Parked:
                if self._clock.monotonic() - self._read_at < GOOD_FOR_SECONDS:
                    raise
                catalogue = await self._read_again()
        _find(catalogue, skus)

    async def id_of(self, sku: str) -> str:
        """The id of the item in Solid. Raises as `refuse_unknown` does."""
        await self.refuse_unknown([sku])
        return (self._catalogue or await self._read_again()).id_of(sku)

    async def _read_again(self) -> Catalogue:
        self._catalogue = Catalogue(await self._read(), self._overrides)
        self._read_at = self._clock.monotonic()
        return self._catalogue


def _find(catalogue: Catalogue, skus: Sequence[str]) -> None:
    for sku in skus:
        catalogue.id_of(sku)
