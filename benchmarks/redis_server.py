"""A private Redis for the comparison, where Debian's package is installed: loopback, free port, own folder."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from staging.broker.handshake import free_ports
from staging.processes import wait_for

MISSING: Final = "skipped: there is no redis-server here (Debian: apt-get install redis-server)"


@dataclass(slots=True)
class RedisServer:
    """One server with Redis's own defaults, which keep nothing of the last seconds over a crash."""

    program: str
    folder: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    popen: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; returns when it listens."""
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        self.popen = subprocess.Popen([*command, "--logfile", str(self.folder / "redis.log")])
        wait_for(self._listens, what="redis-server to listen")

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer | None]:
    """Give a server that runs, or None where there is none to start."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    server = RedisServer(program, folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
