"""Processes whose coroutines are driven by hand, one await at a time, and that can die at any of them.

There is no event loop: a process is its own, and runs nothing until somebody chooses a task and steps it. So every
interleaving, and a crash at every await, is a choice of the test, and can be had again. Nothing here knows the relay.
"""

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator, Mapping
from typing import Any, Final, cast

MOST_STEPS: Final = 2_000
"""More than any delivery needs: a task that takes so many goes round in circles."""


class Dead(BaseException):
    """The process is gone, and whatever it would still do has no effect."""


@types.coroutine
def _stand(point: str) -> Generator[str, None, None]:
    yield point


class Task:
    """A coroutine, and where it stands: at a point that has a name, or waiting for a future."""

    def __init__(self, work: Coroutine[Any, Any, object]) -> None:
        self._work = work
        self.at: object = None
        self.over = False
        self.error: BaseException | None = None

    @property
    def ready(self) -> bool:
        """Whether a step would get it any further."""
        return not self.over and not (isinstance(self.at, asyncio.Future) and not self.at.done())

    def done(self) -> bool:
        """See `asyncio.Task.done`."""
        return self.over

    def step(self) -> None:
        """Go on to the next await."""
        try:
            self.at = self._work.send(None)
        except StopIteration:
            self.over = True
        except Exception as error:  # noqa: BLE001 - whoever drives it decides what may happen
            self.over, self.error = True, error

    def drop(self) -> None:
        """End it where it stands."""
        self.over = True
        self._work.close()


class Process:
    """Tasks that live and die together."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.alive = True
        self.tasks: list[Task] = []

    async def stand(self, point: str) -> None:
        """Stand at an await of this name. A dead process gets no further than this, before or after."""
        if not self.alive:
            raise Dead
        await _stand(point)
        if not self.alive:
            raise Dead

    def start(self, work: Coroutine[Any, Any, object]) -> Task:
        """Begin a task: it stands at its first line."""
        task = Task(work)
        self.tasks.append(task)
        return task

    def step(self, task: Task) -> None:
        """Let one task go on to its next await."""
        asyncio._set_running_loop(cast("asyncio.AbstractEventLoop", self))
        try:
            task.step()
        finally:
            asyncio._set_running_loop(None)
            self.tasks = [each for each in self.tasks if not each.over]

    def ready(self) -> list[Task]:
        """The tasks that a step would get further."""
        return [task for task in self.tasks if task.ready]

    def run(self, step: Callable[[Task], None], *, until: str = "") -> Task | None:
        """Step all tasks in turn until one stands at this point (that one is returned), or all are over."""
        for _ in range(MOST_STEPS):
            ready = self.ready()
            for task in ready:
                if task.at == until:
                    return task
            if not ready:
                return None
            step(ready[0])
            self.tasks.sort(key=lambda task: task is ready[0])  # stable: whoever had its turn goes to the end
        raise AssertionError

    def crash(self) -> None:
        """Die now. Coroutines run their `finally` blocks when they are dropped; `stand` keeps that without effect."""
        self.alive = False
        for task in self.tasks:
            task.drop()
        self.tasks = []

    # What coroutines ask of the loop that runs them: futures, tasks, and nothing that happens by itself.

    def create_future(self) -> asyncio.Future[Any]:
        """See `asyncio.AbstractEventLoop.create_future`."""
        return asyncio.Future(loop=cast("asyncio.AbstractEventLoop", self))

    def create_task(self, work: Coroutine[Any, Any, object], **_: object) -> Task:
        """See `asyncio.AbstractEventLoop.create_task`."""
        return self.start(work)

    def get_debug(self) -> bool:
        """See `asyncio.AbstractEventLoop.get_debug`."""
        return False

    def call_exception_handler(self, context: Mapping[str, Any]) -> None:
        """An answer that nobody lived to hear is no error."""
        del context
