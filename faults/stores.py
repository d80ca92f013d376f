"""The store is lost, or a backup of it put back: what a person does then, as the runbook says it.

Facts that were applied are in Solid and no longer in the inbox, doubts are forgotten, and events come again.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Final

from faults.ground import WORKERS, Ground
from faults.schedule import Fault
from staging.processes import NotReady

SAID_WITHIN_SECONDS: Final = 60.0


async def lose_store(ground: Ground, fault: Fault) -> None:
    """The file is gone with everything beside it; the workers find an empty store, until a person says so."""
    async with ground.store_lock:
        async with _workers_down(ground, fault):
            _remove(ground.watch.store)
        await _say_restored(ground)


async def restore_store(ground: Ground, fault: Fault) -> None:
    """A backup is made, the relay goes on for a while, and then the backup is put in place of the store."""
    backup = ground.stage.folder / "backup.db"
    async with ground.store_lock:
        await asyncio.to_thread(_copy, ground.watch.store, backup)
        await asyncio.sleep(fault.seconds)
        async with _workers_down(ground, fault):
            _remove(ground.watch.store)
            shutil.copyfile(backup, ground.watch.store)
        await _say_restored(ground)


@asynccontextmanager
async def _workers_down(ground: Ground, fault: Fault) -> AsyncIterator[None]:
    """Both workers are killed; afterwards they come back by themselves."""
    async with AsyncExitStack() as held:
        await held.enter_async_context(ground.disk_lock)
        for name in WORKERS:
            keeper = ground.keepers[name]
            await held.enter_async_context(keeper.lock)
            if keeper.runs:
                keeper.kill(back_after_seconds=fault.seconds)
        for name in WORKERS:
            await asyncio.to_thread(ground.keepers[name].process.popen.wait)
        yield


async def _say_restored(ground: Ground) -> None:
    """`relay restored`, again until it is heard: store and broker must be there for it.

    Raises:
        NotReady: it was not heard.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SAID_WITHIN_SECONDS
    while True:
        async with ground.broker_lock, ground.disk_lock:
            process = ground.stage.start("relay-restored", "ops.commands.relay", "restored")
            code = await asyncio.to_thread(process.popen.wait, SAID_WITHIN_SECONDS)
        if code == 0:
            return
        if loop.time() > deadline:
            raise NotReady(f"`relay restored` ended with {code}: see {process.log}")
        await asyncio.sleep(0.5)


def _copy(store: Path, backup: Path) -> None:
    backup.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=10)) as source,
        closing(sqlite3.connect(backup)) as target,
    ):
        source.backup(target)


def _remove(store: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        store.with_name(store.name + suffix).unlink(missing_ok=True)
