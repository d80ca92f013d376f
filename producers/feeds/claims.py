"""Which process has which file in hand: a folder of its own under `work/`, with a sign of life in it.

A file is claimed by renaming it, so it has one owner. An owner on this machine is alive while it holds its lock; one
elsewhere while its sign of life is younger than the lease, both told by the clock of the folder's own file system.
Two owners at once do no harm: what they publish are the same facts. Everything here blocks, and raises OSError.
"""

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

WORK, DONE, FAILED = "work", "done", "failed"
_ALIVE: Final = ".alive"
_IN_USE: Final = (errno.EBUSY, errno.ETXTBSY)  # its writer, on a Windows share, has not closed it
_LONGEST_NAME: Final = 255
"""Bytes of a name, on every file system that is in use."""

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class Claims:
    """The files of one watched folder that this process has in hand. `open` it before anything else."""

    def __init__(self, folder: Path, *, lease_seconds: float) -> None:
        self.folder = folder
        self._lease = lease_seconds
        self._own = folder / WORK / f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folders that are missing, and show a sign of life. May be called again: a mount comes and goes."""
        for name in (WORK, DONE, FAILED):
            (self.folder / name).mkdir(exist_ok=True)
        self._own.mkdir(exist_ok=True)
        if not (self._own / _ALIVE).exists():
            self._unlock()
            self._lock = os.open(self._own / _ALIVE, os.O_RDWR | os.O_CREAT, 0o644)
            os.write(self._lock, _kernel().encode())
            with contextlib.suppress(OSError):  # some file systems have no locks
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def beat(self) -> float:
        """Renew the sign of life; returns what time it is for the folder's file system, in seconds."""
        alive = self._own / _ALIVE
        os.utime(alive)
        return alive.stat().st_mtime

    def take(self, name: str) -> Path | None:
        """Claim a file of the folder; None where somebody was faster, or its writer does not let it go yet."""
        return self._moved(self.folder / name)

    def left_behind(self) -> Path | None:
        """A file that this or a dead process had in hand, now in ours; None when there is none."""
        for owner in sorted(path for path in (self.folder / WORK).iterdir() if path.is_dir()):
            for path in _files_in(owner) if owner == self._own or self._is_dead(owner) else ():
                if path.parent == self._own:
                    return path
                if (taken := self._moved(path)) is not None:
                    return taken
        return None

    def put_back(self, path: Path) -> Path:
        """Give a file back to the folder, beside whatever has its name by now."""
        return move_beside(path, self.folder, path.name)

    def close(self) -> None:
        """Nothing is in hand any more."""
        self._unlock()
        with contextlib.suppress(OSError):
            (self._own / _ALIVE).unlink()
            self._own.rmdir()

    def sweep(self) -> None:
        """Remove the empty folders of processes that have been dead for longer than the lease."""
        for owner in (self.folder / WORK).iterdir():
            with contextlib.suppress(OSError):
                if (
                    owner != self._own
                    and owner.is_dir()
                    and _is_empty(owner)
                    and self._is_silent(owner)
                    and self._is_dead(owner)
                ):
                    shutil.rmtree(owner)

    def _moved(self, path: Path) -> Path | None:
        try:
            return path.rename(self._own / path.name)
        except FileNotFoundError:
            if not self._own.is_dir():
                raise
            return None
        except OSError as error:
            if error.errno in _IN_USE:
                return None
            raise

    def _is_dead(self, owner: Path) -> bool:
        """On the same machine its lock tells, else the age of its sign of life."""
        try:
            with (owner / _ALIVE).open("rb") as alive:
                if alive.read().decode("ascii", "replace") == _kernel():
                    return _is_unlocked(alive.fileno())
        except BlockingIOError:
            return False
        except OSError:
            """No sign of life, or a file system without locks."""
        return self._is_silent(owner)

    def _is_silent(self, owner: Path) -> bool:
        try:
            seen = (owner / _ALIVE).stat().st_mtime
        except FileNotFoundError:
            seen = owner.stat().st_mtime
        return self.beat() - seen > self._lease

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def move_beside(source: Path, folder: Path, name: str) -> Path:
    """Move a file into a folder of the same file system without ever replacing another; returns where it is now.

    `x.csv` becomes `x.2.csv` where the name is taken. Raises FileNotFoundError when the source is gone.
    """
    for candidate in _names(name):
        target = folder / candidate
        with contextlib.suppress(FileExistsError):
            _move_new(source, target)
            return target
    raise AssertionError


def free_name(folder: Path, name: str, *suffixes: str) -> str:
    """A name like this one under which the folder has nothing now, with none of the suffixes either."""
    for candidate in _names(name, room=_LONGEST_NAME - max(map(len, suffixes), default=0)):
        if not any((folder / f"{candidate}{suffix}").exists() for suffix in ("", *suffixes)):
            return candidate
    raise AssertionError


def _move_new(source: Path, target: Path) -> None:
    """A hard link replaces nothing; where there are none, an empty file keeps the name meanwhile."""
    try:
        os.link(source, target)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        try:
            source.replace(target)
        except OSError:
            target.unlink()
            raise
    else:
        source.unlink()


def _names(name: str, *, room: int = _LONGEST_NAME) -> Iterator[str]:
    """The name itself, and then numbered; cut before its first point, then behind it, where that would be too long."""
    stem, dot, suffix = name.partition(".")
    for number in range(1, 1_000_000):
        mark = f".{number}" if number > 1 else ""
        begin, end = stem, f"{dot}{suffix}"
        while len(os.fsencode(f"{begin}{mark}{end}")) > room:
            begin, end = (begin[:-1], end) if len(begin) > 1 else (begin, end[1:])
        yield f"{begin}{mark}{end}"


def _files_in(owner: Path) -> list[Path]:
    try:
        return sorted(path for path in owner.iterdir() if path.is_file() and path.name != _ALIVE)
    except (NotADirectoryError, FileNotFoundError):
        return []


def _is_empty(owner: Path) -> bool:
    return not any(path.name != _ALIVE for path in owner.iterdir())


def _is_unlocked(descriptor: int) -> bool:
    """Raises BlockingIOError while somebody holds the lock."""
    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return True


def _kernel() -> str:
    """The running kernel: where it is the same, locks tell the truth, in containers too."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return socket.gethostname()
