"""Ctrl-C while Stripe is read again: it says until when all is done, and how to go on, and what was told is told."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from staging.stripe_api import StripeApiServer
from tests.unit.producers.made import CREATED
from tests.unit.producers.stripe.api.stand_in import DAY, TRANSACTIONS, key_file, sold, stripe


@pytest.fixture
def server() -> Iterator[StripeApiServer]:
    with stripe() as running:
        yield running


def test_ctrl_c_says_where_it_stopped_and_how_to_go_on(
    server: StripeApiServer, tmp_path: Path, amqp_url: str, company: str
) -> None:
    server.add(TRANSACTIONS, *(sold(week, at=CREATED + week * 7 * DAY) for week in range(4)))
    command = [sys.executable, "-m", "ops.commands.relay", "backfill", "stripe", "--since", "2026-01-15"]
    settings = {
        "RELAY_COMPANY": company,
        "RELAY_STORE__URL": f"sqlite:///{tmp_path / 'relay.db'}",
        "RABBITMQ_URL": amqp_url,
        "RELAY_RABBITMQ__URL": amqp_url,
        "RELAY_STRIPE__API_KEY_FILE": str(key_file(tmp_path)),
        "RELAY_STRIPE__API_BASE_URL": server.url,
        "RELAY_STRIPE__TEST_MODE": "true",
    }
    process = subprocess.Popen(
        command, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    def interrupt(_: str, page: int) -> None:
        if page == 3:  # of the third week
            process.send_signal(signal.SIGINT)

    server.before = interrupt
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "relay backfill stripe --since 2026-01-29" in err
    assert "sales.payment.succeeded.v1" in out
    assert "40.00 USD" in out
