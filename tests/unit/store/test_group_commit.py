"""Batches form only behind a running commit; every caller gets its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from store.group_commit import GroupCommit


class Gate:
    """A commit that waits to be let through and keeps its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.fails: Exception | None = None

    async def commit(self, batch: Sequence[int]) -> list[str | Exception]:
        self.batches.append(list(batch))
        await self.open.wait()
        if self.fails:
            raise self.fails
        return [ValueError(number) if number < 0 else str(number) for number in batch]


async def start(group: GroupCommit[int, str], number: int) -> asyncio.Task[str]:
    task = asyncio.create_task(group.submit(number))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_requests_that_arrive_during_a_commit_share_the_next() -> None:
    gate = Gate()
    group = GroupCommit(gate.commit, most=3)
    tasks = [await start(group, number) for number in range(6)]
    gate.open.set()
    assert await asyncio.gather(*tasks) == ["0", "1", "2", "3", "4", "5"]
    assert gate.batches == [[0], [1, 2, 3], [4, 5]]


async def test_an_answer_that_is_an_exception_reaches_its_caller_only() -> None:
    gate = Gate()
    gate.open.set()
    group = GroupCommit(gate.commit)
    results = await asyncio.gather(*(group.submit(number) for number in (1, -2, 3)), return_exceptions=True)
    assert results[::2] == ["1", "3"]
    assert isinstance(results[1], ValueError)


async def test_a_failed_commit_reaches_all_its_callers_and_the_next_works() -> None:
    gate = Gate()
    gate.open.set()
    gate.fails = RuntimeError("gone")
    group = GroupCommit(gate.commit)
    results = await asyncio.gather(*(group.submit(number) for number in (1, 2)), return_exceptions=True)
    assert [str(result) for result in results] == ["gone", "gone"]
    assert results[0] is not results[1]
    gate.fails = None
    assert await group.submit(3) == "3"


async def test_a_caller_cancelled_while_waiting_its_turn_is_left_out() -> None:
    gate = Gate()
    group = GroupCommit(gate.commit)
    first, second, third = [await start(group, number) for number in (1, 2, 3)]
    second.cancel()
    await asyncio.sleep(0)
    gate.open.set()
    assert [await first, await third] == ["1", "3"]
    assert gate.batches == [[1], [3]]


async def test_a_caller_cancelled_during_its_commit_does_not_disturb_the_others() -> None:
    gate = Gate()
    group = GroupCommit(gate.commit)
    await start(group, 0)
    second, third = [await start(group, number) for number in (2, 3)]
    gate.open.set()
    second.cancel()
    assert await third == "3"


async def test_when_the_loop_shuts_down_nobody_is_left_waiting() -> None:
    gate = Gate()
    group = GroupCommit(gate.commit)
    tasks = [await start(group, number) for number in (1, 2)]
    assert group._writer is not None  # the task asyncio.run would cancel
    group._writer.cancel()
    results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 1)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)


async def test_requests_keep_their_order() -> None:
    gate = Gate()
    gate.open.set()
    group = GroupCommit(gate.commit, most=2)
    with pytest.raises(ValueError, match="-1"):
        await group.submit(-1)
    assert await asyncio.gather(*(group.submit(number) for number in range(5))) == list("01234")
    assert [number for batch in gate.batches for number in batch] == [-1, 0, 1, 2, 3, 4]
