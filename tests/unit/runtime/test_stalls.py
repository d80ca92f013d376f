"""A process that stood still knows it."""

import asyncio

from runtime.stalls import StallWatch
from tests.fakes import FakeClock


async def _looked(watch: StallWatch) -> None:
    looking = asyncio.create_task(watch.run())
    for _ in range(5):
        await asyncio.sleep(0)
    looking.cancel()


async def test_nothing_is_doubted_while_the_process_runs() -> None:
    clock = FakeClock()
    watch = StallWatch(clock, 0.25)
    assert not watch.just_stalled
    await _looked(watch)
    clock.advance(0.2)
    assert not watch.just_stalled


async def test_a_machine_that_slept_is_noticed_though_its_monotonic_clock_slept_too() -> None:
    clock = FakeClock()
    watch = StallWatch(clock, 0.25)
    await _looked(watch)
    clock.step(20)
    assert watch.just_stalled


async def test_after_a_stall_what_comes_is_doubted_for_a_moment() -> None:
    clock = FakeClock()
    watch = StallWatch(clock, 0.25)
    looking = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    clock.advance(20)
    assert watch.just_stalled, "seen before the watch has looked again"
    await asyncio.sleep(0)
    assert watch.just_stalled, "and just after"
    for _ in range(10):
        await asyncio.sleep(0)
    assert not watch.just_stalled
    looking.cancel()
