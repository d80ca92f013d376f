"""A stand-in for Stripe's API over real HTTP on 127.0.0.1: lists in pages of its own rows, and what goes wrong there.

It knows nothing of the relay. Written after the public reference: pagination, errors, rate limits, restricted keys.
"""

import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

Row = dict[str, Any]
Answer = tuple[int, Mapping[str, str], object]

KEY: Final = "rk_test_" + "0" * 24
ACCOUNT: Final = "acct_standin"

_RIGHTS: Final = {
    "/v1/balance_transactions": "rak_balance_transaction_source_read",
    "/v1/payouts": "rak_payout_read",
    "/v1/events": "rak_event_read",
}


@dataclass(slots=True)
class StripeApiServer:
    """What there is, newest first as Stripe lists it, and what is to go wrong with the next calls.

    `rows` are by path; `of` are those of connected accounts. `limited` calls are answered 429 with `retry_after`;
    `forbidden` are paths without the right. `before` is called with path and number of each page before it is answered.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    of: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    account: str = ACCOUNT
    key: str = KEY
    forbidden: set[str] = field(default_factory=set)
    limited: int = 0
    retry_after: str | None = "2"
    knows_times: bool = True
    before: Callable[[str, int], None] = lambda _path, _page: None
    calls: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    pages: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def add(self, path: str, *rows: Row) -> None:
        """Add rows, and keep the newest first."""
        listed = self.rows.setdefault(path, [])
        listed.extend(rows)
        listed.sort(key=lambda row: -row["created"])

    @contextmanager
    def running(self) -> Iterator["StripeApiServer"]:
        """Serve on a free port for the length of a block."""
        served = _Server(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=served.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{served.server_address[1]}"
        try:
            yield self
        finally:
            served.shutdown()
            served.server_close()
            thread.join()

    def answer(self, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str]) -> Answer:
        """Answer one call."""
        self.calls.append(path)
        self.versions.add(headers.get("stripe-version", ""))
        if self.limited > 0:
            self.limited -= 1
            more = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return 429, more, _error("rate_limit", "Too many requests")
        if headers.get("authorization") != f"Bearer {self.key}":
            return 401, {}, _error(None, "Invalid API Key provided: rk_test_****")
        if path in self.forbidden:
            right = _RIGHTS.get(path, "rak_of_something_read")
            return 403, {}, _error(None, f"The provided key does not have the '{right}' permission, which would help.")
        connected = headers.get("stripe-account")
        if connected is not None and connected not in self.of:
            return 403, {}, _error("account_invalid", f"The provided key does not have access to account {connected}")
        if path == "/v1/account":
            return 200, {}, {"id": connected or self.account, "object": "account"}
        rows = self.rows if connected is None else self.of[connected]
        return self._list(path, query, rows)

    def _list(self, path: str, query: Mapping[str, list[str]], rows: Mapping[str, list[Row]]) -> Answer:
        if path not in rows:
            return (200, {}, _page([])) if re.fullmatch(r"/v1/[a-z_/]+", path) else (404, {}, _error(None, "No"))
        self.pages[path] += 1
        self.before(path, self.pages[path])
        asked = query if self.knows_times else {name: said for name, said in query.items() if "created" not in name}
        found = [row for row in rows[path] if _is_asked_for(row, asked)]
        if after := query.get("starting_after"):
            ids = [row["id"] for row in found]
            if after[0] not in ids:
                return 400, {}, _error("resource_missing", "No such row", "starting_after")
            found = found[ids.index(after[0]) + 1 :]
        limit = int(query.get("limit", ["10"])[0])
        shown = [_expanded(row, query) for row in found[:limit]]
        return 200, {}, _page(shown, has_more=len(found) > limit)


def _is_asked_for(row: Row, query: Mapping[str, list[str]]) -> bool:
    since, until = (
        int(query[f"created[{name}]"][0]) if f"created[{name}]" in query else None for name in ("gte", "lt")
    )
    if (since is not None and row["created"] < since) or (until is not None and row["created"] >= until):
        return False
    if "payout" in query:
        return bool(row.get("payout") == query["payout"][0])
    types = query.get("types[]")
    return types is None or row["type"] in types


def _expanded(row: Row, query: Mapping[str, list[str]]) -> Row:
    """A row as it is listed: its source in full only where that is asked for."""
    shown = {name: value for name, value in row.items() if name != "payout"}
    source = row.get("source")
    if isinstance(source, dict) and "data.source" not in query.get("expand[]", ()):
        shown["source"] = source["id"]
    return shown


def _page(rows: list[Row], *, has_more: bool = False) -> object:
    return {"object": "list", "data": rows, "has_more": has_more}


def _error(code: str | None, message: str, param: str | None = None) -> object:
    return {"error": {"type": "invalid_request_error", "code": code, "message": message, "param": param}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of callers that were killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # as the base class calls it


def _handler(stand_in: StripeApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, document = stand_in.answer(parts.path, parse_qs(parts.query), headers)
            body = json.dumps(document).encode()
            lines = [f"{name}: {value}" for name, value in {**more, "Content-Length": str(len(body))}.items()]
            head = "\r\n".join((f"HTTP/1.1 {status} -", "Content-Type: application/json", *lines))
            self.wfile.write(head.encode() + b"\r\n\r\n" + body)  # in one piece, or the kernel waits for more

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
