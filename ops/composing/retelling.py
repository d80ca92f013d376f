"""What the broker has lost is told again, where the store has it whole: entries, pay runs, replayed letters.

The store calls them published once the broker has confirmed them, so nobody else would tell them again. Letters wait
for a person again. Facts of webhooks, files and addresses are their sources' to tell again. It must not decide what is
lost: see `store.lost`.

From the moment at which the store has a company's facts as not published, its outboxes say what is left to tell, so
nothing is taken for lost a second time. What cannot be told of one company keeps no other from being told.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from messaging.errors import MessagingError
from producers.payroll.telling import Teller
from runtime.clock import Clock
from store.dead_letters import DeadLetters
from store.errors import StoreError
from store.payroll_runs import PayrollRuns
from store.sales.summaries import SummaryStore
from store.stock import StockStore

log = structlog.get_logger()

PAUSE_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 60.0
TellAgain = Callable[[str], Awaitable[int]]


class Retelling:
    """One a process, for all its companies. Telling twice is harmless: the inbox knows what is in the books."""

    def __init__(  # noqa: PLR0913 - one keyword a store
        self,
        *,
        stock: StockStore,
        summaries: SummaryStore,
        letters: DeadLetters,
        runs: PayrollRuns,
        teller: Teller,
        clock: Clock,
    ) -> None:
        self._teller = teller
        self._clock = clock
        self._asks: dict[str, TellAgain] = {
            "merged_entries": stock.tell_again,
            "summaries": summaries.tell_again,
            "pay_runs": runs.tell_again,
            "dead_letters": letters.wait_again,
        }
        self._merged: dict[str, Callable[[], None]] = {}
        self._lost: dict[str, set[str]] = {}
        self._untold: set[str] = set()
        self._wanted = asyncio.Event()

    def lost(self, company: str, merged: Callable[[], None]) -> None:
        """Whatever waited in the broker may be gone. `merged` is told when merged entries are to be published."""
        self._merged[company] = merged
        self._lost[company] = set(self._asks)
        self._wanted.set()

    async def run(self) -> None:
        """Tell again whenever something was lost, until it is told. Safe to cancel and to repeat."""
        pause = PAUSE_SECONDS
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            for company in list(self._lost):
                await self._hand_over(company)
            for company in list(self._untold):
                if await self._tried(company, "telling", self._teller.tell_pending([company])) is not None:
                    self._untold.discard(company)
            if self._lost or self._untold:
                await self._clock.sleep(pause)
                self._wanted.set()
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                pause = PAUSE_SECONDS

    async def _hand_over(self, company: str) -> None:
        """Have the store call what the broker lost not published. What that fails for is asked again, and no more."""
        counts = {}
        for what in self._lost.pop(company):
            counts[what] = await self._tried(company, what, self._asks[what](company))
        if missed := {what for what, count in counts.items() if count is None}:
            self._lost.setdefault(company, set()).update(missed)
        if counts.get("merged_entries"):
            self._merged[company]()
        if counts.get("pay_runs"):
            self._untold.add(company)
        if any(counts.values()):
            log.warning("broker.lost_told_again", company=company, **counts)

    async def _tried(self, company: str, what: str, asked: Awaitable[int]) -> int | None:
        """How many it was; None where it could not be done, whatever the reason: the next company goes on."""
        try:
            return await asked
        except (StoreError, MessagingError) as error:
            why = str(error) or type(error).__name__
            log.warning("broker.lost_not_told_again", company=company, what=what, error=why)
        except Exception:
            log.exception("broker.lost_not_told_again", company=company, what=what)
        return None
