"""What an elected mint hands out, on a channel that notes it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aio_pika.exceptions import DeliveryError
from pydantic import SecretStr

from messaging.brake import Brake
from messaging.bucket import BRAKE, RELEASE, WANT
from messaging.connection import Link
from messaging.mint import Mint
from runtime.settings import BucketSettings
from tests.fakes import FakeClock

FAST, SLOW = 1000.0, 5.0


@dataclass(slots=True)
class Wallets:
    """Stands in for channel and exchange: `log` has which token went where, in order; those of `gone` come back."""

    log: list[tuple[str, str]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def default_exchange(self) -> "Wallets":
        """See `AbstractChannel.default_exchange`."""
        return self

    async def publish(self, message: Any, reply_to: str, *, mandatory: bool) -> None:  # noqa: ANN401 - aio_pika's
        """See `AbstractExchange.publish`."""
        assert mandatory
        if reply_to in self.gone:
            raise DeliveryError(None, None)  # type: ignore[arg-type]  # a stand-in with what is used
        self.log.append((reply_to, message.type or "token"))
        self.more.set()

    async def until(self, length: int) -> None:
        """Wait until so much has been handed out."""
        async with asyncio.timeout(10):
            while len(self.log) < length:
                self.more.clear()
                await self.more.wait()


@pytest.fixture
def brake() -> Brake:
    return Brake(first_gap=5, longest_gap=30)


def mint_of(brake: Brake, *, rate: float) -> Mint:
    link = Link(SecretStr("amqp://guest:guest@127.0.0.1:1/"), name="never connected")
    weights = BucketSettings().lanes
    return Mint(
        link, company="main", rate=rate, burst=5, jitter_seconds=1, weights=weights, brake=brake, clock=FakeClock()
    )


def pulled(mint: Mint) -> None:
    mint._hear(BRAKE, None, {"cause": "closed", "retry_after": None, "probe": False})


@asynccontextmanager
async def elected(mint: Mint, wallets: Wallets) -> AsyncIterator[None]:
    async def work() -> None:
        while True:
            await mint._pay_out(wallets)  # type: ignore[arg-type]  # a stand-in with what is used
            await mint._stand_still(wallets)  # type: ignore[arg-type]  # a stand-in with what is used

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    yield
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_an_elected_mint_starts_with_nothing_and_paces_from_there(brake: Brake) -> None:
    wallets, mint = Wallets(), mint_of(brake, rate=SLOW)
    mint._hear(WANT, "a", {"live": [0, 9, 0]})
    begun = asyncio.get_running_loop().time()
    async with elected(mint, wallets):
        await wallets.until(2)
    assert asyncio.get_running_loop().time() - begun >= 2 / SLOW * 0.9


async def test_nobody_gets_more_than_was_wanted(brake: Brake) -> None:
    wallets, mint = Wallets(), mint_of(brake, rate=FAST)
    async with elected(mint, wallets):
        mint._hear(WANT, "a", {"live": [0, 2, 0]})
        await wallets.until(2)
        mint._hear(WANT, "b", {"batch": [0, 1, 0]})
        await wallets.until(3)
    assert wallets.log == [("a", "token"), ("a", "token"), ("b", "token")]


async def test_the_token_of_a_bucket_that_is_gone_goes_to_the_next(brake: Brake) -> None:
    wallets, mint = Wallets(gone={"gone"}), mint_of(brake, rate=FAST)
    mint._hear(WANT, "gone", {"live": [0, 50, 0]})
    mint._hear(WANT, "b", {"live": [0, 1, 0]})
    async with elected(mint, wallets):
        await wallets.until(1)
        assert mint._wants.waiting() == {}
    assert wallets.log == [("b", "token")]


async def test_no_token_follows_once_the_brake_is_pulled(brake: Brake) -> None:
    wallets, mint = Wallets(), mint_of(brake, rate=SLOW)
    mint._hear(WANT, "a", {"live": [0, 9, 0]})
    paying = asyncio.create_task(mint._pay_out(wallets))  # type: ignore[arg-type]  # a stand-in with what is used
    await asyncio.sleep(0)
    pulled(mint)
    async with asyncio.timeout(10):
        await paying
    assert wallets.log == [], "though its turn to hand one out had come"


async def test_under_the_brake_a_probe_waits_for_its_time(brake: Brake) -> None:
    wallets, mint = Wallets(), mint_of(brake, rate=FAST)
    mint._hear(WANT, "a", {"live": [0, 9, 0]})
    pulled(mint)
    async with elected(mint, wallets):
        await asyncio.sleep(0)
        assert wallets.log == []
        mint._hear(RELEASE, None, {})
        await wallets.until(1)
    assert wallets.log[0] == ("a", "token")


async def test_under_the_brake_single_probes_go_out_and_only_to_those_who_want_one(brake: Brake) -> None:
    wallets, mint = Wallets(), mint_of(brake, rate=FAST)
    brake.pull("closed", now=-5, retry_after=None, probe=False)
    async with elected(mint, wallets):
        await asyncio.sleep(0)
        assert wallets.log == []
        mint._hear(WANT, "a", {"live": [0, 9, 0]})
        await wallets.until(1)
        await asyncio.sleep(0)
    assert wallets.log == [("a", "probe")]


@dataclass(slots=True)
class Word:
    """A message in the mint's queue."""

    type: str | None
    body: bytes
    reply_to: str | None = "a"


@pytest.mark.parametrize(
    "word",
    [
        Word(WANT, b"\xff"),
        Word(WANT, b'{"live": [0, "many", 0]}'),
        Word(WANT, b"null"),
        Word(BRAKE, b"{}"),
        Word(BRAKE, b'{"cause": "closed", "retry_after": "soon", "probe": false}'),
    ],
    ids=str,
)
async def test_a_word_that_cannot_be_read_changes_nothing(brake: Brake, word: Word) -> None:
    mint = mint_of(brake, rate=FAST)
    mint._listen(word)  # type: ignore[arg-type]  # a stand-in with what is used
    assert (mint._wants.waiting(), brake.on) == ({}, False)


async def test_a_share_that_makes_a_token_dearer_than_the_burst_is_kept_to(brake: Brake) -> None:
    wallets, mint = Wallets(), mint_of(brake, rate=100)
    for _ in range(40):
        mint._pace.refused(now=0)
    mint._hear(WANT, "a", {"live": [0, 2, 0]})
    begun = asyncio.get_running_loop().time()
    async with elected(mint, wallets):
        await wallets.until(2)
    assert asyncio.get_running_loop().time() - begun >= 2 * 10 / 100 * 0.9, "a tenth of the rate"


async def test_a_429_slows_the_mint_and_what_is_refused_meanwhile_counts_once(brake: Brake) -> None:
    mint = mint_of(brake, rate=FAST)
    for probe in (False, False, True):
        mint._hear(BRAKE, None, {"cause": "rate_limited", "retry_after": None, "probe": probe})
    assert mint._state(0)["share_of_rate"] == 0.9
    mint._hear(RELEASE, None, {})
    mint._hear(BRAKE, None, {"cause": "closed", "retry_after": None, "probe": False})
    assert mint._state(0)["share_of_rate"] == 0.9, "a closed app is no reason to go slower"
