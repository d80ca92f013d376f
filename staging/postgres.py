"""A private PostgreSQL cluster for tests and benchmarks, started from the server installed on this machine.

It shares nothing with a PostgreSQL that may already run here: own port on loopback, own password, own data in a
temporary folder. It runs as whoever started it (as root: as `postgres` or `nobody`, for the server refuses root)
and never outlives its parent. Commits wait for the disk, as in earnest.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from staging.broker.handshake import free_ports

START_SECONDS: Final = 60.0
HALT_SECONDS: Final = 20.0
LOG_LINES: Final = 25
FOLDERS: Final = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
PROGRAMS: Final = ("initdb", "postgres", "psql")
SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "fsync": "on",
    "logging_collector": "off",
}
# Holds the other end of a pipe: when the parent is gone, however it went, the server and its data go too.
WATCH: Final = (
    'read -r _; kill -s CONT "$1"; kill -s QUIT "$1"; sleep 2; kill -s KILL "$1"; '
    'while [ -e "$2" ]; do rm -rf -- "$2"; sleep 0.1; done'
)


class PostgresNotFound(Exception):
    """No PostgreSQL server is installed here."""


class PostgresFailed(Exception):
    """The server did not do what it was told; the message carries the end of its output."""


def installed_binaries() -> Path:
    """The folder of the newest installed server's programs. Raises PostgresNotFound."""
    on_path = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    folders = [folder for pattern in FOLDERS for folder in Path("/").glob(pattern.removeprefix("/"))]
    for folder in [*sorted(folders, key=_version, reverse=True), *on_path]:
        if all(os.access(folder / program, os.X_OK) for program in PROGRAMS):
            return folder
    text = "no PostgreSQL server is installed here (Debian, Ubuntu: the package postgresql)"
    raise PostgresNotFound(text)


class PrivatePostgres:
    """One cluster of our own. Every method blocks until it is done."""

    def __init__(self, binaries: Path) -> None:
        """Make the cluster, without starting it."""
        self._binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="relay-postgres-"))
        self._data = self.folder / "data"
        self._port = free_ports(1)[0]
        self._password = secrets.token_urlsafe(12)
        self._as_user = _as_user()
        self._server: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        try:
            self._make()
        except BaseException:
            self.stop()
            raise

    def url(self, database: str) -> str:
        """The URL of one of its databases, with user and password."""
        return f"postgresql://relay:{self._password}@127.0.0.1:{self._port}/{database}"

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run one statement outside any transaction; its result as plain lines. Raises PostgresFailed."""
        return self._run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", statement)

    def start(self) -> None:
        """Start it and wait until it takes connections. A failed start leaves nothing running."""
        if self._server:
            return
        settings = SETTINGS | {"port": str(self._port), "unix_socket_directories": str(self.folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, *options],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as_user,
            )
        self._watchdog = _watch(self._server.pid, self.folder)
        try:
            self._wait_until_ready(self._server)
        except BaseException:
            self.crash()
            raise

    def halt(self) -> None:
        """Shut it down in good order: sessions are broken off, the data stays, `start` brings it back."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """End it at once, as a loss of power would; `start` recovers from its log."""
        self._end(signal.SIGQUIT)

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers, as on a machine that hangs."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        self._signal_all(signal.SIGCONT)

    def stop(self) -> None:
        """End it and remove its data. Safe to call twice."""
        self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _make(self) -> None:
        password = self.folder / "password"
        password.write_text(self._password)
        self._log.touch()
        if self._as_user:
            for path in (self.folder, password):
                os.chown(path, self._as_user["user"], self._as_user["group"])
        options = ("--username=relay", "--auth=scram-sha-256", f"--pwfile={password}")
        self._run("initdb", "-D", str(self._data), "--encoding=UTF8", "--no-locale", "--no-sync", *options)

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [self._binaries / program, *arguments],
            check=False,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **self._as_user,
        )
        if done.returncode:
            raise PostgresFailed(done.stderr or done.stdout)
        output: str = done.stdout
        return output.strip()

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        """The server writes its state into the last line of its pid file."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and server.poll() is None:
            with contextlib.suppress(FileNotFoundError):
                lines = (self._data / "postmaster.pid").read_text().splitlines()
                if lines[:1] == [str(server.pid)] and lines[-1].strip() == "ready":
                    return
            time.sleep(0.02)
        end = "\n".join(self._log.read_text(errors="replace").splitlines()[-LOG_LINES:])
        text = f"PostgreSQL did not start; the end of its log:\n{end}"
        raise PostgresFailed(text)

    def _end(self, number: signal.Signals) -> None:
        self.resume()
        server, watchdog, self._server, self._watchdog = self._server, self._watchdog, None, None
        if server:
            server.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(HALT_SECONDS)
            server.kill()
            server.wait()
        if watchdog:
            watchdog.kill()
            watchdog.communicate()

    def _signal_all(self, number: signal.Signals) -> None:
        if self._server and self._server.poll() is None:
            for pid in (self._server.pid, *_children(self._server.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)


def _version(folder: Path) -> tuple[int, ...]:
    digits = "".join(letter if letter.isdigit() else " " for letter in str(folder))
    return tuple(int(number) for number in digits.split())


def _as_user() -> dict[str, Any]:
    """Options of Popen: who runs the server. Nothing unless we are root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    text = "PostgreSQL refuses to run as root, and there is no user postgres or nobody here"
    raise PostgresNotFound(text)


def _children(parent: int) -> Iterator[int]:
    """Give the processes of the server's sessions (Linux)."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after_name = stat.read_text().rpartition(")")[2].split()
            if int(after_name[1]) == parent:
                yield int(stat.parent.name)


def _watch(server: int, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", WATCH, "relay-postgres-watchdog", str(server), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
