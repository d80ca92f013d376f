"""Several workers on one database at the same moment: one of them gets the write."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import SystemClock
from store.engine import connect, transact
from store.errors import StoreUnavailable
from store.inbox import Busy, Doubt, Fresh, Inbox, Voided
from tests.contract.store.conftest import LEASE
from tests.contract.store.samples import COMPANY, EVENT, PAYMENT, claim, intent
from tests.fakes import NOON, FakeClock

T = TypeVar("T")

ROUNDS = 40

RIVAL = """
import asyncio, json, sys
from datetime import timedelta
from runtime.clock import SystemClock
from store.engine import connect
from store.inbox import EventRef, Inbox, Intent

async def main(url, owner, rounds):
    engine = connect(url)
    inbox = Inbox(engine, owner=owner, lease=timedelta(seconds=600), clock=SystemClock())
    event = EventRef("s", "e", "t", None)
    await inbox.counts("main")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)

    async def one(number):
        [answer] = await inbox.claim("main", event, [Intent(f"write-{number}", "payment", "h")])
        if type(answer).__name__ == "Fresh":
            await inbox.applied("main", f"write-{number}", answer.epoch, solid_id=f"{owner}-{number}")
        return type(answer).__name__

    answers = [await one(number) for number in range(rounds // 2)]
    answers += await asyncio.gather(*(one(number) for number in range(rounds // 2, rounds)))
    print(json.dumps(answers), flush=True)
    await engine.dispose()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""

LATECOMER = """
import asyncio, sys
from datetime import timedelta
from runtime.clock import SystemClock
from store.engine import connect
from store.errors import LeaseLost
from store.inbox import EventRef, Inbox, Intent

async def main(url):
    engine = connect(url)
    inbox = Inbox(engine, owner="a", lease=timedelta(seconds=0.5), clock=SystemClock())
    [answer] = await inbox.claim("main", EventRef("s", "e", "t", None), [Intent("w", "payment", "hash-1")])
    mine = ("main", "w", answer.epoch)
    print(answer.epoch, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for late in (
        inbox.renew(*mine),
        inbox.applied(*mine, solid_id="late"),
        inbox.refused(*mine, code="c", message="m"),
        inbox.unknown(*mine),
        inbox.release(*mine),
    ):
        try:
            await late
        except LeaseLost:
            print("LeaseLost", flush=True)
    await engine.dispose()

asyncio.run(main(sys.argv[1]))
"""


async def test_of_two_engines_claiming_at_once_exactly_one_gets_each_write(database_url: str, clock: FakeClock) -> None:
    engines = [connect(database_url) for _ in range(2)]
    inboxes = [Inbox(engine, owner=f"w{n}", lease=LEASE, clock=clock) for n, engine in enumerate(engines)]
    for number in range(ROUNDS):
        answers = await asyncio.gather(*(claim(inbox, intent(f"write-{number}")) for inbox in inboxes))
        assert Counter(type(answer) for answer in answers) == {Fresh: 1, Busy: 1}
    for engine in engines:
        await engine.dispose()


async def test_of_two_engines_taking_over_an_expired_lease_exactly_one_gets_it(
    database_url: str, clock: FakeClock
) -> None:
    engines = [connect(database_url) for _ in range(3)]
    dead, *rivals = (Inbox(engine, owner=f"w{n}", lease=LEASE, clock=clock) for n, engine in enumerate(engines))
    ids = [f"write-{number}" for number in range(ROUNDS)]
    await dead.claim(COMPANY, EVENT, [intent(name) for name in ids])
    clock.advance(61)
    for name in ids:
        answers = await asyncio.gather(*(claim(inbox, intent(name)) for inbox in rivals))
        assert sorted(type(answer).__name__ for answer in answers) == ["Busy", "Doubt"]
    for engine in engines:
        await engine.dispose()


async def test_of_one_who_claims_and_one_who_lets_it_be_void_exactly_one_gets_each_write(
    database_url: str, clock: FakeClock
) -> None:
    engines = [connect(database_url) for _ in range(2)]
    claims, voids = (Inbox(engine, owner=f"w{n}", lease=LEASE, clock=clock) for n, engine in enumerate(engines))
    for number in range(ROUNDS):
        wanted = intent(f"write-{number}")
        answers = await asyncio.gather(claim(claims, wanted), voids.void(COMPANY, EVENT, wanted))
        assert [type(answer) for answer in answers] in ([Fresh, Busy], [Voided, Voided])
    for engine in engines:
        await engine.dispose()


async def test_of_two_processes_exactly_one_gets_each_write(database_url: str) -> None:
    rivals = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", RIVAL, database_url, owner, str(ROUNDS), stdin=PIPE, stdout=PIPE
        )
        for owner in ("left", "right")
    ]
    for rival in rivals:
        assert rival.stdout is not None
        assert await asyncio.wait_for(rival.stdout.readline(), 120) == b"ready\n"
    outputs = await asyncio.wait_for(asyncio.gather(*(rival.communicate(b"\n") for rival in rivals)), 120)
    left, right = (json.loads(out) for out, _ in outputs)
    pairs = [sorted(pair) for pair in zip(left, right, strict=True)]
    assert len(pairs) == ROUNDS
    assert all(pair in (["Busy", "Fresh"], ["Done", "Fresh"]) for pair in pairs)


async def test_a_process_that_froze_until_its_lease_was_over_cannot_commit(database_url: str) -> None:
    frozen = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LATECOMER, database_url, stdin=PIPE, stdout=PIPE
    )
    assert frozen.stdout is not None
    assert await asyncio.wait_for(frozen.stdout.readline(), 120) == b"1\n"
    frozen.send_signal(signal.SIGSTOP)
    engine = connect(database_url)
    inbox = Inbox(engine, owner="b", lease=timedelta(seconds=600), clock=SystemClock())
    async with asyncio.timeout(20):
        while isinstance(answer := await claim(inbox, intent("w")), Busy):
            pass
    assert isinstance(answer, Doubt)
    frozen.send_signal(signal.SIGCONT)
    output, _ = await asyncio.wait_for(frozen.communicate(b"\n"), 120)
    assert output == b"LeaseLost\n" * 5
    await inbox.applied(COMPANY, "w", answer.epoch, solid_id="s")
    await engine.dispose()


async def test_claims_that_arrive_together_share_a_commit_and_see_each_other(inbox: Inbox) -> None:
    answers = await asyncio.gather(*(claim(inbox, intent(f"write-{n % 10}")) for n in range(50)))
    assert Counter(type(answer) for answer in answers) == {Fresh: 10, Busy: 40}


async def test_a_lost_lease_in_a_batch_does_not_touch_the_others(inbox: Inbox) -> None:
    await inbox.claim(COMPANY, EVENT, [intent("a"), intent("b")])
    results = await asyncio.gather(
        inbox.applied(COMPANY, "a", 1, solid_id="sa"),
        inbox.applied(COMPANY, "a", 7, solid_id="late"),
        inbox.applied(COMPANY, "b", 1, solid_id="sb"),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == ["NoneType", "LeaseLost", "NoneType"]
    assert await inbox.counts(COMPANY) == {"applied": 2}


async def test_a_claim_whose_commit_was_not_confirmed_is_in_doubt_at_once(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody learned of the claim, so nobody works on it: waiting for its lease would help nobody."""

    async def commit_and_lose_the_answer(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        await transact(engine, work)
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr("store.inbox.transact", commit_and_lose_the_answer)
        with pytest.raises(StoreUnavailable):
            await claim(inbox)
    assert await inbox.state_of(COMPANY, [PAYMENT]) == {PAYMENT: "intended"}
    assert await claim(inbox) == Doubt(2, NOON)


async def test_a_cancelled_claim_ends_as_a_crash_would(inbox: Inbox, clock: FakeClock) -> None:
    """Whether it was committed or not, the write is not lost: after the lease it can be claimed."""
    task = asyncio.create_task(claim(inbox))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await claim(inbox, intent("behind it"))  # commits go in order: the cancelled one is over
    clock.advance((LEASE + timedelta(seconds=1)).total_seconds())
    assert type(await claim(inbox)).__name__ in {"Fresh", "Doubt"}
