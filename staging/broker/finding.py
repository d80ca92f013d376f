"""Which broker: the named one, else Docker's, else a private node, else a package to install, else a no.

The order is a promise of the README. A Docker engine that fails is reported and the next kind is tried.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from staging.broker import package, unpacked
from staging.broker.container import ContainerBroker, engine_answers
from staging.broker.errors import BrokerFailed, BrokerNotFound
from staging.broker.handshake import address, wait_until_answering
from staging.broker.node import PrivateNode, installed_server
from staging.broker.port import Broker, GivenBroker

_GIVEN_SECONDS = 15.0


def _tell(line: str) -> None:
    print(f"broker: {line}", file=sys.stderr, flush=True)  # noqa: T201 - progress


@contextlib.contextmanager
def find_broker(*, plugins: Sequence[str] = (), say: Callable[[str], None] = _tell) -> Iterator[Broker]:
    """Give a broker that answers, and end it afterwards if we started it.

    `plugins` are enabled in a broker that we start. `say` gets the progress, a line at a time.
    Raises BrokerNotFound when there is none, BrokerFailed when the one of RABBITMQ_URL does not answer.
    """
    url = os.environ.get("RABBITMQ_URL", "")
    if url:
        yield _given(url)
    else:
        with find_own_broker(plugins=plugins, say=say) as broker:
            yield broker


@contextlib.contextmanager
def find_own_broker(*, plugins: Sequence[str] = (), say: Callable[[str], None] = _tell) -> Iterator[Broker]:
    """Give a broker of our own, which may be halted and paused, whatever RABBITMQ_URL says.

    Raises BrokerNotFound when there is none, BrokerFailed when the installed server does not start.
    """
    broker = _start(plugins, say)
    try:
        say(f"{broker.how} answers")
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def find_rabbitmq_4(*, plugins: Sequence[str] = (), say: Callable[[str], None] = _tell) -> Iterator[Broker]:
    """Give a RabbitMQ 4 of our own, unpacked from Debian's packages if need be, whatever else is here.

    Raises Rabbit4NotFound where it cannot be unpacked, BrokerFailed when it does not start.
    """
    broker = _start_node(unpacked.SERVER, root=unpacked.ready(say), plugins=plugins, say=say)
    try:
        say(f"{broker.how} answers")
        yield broker
    finally:
        broker.stop()


def prepare(*, say: Callable[[str], None] = _tell) -> None:
    """Make sure that `find_broker` will find one, installing the package if need be, without starting any."""
    if not (os.environ.get("RABBITMQ_URL") or engine_answers() or installed_server()):
        _install(say)


def prepare_rabbitmq_4(*, say: Callable[[str], None] = _tell) -> None:
    """Make sure that `find_rabbitmq_4` will find one, unpacking it if need be, without starting any."""
    unpacked.ready(say)


def _given(url: str) -> GivenBroker:
    try:
        host, port = address(url)
    except ValueError as exc:
        text = f"RABBITMQ_URL is of no use: {exc}"
        raise BrokerFailed(text) from None
    if not wait_until_answering(url, within_seconds=_GIVEN_SECONDS, still_alive=lambda: True):
        text = f"RABBITMQ_URL is set, but no RabbitMQ answers at {host}:{port}. Start it, or unset RABBITMQ_URL."
        raise BrokerFailed(text)
    return GivenBroker(url)


def _start(plugins: Sequence[str], say: Callable[[str], None]) -> Broker:
    failures: list[str] = []
    if engine_answers():
        say("starting RabbitMQ in Docker (the first time, the image is fetched)")
        try:
            return ContainerBroker(plugins=plugins)
        except BrokerFailed as exc:
            say(f"{str(exc).splitlines()[0]}; looking further")
            failures.append(str(exc))
    server = installed_server()
    if server is None:
        _install(say, *failures)
        server = installed_server()
    if server is None:
        raise BrokerNotFound(*failures)
    return _start_node(server, plugins=plugins, say=say)


def _start_node(
    server: Path, *, plugins: Sequence[str], say: Callable[[str], None], root: Path | None = None
) -> Broker:
    say(f"starting a private node of {server} (about six seconds)")
    node = PrivateNode(server, plugins=plugins, root=root)
    try:
        node.start()
    except BaseException:
        node.stop()
        raise
    return node


def _install(say: Callable[[str], None], *failures: str) -> None:
    if not package.may_install():
        raise BrokerNotFound(*failures)
    try:
        package.install(say)
    except BrokerFailed as exc:
        raise BrokerNotFound(*failures, str(exc)) from exc
