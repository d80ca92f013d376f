"""Where what was read goes: to the broker, as far as it is not known yet; of a dry run, into the counts alone.

It must not know Stripe.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from messaging.publisher import Publishes, encoded
from producers.normalising import Rejected
from schemas.envelope import Event
from schemas.money import Money


class Known(Protocol):
    """Says what need not be told again. Both methods raise StoreError."""

    async def lacking(self, events: Sequence[Event]) -> Sequence[Event]:
        """Those of them that are not in the books yet, and that no dead letter waits for."""
        ...

    async def is_kept(self, document: bytes) -> bool:
        """Whether a person has this very document before them."""
        ...


class NothingKnown(Known):
    """Where all is told: telling a fact again costs nothing."""

    async def lacking(self, events: Sequence[Event]) -> Sequence[Event]:
        """All of them."""
        return events

    async def is_kept(self, document: bytes) -> bool:
        """None is."""
        del document
        return False


@dataclass(slots=True)
class Told:
    """What was published, or would be: events and money by type; what a person gets, by reason; what was known."""

    events: Counter[str] = field(default_factory=Counter)
    money: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    kept: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    known: int = 0
    rows: int = 0

    def count(self, event: Event) -> None:
        """Count an event, and what it is about, in each currency."""
        self.events[event.type] += 1
        amount = getattr(event.data, "amount", None)
        settlement = getattr(event.data, "settlement", None)
        money = amount if amount is not None else getattr(settlement, "gross", None)
        if isinstance(money, Money):
            sums = self.money.setdefault(event.type, {})
            sums[money.currency] = sums.get(money.currency, Decimal(0)) + money.amount


@dataclass(slots=True)
class Teller:
    """Tells events; a fact that was told with its settlement needs no telling without. Without a publisher it is dry.

    `source` is what letters of raw input are kept under.
    """

    publisher: Publishes | None
    known: Known
    source: str
    told: Told = field(default_factory=Told)
    _settled: set[tuple[str, str]] = field(default_factory=set)

    async def tell(self, events: Sequence[Event]) -> None:
        """Publish what is lacking; returns when the broker has confirmed. Raises MessagingError, StoreError."""
        new = [event for event in events if (event.company, event.data.fact) not in self._settled]
        lacking = await self.known.lacking(new) if new else ()
        if self.publisher is not None:
            await self.publisher.publish_all([encoded(event) for event in lacking])
        said = [event for event in new if getattr(event.data, "settlement", None) is not None]
        self._settled.update((event.company, event.data.fact) for event in said)
        self.told.known += len(new) - len(lacking)
        for event in lacking:
            self.told.count(event)

    async def keep(self, document: bytes, why: Rejected, *, company: str) -> None:
        """Put before a person what cannot be told, once. Raises MessagingError, StoreError."""
        if await self.known.is_kept(document):
            self.told.known += 1
            return
        if self.publisher is not None:
            await self.publisher.keep_raw(
                document, source=self.source, company=company, reason=why.reason, error=str(why)
            )
        self.told.kept[why.reason] += 1
