"""Waits that a stop ends: the work's own result, what is cancelled, and who is heard first."""

import asyncio

import pytest

from runtime.lifecycle import ToldToStop, rest, unless


async def test_it_gives_what_came_of_the_work_though_it_is_to_stop_meanwhile() -> None:
    stop = asyncio.Event()

    async def work() -> int:
        stop.set()
        return 7

    assert await unless(stop, work()) == 7


async def test_what_the_work_raises_is_raised() -> None:
    async def work() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await unless(asyncio.Event(), work())


async def test_the_work_is_cancelled_and_has_ended_before_it_is_told() -> None:
    stop, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            stop.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    with pytest.raises(ToldToStop):
        await unless(stop, work())
    assert ended.is_set()


async def test_a_task_beside_that_fails_ends_the_work() -> None:
    async def fail() -> None:
        raise LookupError

    beside = asyncio.create_task(fail())
    with pytest.raises(LookupError):
        await unless(asyncio.Event(), asyncio.Event().wait(), beside=[beside])


async def test_rest_ends_with_the_sleep_or_with_the_stop() -> None:
    stop = asyncio.Event()
    await rest(stop, asyncio.sleep(0))
    stop.set()
    await rest(stop, asyncio.Event().wait())
