"""Who may stay connected to an HTTP server that strangers can reach, and how much of theirs is kept in memory.

It knows connections as things that can be dropped, and nothing of HTTP. Nobody is turned away while somebody else has
waited longer: where there is no more room, the connection makes it that has kept the server waiting longest. So a
sender that sends its request at once is served whatever the others do.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal, Protocol

Reason = Literal["late", "head_too_large", "malformed", "connections", "bodies", "unread"]
"""Why a connection was closed before its time."""

Network = IPv4Network | IPv6Network
_SUBSCRIBER_BITS: Final = 64  # of an IPv6 address: what one customer of a provider has to itself


class Droppable(Protocol):
    """A connection."""

    def drop(self, reason: Reason) -> None:
        """Close it; it has left when this returns."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is allowed. `receive_seconds` are for the head of a request, and again for its body.

    `connections_per_client` does not hold for `proxies`: behind one, everybody has its address.
    """

    receive_seconds: float
    connections: int
    connections_per_client: int
    body_bytes: int
    proxies: Sequence[Network] = ()
    head_bytes: int = 32_768
    head_fields: int = 100


class Gate:
    """The connections of one server: those that are open, and of them those that are waited for, the oldest first."""

    def __init__(self, bounds: Bounds, *, dropped: Callable[[Reason], None] = lambda _: None) -> None:
        self.bounds = bounds
        self._dropped = dropped
        self._open: dict[Droppable, Hashable] = {}
        self._waited_for: dict[Droppable, None] = {}
        self._of_client: Counter[Hashable] = Counter()
        self._bytes: Counter[Droppable] = Counter()
        self.body_bytes = 0

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    def enter(self, connection: Droppable, address: str | None) -> None:
        """Let a connection in, and have another one make room where there is none; at worst itself."""
        client = self._client(address)
        self._open[connection] = client
        self._of_client[client] += 1
        self._waited_for[connection] = None
        if client is not None and self._of_client[client] > self.bounds.connections_per_client:
            self._drop_oldest("connections", lambda each: self._open[each] == client)
        if len(self._open) > self.bounds.connections:
            self._drop_oldest("connections", lambda _: True)

    def leave(self, connection: Droppable, reason: Reason | None = None) -> None:
        """It is closed, or about to be. Doing so again is harmless."""
        if connection not in self._open:
            return
        client = self._open.pop(connection)
        self._of_client[client] -= 1
        if not self._of_client[client]:
            del self._of_client[client]
        self._waited_for.pop(connection, None)
        self.release(connection)
        if reason is not None:
            self._dropped(reason)

    def wait_for(self, connection: Droppable) -> None:
        """From now on the server waits for this client: for a request, for the rest of one, or until it reads."""
        if connection in self._open:
            self._waited_for.pop(connection, None)
            self._waited_for[connection] = None

    def work_on(self, connection: Droppable) -> None:
        """From now on the client waits for the server: it is not dropped."""
        self._waited_for.pop(connection, None)

    def hold(self, connection: Droppable, size: int) -> None:
        """Bytes of a body came. Where all are too many, the bodies go that have been coming longest."""
        if connection not in self._open:
            return
        self._bytes[connection] += size
        self.body_bytes += size
        while self.body_bytes > self.bounds.body_bytes and self._drop_oldest("bodies", self._bytes.__contains__):
            pass

    def release(self, connection: Droppable) -> None:
        """Its body is in memory no more."""
        self.body_bytes -= self._bytes.pop(connection, 0)

    def _drop_oldest(self, reason: Reason, fits: Callable[[Droppable], bool]) -> bool:
        oldest = next((each for each in self._waited_for if fits(each)), None)
        if oldest is not None:
            oldest.drop(reason)
        return oldest is not None

    def _client(self, address: str | None) -> Hashable:
        """Who an address counts as; None for nobody in particular."""
        try:
            found = ip_address((address or "").partition("%")[0])
        except ValueError:
            return None
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        if any(found in network for network in self.bounds.proxies):
            return None
        return int(found) >> (128 - _SUBSCRIBER_BITS) if isinstance(found, IPv6Address) else str(found)
