"""One simulated Solid: its books, keys, limit, switches, calls and journal, without any socket.

Use it in a process directly, or let `server` put it behind two ports. Not for several threads.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from simulator.books import Books, Draft, Record, check_balanced
from simulator.calls import Call, fingerprint
from simulator.chart import ChartAccount, sample
from simulator.errors import ApiError, SwitchError
from simulator.journal import Journal, record_line
from simulator.limits import SlidingWindow
from simulator.reloading import reload
from simulator.seed import plant
from simulator.switches import Switches

DEMO_KEY: Final = "demo" * 16
KEY_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the time comes from: seconds since 1970, and seconds that never go back."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


class Door(Protocol):
    """What lets calls in: the API's listener, where there is one."""

    async def open(self) -> None:
        """Let connections in."""
        ...

    async def close(self) -> None:
        """Refuse connections and drop those that are open."""
        ...


class Simulation:
    """The state of one simulated Solid, and the acts that change it."""

    def __init__(  # noqa: PLR0913  # every one has a default; the CLI sets them one by one
        self,
        *,
        key: str = DEMO_KEY,
        allowance: int = 600,
        window_seconds: float = 60.0,
        chart: Sequence[ChartAccount] | None = None,
        journal: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open the books and, with a journal, read them back to where they were.

        The journal's keys win over `key`. Raises SwitchError for a bad key or chart, JournalError for a bad
        journal.
        """
        self.clock = clock or Clock()
        self.books = Books()
        self.switches = Switches()
        self.limiter = SlidingWindow(allowance, window_seconds)
        self.calls: list[Call] = []
        self.keys: set[str] = {fingerprint(checked_key(key))}
        self.snapshot: int | None = None
        self.closing = asyncio.Event()
        self.door: Door | None = None
        self._door_lock = asyncio.Lock()
        self.late: set[asyncio.Task[None]] = set()
        self._reopening: asyncio.Task[None] | None = None
        self.journal = Journal(journal)
        plant(self.books, chart or sample())
        reload(self)

    def now(self) -> str:
        """The wall-clock time as an ISO 8601 text in UTC."""
        return datetime.fromtimestamp(self.clock.wall(), UTC).isoformat().replace("+00:00", "Z")

    def arrive(self, method: str, path: str, query: str) -> Call:
        """Stamp a call with its time of arrival: the first thing that is done for it."""
        at, monotonic = self.clock.wall(), self.clock.monotonic()
        return Call(len(self.calls), at, monotonic, method, path, query)

    def let_in(self, call: Call, key: str | None) -> ApiError | None:
        """Record the call, and say whether its key and the rate limit refuse it."""
        refusal = self._refusal(call, key)
        self.calls.append(call)
        self.journal.write({"line": "call", **call.as_json()})
        return refusal

    def _refusal(self, call: Call, key: str | None) -> ApiError | None:
        call.key = None if key is None else fingerprint(key)
        if call.key not in self.keys:
            return ApiError(401, "UNAUTHORIZED", "the X-API-Key header is missing, wrong or revoked")
        wait = self.limiter.admit(call.key, call.monotonic)
        if wait is None:
            call.counted = True
            return None
        call.rate_limited = True
        message = f"more than {self.limiter.allowance} calls in {self.limiter.window_seconds:g} seconds"
        status = 200 if self.switches.rate_limit_as_200 else 429
        seconds = int(-(-wait // 1)) if self.switches.rate_limit_header else None
        return ApiError(status, "RATE_LIMITED", message, retry_after=seconds)

    def finish(self, call: Call) -> None:
        """Write down how a call ended; may be done again when a late commit lands."""
        self.journal.write(
            {
                "line": "answer",
                "n": call.n,
                "status": call.status,
                "committed": call.committed,
                "external_id": call.external_id,
                "fault": call.fault,
            }
        )

    def commit(self, draft: Draft) -> Record:
        """Put a draft into the books: journal first, then the books, in one step.

        Raises ApiError for what does not balance, a closed date, or (in that dialect) a second external id.
        """
        check_balanced(draft)
        if draft.date is not None:
            self.switches.check_date(draft.date)
        if (
            self.switches.dialect.external_id == "unique_409"
            and draft.external_id is not None
            and self.books.with_external_id(draft.kind, draft.external_id)
        ):
            raise ApiError(409, "DUPLICATE_EXTERNAL_ID", f"a {draft.kind} with this external_id exists")
        record = Record(str(uuid.uuid4()), len(self.books.log), self.now(), seed=False, draft=draft)
        self.journal.write(record_line(record))
        self.books.add(record)
        return record

    def take_snapshot(self) -> None:
        """Remember the books as they are now, as a backup would."""
        self.snapshot = len(self.books.log)
        self.journal.write({"line": "snapshot", "length": self.snapshot})

    def restore(self) -> int:
        """Put the books back to the snapshot; how many records were lost. The calls are not forgotten.

        Raises SwitchError when there is no snapshot.
        """
        if self.snapshot is None:
            msg = "restore: there is no snapshot; take one first"
            raise SwitchError(msg)
        length = min(self.snapshot, len(self.books.log))
        self.journal.write({"line": "restore", "length": length})
        return self.books.truncate(length)

    def set_keys(self, *keys: str) -> None:
        """Only these keys (by fingerprint) are good from now on."""
        self.keys = set(keys)
        self.journal.write({"line": "keys", "keys": sorted(self.keys)})

    def write_dates(self) -> None:
        """Keep the closed dates in the journal."""
        dates = {
            "closed_through": self.switches.closed_through,
            "accountant_copy": self.switches.accountant_copy,
        }
        self.journal.write({"line": "dates", **dates})

    async def set_open(self, *, is_open: bool) -> None:
        """Open or close the app; returns when it is so.

        Closing drops every connection, and what was waiting to be committed with it, except for late commits:
        they land when they are due.
        """
        if self._reopening is not None and self._reopening is not asyncio.current_task():
            self._reopening.cancel()
        self._reopening = None
        async with self._door_lock:
            if is_open == self.switches.open:
                return
            self.switches.open = is_open
            await (self._let_open() if is_open else self._let_closed())

    async def _let_open(self) -> None:
        self.closing = asyncio.Event()
        if self.door is not None:
            await self.door.open()

    async def _let_closed(self) -> None:
        self.closing.set()
        if self.door is not None:
            await self.door.close()

    async def close_for(self, seconds: float) -> None:
        """Close the app now, open it again after `seconds` unless it is switched before."""

        async def reopen() -> None:
            await asyncio.sleep(seconds)
            await self.set_open(is_open=True)

        await self.set_open(is_open=False)
        self._reopening = asyncio.create_task(reopen())

    def close(self) -> None:
        """Forget what has not landed yet, and close the journal."""
        for task in (*self.late, self._reopening):
            if task is not None:
                task.cancel()
        self.journal.close()


def checked_key(key: str) -> str:
    """`key` if it could be one of Solid's. Raises SwitchError; the message does not hold the key."""
    if len(key) != KEY_LENGTH or not key.isascii() or not key.isprintable():
        msg = f"an API key has {KEY_LENGTH} printable characters"
        raise SwitchError(msg)
    return key
