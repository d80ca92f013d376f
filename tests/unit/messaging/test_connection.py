"""A link translates what aio-pika raises: its users know one error for a broker that is not there."""

import asyncio

import aio_pika
import pytest
from aio_pika.exceptions import AMQPConnectionError, ProbableAuthenticationError
from pydantic import SecretStr

from messaging.connection import Link, keep
from messaging.errors import BrokerUnreachable, UnsafeTopology
from runtime.errors import ConfigurationError
from tests.fakes import FakeClock


@pytest.mark.parametrize("error", [AMQPConnectionError(), ConnectionResetError(), TimeoutError(), StopAsyncIteration()])
async def test_a_broker_that_cannot_be_reached_is_one_error_however_it_shows(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A server that hangs up before its first word, as one does that is stopping, is a StopAsyncIteration of aiormq."""

    async def connect(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(aio_pika, "connect", connect)
    with pytest.raises(BrokerUnreachable):
        await Link(SecretStr("amqp://127.0.0.1/"), name="test").connection()


async def test_the_address_is_asked_at_each_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that was changed, in the broker and in its file, needs no restart."""
    tried: list[str] = []

    async def connect(url: str, **_: object) -> None:
        tried.append(url)
        raise ProbableAuthenticationError

    monkeypatch.setattr(aio_pika, "connect", connect)
    addresses = iter([SecretStr("amqp://relay:old@broker/"), SecretStr("amqp://relay:new@broker/")])
    link = Link(lambda: next(addresses), name="test")
    for _ in range(2):
        with pytest.raises(BrokerUnreachable, match="refuses user or password"):
            await link.connection()
    assert tried == ["amqp://relay:old@broker/", "amqp://relay:new@broker/"]


async def test_a_file_of_the_address_that_is_gone_is_a_broker_that_is_away() -> None:
    def gone() -> SecretStr:
        msg = "rabbitmq.url_file cannot be read"
        raise ConfigurationError(msg)

    with pytest.raises(BrokerUnreachable, match="cannot be read"):
        await Link(gone, name="test").connection()


@pytest.mark.parametrize("refusal", [UnsafeTopology("other arguments"), BrokerUnreachable("password")])
async def test_what_the_broker_refuses_is_waited_for(refusal: Exception) -> None:
    refusals = [refusal] * 3

    async def session() -> None:
        if refusals:
            raise refusals.pop()
        raise LookupError

    with pytest.raises(LookupError):
        await keep(session, name="test", clock=FakeClock())


async def test_a_cancellation_that_a_session_loses_ends_it_all_the_same() -> None:
    begun, lost = asyncio.Event(), asyncio.Event()

    async def session() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if lost.is_set():  # the test itself must come to an end
                raise
            lost.set()
            raise ConnectionError from None  # as aiormq does where the channel was closed as well

    keeping = asyncio.create_task(keep(session, name="test", clock=FakeClock()))
    await begun.wait()
    keeping.cancel()
    await asyncio.wait({keeping}, timeout=10)
    assert keeping.cancelled()
