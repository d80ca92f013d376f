"""Group commit: requests that arrive while a transaction is on its way share the next one.

It knows nothing of databases: it is given a function that commits a batch.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from typing import Generic, TypeVar

Request = TypeVar("Request")
Result = TypeVar("Result")


class GroupCommit(Generic[Request, Result]):
    """Collects requests of many tasks into batches, one batch at a time, in order of arrival.

    `commit` gets a batch and returns its answers in the same order; an answer that is an exception is raised
    to its own caller only, an exception raised by `commit` reaches every caller of the batch. A lone request
    is committed at once.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Request]], Awaitable[Sequence[Result | Exception]]],
        *,
        most: int = 256,
    ) -> None:
        self._commit = commit
        self._most = most
        self._waiting: deque[tuple[Request, asyncio.Future[Result]]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, request: Request) -> Result:
        """Wait until `request` is committed. Cancelled: it may still be committed, as in a crash."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._drain())
        return await answer

    async def _drain(self) -> None:
        """Runs while requests wait, then ends: there is nothing to close."""
        batch: list[tuple[Request, asyncio.Future[Result]]] = []
        try:
            while self._waiting:
                batch = self._take()
                if batch:
                    await self._settle(batch)
        finally:  # only when this task itself is cancelled is anybody left waiting here
            for _, answer in [*batch, *self._waiting]:
                answer.cancel()
            self._waiting.clear()

    def _take(self) -> list[tuple[Request, asyncio.Future[Result]]]:
        taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        return [(request, answer) for request, answer in taken if not answer.done()]

    async def _settle(self, batch: list[tuple[Request, asyncio.Future[Result]]]) -> None:
        replies: Sequence[Result | Exception]
        try:
            replies = await self._commit([request for request, _ in batch])
        except Exception as exc:  # noqa: BLE001 - handed to the callers, whatever it is
            replies = [_again(exc) for _ in batch]
        for (_, answer), reply in zip(batch, replies, strict=True):
            if answer.done():
                continue
            if isinstance(reply, Exception):
                answer.set_exception(reply)
            else:
                answer.set_result(reply)


def _again(exc: Exception) -> Exception:
    """One exception object a caller: a shared one would mix up their tracebacks."""
    again = copy(exc)
    again.__cause__ = exc
    return again
