"""Installs packages, as root on a system with apt, and leaves no service of them running.

The last resort: nothing is installed while another broker is within reach.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runtime.environment import PROXIES, passed_on
from staging.broker.errors import BrokerFailed

_PACKAGE = "rabbitmq-server"
_POLICY = Path("/usr/sbin/policy-rc.d")
_DO_NOT_START = "#!/bin/sh\nexit 101\n"
_BOOTED_BY_SYSTEMD = Path("/run/systemd/system")
_LOG_LINES = 15


def may_install() -> bool:
    """Whether we are root and apt is here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(say: Callable[[str], None]) -> None:
    """Install the package. Raises BrokerFailed with the end of apt's output."""
    say(f"no broker here: installing the package {_PACKAGE} (once, a minute or two)")
    install_quietly(_PACKAGE)
    if _BOOTED_BY_SYSTEMD.exists():
        systemctl = shutil.which("systemctl") or "/usr/bin/systemctl"
        subprocess.run([systemctl, "disable", "--now", "--quiet", _PACKAGE], check=False, env=passed_on())
    say(f"{_PACKAGE} is installed; its own service was not started")


def install_quietly(*names: str) -> None:
    """Install packages without starting what they bring. Raises BrokerFailed with the end of apt's output."""
    with _services_kept_down():
        update_lists()
        _apt_get("install", "--yes", "--no-install-recommends", *names)


def update_lists() -> None:
    """Let apt learn anew what its archives have. Raises BrokerFailed with the end of its output."""
    _apt_get("update")


@contextlib.contextmanager
def _services_kept_down() -> Iterator[None]:
    """Tell Debian not to start what it installs, unless the system already has a policy of its own."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text(_DO_NOT_START)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def _apt_get(*arguments: str) -> None:
    run(["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=120", *arguments], DEBIAN_FRONTEND="noninteractive")


def run(command: Sequence[str], **variables: str) -> None:
    """Run a command of the system without a word. Raises BrokerFailed with the end of its output."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = subprocess.run(
            command,
            check=False,
            env=passed_on(*PROXIES, **variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        if done.returncode:
            output.seek(0)
            end = "".join(output.readlines()[-_LOG_LINES:])
            text = f"`{' '.join(command)}` failed:\n{end}"
            raise BrokerFailed(text)
