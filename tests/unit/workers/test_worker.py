"""A worker's session: what it starts, what ends it, and what it never settles."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from messaging.delivery import Delivery
from messaging.errors import BrokerUnreachable, MessagingError, PublishFailed, UnsafeTopology
from messaging.topology import STREAMS
from runtime.errors import ConfigurationError
from runtime.settings import WorkerSettings
from solid.errors import DialectMismatch
from solid.models import Account
from store.errors import StoreUnavailable
from tests.unit.workers.session import HOLD, FakeDelivery, Stage, for_ever
from workers import worker as worker_module
from workers.books.books import Books
from workers.outcomes import GiveBack, Outcome
from workers.worker import Worker


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage()
    monkeypatch.setattr(worker_module, "Consumer", stage.consumer)
    monkeypatch.setattr(worker_module, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(worker_module, "SHORTEST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(Worker, "_pipeline", lambda *_: stage)
    return stage


@asynccontextmanager
async def working(stage: Stage) -> AsyncIterator[tuple[asyncio.Event, "asyncio.Task[None]"]]:
    """Let the worker run for the length of a block: the event that stops it, and its task."""
    stop = asyncio.Event()
    task = asyncio.create_task(stage.worker().run(stop))
    try:
        yield stop, task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def ended(task: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(10):
        await task


async def test_a_worker_consumes_only_once_the_store_takes_writes(stage: Stage) -> None:
    stage.store.refusals = 2
    async with working(stage):
        await stage.said.until("subscribed")
    assert stage.said.words[0] == "store answered"
    assert stage.store.refusals == 0


async def test_a_worker_whose_solid_speaks_another_dialect_ends_before_it_consumes(stage: Stage) -> None:
    stage.document["paths"] = {"/api/v1/entries": {"get": {}, "post": {}}}
    with pytest.raises(DialectMismatch, match="no path /api/v1/invoices"):
        await ended(asyncio.create_task(stage.worker().run(asyncio.Event())))
    assert "subscribed" not in stage.said.words


async def test_a_worker_whose_income_is_a_liability_ends_before_it_consumes(stage: Stage) -> None:
    stage.books = Books(accounts={"income": "Sales", "bank": "Checking"})
    stage.chart += [Account(id="1", name="Sales", type="LIABILITY"), Account(id="2", name="Turnover", type="INCOME")]
    with pytest.raises(ConfigurationError, match=r"books of main: .*LIABILITY.*\"Turnover\". Correct \[accounts\]"):
        await ended(asyncio.create_task(stage.worker().run(asyncio.Event())))
    assert "subscribed" not in stage.said.words


async def test_an_account_that_becomes_of_a_wrong_kind_later_stops_no_worker(stage: Stage) -> None:
    stage.books = Books(accounts={"income": "Sales"})
    stage.chart.append(Account(id="1", name="Sales", type="INCOME"))
    async with working(stage) as (_, task):
        await stage.said.until("subscribed")
        stage.chart[:] = [Account(id="1", name="Sales", type="LIABILITY")]
        stage.consumers[0].lost.set()
        await stage.said.until("subscribed", times=2)
        assert not task.done()


async def test_an_account_that_is_missing_stops_no_worker(stage: Stage) -> None:
    stage.books = Books(accounts={"income": "Sales"})
    async with working(stage):
        await stage.said.until("subscribed")


async def test_a_session_sweeps_while_it_lasts(stage: Stage) -> None:
    async with working(stage) as (stop, _):
        await stage.said.until("sweeping")
        assert "swept enough" not in stage.said.words
        stop.set()
        await stage.said.until("swept enough")


@pytest.mark.parametrize("error", [OverflowError("date value out of range"), StoreUnavailable("locked")], ids=repr)
async def test_a_sweep_that_failed_is_swept_again_in_the_next_session(stage: Stage, error: Exception) -> None:
    stage.unswept.append(error)
    async with working(stage):
        await stage.said.until("sweeping", times=2)


async def test_a_session_in_which_no_token_comes_ends_and_gives_its_deliveries_back(stage: Stage) -> None:
    async with working(stage) as (_, task):
        await stage.said.until("subscribed")
        stage.bucket.longest_wait = HOLD + 1
        await stage.said.until("given back")
        assert not task.done(), "the worker goes on, and asks Solid again"


@pytest.mark.parametrize("outcome", [GiveBack("store_unavailable"), PublishFailed("not confirmed")], ids=repr)
async def test_a_delivery_that_could_not_be_settled_ends_the_session_and_so_goes_back(
    stage: Stage, outcome: Outcome | Exception
) -> None:
    stage.outcome = outcome
    async with working(stage):
        await stage.said.until("subscribed")
        await stage.consumers[0].handler(FakeDelivery())
        await stage.said.until("given back")
        await stage.said.until("subscribed", times=2)


async def test_a_lost_broker_ends_the_session_and_the_next_one_subscribes_again(stage: Stage) -> None:
    async with working(stage):
        await stage.said.until("subscribed")
        stage.consumers[0].lost.set()
        await stage.said.until("subscribed", times=2)
    assert stage.said.words.index("given back") < len(stage.said.words) - 1


async def test_a_worker_whose_mint_cannot_go_on_ends_and_does_not_consume_without_one(stage: Stage) -> None:
    async def fail() -> None:
        await stage.said.until("subscribed")
        raise LookupError

    stage.mint = SimpleNamespace(run=fail)
    with pytest.raises(LookupError):
        await ended(asyncio.create_task(stage.worker().run(asyncio.Event())))
    assert "given back" in stage.said.words


@pytest.mark.parametrize(
    "refusal",
    [UnsafeTopology("no permission to configure relay.main.sales"), BrokerUnreachable("refuses the password")],
)
async def test_a_worker_that_the_broker_refuses_waits_and_goes_on_once_it_may(
    stage: Stage, refusal: MessagingError
) -> None:
    stage.refusals = [refusal]
    async with working(stage):
        await stage.said.until("subscribed")
    assert len(stage.consumers) == 2, "the first was refused"


async def test_a_worker_holds_few_replays_at_once(stage: Stage) -> None:
    async with working(stage):
        await stage.said.until("subscribed")
    assert stage.queues["relay.main.replay"] == 2
    assert {stage.queues[f"relay.main.{stream}"] for stream in STREAMS} == {WorkerSettings().prefetch}


async def test_a_worker_told_to_stop_drains_what_it_holds_and_lets_calls_end_before_it_gives_back(
    stage: Stage,
) -> None:
    async with working(stage) as (stop, task):
        await stage.said.until("subscribed")
        stop.set()
        await ended(task)
    wound_up = stage.said.words[stage.said.words.index("takes no more") :]
    assert [word for word in wound_up if word != "swept enough"] == [
        "takes no more",
        "waited 20 s at most",  # worker.drain_seconds
        "no tokens",
        "waited 35 s at most",  # the longest call
        "given back",
    ]


@dataclass(slots=True)
class UntouchedMessage:
    """A message that notes whatever is done with it."""

    done: list[str] = field(default_factory=list)
    routing_key: str = "main.sales.payment.succeeded.v1"
    headers: dict[str, object] = field(default_factory=dict)

    async def ack(self) -> None:
        """See `AbstractIncomingMessage.ack`."""
        self.done.append("ack")

    async def nack(self, *, requeue: bool = True) -> None:
        """See `AbstractIncomingMessage.nack`."""
        self.done.append(f"nack {requeue}")

    async def reject(self, *, requeue: bool = False) -> None:
        """See `AbstractIncomingMessage.reject`."""
        self.done.append(f"reject {requeue}")


async def test_a_cancelled_delivery_is_not_settled(stage: Stage) -> None:
    """Its channel is closed next, and the broker hands over again what was held, once."""
    reached = asyncio.Event()

    class Hanging:
        async def handle(self, _: Delivery) -> Outcome:
            reached.set()
            await for_ever()
            raise AssertionError

    message, pipeline, nobody = UntouchedMessage(), Hanging(), None
    delivery = Delivery(message, nobody)  # type: ignore[arg-type]  # a stand-in with what is used
    task = asyncio.create_task(stage.worker()._handle(pipeline, delivery))  # type: ignore[arg-type]  # a stand-in with what is used
    async with asyncio.timeout(30):
        await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (message.done, delivery.settled) == ([], None)
