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
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from producers.feeds.listing import DONE, FAILED, WORK, SeenFile
from producers.feeds.moving import PART, At, copy_over, free_name, move_beside, rename
from producers.feeds.places import Place, hold, oddity, refuse_strange

_ALIVE: Final = ".alive"
_IN_USE: Final = (errno.EBUSY, errno.ETXTBSY)  # its writer, on a Windows share, has not closed it

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class Claims:
    """The files of one watched folder that this process has in hand. `open` it before anything else."""

    folder: Place
    done: Place
    failed: Place
    _work: Place
    _own: Place

    def __init__(self, folder: Path, state: Path, *, lease_seconds: float) -> None:
        self._paths = folder, state
        self._lease = lease_seconds
        self.own_name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._held = contextlib.ExitStack()
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folders that are missing, and show a sign of life. May be called again: a mount comes and goes."""
        self._held.close()
        folder, state = self._paths
        self.folder = self._held.enter_context(hold(folder))
        state.parent.mkdir(0o750, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            state.mkdir(0o750)
        top = self._ours(hold(state))
        self._work, self.done, self.failed = (self._ours(top.inner(each, make=True)) for each in (WORK, DONE, FAILED))
        self._own = self._ours(self._work.inner(self.own_name, make=True))
        if not self._own.has(_ALIVE):
            self._unlock()
            self._lock = os.open(_ALIVE, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=self._own.descriptor)
            os.write(self._lock, _kernel().encode())
            with contextlib.suppress(OSError):  # some file systems have no locks
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def beat(self) -> float:
        """Renew the sign of life; give the time of the file system of `work/`, in seconds."""
        os.utime(_ALIVE, dir_fd=self._own.descriptor)
        return self._own.status(_ALIVE).st_mtime

    def now(self) -> float:
        """The time of the watched folder's file system, in seconds."""
        if self.folder.device == self._own.device:
            return self.beat()
        name = f".relay-{secrets.token_hex(8)}.tmp"
        with self.folder.create(name) as made:
            self.folder.remove(name)
            return os.fstat(made.fileno()).st_mtime

    def take(self, seen: SeenFile) -> At | None:
        """Claim a file of the folder; None where somebody was faster, it is in use, or not the file that was listed."""
        source, target = At(self.folder, seen.name), At(self._own, seen.name)
        if self._own.has(seen.name):
            return None
        try:
            taken = rename(source, target)
        except FileNotFoundError:
            self._own.status(_ALIVE)
            return None
        except OSError as error:
            if error.errno in _IN_USE:
                return None
            if error.errno != errno.EXDEV:
                raise
            return _copied(source, target, seen)
        status = taken.status()
        if SeenFile.of(seen.name, status) != seen or oddity(status) is not None:
            self.put_back(taken)
            return None
        return taken

    def left_behind(self) -> list[At]:
        """Files that this or a dead process had in hand, now in ours."""
        self._bring_back_old()
        return list(self._inherited())

    def put_back(self, file: At) -> None:
        """Give a file back to the folder, beside whatever has its name by now; on another file system it stays."""
        try:
            move_beside(file, self.folder)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise

    def close(self) -> None:
        """Nothing is in hand any more; what could not be put back is found by the next process."""
        self._unlock()
        with contextlib.suppress(OSError, AttributeError):
            if self._own.names() == [_ALIVE]:
                self._remove(self._work, self._own)
        self._held.close()

    def sweep(self) -> None:
        """Remove the empty folders of processes that have been dead for longer than the lease."""
        for owner in self._owners(self._work):
            with contextlib.suppress(OSError):
                if not _files_of(owner) and self._is_silent(owner) and self._is_dead(owner):
                    self._remove(self._work, owner)

    def _ours(self, place: Place) -> Place:
        self._held.enter_context(place)
        refuse_strange(place)
        return place

    def _owners(self, work: Place) -> Iterator[Place]:
        """The folders of other processes, each held while it is looked at; what is no folder of ours is left alone."""
        for name in work.names():
            if name == self.own_name:
                continue
            with contextlib.suppress(NotADirectoryError, FileNotFoundError, PermissionError), work.inner(name) as owner:
                if _is_of_relay(owner):
                    yield owner

    def _inherited(self) -> Iterator[At]:
        for owner in self._owners(self._work):
            for name in _files_of(owner) if self._is_dead(owner) else ():
                with contextlib.suppress(FileNotFoundError):  # another heir was faster
                    rename(At(owner, name), At(self._own, free_name(self._own, name)))
        for name in _files_of(self._own):
            file = At(self._own, name)
            if (status := file.status()).st_nlink > 1 and self._is_moved(status):
                self._own.remove(name)
            elif oddity(status) is not None:
                self.put_back(file)
            else:
                yield file

    def _is_moved(self, status: os.stat_result) -> bool:
        """A process died while it moved the file: it has its new name already."""
        for place in (self.done, self.failed, self.folder):
            for name in place.names():
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(place.status(name), status):
                        return True
        return False

    def _bring_back_old(self) -> None:
        """Earlier versions had `work/` in the watched folder: what a dead process left there goes back."""
        try:
            old = self.folder.inner(WORK)
        except OSError:
            return
        with old:
            if os.path.sameopenfile(old.descriptor, self._work.descriptor) or not _is_of_relay(old):
                return
            for owner in self._owners(old):
                if self._is_dead(owner):
                    for name in _files_of(owner):
                        move_beside(At(owner, name), self.folder)
                    self._remove(old, owner)
            with contextlib.suppress(OSError):
                os.rmdir(WORK, dir_fd=self.folder.descriptor)

    def _is_dead(self, owner: Place) -> bool:
        """On the same machine its lock tells, else the age of its sign of life."""
        try:
            with owner.open(_ALIVE) as alive:
                if alive.read(256).decode("ascii", "replace") == _kernel():
                    fcntl.flock(alive.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
                    return True
        except BlockingIOError:
            return False
        except OSError:
            """No sign of life, or a file system without locks."""
        return self._is_silent(owner)

    def _is_silent(self, owner: Place) -> bool:
        try:
            seen = owner.status(_ALIVE).st_mtime
        except FileNotFoundError:
            seen = os.fstat(owner.descriptor).st_mtime
        return self.beat() - seen > self._lease

    def _remove(self, work: Place, owner: Place) -> None:
        for name in owner.names():
            owner.remove(name)
        os.rmdir(owner.path.name, dir_fd=work.descriptor)

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _copied(source: At, target: At, seen: SeenFile) -> At | None:
    with contextlib.suppress(FileNotFoundError, BlockingIOError):
        if SeenFile.of(seen.name, source.status()) == seen:
            return copy_over(source, target)
    return None


def _files_of(owner: Place) -> list[str]:
    return [name for name in owner.names() if name != _ALIVE and not name.endswith(PART)]


def _is_of_relay(place: Place) -> bool:
    return os.fstat(place.descriptor).st_uid == os.geteuid()


def _kernel() -> str:
    """The running kernel: where it is the same, locks tell the truth, in containers too."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return socket.gethostname()
