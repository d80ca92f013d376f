"""uvicorn's HTTP over httptools, with bounds: uvicorn itself waits for a request for ever, and keeps any header.

A client gets `Bounds.receive_seconds` for the head of a request and again for its body, whatever trickles in; a head
of so many bytes and fields; and one request at a time. Which connection goes when there are too many, or too much of
bodies, is the gate's affair.
"""

import asyncio
from collections.abc import Mapping
from typing import ClassVar, Final

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from ops.http.gate import Gate, Reason

_STATUS: Final[Mapping[Reason, int]] = {
    "late": 408,
    "head_too_large": 431,
    "malformed": 400,
    "connections": 503,
    "bodies": 503,
}


class _Refused(Exception):
    """Raised in a callback of the parser, so that it reads no further."""


class BoundedHttp(HttpToolsProtocol):
    """One connection. A server makes a subclass of its own that has its gate."""

    gate: ClassVar[Gate]

    _deadline: asyncio.TimerHandle | None = None
    _gone: bool = False
    _deaf: bool = False
    _refusal: Reason = "malformed"
    _unparsed: int = 0
    _head_bytes: int = 0
    _head_fields: int = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """A client came."""
        super().connection_made(transport)
        self.gate.enter(self, self.client[0] if self.client else None)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, whoever went."""
        self._gone = True
        self._set_deadline(None)
        self.gate.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """As uvicorn's, and what comes without being a field, a chunk or a part of a body has a bound."""
        if self._gone or self._deaf:
            return
        self._unset_keepalive_if_required()
        if self._deadline is None and not self._at_work:
            self._wait()
        self._unparsed += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            """Another protocol is offered, and none is spoken here: the request is answered as it is."""
        except httptools.HttpParserError:
            self._refuse(self._refusal)
        if self._unparsed > self.gate.bounds.head_bytes:
            self.drop("head_too_large")

    def drop(self, reason: Reason) -> None:
        """Answer what can be answered, and close."""
        if self._gone:
            return
        self._gone = True
        self._set_deadline(None)
        self._unset_keepalive_if_required()
        self.gate.leave(self, reason)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            answered = self._head_bytes == 0
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            answered = cycle.response_started
        if not answered and reason in _STATUS:
            self.transport.write(STATUS_LINE[_STATUS[reason]] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.flow.resume_writing()
        (self.transport.abort if self.transport.get_write_buffer_size() else self.transport.close)()

    def pause_writing(self) -> None:
        """The client does not read its answers."""
        super().pause_writing()
        if self._deadline is None:
            self._wait("unread")

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if self._at_work:
            self._set_deadline(None)
            self.gate.work_on(self)

    def on_message_begin(self) -> None:
        """A request begins; one at a time, since each would be kept until the one before it is answered."""
        if self._gone or self._at_work:
            raise _Refused
        super().on_message_begin()
        self._head_bytes = self._head_fields = 0

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or one after a body in chunks."""
        self._head_fields += 1
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._unparsed = 0
        super().on_headers_complete()
        self._set_deadline("late")

    def on_chunk_header(self) -> None:
        """A chunk of a body begins."""
        self._unparsed = 0

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._unparsed = 0
        if self._gone:
            raise _Refused
        super().on_body(body)
        if not self.cycle.response_complete:
            self.gate.hold(self, len(body))

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._gone:
            raise _Refused
        super().on_message_complete()
        self._unparsed = 0
        if self._at_work:
            self._set_deadline(None)
            self.gate.work_on(self)
        else:
            self._wait()

    def on_response_complete(self) -> None:
        """It is answered, whether it was whole or not."""
        super().on_response_complete()
        self._head_bytes = 0
        self.gate.release(self)
        self.gate.wait_for(self)

    @property
    def _at_work(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _wait(self, reason: Reason = "late") -> None:
        self._set_deadline(reason)
        self.gate.wait_for(self)

    def _set_deadline(self, reason: Reason | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if reason is not None and not self._gone:
            self._deadline = self.loop.call_later(self.gate.bounds.receive_seconds, self.drop, reason)

    def _count(self, size: int) -> None:
        self._unparsed = 0
        self._head_bytes += size
        bounds = self.gate.bounds
        if self._head_bytes > bounds.head_bytes or self._head_fields > bounds.head_fields:
            self._refusal = "head_too_large"
            raise _Refused

    def _refuse(self, reason: Reason) -> None:
        """A request that cannot be read. One that came before it is answered first."""
        if not self._at_work:
            self.drop(reason)
            return
        self._deaf = True
        self.cycle.keep_alive = False


def behind(gate: Gate) -> type[BoundedHttp]:
    """The protocol of the server that has this gate."""

    class Behind(BoundedHttp):
        """One of its connections."""

    Behind.gate = gate
    return Behind
