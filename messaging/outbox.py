"""Publishing what a store has recorded: its very bytes, each confirmed, and only then marked as published.

A crash between the two publishes the same event again; the inbox knows its identity. It makes and changes no event.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from messaging.errors import PublishFailed
from messaging.publisher import Publishes, encoded_as
from schemas.envelope import Event, decode
from schemas.errors import InvalidEvent


class Unreadable(PublishFailed):
    """An event was stored that this relay cannot read: another version of the relay has stored it."""

    def __init__(self, waiting: "Waiting", error: InvalidEvent) -> None:
        super().__init__(
            f"{waiting.key} ({waiting.company}) cannot be told: what is stored of it is no event of this relay "
            f"({error}). Start the relay that stored it once more; or book it by hand."
        )


class Waiting(Protocol):
    """An event that is stored and not known to be published. Those of one `key` are told in their order."""

    @property
    def id(self) -> int:
        """By which it is marked."""
        ...

    @property
    def company(self) -> str:
        """Whose it is."""
        ...

    @property
    def key(self) -> str:
        """What it tells of."""
        ...

    @property
    def body(self) -> bytes:
        """The event."""
        ...


class Outbox(Protocol):
    """Where events wait; see `store.outbox`."""

    async def unpublished(self, stream: str, companies: Iterable[str]) -> Sequence[Waiting]:
        """See `store.outbox.Outbox.unpublished`."""
        ...

    async def published(self, number: int) -> None:
        """See `store.outbox.Outbox.published`."""
        ...


async def publish_waiting(waiting: Iterable[Waiting], outbox: Outbox, publisher: Publishes) -> None:
    """Publish these, each confirmed and marked before the next. Safe to cancel and to repeat.

    A company whose queue takes none, or a key of which one cannot be read, waits alone: the others are told first.

    Raises:
        PublishFailed, Unreadable, StoreUnavailable: the rest is still unpublished.
    """
    failed: dict[tuple[str, str], PublishFailed] = {}
    for each in waiting:
        if failed.keys() & {(each.company, ""), (each.company, each.key)}:
            continue
        try:
            await publisher.publish_all([encoded_as(_event(each), each.body)])
            await outbox.published(each.id)
        except Unreadable as error:
            failed[each.company, each.key] = error
        except PublishFailed as error:
            failed[each.company, ""] = error
    if failed:
        raise next(iter(failed.values()))


def _event(waiting: Waiting) -> Event:
    try:
        return decode(waiting.body)
    except InvalidEvent as error:
        raise Unreadable(waiting, error) from error
