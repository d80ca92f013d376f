"""Folders held by descriptors: whatever becomes of their paths, all is done in the very folder that was opened.

Whoever may write into a watched folder may put links, pipes and other people's files there, at any moment. So no path
is ever followed: names are looked up in a held folder, links are not followed, and what was opened is looked at before
it is read. Everything here blocks, and raises OSError.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LINKS: Final = 40
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_NO_FOLDER: Final = (errno.ENOTDIR, "a link, or no folder")


class OddFile(OSError):
    """What stands under a name is no file of its own: a link, a pipe, a folder, or a file that has another name too."""


@dataclass(eq=False)
class Place(AbstractContextManager["Place"]):
    """One held folder, whose descriptor it owns. `path` is for people; it is never looked up again."""

    descriptor: int
    path: Path

    def __exit__(self, *_: object) -> None:
        """Let it go."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    @property
    def device(self) -> int:
        """Which file system it is on."""
        return os.fstat(self.descriptor).st_dev

    def names(self) -> list[str]:
        """All that is in it, sorted."""
        return sorted(os.listdir(self.descriptor))  # noqa: PTH208 - pathlib knows no descriptors

    def status(self, name: str) -> os.stat_result:
        """Of what stands under the name itself: links are not followed."""
        with self._named(name):
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)

    def has(self, name: str) -> bool:
        """Whether anything stands under the name, a link that leads nowhere too."""
        try:
            self.status(name)
        except FileNotFoundError:
            return False
        return True

    def inner(self, name: str, *, make: bool = False) -> "Place":
        """A folder in it, held; made first where it is missing and that is wanted. A link is none."""
        with self._named(name):
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o750, dir_fd=self.descriptor)
            try:
                descriptor = os.open(name, _FOLDER, dir_fd=self.descriptor)
            except NotADirectoryError as error:
                raise NotADirectoryError(*_NO_FOLDER) from error
            return Place(descriptor, self.path / name)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading, without ever waiting. Raises OddFile."""
        with self._named(name):
            try:
                descriptor = os.open(name, _FILE, dir_fd=self.descriptor)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENXIO, errno.EMLINK):
                    raise OddFile(errno.EPERM, "a link, or no file") from error
                raise
            try:
                if (what := oddity(os.fstat(descriptor))) is not None:
                    raise OddFile(errno.EPERM, what)
                return os.fdopen(descriptor, "rb")
            except BaseException:
                os.close(descriptor)
                raise

    def create(self, name: str) -> BinaryIO:
        """Make a file that was not there, for writing."""
        with self._named(name):
            return os.fdopen(os.open(name, _NEW, 0o640, dir_fd=self.descriptor), "wb")

    def remove(self, name: str) -> None:
        """Remove the name of a file."""
        with self._named(name):
            os.unlink(name, dir_fd=self.descriptor)

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        """Errors name the whole path, and no name leads out of the folder."""
        if name in ("", ".", "..") or "/" in name:
            raise OddFile(errno.EINVAL, "no name of a file", str(self.path / name))
        try:
            yield
        except OSError as error:
            error.filename = str(self.path / name)
            raise


def oddity(status: os.stat_result) -> str | None:
    """Why something is not taken for a file of its own, in words; None where it is one."""
    if stat.S_ISLNK(status.st_mode):
        return "a link"
    if stat.S_ISDIR(status.st_mode):
        return "a folder"
    if not stat.S_ISREG(status.st_mode):
        return "no file (a pipe, a socket or a device)"
    if status.st_nlink > 1:
        return "a hard link: the file has another name elsewhere, and may be somebody else's; put a copy there"
    return None


def hold(path: Path) -> Place:
    """Open a folder by its path. Raises NotADirectoryError: it is a link itself, or no folder.

    A link on the way is followed only where nobody but root and the relay's own user could have put it there, else
    PermissionError.
    """
    parts = list(path.absolute().parts)
    held = os.open(parts.pop(0), _FOLDER)
    links = 0
    try:
        while parts:
            part = parts.pop(0)
            target = _link(part, held) if parts else None
            if target is None:
                inner = os.open(part, _FOLDER if not parts else _FOLDER | os.O_PATH, dir_fd=held)
            else:
                links += 1
                _refuse_strange_link(held, links, path)
                parts[:0] = [each for each in Path(target).parts if each != "/"]
                inner = os.open("/", _FOLDER) if target.startswith("/") else os.dup(held)
            os.close(held)
            held = inner
        return Place(held, path)
    except OSError as error:
        os.close(held)
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise NotADirectoryError(*_NO_FOLDER, str(path)) from error
        error.filename = str(path)
        raise


def refuse_strange(place: Place) -> None:
    """Make sure that a folder of the relay's own is its own, and nobody else writes there. Raises PermissionError."""
    status = os.fstat(place.descriptor)
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, f"it belongs to user {status.st_uid}, not to the relay's", str(place.path))
    if status.st_mode & _OTHERS:
        raise PermissionError(errno.EPERM, "others may write there: chmod go-w", str(place.path))


def writable_by_others(path: Path) -> str | None:
    """Who else may write into a folder, in words; None where nobody but root and the relay's own user may."""
    status = path.stat()
    who = [f"user {status.st_uid}, its owner"] if status.st_uid not in (0, os.geteuid()) else []
    who += [f"group {status.st_gid}"] if status.st_mode & stat.S_IWGRP else []
    who += ["anybody"] if status.st_mode & stat.S_IWOTH else []
    return " and ".join(who) or None


def parents_of_others(path: Path) -> Iterator[str]:
    """Each folder above this one that others may write, and so replace what is in it; `/tmp` and its like are not."""
    for parent in path.absolute().parents:
        if not parent.stat().st_mode & stat.S_ISVTX and (who := writable_by_others(parent)) is not None:
            yield f"{parent} ({who})"


def _link(name: str, folder: int) -> str | None:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def _refuse_strange_link(folder: int, links: int, path: Path) -> None:
    status = os.fstat(folder)
    if links > _MOST_LINKS:
        raise OSError(errno.ELOOP, "too many links", str(path))
    if status.st_uid not in (0, os.geteuid()) or status.st_mode & _OTHERS:
        raise PermissionError(errno.EPERM, "a link on the way to it may be anybody's", str(path))
