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

    async def ids_of(self, skus: Sequence[str]) -> Mapping[str, str]:
        """The id in Solid of the item that each SKU names, which holds stock. Raises as `known_as` does."""
        return await self._find(skus, Catalogue.id_of)

    async def known_as(self, skus: Sequence[str]) -> Mapping[str, str]:
        """The id in Solid of the item that each SKU names, whether it holds stock or not.

        Raises:
            Parked: `unmapped:item:<sku>`: Solid does not have it exactly once, and `books.toml` says nothing else.
            Unavailable, OutcomeUnknown, Refused, DialectMismatch: what Solid said to the question.
        """
        return await self._find(skus, Catalogue.known_as)

    async def _find(self, skus: Sequence[str], id_of: Callable[[Catalogue, str], str]) -> Mapping[str, str]:
        async with self._reading:
            catalogue = self._catalogue or await self._read_again()
            try:
                return {sku: id_of(catalogue, sku) for sku in skus}
            except Parked:
                if self._clock.monotonic() - self._read_at < GOOD_FOR_SECONDS:
                    raise
                catalogue = await self._read_again()
        return {sku: id_of(catalogue, sku) for sku in skus}

    async def _read_again(self) -> Catalogue:
        self._catalogue = Catalogue(await self._read(), self._overrides)
        self._read_at = self._clock.monotonic()
        return self._catalogue
