"""A company whose worker cannot be made: its key, books or dialect are wrong. It waits for them; the others work."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import structlog
from prometheus_client import Gauge

from runtime.lifecycle import rest
from runtime.settings import ConfigurationError
from runtime.tracebacks import words_of
from workers.worker import Worker

log = structlog.get_logger()

NOT_TO_BE_MADE: Final = (ConfigurationError, OSError, ValueError, ssl.SSLError)
"""What comes of a file or a setting of one company that is missing or wrong."""
LOOK_SECONDS: Final = 10.0

Make = Callable[[AsyncExitStack], Awaitable[Worker]]


async def made(make: Make, stack: AsyncExitStack) -> Worker:
    """Make a worker; what it opened is closed with the stack, or at once where it cannot be made."""
    async with AsyncExitStack() as attempt:
        worker = await make(attempt)
        await stack.enter_async_context(attempt.pop_all())
        return worker


class WaitingCompany:
    """Tries again until its worker can be made, and then is that worker. `served` is 0 until then."""

    def __init__(self, company: str, make: Make, problem: Exception, *, served: Gauge) -> None:
        self.company = company
        self.problem = problem
        self._make = make
        self._served = served

    async def run(self, stop: asyncio.Event) -> None:
        """See `Worker.run`."""
        self._served.set(0)
        self._say()
        async with AsyncExitStack() as parts:
            while not stop.is_set():
                try:
                    worker = await made(self._make, parts)
                except NOT_TO_BE_MADE as error:
                    changed, self.problem = str(error) != str(self.problem), error
                    if changed:
                        self._say()
                    await rest(stop, asyncio.sleep(LOOK_SECONDS))
                else:
                    log.info("worker.company_started", company=self.company)
                    self._served.set(1)
                    await worker.run(stop)
                    return

    def _say(self) -> None:
        log.error("worker.company_stopped", company=self.company, error=words_of(self.problem), waits=True)
