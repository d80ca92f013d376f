"""Twenty pulls in a process of its own that ends itself at the worst moments: `python -m tests.integration.pulling_on`.

Arguments: folder, broker's URL, company, and the number of the pull to begin with. The file `at` says which one began.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx2

from messaging.publisher import Encoded, Publisher
from ops.composing.payroll import account_of, open_client
from producers.payroll.pulling import Puller
from producers.payroll.telling import Teller
from runtime.clock import SystemClock
from store.engine import connect
from store.migrate import upgrade
from store.outbox import Outbox
from store.payroll_runs import PayrollRuns
from tests.integration.wiring import linked, publisher_on
from tests.unit.producers.payroll.providers import ENTITY, FakeGusto, payroll
from tests.unit.producers.payroll.pulls import APRIL, gusto_settings

WHERE = ("stored", "never", "never", "published", "never", "never")
PULLS = [(3000 - 100 * (number // 3 % 4), WHERE[number % 6]) for number in range(20)]
"""What the run pays at each pull, and where to die if there is something to tell. The run changes every third time."""


class Deadly:
    """A publisher that ends its process right before, or right after, the broker has the message."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._where = "never"

    def die(self, where: str) -> None:
        """Die there from now on."""
        self._where = where

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        if self._where == "stored":
            os.kill(os.getpid(), signal.SIGKILL)
        await self._publisher.publish_all(messages)
        if self._where == "published":
            os.kill(os.getpid(), signal.SIGKILL)

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        await self._publisher.keep_raw(body, source=source, company=company, reason=reason, error=error)


async def pull_on(folder: Path, url: str, company: str, start: int) -> None:
    """Pull a company's only run, again and again."""
    database = f"sqlite:///{folder / 'relay.db'}"
    upgrade(database)
    engine, clock = connect(database), SystemClock()
    own = gusto_settings(folder, entities={ENTITY: company})
    gusto = FakeGusto()
    async with (
        linked(url) as link,
        open_client("gusto", own, clock, transport=httpx2.MockTransport(gusto.handle)) as client,
    ):
        runs, publisher = PayrollRuns(engine, clock), Deadly(publisher_on(link, company))
        teller = Teller(runs, Outbox(engine, clock), publisher)
        puller = Puller(account=account_of("gusto", own), client=client, runs=runs, teller=teller, clock=clock)
        for number, (net, where) in enumerate(PULLS[start:], start):
            (folder / "at").write_text(str(number))
            gusto.payrolls = [payroll(net=f"{net}.00")]
            publisher.die(where)
            await puller.pull(APRIL, [ENTITY])
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(pull_on(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
