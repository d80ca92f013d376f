"""What the broker has lost is told again, where the store has it whole: merged entries, pay runs, replayed letters.

The store calls them published once the broker has confirmed them, so nobody else would tell them again. Letters wait
for a person again. Facts of webhooks, files and addresses are their sources' to tell again. It must not decide what is
lost: see `store.lost`.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from messaging.errors import MessagingError
from producers.payroll.telling import Teller
from runtime.clock import Clock
from store.dead_letters import DeadLetters
from store.errors import StoreUnavailable
from store.payroll_runs import PayrollRuns
from store.stock import StockStore

log = structlog.get_logger()

PAUSE_SECONDS: Final = 2.0


class Retelling:
    """One a process, for all its companies. Telling twice is harmless: the inbox knows what is in the books."""

    def __init__(
        self, *, stock: StockStore, letters: DeadLetters, runs: PayrollRuns, teller: Teller, clock: Clock
    ) -> None:
        self._stock = stock
        self._letters = letters
        self._runs = runs
        self._teller = teller
        self._clock = clock
        self._lost: dict[str, Callable[[], None]] = {}
        self._wanted = asyncio.Event()

    def lost(self, company: str, merged: Callable[[], None]) -> None:
        """Whatever waited in the broker may be gone. `merged` is told when merged entries are to be published."""
        self._lost[company] = merged
        self._wanted.set()

    async def run(self) -> None:
        """Tell again whenever something was lost, until it is told. Safe to cancel and to repeat."""
        while True:
            await self._wanted.wait()
            try:
                await self._tell_all()
            except (StoreUnavailable, MessagingError) as error:
                log.warning("broker.lost_not_told_again", error=str(error) or type(error).__name__)
                await self._clock.sleep(PAUSE_SECONDS)

    async def _tell_all(self) -> None:
        self._wanted.clear()
        for company, merged in list(self._lost.items()):
            try:
                batches = await self._stock.tell_again(company)
                runs = await self._runs.tell_again(company)
                letters = await self._letters.wait_again(company)
                merged()
                await self._teller.tell_pending()
            except BaseException:
                self._wanted.set()
                raise
            if self._lost.get(company) is merged:
                del self._lost[company]
            told = {"merged_entries": batches, "pay_runs": runs, "dead_letters": letters}
            if any(told.values()):
                log.warning("broker.lost_told_again", company=company, **told)
