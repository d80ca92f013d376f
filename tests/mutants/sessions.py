"""One run of pytest in a copy of the project: which tests, and what came of them."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TEST_SECONDS: Final = 120
"""So long may one test take: a broken safety measure may well make it hang."""

SESSION_SECONDS: Final = 900
LINES_TOLD: Final = 15

PASSED, FAILED = 0, 1  # pytest's exit codes; every other one says that the tests could not be run


class CannotTell(Exception):
    """The tests could not be run, so that nothing was learned."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The first test that failed, and what it says of that."""

    test: str
    why: str


async def first_failure(copy: Path, tests: Sequence[str], *, must_run: bool = True) -> Failure | None:
    """Run tests in the copy until one fails; None when all passed.

    `must_run`: no test may be skipped because this machine lacks something.

    Raises:
        CannotTell: a test was not found, could not be set up, or there was no end to it.
    """
    code, output = await _pytest(copy, tests, _environment(copy, must_run=must_run))
    failure = re.search(r"^FAILED (\S+?::.+?)(?: - (.*))?$", output, re.MULTILINE)
    if code == PASSED:
        return None
    if code != FAILED or failure is None:
        end = "\n".join(output.splitlines()[-LINES_TOLD:])
        msg = f"pytest could not run {', '.join(tests)}:\n{end}"
        raise CannotTell(msg)
    return Failure(failure[1], failure[2] or "")


def _environment(copy: Path, *, must_run: bool) -> Mapping[str, str]:
    """What makes every import, in child processes too, find the copy and not the installed project."""
    strict = {"CI": "true"} if must_run else {}
    return os.environ | {"PYTHONPATH": str(copy), "COLUMNS": "400", "PYTHONDONTWRITEBYTECODE": "1"} | strict


async def _pytest(copy: Path, tests: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    options = ("-x", "-q", "-rf", "-p", "no:cacheprovider", "--timeout", str(TEST_SECONDS))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", *options, *tests),
        cwd=copy,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C comes to us, and we end it in good order
    )
    try:
        async with asyncio.timeout(SESSION_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError as error:
        msg = f"the tests did not end within {SESSION_SECONDS} s: {', '.join(tests)}"
        raise CannotTell(msg) from error
    finally:
        if process.returncode is None:
            await asyncio.shield(_end(process))
    return process.returncode or 0, output.decode(errors="replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """As Ctrl-C would, so that fixtures stop what they started; and by force when that is not heard."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                await process.communicate()
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()
