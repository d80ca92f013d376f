"""How work begins and ends: signals, what runs in the background of something else, and waits that a stop ends.

The first SIGTERM or SIGINT asks for a graceful stop, the second ends the process at once.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class ToldToStop(Exception):
    """Told to stop before the work had ended; it was cancelled."""


@contextlib.contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """An event that is set by the first SIGTERM or SIGINT; the handlers are removed on leaving.

    A second signal exits with 130 without a drain: what is in flight is settled by redelivery.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def in_background(*jobs: Coroutine[Any, Any, Any]) -> AsyncIterator[Sequence["asyncio.Task[Any]"]]:
    """Run these for the length of a block, then cancel them; what one of them raised is in its task."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T], *, beside: Iterable["asyncio.Task[Any]"] = ()) -> T:
    """What came of the work, which is cancelled where `stop` is set, or a task of `beside` fails, before it has ended.

    Raises:
        ToldToStop: it was cancelled. What the task raised goes before.
    """
    async with in_background(work, stop.wait()) as tasks:
        await asyncio.wait({*tasks, *beside}, return_when=asyncio.FIRST_COMPLETED)
        for task in beside:
            if task.done():
                task.result()
        if tasks[0].done():
            result: T = tasks[0].result()
            return result
        raise ToldToStop


async def rest(stop: asyncio.Event, work: Coroutine[Any, Any, Any]) -> None:
    """Let the work end, be it only sleep, or wait until `stop` is set."""
    with contextlib.suppress(ToldToStop):
        await unless(stop, work)
