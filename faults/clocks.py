"""Wall clocks that can be set while a process runs, through Debian's `libfaketime`. The steady clock goes on as it is.

The library is used where it is installed; else its package is downloaded and unpacked, and nothing is installed.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.environment import PROXIES, passed_on

_NAME = "libfaketimeMT.so.1"
_SYSTEM = (Path("/usr/lib"), Path("/usr/local/lib"))
_WITHIN_SECONDS = 60


class NoFakeTime(Exception):
    """The library is neither here nor to be had; says why."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall clock of one process. Give it `environment`, then `set` it whenever you like."""

    library: Path
    file: Path

    def environment(self) -> Mapping[str, str]:
        """What the process needs in its environment."""
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # that "fix" makes threads spin where glibc needs none
        }

    def set(self, seconds: int) -> None:
        """Put it so many seconds before (negative: behind) the true time. Heard within about a second."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self.file)


def find_library(keep: Path, *, download: bool) -> Path:
    """The library: installed, kept in the folder `keep` from an earlier campaign, or downloaded to there.

    Raises:
        NoFakeTime: none of the three.
    """
    for folder in (*_SYSTEM, keep):
        for found in folder.glob(f"**/faketime/{_NAME}"):
            return found
    if not download:
        msg = "libfaketime is not installed, and nothing was to be downloaded"
        raise NoFakeTime(msg)
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        msg = "libfaketime is not installed, and there is no apt here to get it with"
        raise NoFakeTime(msg)
    with tempfile.TemporaryDirectory() as place:
        _run("apt-get", "download", "--quiet", "libfaketime", place=place)
        for package in Path(place).glob("libfaketime_*.deb"):
            _run("dpkg-deb", "-x", str(package), str(keep.resolve()), place=place)
    for found in keep.glob(f"**/faketime/{_NAME}"):
        return found
    msg = f"the package libfaketime holds no {_NAME}"
    raise NoFakeTime(msg)


def _run(*command: str, place: str) -> None:
    program = shutil.which(command[0]) or command[0]
    try:
        done = subprocess.run(
            [program, *command[1:]],
            cwd=place,
            check=False,
            env=passed_on(*PROXIES),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_WITHIN_SECONDS,
        )
    except subprocess.TimeoutExpired:
        msg = f"`{' '.join(command)}` took longer than {_WITHIN_SECONDS} s"
        raise NoFakeTime(msg) from None
    if done.returncode:
        msg = f"`{' '.join(command)}` failed: {done.stderr.strip()[-300:]}"
        raise NoFakeTime(msg)
