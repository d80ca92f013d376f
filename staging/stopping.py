"""Ctrl-C and its like: the first ends the campaign in good order, those that follow leave the clearing up alone."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")


class Stopped(BaseException):
    """A signal asked for the end. Not an Exception, so that nothing on the way catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Stopper:
    """Turns signals into `Stopped`. An event loop would swallow that: what runs in one is cancelled instead."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine in a loop of its own.

        Raises:
            Stopped: a signal came; the coroutine has been cancelled and has cleared up.
        """

        async def stoppable() -> Result:
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            return await work

        try:
            return asyncio.run(stoppable())
        except asyncio.CancelledError:
            if self._number is None:
                raise
            raise Stopped(self._number) from None
        finally:
            self._loop = self._task = None

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Take one signal."""
        del frame
        if self._number is not None:
            return
        self._number = number
        if self._loop is None or self._task is None:
            raise Stopped(number)
        self._loop.call_soon_threadsafe(self._task.cancel)


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[Stopper]:
    """SIGINT, SIGTERM and SIGHUP (unless `nohup` keeps that away) end what runs in the block."""
    stopper = Stopper()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, stopper.on_signal) for number in numbers}
    try:
        yield stopper
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
