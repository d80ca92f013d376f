"""Calls that may never return, such as those to a share whose server is away: in one thread of their own.

The event loop goes on whatever the thread does, and so do signals and other feeds. The thread is a daemon: one that
hangs in the kernel keeps no process from its end. It must not be used for what has to be done before that end.
"""

import asyncio
import contextlib
import contextvars
import functools
import queue
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from producers.feeds.passing import FolderUnusable, Interrupted
from runtime.lifecycle import ToldToStop, unless

HANGS_SECONDS: Final = 30.0
"""After which a call that has not returned is told."""

LAST_SECONDS: Final = 3.0
"""How long a call is still waited for once the process is to stop."""

T = TypeVar("T")


class Aside:
    """One thread, begun with the first call; calls are made one after the other."""

    def __init__(self, name: str, *, hangs: float = HANGS_SECONDS, last: float = LAST_SECONDS) -> None:
        self._name = name
        self._hangs, self._last = hangs, last
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._given_up: asyncio.Future[Any] | None = None

    async def call(
        self,
        doing: str,
        work: Callable[..., T],
        *arguments: Any,  # noqa: ANN401 - whatever the work takes
        stop: asyncio.Event | None = None,
        patient: bool = True,
        told: Callable[[str], Awaitable[None]] | None = None,
    ) -> T:
        """Do the work in the thread, and give what comes of it. `told` learns once that it hangs.

        Raises FolderUnusable: it hangs and is not to be waited for, or an earlier call does; Interrupted at `stop`.
        """
        if self._given_up is not None and not self._given_up.done():
            raise FolderUnusable(self._no_answer(doing))
        future = self._begin(work, *arguments)
        hanging: str | None = None
        while not await _is_done(future, self._hangs, stop):
            if stop is not None and stop.is_set():
                if await _is_done(future, self._last, None):
                    break
                self._given_up = future
                raise Interrupted(self._no_answer(doing))
            if hanging is None:
                hanging = self._no_answer(doing)
                if told is not None:
                    await told(hanging)
            if not patient:
                self._given_up = future
                raise FolderUnusable(hanging)
        return future.result()

    @classmethod
    async def once(cls, name: str, seconds: float, work: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - its own
        """Make a single call that is not waited for any longer. Raises FolderUnusable."""
        aside = cls(name, hangs=seconds)
        try:
            return await aside.call("it is looked at", work, *arguments, patient=False)
        finally:
            aside.close()

    def close(self) -> None:
        """End the thread after what is in hand."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread = None

    def _begin(self, work: Callable[..., T], *arguments: Any) -> "asyncio.Future[T]":  # noqa: ANN401 - see `call`
        if self._thread is None:
            self._thread = threading.Thread(target=_run, args=(self._jobs,), name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        future.add_done_callback(_heard)
        context = contextvars.copy_context()

        def job() -> None:
            try:
                settle = functools.partial(future.set_result, context.run(work, *arguments))
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                settle = functools.partial(future.set_exception, error)
            with contextlib.suppress(RuntimeError):  # the loop ended meanwhile: nobody waits any more
                loop.call_soon_threadsafe(settle)
            del settle

        self._jobs.put(job)
        return future

    def _no_answer(self, doing: str) -> str:
        return f"{self._name}: no answer while {doing}: does the file system hang? It is taken up again when it answers"


async def _is_done(future: "asyncio.Future[Any]", seconds: float, stop: asyncio.Event | None) -> bool:
    """Wait for it, so long at most, and until `stop` is set."""
    if future.done():
        return True
    with contextlib.suppress(ToldToStop):
        await unless(stop or asyncio.Event(), asyncio.wait({future}, timeout=seconds))
    return future.done()


def _run(jobs: "queue.SimpleQueue[Callable[[], None] | None]") -> None:
    while (job := jobs.get()) is not None:
        job()
        del job


def _heard(future: "asyncio.Future[Any]") -> None:
    """What failed after it was given up is nobody's news."""
    if not future.cancelled():
        future.exception()
