"""Drives the relay's real processes as the outside world would, and asks the simulator what came of it.

What reached the books is judged by the simulator's record, never by the relay's own word.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import httpx2

from staging.broker.handshake import free_ports
from staging.processes import PLAIN, STRIPE_SECRET, Process, Simulator, Stage, stage, wait_for
from tests.forking import Forked
from tests.unit.producers.made import charge, stripe_event

Json = Any

QUICK = {
    "RELAY_BUCKET__ALLOWANCE": "3000",
    "RELAY_BUCKET__WINDOW_SECONDS": "6",
    "RELAY_BUCKET__BURST": "20",
    "RELAY_BUCKET__PROBE_GAP_SECONDS": "0.2",
    "RELAY_BUCKET__LONGEST_PROBE_GAP_SECONDS": "0.5",
    "RELAY_RABBITMQ__RETRY_DELAYS_SECONDS": "[0.25, 1]",
    "RELAY_SOLID__CONNECT_TIMEOUT_SECONDS": "2",
    "RELAY_SOLID__TIMEOUT_SECONDS": "4",
    "RELAY_WORKER__LEASE_SECONDS": "5",
    "RELAY_WORKER__SETTLE_SECONDS": "4",
}
"""Waits of seconds instead of minutes, and an allowance that is no obstacle."""


def charge_event(name: str, **fields: object) -> bytes:
    """A `charge.succeeded` for the charge `ch_<name>` of 20.00 USD, unless `fields` say otherwise."""
    return stripe_event("charge.succeeded", charge(id=f"ch_{name}", **fields), id=f"evt_{name}")


def invoice_of(name: str) -> str:
    return f"stripe:charge:ch_{name}:invoice"


def payment_of(name: str) -> str:
    return f"stripe:charge:ch_{name}:payment"


def signature(body: bytes, *, secret: str = STRIPE_SECRET, age_seconds: int = 0) -> str:
    """What Stripe puts into `Stripe-Signature`."""
    at = int(time.time()) - age_seconds
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


def books_text() -> str:
    """Give the sample books, kept in USD."""
    return 'base_currency = "USD"\n' + resources.files("workers.books").joinpath("sample_books.toml").read_text()


@dataclass(slots=True)
class Relay:
    """A stage with a simulated Solid and a receiver. Workers come and go with the tests."""

    stage: Stage
    simulator: Simulator
    webhooks: str
    metrics_port: int = 0

    @property
    def books(self) -> Path:
        """The file of this relay's books."""
        return self.stage.folder / "books.toml"

    @contextlib.contextmanager
    def worker(self, name: str = "worker", **settings: str) -> Iterator[Process]:
        """Run a worker while the block runs, consuming or standing by."""
        process = self.stage.start_worker(name, **settings)
        try:
            yield process
        finally:
            process.stop()

    def send(self, body: bytes, header: str | None = None) -> httpx2.Response:
        """Post one webhook, signed unless a header is given."""
        signed = signature(body) if header is None else header
        return httpx2.post(
            f"{self.webhooks}/webhooks/stripe",
            content=body,
            headers={"Stripe-Signature": signed},
            timeout=30,
            verify=PLAIN,
        )

    def measured(self) -> str:
        """What the receiver shows to Prometheus."""
        return httpx2.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10, verify=PLAIN).text

    def deliver(self, bodies: Sequence[bytes]) -> None:
        """Post webhooks, many at a time, in this order more or less; every one must be accepted."""
        statuses = asyncio.run(_post_all(f"{self.webhooks}/webhooks/stripe", bodies))
        assert set(statuses) == {200}, statuses

    def records(self, external_id: str, kind: str | None = None) -> list[Json]:
        """What the simulator holds under an external id."""
        query = {"external_id": external_id} | ({} if kind is None else {"kind": kind})
        found: list[Json] = self.simulator.ask("/records", **query)
        return found

    def judge(self, **query: float) -> dict[str, Json]:
        """Give the simulator's verdict."""
        verdict: dict[str, Json] = self.simulator.ask("/judge", **query)
        return verdict

    def await_records(self, *external_ids: str, within_seconds: float = 90) -> None:
        """Wait until each of these is in the books."""
        wanted = set(external_ids)

        def there() -> bool:
            return wanted <= set(self.judge()["by_external_id"])

        wait_for(there, what=f"{len(wanted)} records, {external_ids[0]} first", within_seconds=within_seconds)

    def command(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run `relay …` to its end with this relay's settings."""
        foreign = ("RELAY_", "RABBITMQ_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        name = f"command-{secrets.token_hex(4)}"
        printed, said = (self.stage.folder / f"{name}.{stream}" for stream in ("stdout", "stderr"))
        printed.touch()
        said.touch()
        command = Forked(
            ["ops.commands.relay", *arguments],
            cwd=self.stage.folder,
            env={**inherited, "COLUMNS": "200", **self.stage.environment(), **settings},
            stdout=printed,
            stderr=said,
        )
        try:
            code = command.wait(60)
        finally:
            command.kill()
        return subprocess.CompletedProcess(arguments, code, printed.read_text(), said.read_text())

    def asked(self, *arguments: str, **settings: str) -> Json:
        """Run `relay … --json`, which must succeed, and read what it printed."""
        done = self.command(*arguments, "--json", **settings)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def dead_letters(self) -> list[Json]:
        """The events of this relay's company that wait as dead letters; raw input is none yet."""
        letters: list[Json] = self.asked("dead", "list")
        ours = [letter for letter in letters if letter["company"] == self.stage.company]
        return [letter for letter in ours if letter["queue"] != "relay.raw.dlq"]


def said(process: Process, event: str) -> list[Json]:
    """Give the lines of one kind in a process's log."""
    lines = (json.loads(line) for line in process.log.read_text().split("\n")[:-1] if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


def await_said(process: Process, event: str, *, times: int = 1, within_seconds: float = 60) -> list[Json]:
    """Wait until a process has logged something so often."""
    return wait_for(
        lambda: lines if len(lines := said(process, event)) >= times else [],
        what=f"{process.name} to say {event}",
        within_seconds=within_seconds,
    )


@contextlib.contextmanager
def open_relay(folder: Path, broker_url: str, company: str, **settings: str) -> Iterator[Relay]:
    """Run a simulator and a receiver; the key of Solid lies in a file."""
    merged = {**QUICK, **settings}
    with stage(folder, broker_url, Forked, company=company, **merged) as opened:
        (opened.folder / "books.toml").write_text(books_text())
        allowance, window = merged["RELAY_BUCKET__ALLOWANCE"], merged["RELAY_BUCKET__WINDOW_SECONDS"]
        simulator = opened.start_simulator("--allowance", allowance, "--window-seconds", window)
        port = free_ports(1)[0]
        yield Relay(opened, simulator, opened.start_receiver(RELAY_METRICS__PORT=str(port)), port)


async def _post_all(url: str, bodies: Sequence[bytes], at_a_time: int = 16) -> list[int]:
    statuses: list[int] = []
    waiting = iter(bodies)

    async def post_some(http: httpx2.AsyncClient) -> None:
        for body in waiting:
            answer = await http.post(url, content=body, headers={"Stripe-Signature": signature(body)})
            statuses.append(answer.status_code)

    async with httpx2.AsyncClient(timeout=30, verify=PLAIN) as http:
        await asyncio.gather(*(post_some(http) for _ in range(at_a_time)))
    return statuses
