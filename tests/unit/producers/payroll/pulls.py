"""A puller on a fake Gusto, a SQLite file and a broker that writes down what it was given."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest

from messaging.errors import PublishFailed
from messaging.publisher import Encoded
from ops.composing.payroll import account_of, open_client
from producers.payroll.provider import Span
from producers.payroll.pulling import Puller
from producers.payroll.run_book import RunOutcome
from producers.payroll.telling import DryTeller, Teller
from runtime.sections_payroll import PayrollSettings
from schemas.envelope import Event, decode
from schemas.payroll import RunPaid, RunReversed
from store.engine import connect
from store.migrate import upgrade
from store.outbox import Outbox
from store.payroll_runs import PayrollRuns
from tests.fakes import FakeClock
from tests.unit.producers.payroll.providers import ENTITY, FakeGusto

APRIL = Span(date(2026, 4, 1), date(2026, 4, 30))


@dataclass
class FakeBroker:
    """Keeps what is published; `down` refuses."""

    bodies: list[bytes] = field(default_factory=list)
    raw: list[Mapping[str, Any]] = field(default_factory=list)
    down: bool = False

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        if self.down:
            msg = "no broker"
            raise PublishFailed(msg)
        assert all(message.key.startswith("main.payroll.run.") for message in messages)
        self.bodies += [message.body for message in messages]

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        if self.down:
            msg = "no broker"
            raise PublishFailed(msg)
        self.raw.append({"body": body, "source": source, "company": company, "reason": reason, "error": error})

    @property
    def events(self) -> list[Event]:
        """What was published, decoded."""
        return [decode(body) for body in self.bodies]

    @property
    def data(self) -> list[RunPaid | RunReversed]:
        """Their data."""
        found = [event.data for event in self.events]
        return [each for each in found if isinstance(each, RunPaid | RunReversed)]


def standing(told: list[RunPaid | RunReversed]) -> dict[str, list[int]]:
    """The versions of each run that nothing has taken back: what a ledger would show as live."""
    live: dict[str, list[int]] = {}
    for each in {one.fact: one for one in told}.values():
        versions = live.setdefault(each.run, [])
        if isinstance(each, RunReversed):
            versions.remove(each.taken_back.version)
            continue
        if each.replaces is not None:
            versions.remove(each.replaces.version)
        versions.append(each.version)
    return live


@dataclass
class Bench:
    """Everything around a puller."""

    gusto: FakeGusto
    broker: FakeBroker
    runs: PayrollRuns
    outbox: Outbox
    clock: FakeClock
    folder: Path
    settings: PayrollSettings

    async def pull(self, span: Span = APRIL, *, dry: bool = False) -> list[RunOutcome]:
        """Pull once, as one command would."""
        transport = httpx2.MockTransport(self.gusto.handle)
        async with open_client("gusto", self.settings, self.clock, transport=transport) as client:
            puller = Puller(
                account=account_of("gusto", self.settings),
                client=client,
                runs=self.runs,
                teller=DryTeller(self.runs) if dry else self.teller,
                clock=self.clock,
            )
            return await puller.pull(span, sorted(self.settings.entities))

    @property
    def teller(self) -> Teller:
        """Tells what the store holds to the fake broker."""
        return Teller(self.runs, self.outbox, self.broker)

    @property
    def tokens(self) -> dict[str, str]:
        """What the token file holds."""
        kept: dict[str, str] = json.loads((self.folder / "tokens.json").read_text())
        return kept


def gusto_settings(folder: Path, **changes: object) -> PayrollSettings:
    """An account whose files are there."""
    (folder / "tokens.json").write_text('{"access_token": "access-1", "refresh_token": "refresh-1"}')
    (folder / "secret").write_text("made-up-secret\n")
    said: dict[str, Any] = {
        "provider": "gusto",
        "base_url": "http://gusto.test",
        "entities": {ENTITY: "main"},
        "client_id": "relay",
        "client_secret_file": folder / "secret",
        "token_file": folder / "tokens.json",
        "calls_per_minute": 10_000,
    }
    return PayrollSettings.model_validate(said | changes)


@asynccontextmanager
async def open_bench(folder: Path, **changes: object) -> AsyncIterator[Bench]:
    """A bench with an empty database."""
    url = f"sqlite:///{folder / 'relay.db'}"
    upgrade(url)
    engine, clock = connect(url), FakeClock()
    try:
        runs = PayrollRuns(engine, clock)
        yield Bench(
            FakeGusto(), FakeBroker(), runs, Outbox(engine, clock), clock, folder, gusto_settings(folder, **changes)
        )
    finally:
        await engine.dispose()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A bench for the length of a test."""
    async with open_bench(tmp_path) as opened:
        yield opened
