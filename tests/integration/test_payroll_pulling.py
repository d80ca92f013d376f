"""Pulls that are killed between store and broker: every version reaches the queue, under one identity only."""

import asyncio
import signal
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from messaging.consumer import Consumer
from messaging.topology import stream_queue
from schemas.envelope import decode
from schemas.payroll import RunPaid
from store.engine import connect
from store.payroll_runs import PayrollRuns
from tests.fakes import FakeClock
from tests.integration.pulling_on import PULLS
from tests.integration.wiring import DELAYS, Deliveries, linked, publisher_on

ROOT = Path(__file__).parents[2]


def pull_on(folder: Path, url: str, company: str) -> int:
    """All pulls, with a new process after each that was killed; how many were."""
    killed, start = 0, 0
    while start < len(PULLS):
        command = [sys.executable, "-m", "tests.integration.pulling_on", str(folder), url, company, str(start)]
        code = subprocess.run(command, cwd=ROOT, check=False, timeout=120, stdout=subprocess.DEVNULL).returncode
        assert code in (0, -signal.SIGKILL)
        start = int((folder / "at").read_text()) + 1
        killed += code != 0
    return killed


@pytest.mark.long
async def test_twenty_pulls_with_kills_in_between_tell_each_version_under_one_identity(
    tmp_path: Path, amqp_url: str, company: str
) -> None:
    changes = 1 + sum(one[0] != two[0] for one, two in pairwise(PULLS))
    assert await asyncio.to_thread(pull_on, tmp_path, amqp_url, company) == changes == 7
    bodies: dict[int, set[bytes]] = defaultdict(set)
    for body in await drained(amqp_url, company):
        event = decode(body)
        assert isinstance(event.data, RunPaid)
        bodies[event.data.version].add(body)
    assert sorted(bodies) == list(range(1, changes + 1))
    assert {len(each) for each in bodies.values()} == {1}
    engine = connect(f"sqlite:///{tmp_path / 'relay.db'}")
    rows = await PayrollRuns(engine, FakeClock()).all([company])
    assert {row.state for row in rows} == {"told"}
    assert [row.version for row in rows if row.live] == [changes]
    assert [{row.event} for row in rows] == [bodies[row.version] for row in rows]
    await engine.dispose()


async def drained(url: str, company: str) -> list[bytes]:
    """Take everything that lies in the company's queue of pay runs."""
    taken: Deliveries = asyncio.Queue()
    found = []
    async with linked(url) as link:
        consumer = Consumer(link, publisher_on(link, company), queues={stream_queue(company, "payroll"): 200})
        await consumer.open(taken.put, companies=[company], retry_delays=DELAYS)
        try:
            while True:
                async with asyncio.timeout(3):
                    delivery = await taken.get()
                found.append(delivery.body)
                await delivery.ack()
        except TimeoutError:
            return found
        finally:
            await consumer.close()
