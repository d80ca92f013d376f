"""A link translates what aio-pika raises: its users know one error for a broker that is not there."""

import aio_pika
import pytest
from aio_pika.exceptions import AMQPConnectionError
from pydantic import SecretStr

from messaging.connection import Link
from messaging.errors import BrokerUnreachable


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
