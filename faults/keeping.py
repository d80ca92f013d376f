"""Keeps one process running, as systemd would: when it ends, however it ends, it is started again after a while."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from staging.processes import Process

LOOK_EVERY_SECONDS = 0.1
PAUSE_SECONDS = 1.0


@dataclass(slots=True)
class Keeper:
    """One process and its successors.

    `ended` says how often, and with which exit code, it ended when nobody had killed it.
    """

    name: str
    start: Callable[[], Process]
    process: Process
    ended: list[int] = field(default_factory=list)
    started: int = 1
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _pause: float | None = None
    _retired: bool = False

    @classmethod
    def starting(cls, name: str, start: Callable[[], Process]) -> "Keeper":
        """Start the first one."""
        return cls(name, start, start())

    @property
    def runs(self) -> bool:
        """Whether it runs (or is frozen) now."""
        return self.process.popen.poll() is None

    def kill(self, *, back_after_seconds: float) -> None:
        """SIGKILL. Its successor comes after so many seconds."""
        self._pause = back_after_seconds
        self.process.signal(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: it keeps everything and does nothing."""
        self.process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.signal(signal.SIGCONT)

    async def keep(self) -> None:
        """Look after it until it is retired. Safe to cancel."""
        while not self._retired:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            if self.runs or self._retired:
                continue
            if self._pause is None:
                self.ended.append(self.process.popen.returncode)
            await asyncio.sleep(PAUSE_SECONDS if self._pause is None else self._pause)
            self._pause = None
            self.process = self.start()
            self.started += 1

    async def retire(self) -> int:
        """Have it end in good order; no successor comes. Returns the exit code."""
        self._retired = True
        return await asyncio.to_thread(self.process.stop)
