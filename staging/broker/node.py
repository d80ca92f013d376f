"""A private RabbitMQ node, started from the server that is installed on this machine or unpacked into a folder.

It shares nothing with a RabbitMQ that may already run here: own node name, ports, data, logs, cookie and port
mapper, on loopback and in a temporary folder. It runs as whoever started it, and never outlives its parent.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from runtime.environment import passed_on
from staging.broker.errors import BrokerFailed
from staging.broker.handshake import free_ports, wait_until_answering
from staging.broker.port import MANAGEMENT

START_SECONDS = 90.0
_HALT_SECONDS = 20.0
_LOG_LINES = 25
_SYSTEM_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/opt/rabbitmq/sbin")
_UNWRAPPED = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
# Linux packages put a wrapper in these folders that switches to the user `rabbitmq`, or refuses to start.
_WRAPPER_FOLDERS = ("/usr/sbin", "/sbin", "/usr/lib/rabbitmq/bin")

# The port mapper (epmd) is in the server's process group and leaves with it. Without ours, Erlang would start
# one that stays for ever. The server replaces the shell, so the group's leader is the Erlang machine.
_LAUNCH = 'if command -v epmd >/dev/null; then epmd & fi; exec "$0"'
# Holds the other end of a pipe: when the parent is gone, however it went, the server and its data go too.
_WATCH = 'read -r _; kill -s KILL -- "-$1"; while [ -e "$2" ]; do rm -rf -- "$2"; sleep 0.1; done'

_ROOTED = {"PATH": "/usr/sbin:/usr/bin", "TMPDIR": "/tmp"}  # noqa: S108 - of the unpacked system
# Nothing is mounted in an unpacked system, so that nothing stays mounted: the node cannot read /proc.
_MEMORY_WITHOUT_PROC = ("vm_memory_calculation_strategy = allocated", "total_memory_available_override_value = 2GB")


def installed_server() -> Path | None:
    """The start script of the installed server that runs as any user, or None."""
    found = shutil.which("rabbitmq-server") or shutil.which("rabbitmq-server", path=os.pathsep.join(_SYSTEM_FOLDERS))
    if found is None:
        return _UNWRAPPED if os.access(_UNWRAPPED, os.X_OK) else None
    wrapped = str(Path(found).parent) in _WRAPPER_FOLDERS
    return _UNWRAPPED if wrapped and os.access(_UNWRAPPED, os.X_OK) else Path(found)


class PrivateNode:
    """One node of our own; see `Broker` for what can be done with it."""

    def __init__(self, server: Path, *, plugins: Sequence[str] = (), root: Path | None = None) -> None:
        """Prepare a node, without starting it.

        `plugins` are names of plugins that come with the server. With `root`, a folder that holds a whole system,
        the node runs in there (chroot) with its data, and `server` is the script's path as seen from inside.
        """
        port, management_port, distribution_port, mapper_port = free_ports(4)
        self.how = f"private node of {server}{f' in {root}' if root else ''}"
        self.url = f"amqp://guest:guest@127.0.0.1:{port}/"
        self.management_url = f"http://127.0.0.1:{management_port}" if MANAGEMENT in plugins else None
        self._server = server
        self._enter = ("chroot", str(root)) if root else ()
        self._folder = Path(tempfile.mkdtemp(prefix="relay-broker-", dir=root / "tmp" if root else None))
        seen = Path("/") / self._folder.relative_to(root) if root else self._folder  # by the node itself
        name = f"relay-{os.getpid()}-{self._folder.name[-6:]}@localhost".replace("_", "-")
        self._environment = {**passed_on(), **_node_environment(seen, name=name, port=port)}
        self._environment |= _erlang_environment(seen, distribution=distribution_port, mapper=mapper_port)
        self._environment |= _ROOTED if root else {}
        _write_files(self._folder, plugins)
        settings = [*(_MEMORY_WITHOUT_PROC if root else ()), *_listening(management_port, plugins)]
        (self._folder / "rabbitmq.conf").write_text("".join(f"{line}\n" for line in settings))
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The Erlang machine's process id, None while halted. It leads a process group of its own."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """See `Broker.start`. A failed start leaves nothing running."""
        if self._process:
            return
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [*self._enter, "/bin/sh", "-c", _LAUNCH, str(self._server)],
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._watchdog = _watch(self._process.pid, self._folder)
        process = self._process
        try:
            if wait_until_answering(self.url, within_seconds=START_SECONDS, still_alive=lambda: process.poll() is None):
                return
            text = f"{self._server} did not start; the end of its log:\n{self._log_end()}"
            raise BrokerFailed(text)
        except BaseException:
            self._kill()
            raise

    def halt(self) -> None:
        """See `Broker.halt`."""
        if self._process:
            self.resume()
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_HALT_SECONDS)
            self._kill()

    def restart(self) -> None:
        """See `Broker.restart`."""
        self.halt()
        self.start()

    def pause(self) -> None:
        """See `Broker.pause`. A server of many threads takes a moment to stop: it still answers before that."""
        self._signal(signal.SIGSTOP)
        if self._process and sys.platform == "linux":
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """See `Broker.resume`."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """See `Broker.stop`. Its data goes with it, so the server is not asked to close in good order."""
        self._kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _kill(self) -> None:
        process, watchdog, self._process, self._watchdog = self._process, self._watchdog, None, None
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if watchdog:
            watchdog.kill()
            watchdog.communicate()

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def _log_end(self) -> str:
        logs = [self._folder / "output", *sorted((self._folder / "log").glob("*.log"))]
        lines = [line for log in logs for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return "\n".join(lines[-_LOG_LINES:])


def _watch(group: int, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "relay-broker-watchdog", str(group), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=passed_on(),
        start_new_session=True,
    )


def _node_environment(folder: Path, *, name: str, port: int) -> dict[str, str]:
    return {
        "RABBITMQ_NODENAME": name,
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_MNESIA_BASE": f"{folder}/data",
        "RABBITMQ_LOG_BASE": f"{folder}/log",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
        "RABBITMQ_CONF_ENV_FILE": f"{folder}/environment.conf",
        "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq",
        "RABBITMQ_CONFIG_FILES": f"{folder}/conf.d",
        "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
        "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/generated",
        "RABBITMQ_SCHEMA_DIR": f"{folder}/schema",
    }


def _erlang_environment(folder: Path, *, distribution: int, mapper: int) -> dict[str, str]:
    """Two schedulers are plenty; the write-ahead log is kept small, for its content is in memory as well."""
    arguments = (
        "-noinput +S 2:2",
        "-kernel inet_dist_use_interface {127,0,0,1}",
        "-ra wal_max_size_bytes 67108864",
    )
    return {
        "HOME": f"{folder}/home",  # of the Erlang cookie
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapper),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_ALLOW_INPUT": "1",  # the server then replaces its start script
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(arguments),
    }


def _listening(port: int, plugins: Sequence[str]) -> tuple[str, ...]:
    return ("management.tcp.ip = 127.0.0.1", f"management.tcp.port = {port}") if MANAGEMENT in plugins else ()


def _write_files(folder: Path, plugins: Iterable[str]) -> None:
    for name in ("data", "log", "home", "conf.d", "generated", "schema"):
        (folder / name).mkdir()
    (folder / "environment.conf").touch()
    (folder / "enabled_plugins").write_text(f"[{','.join(plugins)}].\n")
