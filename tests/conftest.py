"""What tests of several tiers share: a broker and a PostgreSQL for the whole session, and a name that is theirs alone.

Must not start anything unless a test asks for it: unit tests run without either.
"""

import contextlib
import gc
import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import structlog

from staging.broker import MANAGEMENT, Broker, BrokerNotFound, find_broker, find_own_broker, find_rabbitmq_4
from staging.postgres import PostgresNotFound, PrivatePostgres, installed_binaries


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rabbitmq 4`: the tests' broker is RabbitMQ 4, unpacked from Debian's packages (`make test4`)."""
    parser.addoption("--rabbitmq", choices=("4",), help="the version of RabbitMQ to test on; else what is found")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors, as many tests wait for other processes; each has a broker of its own."""
    return min((os.cpu_count() or 1) + 1, 4)


def pytest_collection_finish() -> None:
    """What was collected stays for the session: no collection of garbage needs to look at its million objects again."""
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _or_do_without(finding: AbstractContextManager[Broker]) -> Iterator[Broker]:
    """Enter; where there is no broker, skip on a developer's machine and fail in CI."""
    with contextlib.ExitStack() as stack:
        try:
            found = stack.enter_context(finding)
        except BrokerNotFound as missing:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(missing))
        yield found


@pytest.fixture(scope="session")
def rabbitmq_4(pytestconfig: pytest.Config) -> bool:
    """Tell whether RabbitMQ 4 was asked for with `--rabbitmq 4`, whatever this machine has."""
    return bool(pytestconfig.getoption("--rabbitmq") == "4")


@pytest.fixture(scope="session")
def broker(*, rabbitmq_4: bool) -> Iterator[Broker]:
    """Give the session's broker. It is shared: leave it running, and put `company` into queue names."""
    with _or_do_without(find_rabbitmq_4() if rabbitmq_4 else find_broker()) as found:
        yield found


@pytest.fixture(scope="session")
def own_broker(*, rabbitmq_4: bool) -> Iterator[Broker]:
    """Give a broker to halt, restart, pause and wipe, which no other process of tests uses: leave it running."""
    with _or_do_without(find_rabbitmq_4() if rabbitmq_4 else find_own_broker()) as found:
        yield found


@pytest.fixture(scope="module")
def managed_broker(*, rabbitmq_4: bool) -> Iterator[Broker]:
    """Give a broker of this module's own with the management API, to be set up in unsafe ways."""
    find = find_rabbitmq_4 if rabbitmq_4 else find_own_broker
    with _or_do_without(find(plugins=[MANAGEMENT])) as found:
        yield found


@contextlib.contextmanager
def _private_postgres() -> Iterator[PrivatePostgres]:
    try:
        cluster = PrivatePostgres(installed_binaries())
    except PostgresNotFound as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """Give the session's PostgreSQL. It is shared: leave it running, and make a database of your own in it."""
    with _private_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PrivatePostgres]:
    """Give a PostgreSQL of this module's own, to halt, crash and freeze. Costs a second."""
    with _private_postgres() as cluster:
        yield cluster


@pytest.fixture
def amqp_url(broker: Broker) -> str:
    """Give the session broker's URL."""
    return broker.url


@pytest.fixture
def company() -> str:
    """Give a company that no other test has: its queues, routing keys and writes are this test's alone."""
    return f"c{secrets.token_hex(4)}"


@pytest.fixture(autouse=True, scope="session")
def _loggers_are_not_kept() -> Iterator[None]:
    """A logger that was made under one configuration would write past whoever captures logs under the next."""
    configure = structlog.configure

    def configured(**settings: Any) -> None:  # noqa: ANN401 - structlog's
        configure(**settings | {"cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", configured)
        yield
