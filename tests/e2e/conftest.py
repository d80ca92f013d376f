"""A relay that the tests of a module share: a simulated Solid and a receiver, of a company of its own."""

import secrets
from collections.abc import Iterator

import pytest

from staging.broker import Broker
from tests.e2e.driving import Relay, open_relay


@pytest.fixture(scope="module")
def relay(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """Give a relay without workers; its simulator remembers every test, so name your charges."""
    folder = tmp_path_factory.mktemp("relay")
    with open_relay(folder, broker.url, f"e{secrets.token_hex(4)}") as opened:
        yield opened
