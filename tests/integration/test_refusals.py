"""A broker that refuses a permission or a password: whoever needs it waits, and goes on once it is given."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from messaging.brake import Brake
from messaging.connection import Link
from messaging.errors import BrokerUnreachable, UnsafeTopology
from messaging.mint import Mint
from runtime.settings import BucketSettings
from staging.broker import Broker
from tests.integration.administering import VHOST, asked
from tests.integration.wiring import CLOCK, publisher_on, running, until

PACE = BucketSettings()
ALL = {"configure": ".*", "write": ".*", "read": ".*"}


@asynccontextmanager
async def user_of(broker: Broker, name: str) -> AsyncIterator[None]:
    """Have a user who may do nothing, with the password "right"."""
    await asked(broker, "PUT", f"users/{name}", {"password": "right", "tags": ""})
    await asked(broker, "PUT", f"permissions/{VHOST}/{name}", dict.fromkeys(ALL, "^$"))
    try:
        yield
    finally:
        await asked(broker, "DELETE", f"users/{name}")


def mint_over(link: Link, company: str) -> Mint:
    """A standby mint."""
    return Mint(
        link,
        company=company,
        rate=PACE.rate,
        burst=PACE.burst,
        jitter_seconds=PACE.jitter_seconds,
        weights=PACE.lanes,
        brake=Brake(1, 5),
        clock=CLOCK,
    )


def address(broker: Broker, user: str, password: str) -> SecretStr:
    return SecretStr(broker.url.replace("guest:guest", f"{user}:{password}"))


async def test_a_permission_that_is_given_later_is_used_without_a_restart(managed_broker: Broker, company: str) -> None:
    async with user_of(managed_broker, company):
        link = Link(address(managed_broker, company, "right"), name="limited")
        with pytest.raises(UnsafeTopology, match="needs permission to configure"):
            await publisher_on(link, company).ready()
        mint = mint_over(link, company)
        async with running(mint.run()) as [task]:
            await asyncio.sleep(0.5)  # it has been refused meanwhile
            assert not task.done()
            await asked(managed_broker, "PUT", f"permissions/{VHOST}/{company}", ALL)
            await until(lambda: mint.state() is not None, within_seconds=30)
        await publisher_on(link, company).ready()
        await link.close()


async def test_a_password_that_is_right_later_is_used_without_a_restart(managed_broker: Broker, company: str) -> None:
    passwords = ["wrong"]
    async with user_of(managed_broker, company):
        await asked(managed_broker, "PUT", f"permissions/{VHOST}/{company}", ALL)
        link = Link(lambda: address(managed_broker, company, passwords[0]), name="stranger")
        with pytest.raises(BrokerUnreachable, match="refuses user or password"):
            await publisher_on(link, company).ready()
        mint = mint_over(link, company)
        async with running(mint.run()) as [task]:
            await asyncio.sleep(0.5)  # it has been refused meanwhile
            assert not task.done()
            passwords[0] = "right"
            await until(lambda: mint.state() is not None, within_seconds=30)
        await link.close()
