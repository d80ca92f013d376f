"""Deliveries of one key run one after another in the order they came, those of other keys beside them."""

import asyncio

from messaging.consumer import KeyedTasks


class Jobs:
    """Jobs that note when they start and end, and end when they are let."""

    def __init__(self) -> None:
        self.tasks = KeyedTasks()
        self.noted: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    def start(self, key: str, name: str, *, fails: bool = False) -> None:
        gate = self.gates[name] = asyncio.Event()

        async def job() -> None:
            self.noted.append(f"{name} starts")
            await gate.wait()
            self.noted.append(f"{name} ends")
            if fails:
                raise ValueError(name)

        self.tasks.start(key, job)

    async def let(self, *names: str) -> None:
        for name in names:
            self.gates[name].set()
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_key_runs_in_order_and_another_key_does_not_wait_for_it() -> None:
    jobs = Jobs()
    jobs.start("a", "a1")
    jobs.start("a", "a2")
    jobs.start("b", "b1")
    await settle()
    assert jobs.noted == ["a1 starts", "b1 starts"]
    await jobs.let("a2", "b1", "a1")
    assert jobs.noted[2:] == ["b1 ends", "a1 ends", "a2 starts", "a2 ends"] or jobs.noted[2:] == [
        "a1 ends",
        "b1 ends",
        "a2 starts",
        "a2 ends",
    ]
    assert await jobs.tasks.finish(1)


async def test_a_job_that_fails_does_not_hold_up_the_next_of_its_key() -> None:
    jobs = Jobs()
    jobs.start("a", "a1", fails=True)
    jobs.start("a", "a2")
    await settle()
    await jobs.let("a1", "a2")
    assert jobs.noted == ["a1 starts", "a1 ends", "a2 starts", "a2 ends"]


async def test_finishing_says_whether_all_ended_in_time_and_cancelling_ends_the_rest() -> None:
    jobs = Jobs()
    jobs.start("a", "a1")
    jobs.start("a", "a2")
    await settle()
    assert await jobs.tasks.finish(0.01) is False
    await jobs.tasks.cancel()
    assert jobs.noted == ["a1 starts"], "a cancelled job ends, and its successor does not start"
    assert await jobs.tasks.finish(0) is True


async def test_a_key_is_forgotten_when_nothing_of_it_runs() -> None:
    jobs = Jobs()
    for number in range(3):
        jobs.start(f"key {number}", f"job {number}")
    await settle()
    await jobs.let("job 0", "job 1", "job 2")
    assert jobs.tasks._last == {}
