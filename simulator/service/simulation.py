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

from simulator.books.books import Books, Draft, Record, check_balanced
from simulator.books.chart import ChartAccount, sample
from simulator.books.journal import Journal, record_line
from simulator.books.seed import plant
from simulator.errors import ApiError, SwitchError
from simulator.service.calls import Call
from simulator.service.keys import checked_key, name_of
from simulator.service.limits import Limit, Limiter
from simulator.service.strangers import Strangers
from simulator.service.switches import Switches

DEMO_KEY: Final = "demo" * 16


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
        more_keys: Sequence[str] = (),
        allowance: int = 600,
        window_seconds: float = 60.0,
        limit: Limit | None = None,
        chart: Sequence[ChartAccount] | None = None,
        journal: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open the books anew; `simulator.service.reloading` reads a journal back.

        `limit` says all of it at once, in place of `allowance` and `window_seconds`. Raises SwitchError
        for a bad key, limit or chart.
        """
        self.clock = clock or Clock()
        self.books = Books()
        self.switches = Switches()
        self.limiter = Limiter(limit or Limit(allowance, window_seconds))
        self.strangers = Strangers()
        self.calls: list[Call] = []
        self.keys: set[str] = {name_of(checked_key(each)) for each in (key, *more_keys)}
        self.snapshot: int | None = None
        self.closing = asyncio.Event()
        self.door: Door | None = None
        self._door_lock = asyncio.Lock()
        self.late: set[asyncio.Task[None]] = set()
        self._reopening: asyncio.Task[None] | None = None
        self.journal = Journal(journal)
        plant(self.books, chart or sample())

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
        call.key = None if key is None else name_of(key)
        if self.switches.is_closed_for(call.key, call.monotonic):
            call.fault = "closed"
            return ApiError(503, "APP_CLOSED", "the app is closed for this key")
        if call.key not in self.keys:
            return ApiError(401, "UNAUTHORIZED", "the X-API-Key header is missing, wrong or revoked")
        self.settle_strangers(call.monotonic)
        wait = self.limiter.admit(call.key, call.monotonic)
        limit = self.limiter.limit
        call.counted = wait is None or limit.limit_refused_count
        if wait is None:
            return None
        call.rate_limited = True
        message = f"more than {limit.allowance} calls in {limit.window_seconds:g} seconds ({limit.limit_model})"
        status = 200 if self.switches.rate_limit_as_200 else 429
        seconds = int(-(-wait // 1)) if self.switches.rate_limit_header else None
        return ApiError(status, "RATE_LIMITED", message, retry_after=seconds)

    def settle_strangers(self, at: float | None = None) -> None:
        """Count what strangers called up to `at`, or up to now: before the limit is used, changed or judged."""
        self.strangers.settle(self.limiter, self.clock.monotonic() if at is None else at)

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
        """Only these keys (by their short names) are good from now on."""
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
