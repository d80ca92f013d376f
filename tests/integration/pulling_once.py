"""One pull in a process of its own, which may be killed at the worst moments: `python -m tests.integration.pulling_once`.

Arguments: folder, broker's URL, company, net pay of the run, and where to die (`stored`, `published` or `never`).
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from messaging.publisher import Publisher
from ops.payroll_roles import account_of, open_client
from producers.payroll.pulling import Puller
from producers.payroll.telling import Teller
from runtime.clock import SystemClock
from store.engine import connect
from store.migrate import upgrade
from store.payroll_runs import PayrollRuns
from tests.integration.wiring import linked, publisher_on
from tests.unit.producers.payroll.providers import ENTITY, FakeGusto, payroll
from tests.unit.producers.payroll.pulls import APRIL, gusto_settings


class Deadly:
    """A publisher that ends its process right before, or right after, the broker has the message."""

    def __init__(self, publisher: Publisher, where: str) -> None:
        self._publisher = publisher
        self._where = where

    async def publish_raw(self, body: bytes, *, key: str, message_id: str | None, headers: Mapping[str, Any]) -> None:
        if self._where == "stored":
            os.kill(os.getpid(), signal.SIGKILL)
        await self._publisher.publish_raw(body, key=key, message_id=message_id, headers=headers)
        if self._where == "published":
            os.kill(os.getpid(), signal.SIGKILL)

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        await self._publisher.keep_raw(body, source=source, company=company, reason=reason, error=error)


async def pull(folder: Path, url: str, company: str, net: str, where: str) -> None:  # noqa: PLR0917 - as on the line
    """Pull a company's only run once."""
    database = f"sqlite:///{folder / 'relay.db'}"
    upgrade(database)
    engine, clock = connect(database), SystemClock()
    own = gusto_settings(folder, entities={ENTITY: company})
    gusto = FakeGusto([payroll(net=net)])
    async with (
        linked(url) as link,
        open_client("gusto", own, clock, transport=httpx.MockTransport(gusto.handle)) as client,
    ):
        runs = PayrollRuns(engine, clock)
        teller = Teller(runs, Deadly(publisher_on(link, company), where))
        puller = Puller(account=account_of("gusto", own), client=client, runs=runs, teller=teller, clock=clock)
        await puller.pull(APRIL, [ENTITY])
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(pull(Path(sys.argv[1]), *sys.argv[2:]))
