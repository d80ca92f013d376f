"""Starting the roles as processes of their own and stopping them: for the demo, the tests and the benchmarks.

It knows commands, ports and signals only; what the processes do is their affair.
"""

import contextlib
import json
import secrets
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import httpx2

from runtime.environment import passed_on
from staging.broker.handshake import free_ports

Value = TypeVar("Value")

SIMULATOR_KEY = "demo" * 16
STRIPE_SECRET = "whsec_" + secrets.token_hex(16)

PLAIN: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Of a client that speaks plain HTTP on this machine: to read whom the system trusts would take longer than a call."""


class NotReady(Exception):
    """Something that was waited for did not come in time."""


class Started(Protocol):
    """A process of the system, as `subprocess.Popen` shows it."""

    pid: int
    returncode: int | Any

    def poll(self) -> int | None:
        """The exit code, or None while it runs; the number of a signal, negative, where one ended it."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; `subprocess.TimeoutExpired` where that takes longer."""

    def send_signal(self, sig: int, /) -> None:
        """Send a signal, unless it has ended."""


class Starter(Protocol):
    """How processes are started."""

    def __call__(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path
    ) -> Started:
        """Start `python -m <arguments>`, which adds what it prints to these files."""


@dataclass(slots=True)
class Process:
    """A process that was started here, with its log."""

    name: str
    popen: Started
    log: Path

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        self.signal(signal.SIGKILL)
        self.popen.wait()

    def signal(self, number: int) -> None:
        """Send a signal to this process."""
        self.popen.send_signal(number)

    def stop(self, within_seconds: float = 30) -> int:
        """SIGTERM, and SIGKILL where that is not heard; returns the exit code."""
        if self.popen.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                return self.popen.wait(within_seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.popen.returncode


def launched(arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path) -> Started:
    """Start it in a session of its own: Ctrl-C goes to who starts, and who stops all in order."""
    with stdout.open("ab") as output, stderr.open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )


@dataclass(slots=True)
class Simulator:
    """The simulator of Solid, as seen through its control port: the judge."""

    process: Process
    port: int
    control_port: int

    @property
    def base_url(self) -> str:
        """Where Solid's API is."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Read from the control port."""
        url = f"http://127.0.0.1:{self.control_port}{path}"
        answer = httpx2.get(url, params=_texts(query), timeout=30, trust_env=False, verify=PLAIN)
        answer.raise_for_status()
        return answer.json()

    def switch(self, **switches: object) -> Any:  # noqa: ANN401 - JSON
        """Turn switches: the app closed, answers lost, and so on."""
        url = f"http://127.0.0.1:{self.control_port}/switch"
        answer = httpx2.post(url, json=switches, timeout=30, trust_env=False, verify=PLAIN)
        answer.raise_for_status()
        return answer.json()


@dataclass(slots=True)
class Stage:
    """Processes on one broker, in one folder. Everything that was started is stopped at the end."""

    folder: Path
    rabbitmq_url: str
    company: str = "main"
    overrides: dict[str, str] = field(default_factory=dict)
    starter: Starter = launched
    processes: list[Process] = field(default_factory=list)

    def start(
        self, name: str, *arguments: str, stdout: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Process:
        """Start `python -m <arguments>` with the stage's settings in the environment; its log goes to the folder.

        What it prints goes to the log too, or to a file of its own, begun anew.
        """
        log = self.folder / f"{name}.log"
        log.touch()
        if stdout is not None:
            stdout.write_bytes(b"")
        env = {**passed_on(), **self.environment(), **(environment or {})}
        process = Process(
            name, self.starter(arguments, cwd=self.folder, env=env, stdout=stdout or log, stderr=log), log
        )
        self.processes.append(process)
        return process

    def environment(self) -> dict[str, str]:
        """The settings of this stage."""
        return {
            "RELAY_COMPANY": self.company,
            "RELAY_RABBITMQ__URL": self.rabbitmq_url,
            "RELAY_STORE__URL": f"sqlite+aiosqlite:///{self.folder}/relay.db",
            "RELAY_BOOKS": str(self.folder / "books.toml"),
            "RELAY_STRIPE__SECRETS": json.dumps([STRIPE_SECRET]),
            "RELAY_SOLID__API_KEY": SIMULATOR_KEY,
            "RELAY_SOLID__DIALECT": json.dumps({"money": "decimal_string"}),
            "RELAY_LOG__FORMAT": "json",
            **self.overrides,
        }

    def start_simulator(self, *options: str) -> Simulator:
        """The simulator on free ports; everything started later talks to it."""
        said = self.folder / "simulator.ports"
        process = self.start("simulator", "simulator", "--port", "0", "--control-port", "0", *options, stdout=said)

        def first_line() -> str:
            ended, text = process.popen.poll() is not None, said.read_text()
            if ended and not text:
                msg = f"the simulator did not start: see {process.log}"
                raise NotReady(msg)
            return text.partition("\n")[0] if "\n" in text else ""

        ports = json.loads(wait_for(first_line, what="the simulator to say its ports"))
        simulator = Simulator(process, ports["port"], ports["control_port"])
        self.overrides["RELAY_SOLID__BASE_URL"] = simulator.base_url
        return simulator

    def start_worker(self, name: str = "worker", **environment: str) -> Process:
        """One worker."""
        return self.start(name, "ops.commands.relay", "work", environment=environment)

    def start_receiver(self, name: str = "receiver", **environment: str) -> str:
        """The receiver on a free port; returns its base URL when it answers."""
        port = free_ports(1)[0]
        process = self.start(
            name, "ops.commands.relay", "receive", environment={"RELAY_RECEIVER__PORT": str(port), **environment}
        )
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            if process.popen.poll() is not None:
                msg = f"{name} ended: see {process.log}"
                raise NotReady(msg)
            with contextlib.suppress(httpx2.TransportError):
                return httpx2.get(f"{url}/healthz", timeout=5, trust_env=False, verify=PLAIN).is_success
            return False

        wait_for(answers, what=f"{name} to answer")
        return url

    def stop(self) -> None:
        """Stop all, the youngest first."""
        for process in reversed(self.processes):
            if process.popen.poll() is None:
                process.signal(signal.SIGCONT)
                process.signal(signal.SIGTERM)
        for process in reversed(self.processes):
            process.stop()


@contextmanager
def stage(
    folder: Path, rabbitmq_url: str, starter: Starter = launched, /, *, company: str = "main", **overrides: str
) -> Iterator[Stage]:
    """A stage whose processes are all gone afterwards, whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = Stage(folder.resolve(), rabbitmq_url, company, dict(overrides), starter)
    try:
        yield opened
    finally:
        opened.stop()


def wait_for(look: Callable[[], Value], *, what: str, within_seconds: float = 60) -> Value:
    """Look until the answer is true; returns it.

    Raises:
        NotReady: it did not become true in time.
    """
    deadline = time.monotonic() + within_seconds
    while True:
        if value := look():
            return value
        if time.monotonic() > deadline:
            msg = f"waited {within_seconds:g} s for {what}"
            raise NotReady(msg)
        time.sleep(0.05)


def _texts(query: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in query.items()}
