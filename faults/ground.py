"""Everything that runs in a campaign, and the proxies between: started in order, found by the part they play."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from faults.clocks import Clock
from faults.keeping import Keeper
from faults.proxy import Proxy
from faults.scale import ALLOWANCE, WINDOW_SECONDS
from faults.small_disk import SmallDisk
from faults.solid_port import SolidPort
from faults.watching import LogTail, Watch
from staging.broker import Broker
from staging.broker.handshake import free_ports
from staging.processes import PLAIN, SIMULATOR_KEY, NotReady, Process, Stage

BOOKS: Final = Path(__file__).resolve().parents[1] / "demo" / "books.toml"
WORKERS: Final = ("worker-1", "worker-2")
RELAY: Final = ("receiver", *WORKERS)
START_SECONDS: Final = 40.0


@dataclass(slots=True)
class Ground:
    """What faults are done to. `disk` and `clocks` are missing where this machine has no such thing."""

    stage: Stage
    broker: Broker
    solid: SolidPort
    keepers: Mapping[str, Keeper]
    proxies: Mapping[str, Proxy]
    watch: Watch
    disk: SmallDisk | None
    clocks: Mapping[str, Clock]
    receiver_url: str
    key_file: Path
    broker_lock: asyncio.Lock
    disk_lock: asyncio.Lock
    store_lock: asyncio.Lock

    def keeper(self, part: str) -> Keeper:
        """The process that plays this part now."""
        return self.keepers[self.named(part)]

    def named(self, part: str) -> str:
        """Which process plays this part now: one of the workers, or the part's own name."""
        playing = {
            "active": self.watch.active or WORKERS[0],
            "standby": self.watch.standby,
            "minting": self.watch.minting or WORKERS[0],
        }
        return playing.get(part, part)

    def proxy(self, way: str) -> Proxy:
        """The proxy on a way such as `active>broker`."""
        part, _, server = way.partition(">")
        return self.proxies[f"{self.named(part)}>{server}"]

    def proxies_to(self, server: str) -> list[Proxy]:
        """All proxies before one server."""
        return [proxy for way, proxy in self.proxies.items() if way.endswith(f">{server}")]


@asynccontextmanager
async def open_ground(
    stage: Stage, broker: Broker, *, disk: SmallDisk | None, clock_library: Path | None
) -> AsyncIterator[Ground]:
    """Start all that runs; when the block is left, the keepers let go, and whoever made the stage stops the rest.

    Raises:
        NotReady: something did not start.
    """
    _prepare(stage, disk)
    ports = iter(free_ports(4 + len(RELAY) + len(WORKERS)))
    solid_port, control_port, receiver_port = next(ports), next(ports), next(ports)
    proxies = {f"{name}>broker": _proxy(f"{name}>broker", next(ports), _port_of(broker.url)) for name in RELAY}
    proxies |= {f"{name}>solid": _proxy(f"{name}>solid", next(ports), solid_port) for name in WORKERS}
    clocks = _clocks(stage.folder, clock_library)
    for proxy in proxies.values():
        await proxy.listen()

    def solid() -> Process:
        return _start_solid(stage, solid_port, control_port)

    def relay(name: str, *arguments: str, **environment: str) -> Process:
        url = broker.url.replace(f":{_port_of(broker.url)}", f":{proxies[f'{name}>broker'].port}")
        clock = clocks[name].environment() if name in clocks else {}
        return stage.start(name, *arguments, environment={"RELAY_RABBITMQ__URL": url, **clock, **environment})

    def worker(name: str) -> Process:
        return relay(
            name,
            "ops.commands.relay",
            "work",
            RELAY_SOLID__BASE_URL=f"http://127.0.0.1:{proxies[f'{name}>solid'].port}",
        )

    def receiver() -> Process:
        return relay("receiver", "ops.commands.relay", "receive", RELAY_RECEIVER__PORT=str(receiver_port))

    keepers = {"solid": Keeper.starting("solid", solid)}
    keepers |= {name: Keeper.starting(name, partial(worker, name)) for name in WORKERS}
    keepers["receiver"] = Keeper.starting("receiver", receiver)
    port = SolidPort(control_port)
    ground = Ground(
        stage=stage,
        broker=broker,
        solid=port,
        keepers=keepers,
        proxies=proxies,
        watch=Watch(
            solid=port,
            logs={name: LogTail(stage.folder / f"{name}.log") for name in RELAY},
            store=Path(stage.overrides["RELAY_STORE__URL"].removeprefix("sqlite+aiosqlite:///")),
            workers=WORKERS,
        ),
        disk=disk,
        clocks=clocks,
        receiver_url=f"http://127.0.0.1:{receiver_port}",
        key_file=stage.folder / "solid.key",
        broker_lock=asyncio.Lock(),
        disk_lock=asyncio.Lock(),
        store_lock=asyncio.Lock(),
    )
    keeping = [asyncio.create_task(keeper.keep()) for keeper in keepers.values()]
    keeping.append(asyncio.create_task(ground.watch.run()))
    try:
        await _ready(ground)
        yield ground
    finally:
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        for proxy in proxies.values():
            await proxy.close()


def _prepare(stage: Stage, disk: SmallDisk | None) -> None:
    """Books, key and store: what the processes find when they start."""
    shutil.copyfile(BOOKS, stage.folder / "books.toml")
    key = stage.folder / "solid.key"
    key.write_text(SIMULATOR_KEY)
    stage.overrides["RELAY_SOLID__API_KEY_FILE"] = str(key)
    folder = stage.folder if disk is None else disk.folder
    stage.overrides["RELAY_STORE__URL"] = f"sqlite+aiosqlite:///{folder.resolve()}/relay.db"


def _start_solid(stage: Stage, port: int, control_port: int) -> Process:
    return stage.start(
        "solid",
        "simulator",
        *("--port", str(port), "--control-port", str(control_port)),
        *("--allowance", str(ALLOWANCE), "--window-seconds", str(WINDOW_SECONDS)),
        *("--journal", str(stage.folder / "solid.jsonl")),
    )


def _clocks(folder: Path, library: Path | None) -> dict[str, Clock]:
    clocks = {} if library is None else {name: Clock(library, folder / f"{name}.clock") for name in RELAY}
    for clock in clocks.values():
        clock.set(0)
    return clocks


def _proxy(way: str, port: int, upstream: int) -> Proxy:
    return Proxy(way, port=port, upstream=upstream)


def _port_of(url: str) -> int:
    port = urlsplit(url).port
    if port is None:
        msg = f"the broker's URL names no port: {json.dumps(urlsplit(url).hostname)}"
        raise NotReady(msg)
    return port


async def _ready(ground: Ground) -> None:
    """Wait until the receiver answers and both workers consume."""
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while ground.watch.said["worker.consuming"] < len(WORKERS) or not await _answers(ground.receiver_url):
        if asyncio.get_running_loop().time() > deadline:
            msg = f"the relay was not ready within {START_SECONDS:.0f} s: see {ground.stage.folder}"
            raise NotReady(msg)
        await asyncio.sleep(0.1)


async def _answers(url: str) -> bool:
    try:
        async with httpx2.AsyncClient(trust_env=False, timeout=2, verify=PLAIN) as http:
            return (await http.get(f"{url}/healthz")).is_success
    except httpx2.HTTPError:
        return False
