"""RabbitMQ and Solid over TLS with a certificate of a private authority: only who is trusted is spoken to."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from pydantic import SecretStr

from messaging.connection import Link
from messaging.errors import BrokerUnreachable
from ops.composing.management import read_state
from producers.feeds.asking import Asking
from producers.feeds.passing import PollUnavailable, Turn
from runtime.errors import ConfigurationError
from runtime.sections import RabbitSettings
from runtime.sections_feeds import PollingFeed
from solid.answers import from_exception
from solid.transport import direct_transport
from tests.authority import Authority
from tests.fakes import FakeClock
from tests.integration.wiring import _pump

NOT_ACCEPTED = "certificate is not accepted|certificate of solid.base_url is not accepted"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def wrapped(port: int, tls: ssl.SSLContext) -> AsyncIterator[int]:
    """A port that speaks TLS and passes on what comes to another one."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(_pump(reader, out), _pump(there, writer))

    server = await asyncio.start_server(connect, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def opened(url: str, ca_file: Path | None) -> None:
    link = Link(SecretStr(url), name="tls", connect_timeout=10, ca_file=ca_file)
    try:
        await link.channel()
    finally:
        await link.close()


async def test_a_broker_of_a_private_authority_is_spoken_to_and_no_other(
    amqp_url: str, authority: Authority, tmp_path: Path
) -> None:
    plain = urlsplit(amqp_url)
    assert plain.port
    async with wrapped(plain.port, authority.serving("127.0.0.1")) as port:
        url = f"amqps://guest:guest@127.0.0.1:{port}/"
        await opened(url, authority.ca_file)
        other = Authority(tmp_path, "other authority")
        misnamed = url.replace("127.0.0.1", "localhost")
        for address, trusted in ((url, None), (url, other.ca_file), (misnamed, authority.ca_file)):
            with pytest.raises(BrokerUnreachable, match=rf"({NOT_ACCEPTED}): .*rabbitmq\.ca_file") as caught:
                await opened(address, trusted)
            assert "guest" not in str(caught.value)
        with pytest.raises(BrokerUnreachable, match=r"rabbitmq\.ca_file: .*away: No such file"):
            await opened(url, tmp_path / "away")


@asynccontextmanager
async def answering(tls: ssl.SSLContext) -> AsyncIterator[str]:
    """A server that answers everything with an empty JSON object."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_solid_of_a_private_authority_is_spoken_to_and_no_other(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other authority")
    async with answering(authority.serving("127.0.0.1")) as base:
        async with httpx2.AsyncClient(transport=direct_transport(ca_file=authority.ca_file)) as http:
            assert (await http.get(base)).status_code == httpx2.codes.OK
        for trusted in (None, other.ca_file):
            async with httpx2.AsyncClient(transport=direct_transport(ca_file=trusted)) as http:
                with pytest.raises(httpx2.ConnectError) as caught:
                    await http.get(base)
            told = str(from_exception(caught.value, "GET /accounts"))
            assert "solid.ca_file" in told
            assert "not accepted, nothing was sent: " in told


async def test_a_feed_of_a_private_authority_is_polled_and_no_other(authority: Authority) -> None:
    async with answering(authority.serving("127.0.0.1")) as base:
        turn = Turn(asyncio.Event(), FakeClock())  # the pauses between its tries take no time
        for trusted in (None, authority.ca_file):
            said = {"source": "warehouse-json", "company": "main", "url": base, "ca_file": trusted, "currency": "USD"}
            asking = Asking("wms", PollingFeed.model_validate(said))
            if trusted is None:
                with pytest.raises(PollUnavailable, match=r"not accepted: .*feeds\.wms\.ca_file"):
                    await asking.get(base, etag=None, turn=turn)
            else:
                answer = await asking.get(base, etag=None, turn=turn)
                assert answer is not None
                assert answer.body == b"{}"
            await asking.close()


async def test_the_management_api_of_a_private_authority_is_read_and_no_other(authority: Authority) -> None:
    async with answering(authority.serving("127.0.0.1")) as base:
        said = {"management_url": base.replace("https://", "https://u:hush@")}
        with pytest.raises(ConfigurationError, match=r"not accepted: .*rabbitmq\.ca_file") as caught:
            await read_state(RabbitSettings.model_validate(said))
        assert "hush" not in str(caught.value)
        await read_state(RabbitSettings.model_validate(said | {"ca_file": authority.ca_file}))
