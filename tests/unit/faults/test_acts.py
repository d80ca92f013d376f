"""A fault is done to what is there when its turn comes, whatever another one did before."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

from faults import acts
from faults.schedule import Fault

if TYPE_CHECKING:
    from faults.ground import Ground

SLEEPING: Final = [sys.executable, "-c", "import time; time.sleep(60)"]


@dataclass
class Node:
    """A broker of one process, which has another pid after each start."""

    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.processes[-1].pid

    def start(self) -> None:
        self.processes.append(subprocess.Popen(SLEEPING, start_new_session=True))

    def halt(self) -> None:
        self.processes[-1].kill()
        self.processes[-1].wait()


async def test_a_broker_that_is_being_restarted_is_killed_once_it_is_there_again() -> None:
    node, lock = Node(), asyncio.Lock()
    node.start()
    ground = cast("Ground", SimpleNamespace(broker=node, broker_lock=lock))
    async with lock:
        fault = Fault(1, "kill", "broker", "posted", 0, seconds=0.0, details={})
        killing = asyncio.create_task(acts.do(ground, fault))
        await asyncio.sleep(0)
        node.halt()
        node.start()
    await killing
    assert [process.poll() for process in node.processes] == [-9, -9, None]
    node.halt()
