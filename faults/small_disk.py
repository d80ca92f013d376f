"""A disk of its own for the store, small enough to be filled: a tmpfs that only the campaign's processes see.

It lives in a mount namespace of this process and its children, so nothing is left behind however they end.
"""

import contextlib
import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

_NEW_MOUNTS = 0x00020000
_NEW_USER = 0x10000000
_PRIVATE_RECURSIVELY = (1 << 18) | (1 << 14)
_CHUNK = b"\0" * 65_536


class NoSmallDisk(Exception):
    """Nobody lets us mount one here; says why."""


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A mounted disk that can be filled to the last byte."""

    folder: Path

    def fill(self) -> None:
        """Leave no byte free. Whatever is written now fails with "no space left on device"."""
        with contextlib.suppress(OSError), self._ballast.open("wb", buffering=0) as ballast:
            while True:
                ballast.write(_CHUNK)

    def clear(self) -> None:
        """Give the space back."""
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


def mount_small_disk(folder: Path, *, megabytes: int) -> SmallDisk:
    """Mount an empty disk on the folder. Call it before any thread or process is started: they inherit it.

    Raises:
        NoSmallDisk: neither root's rights nor a user namespace of our own allow it.
    """
    if not hasattr(os, "eventfd"):  # there on Linux only
        msg = "a disk of its own needs Linux"
        raise NoSmallDisk(msg)
    folder.mkdir(parents=True, exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    _own_mounts(libc)
    _check(libc.mount(b"none", b"/", None, _PRIVATE_RECURSIVELY, None), "making mounts private")
    options = f"size={megabytes}m".encode()
    _check(libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options), "mounting a tmpfs")
    return SmallDisk(folder)


def _own_mounts(libc: ctypes.CDLL) -> None:
    """A mount namespace: as root, or as whoever we are in a user namespace in which we stay who we are."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_MOUNTS) == 0:
        return
    _check(libc.unshare(_NEW_MOUNTS | _NEW_USER), "a mount namespace")
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError as error:
        msg = f"a user namespace could not be set up: {error}"
        raise NoSmallDisk(msg) from error


def _check(result: int, what: str) -> None:
    if result:
        msg = f"{what}: {os.strerror(ctypes.get_errno())}"
        raise NoSmallDisk(msg)
