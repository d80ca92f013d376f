"""Processes forked from a template that has everything imported: the tests start hundreds, and each would take seconds.

Each is a process of its own, with a session, settings, files and signals of its own. But all of a session share the
order of sets (the hash seed), what is read at import, and the memory of the template. Demo, campaigns, benchmarks and
`tests/e2e/test_started_anew.py` start theirs anew.
"""

import atexit
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Final

_TEMPLATE: Final = get_context("forkserver")
_TEMPLATE.set_forkserver_preload(
    [
        "alembic.command",
        "ops.checks.check",
        "ops.composing.companies",
        "ops.composing.feeds",
        "ops.composing.payroll",
        "ops.composing.webhooks",
        "ops.desk.backfill",
        "ops.desk.desk",
        "ops.desk.retention",
        "ops.http.serving",
        "ops.showing.backfill",
        "ops.showing.desk",
        "ops.showing.payouts",
        "ops.showing.status",
        "ops.standing.payouts",
        "ops.standing.status",
        "simulator.cli",
    ]
)


_OURS: Final = {"", str(Path(__file__).parents[1])}
"""Paths that the tests have, and no process that was started in a folder of its own."""


class Forked:
    """`python -m <arguments>` as a process, with what is used of `subprocess.Popen`."""

    def __init__(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path
    ) -> None:
        """Start it; what it prints is added to these files."""
        self.returncode: int | None = None
        self._process = _TEMPLATE.Process(target=_run, args=(arguments, cwd, dict(env), stdout, stderr))
        self._process.start()
        assert self._process.pid is not None, "it was started"
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def send_signal(self, sig: int, /) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it may have ended since
                os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it, where it has not ended."""
        self.send_signal(signal.SIGKILL)
        self.wait()


def _run(arguments: Sequence[str], cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, file in ((1, stdout), (2, stderr)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666), number)
    sys.argv = list(arguments)
    sys.path[:] = [str(cwd), *filter(None, [env.get("PYTHONPATH")]), *(path for path in sys.path if path not in _OURS)]
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    except Exception:  # noqa: BLE001 - as the interpreter ends, which multiprocessing would do in its own way
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
    finally:
        atexit._run_exitfuncs()
