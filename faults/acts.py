"""How each sort of fault is done, and undone. The table at the end says which function does which kind.

Every act leaves things as they were: connections may be made, processes run, the disk has room, the clock is right.
"""

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from faults import stores, topology
from faults.errors import CannotDo
from faults.ground import Ground
from faults.scale import ALLOWANCE
from faults.schedule import Fault

Act = Callable[[Ground, Fault], Awaitable[None]]

BACK_WITHIN_SECONDS: Final = 15.0


async def do(ground: Ground, fault: Fault) -> None:
    """Do one fault; returns when it is over.

    Raises:
        CannotDo: it was not done, and why.
    """
    act = ACTS.get((fault.kind, fault.target)) or ACTS[fault.kind, "*"]
    await act(ground, fault)


async def _kill(ground: Ground, fault: Fault) -> None:
    keeper = ground.keeper(fault.target)
    async with keeper.lock:
        keeper.kill(back_after_seconds=fault.seconds)
        await asyncio.sleep(fault.seconds)


async def _kill_solid(ground: Ground, fault: Fault) -> None:
    """The app crashes: until it is back, nobody listens on its port."""
    keeper = ground.keepers["solid"]
    async with keeper.lock, _nobody_listens(ground):
        before = keeper.started
        keeper.kill(back_after_seconds=fault.seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(fault.seconds + BACK_WITHIN_SECONDS):
                while keeper.started == before or await ground.solid.state() is None:  # noqa: ASYNC110 - asks a process
                    await asyncio.sleep(0.1)


async def _freeze(ground: Ground, fault: Fault) -> None:
    keeper = ground.keeper(fault.target)
    async with keeper.lock:
        keeper.freeze()
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            keeper.thaw()


async def _restart_broker(ground: Ground, fault: Fault) -> None:
    async with ground.broker_lock:
        await asyncio.to_thread(ground.broker.halt)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(ground.broker.start)


async def _kill_broker(ground: Ground, fault: Fault) -> None:
    """As when its machine loses power, as far as a process can tell."""
    async with ground.broker_lock:  # before it is held, another fault may be restarting it under another pid
        pid = getattr(ground.broker, "pid", None)
        if pid is None:
            msg = f"the broker ({ground.broker.how}) is no process of ours"
            raise CannotDo(msg)
        os.killpg(pid, signal.SIGKILL)
        await asyncio.to_thread(ground.broker.halt)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(ground.broker.start)


async def _freeze_broker(ground: Ground, fault: Fault) -> None:
    async with ground.broker_lock:
        ground.broker.pause()
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            ground.broker.resume()


async def _cut(ground: Ground, fault: Fault) -> None:
    """All connections on this way break, and none can be made for a while."""
    proxy = ground.proxy(fault.target)
    proxy.refuse()
    proxy.cut()
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        await proxy.listen()


async def _hush(ground: Ground, fault: Fault) -> None:
    """Nothing comes through, then either what was held back is delivered, or it is lost with its connection."""
    proxy = ground.proxy(fault.target)
    proxy.hush()
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        if fault.details["then"] == "cut":
            proxy.cut()
        proxy.speak()


async def _half_open(ground: Ground, fault: Fault) -> None:
    """One side's connections break, and the other side does not hear of it."""
    proxy = ground.proxy(fault.target)
    halves = proxy.forget("near" if fault.details["side"] == "near" else "far")
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        proxy.bury(halves)


async def _close_solid(ground: Ground, fault: Fault) -> None:
    async with ground.keepers["solid"].lock, _nobody_listens(ground):
        await ground.solid.switch(open=False)
        await asyncio.sleep(fault.seconds)
        await ground.solid.switch(open=True)


async def _rate_limit(ground: Ground, fault: Fault) -> None:
    """Solid grants less than it says, so that it refuses calls."""
    answer = fault.details["answer"]
    switches = {"rate_limit_header": answer != "429", "rate_limit_as_200": answer == "200"}
    await ground.solid.switch(allowance=ALLOWANCE // 20, **switches)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        await ground.solid.switch(allowance=ALLOWANCE, rate_limit_as_200=False)


async def _revoke_key(ground: Ground, fault: Fault) -> None:
    """The key is revoked; later a person makes a new one in Solid, and puts it into the file."""
    key = secrets.token_hex(32)
    await ground.solid.switch(revoke_key=True)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        await ground.solid.switch(key=key)
        fresh = ground.key_file.with_suffix(".new")
        fresh.write_text(key)
        fresh.replace(ground.key_file)


def _arming(seconds_as: str | None = None, count_as: str | None = None) -> Act:
    """A fault that waits in Solid for the next calls; the schedule's own names are the switches'."""

    async def act(ground: Ground, fault: Fault) -> None:
        details = dict(fault.details)
        if count_as is not None:
            details[count_as] = details.pop("count")
        if seconds_as is not None:
            details[seconds_as] = fault.seconds
        await ground.solid.switch(**details)

    return act


async def _fill_disk(ground: Ground, fault: Fault) -> None:
    if ground.disk is None:
        msg = "the store is on the machine's own disk"
        raise CannotDo(msg)
    async with ground.disk_lock:
        await asyncio.to_thread(ground.disk.fill)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            ground.disk.clear()


async def _set_clock(ground: Ground, fault: Fault) -> None:
    """The wall clock of one process jumps, and later jumps back."""
    clock = ground.clocks.get(ground.named(fault.target))
    if clock is None:
        msg = "there is no library to set a clock with"
        raise CannotDo(msg)
    clock.set(int(str(fault.details["offset"])))
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        clock.set(0)


@asynccontextmanager
async def _nobody_listens(ground: Ground) -> AsyncIterator[None]:
    """Let the proxies before Solid refuse, as Solid's own port does meanwhile."""
    proxies = ground.proxies_to("solid")
    for proxy in proxies:
        proxy.refuse()
    try:
        yield
    finally:
        for proxy in proxies:
            await proxy.listen()


ACTS: Final[Mapping[tuple[str, str], Act]] = {
    ("kill", "*"): _kill,
    ("kill", "solid"): _kill_solid,
    ("kill", "broker"): _kill_broker,
    ("freeze", "*"): _freeze,
    ("freeze", "broker"): _freeze_broker,
    ("restart", "broker"): _restart_broker,
    ("cut", "*"): _cut,
    ("hush", "*"): _hush,
    ("half_open", "*"): _half_open,
    ("lose_answers", "*"): _arming(count_as="lose_answers"),
    ("hold_answers", "*"): _arming("delay_seconds", "hold_answers"),
    ("late_commits", "*"): _arming("delay_seconds", "late_commits"),
    ("slow", "*"): _arming("slow_seconds"),
    ("errors", "*"): _arming(count_as="errors"),
    ("hang", "*"): _arming(count_as="hang"),
    ("close", "*"): _close_solid,
    ("rate_limit", "*"): _rate_limit,
    ("revoke_key", "*"): _revoke_key,
    ("fill_disk", "*"): _fill_disk,
    ("set_clock", "*"): _set_clock,
    ("lose", "store"): stores.lose_store,
    ("restore", "store"): stores.restore_store,
    ("unbind", "stream"): topology.unbind_stream,
    ("unbind", "retry"): topology.unbind_retry,
    ("delete", "events exchange"): topology.delete_exchange,
    ("purge", "mint"): topology.purge_mint,
    ("policy", "mint"): topology.mint_policy,
}
"""By kind and target; `*` is every target without an act of its own."""
