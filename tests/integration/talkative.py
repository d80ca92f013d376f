"""A process whose libraries are made to say everything they know. Run by `test_nothing_leaks`, with its log at debug.

`python -m tests.integration.talkative FORM RABBITMQ POSTGRES FOLDER`: every value that is a secret or somebody's data
has the canary in it. It must not print anything itself: whatever is heard is the log.
"""

import asyncio
import contextlib
import logging
import os
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any, Final

import aio_pika
import aio_pika.abc
import httpx2
import structlog
import uvicorn
from pydantic import BaseModel, SecretStr
from sqlalchemy import insert, text
from sqlalchemy.engine import make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messaging.connection import BROKEN, Link, said_of
from messaging.errors import MessagingError
from messaging.publisher import Publisher
from ops.http.serving import _Server
from runtime.calling import new_client
from runtime.clock import SystemClock
from runtime.logs import configure_logs
from solid.client import SolidClient
from solid.errors import SolidError
from solid.transport import PacedTransport, direct_transport
from store import migrate
from store.engine import connect, transact
from store.errors import StoreError
from store.schema import AUDIT
from tests.integration.wiring import DELAYS, linked, paid_out
from tests.unit.solid.support import DIALECT, TIMEOUT, WritingLimiter

CANARY: Final = "canary7319"
NAMED: Final = f"Ida {CANARY} <ida@{CANARY}.example>"
FAR: Final = 731_973_197_319_731
log = structlog.get_logger()


class Bug(Exception):
    """What a library or a mistake of ours may raise: its text holds what was worked on."""


class Order(BaseModel):
    number: int


async def tell(work: Awaitable[Any]) -> None:
    """Do it; what goes wrong is logged as the roles do, and as a bug is."""
    try:
        await work
    except (*BROKEN, MessagingError, StoreError, SolidError) as error:
        log.warning("session.interrupted", error=said_of(error))
        log.exception("feed.failed")
    except Exception:
        log.exception("feed.failed")


async def database(url: str) -> None:
    """Rows with the canary: kept, refused, out of range, of another type."""
    engine = connect(url)
    row = {"at": SystemClock().now(), "actor": NAMED, "act": "test", "subject": NAMED, "detail": {"name": NAMED}}
    statements: list[tuple[Any, dict[str, Any]]] = [
        (insert(AUDIT), row),
        (insert(AUDIT), row | {"actor": None}),
        (text("CREATE TABLE IF NOT EXISTS guests (name TEXT PRIMARY KEY, age INTEGER CHECK (age < 100))"), {}),
        (text("INSERT INTO guests VALUES (:name, 1)"), {"name": NAMED}),
        (text("INSERT INTO guests VALUES (:name, 1)"), {"name": NAMED}),
        (text("INSERT INTO guests VALUES (:name, 731973)"), {"name": f"b{NAMED}"}),
        (text("INSERT INTO guests VALUES (:name, :age)"), {"name": NAMED, "age": FAR * FAR}),
        (text("INSERT INTO guests VALUES (:name, :age)"), {"name": NAMED, "age": NAMED}),
        (text("SELECT CAST(CAST(:name AS TEXT) AS INTEGER)"), {"name": NAMED}),
        (text("INSERT INTO guests VALUES (:name, 1)"), {"name": f"{NAMED}\0"}),
        (text("INSERT INTO guests VALUES (:name, 1)"), {"name": object}),
        (text("INSERT INTO nowhere VALUES (:name)"), {"name": NAMED}),
        (text("SELECT :name"), {"other": NAMED}),
    ]
    for statement, values in statements:
        await tell(transact(engine, lambda on, s=statement, v=values: on.execute(s, v)))  # type: ignore[misc]  # as just set
    await engine.dispose()
    migrated = make_url(url)
    if migrated.get_backend_name() == "postgresql":
        for wrong in ({"password": f"not-{CANARY}"}, {"database": "not_there"}, {"port": 1}):
            away = connect(migrated.set(**wrong).render_as_string(hide_password=False))
            await tell(transact(away, lambda on: on.execute(text("SELECT 1"))))
            await away.dispose()


async def broker(url: str) -> None:
    """Events with the canary: taken, returned, refused; a consumer that fails on one; a wrong password."""
    event = paid_out("talkative").model_copy(update={"subject": NAMED})
    async with linked(url, "talkative") as link:
        publisher = Publisher(link, clock=SystemClock(), companies=["talkative"], retry_delays=DELAYS, timeout=5)
        await tell(publisher.publish(event))
        await tell(publisher.publish(event.model_copy(update={"company": "nobody"})))
        channel = await link.channel()
        queue = await channel.declare_queue(exclusive=True)
        failed = asyncio.Event()

        async def fails(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            failed.set()
            raise Bug(message.body)

        await queue.consume(fails, no_ack=True)
        body = NAMED.encode()
        headers: dict[str, Any] = {"relay-error": NAMED}
        await channel.default_exchange.publish(aio_pika.Message(body, headers=headers), queue.name)
        await failed.wait()
        nowhere = await channel.get_exchange("nowhere", ensure=False)
        await tell(nowhere.publish(aio_pika.Message(body, headers=headers), NAMED))
        await tell((await link.channel()).declare_queue(exclusive=True, arguments={"x-max-length": NAMED}))
    refused = Link(SecretStr(url.replace("guest:guest", f"guest:{CANARY}")), name="refused", connect_timeout=5)
    await tell(refused.connection())
    away = Link(SecretStr(f"amqp://guest:{CANARY}@127.0.0.1:1/"), name="away", connect_timeout=2)
    await tell(away.connection())


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """A server as ours are, whose answers hold the canary, and which fails on one address."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        if "fails" in request.url.path:
            raise Bug(body, dict(request.headers))
        return Response(f"not JSON {NAMED}", status_code=500, headers={"X-Name": CANARY, "Set-Cookie": CANARY})

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=True, log_level=None)
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


def solid_at(base: str) -> SolidClient:
    paced = PacedTransport(direct_transport(), WritingLimiter())
    return SolidClient(
        base_url=base, api_key=lambda: f"sk-{CANARY}-0000", dialect=DIALECT, transport=paced, timeout=TIMEOUT
    )


async def web() -> None:
    """Calls with the canary in the key, the address, the headers and the body."""
    async with serving() as base:
        async with new_client(base_url=base, timeout=5) as http:
            headers = {"Authorization": f"Bearer {CANARY}"}
            for path in ("/", "/fails"):
                await tell(http.post(f"{path}?name={CANARY}", headers=headers, json={"name": NAMED}))
            await tell(http.get(f"http://ida:{CANARY}@127.0.0.1:1/", headers=headers))
            await tell(http.get("/", headers={"X-Name": f"{CANARY}\n"}))
            await tell(http.get(f"htp://ida:{CANARY}@x/"))
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx2.URL(base).port)
        writer.write(f"GET {CANARY}\r\n{CANARY}\r\n\r\n".encode())
        await reader.read()
        writer.close()
        await tell(solid_at(base).accounts())


async def bugs() -> None:
    """Mistakes with the canary, wherever Python or a library would tell of them by itself."""

    async def nested() -> None:
        try:
            Order.model_validate({"number": NAMED})
        except ValueError as error:
            try:
                raise KeyError(NAMED) from error
            except KeyError as other:
                raise ExceptionGroup(NAMED, [Bug(NAMED), OSError(NAMED)]) from other

    await tell(nested())
    never = asyncio.ensure_future(nested())
    await asyncio.sleep(0)
    del never
    asyncio.get_running_loop().call_soon(int, NAMED)
    asyncio.get_running_loop().call_exception_handler({"message": NAMED, "name": NAMED})
    thread = threading.Thread(target=int, args=(NAMED,), name=CANARY)
    thread.start()
    thread.join()

    class Unclean:
        def __del__(self) -> None:
            raise Bug(NAMED)

    Unclean()
    warnings.simplefilter("always")
    warnings.warn(NAMED, stacklevel=1)
    library = logging.getLogger("some.library")
    library.error("%d of them", NAMED)
    for level in range(logging.DEBUG, logging.CRITICAL + 1, 10):
        library.log(level, f"said {NAMED}")
        library.log(level, "said %s", NAMED, stack_info=True)
    log.debug("end.reached")


async def main(rabbitmq: str, postgres: str, folder: Path) -> None:
    for url in (f"sqlite:///{folder / 'relay.db'}", postgres):
        migrate.upgrade(url)
        await database(url)
    await broker(rabbitmq)
    await web()
    await bugs()


if __name__ == "__main__":
    os.umask(0o077)
    configure_logs("debug", sys.argv[1])  # type: ignore[arg-type]  # one of its forms
    asyncio.run(main(sys.argv[2], sys.argv[3], Path(sys.argv[4])), debug=True)
    raise Bug(NAMED)
