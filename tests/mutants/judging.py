"""Which test notices which mutant. First all must pass where nothing is broken: else their failing is no proof."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants.copies import copy_of
from tests.mutants.mutant import Mutant, catchers_of
from tests.mutants.sessions import CannotTell, Failure, first_failure

AT_ONCE: Final = 2
"""So many mutants are tried at the same time, where no broker is needed."""

WIDER: Final = (
    *("tests/unit", "tests/contract", "tests/integration"),
    "--ignore=tests/unit/mutants",  # knows the code's text, and would notice every mutant
    "--ignore=tests/unit/test_setup.py",  # installs the project somewhere else
)
"""What is asked when the tests that should notice do not: whether any other one does."""


class NotGreen(Exception):
    """A test fails, or cannot be run, where nothing is broken."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: caught by a test, or not (`trouble` says why where that could not be found out)."""

    mutant: Mutant
    caught: Failure | None
    seconds: float
    trouble: str | None = None

    @property
    def survived(self) -> bool:
        """Whether no test has noticed it, as far as is known."""
        return self.caught is None


async def prove_green(root: Path, mutants: Sequence[Mutant]) -> int:
    """Run every test that is to catch a mutant in an unbroken copy; returns how many there are.

    Raises:
        NotGreen: one fails.
    """
    tests = tuple(catchers_of(mutants))
    with copy_of(root) as copy:
        try:
            failure = await first_failure(copy, tests)
        except CannotTell as error:
            raise NotGreen(str(error)) from error
    if failure is not None:
        msg = f"{failure.test} fails without any mutant ({failure.why}): mend that first"
        raise NotGreen(msg)
    return len(tests)


async def judge_all(
    root: Path, mutants: Sequence[Mutant], told: Callable[[Verdict], None], *, wider: Sequence[str] = WIDER
) -> list[Verdict]:
    """Break a copy a mutant; the verdicts in the order of the mutants, each `told` as soon as it is known."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def judged(mutant: Mutant) -> Verdict:
        async with turns:
            verdict = await judge(root, mutant, wider=wider)
        told(verdict)
        return verdict

    async with asyncio.TaskGroup() as group:
        tasks = {each: group.create_task(judged(each)) for each in mutants if not each.needs_broker}
    verdicts = {mutant: task.result() for mutant, task in tasks.items()}
    for mutant in mutants:
        if mutant.needs_broker:
            verdicts[mutant] = await judged(mutant)
    return [verdicts[mutant] for mutant in mutants]


async def judge(root: Path, mutant: Mutant, *, wider: Sequence[str] = WIDER) -> Verdict:
    """Break one copy and run the tests that should notice, then, if they do not, all others. Raises DoesNotFit."""
    started = time.monotonic()
    caught, trouble = None, None
    with copy_of(root) as copy:
        mutant.break_in(copy)
        try:
            caught = await first_failure(copy, mutant.caught_by)
            if caught is None and wider:
                caught = await first_failure(copy, wider, must_run=False)
        except CannotTell as error:
            trouble = str(error)
    return Verdict(mutant, caught, time.monotonic() - started, trouble)
