"""Files from one held folder to another: nothing is ever replaced, and a file is in one place or the other, or in both.

It must not read what is in a file, but to copy it to another file system.
"""

import contextlib
import errno
import fcntl
import itertools
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from producers.feeds.places import Place

_LONGEST_NAME: Final = 255
"""Bytes of a name, on every file system that is in use."""

_IDENTITY: Final = ("st_dev", "st_ino", "st_mode", "st_size", "st_mtime_ns")

PART: Final = ".copy.part"
"""How the name of a copy under way ends; what is found of it is of no use."""


@dataclass(frozen=True, slots=True)
class At:
    """What stands under a name in a held folder."""

    place: Place
    name: str

    def status(self) -> os.stat_result:
        """See `Place`."""
        return self.place.status(self.name)

    def open(self) -> BinaryIO:
        """See `Place`."""
        return self.place.open(self.name)

    def __str__(self) -> str:
        """Its path, for people."""
        return str(self.place.path / self.name)


def move_beside(source: At, place: Place, name: str | None = None) -> At:
    """Move a file into a folder of the same file system; give where it is: `x.2.csv` where `x.csv` is taken."""
    names = _names(name or source.name)
    while True:
        target = At(place, next(names))
        with contextlib.suppress(FileExistsError):
            _move_new(source, target)
            return target


def copy_over(source: At, target: At) -> At:
    """Move a file to another file system: copied, made durable, and only then is its old name removed.

    A crash on the way leaves both, and never none: the same facts twice cost nothing. Raises BlockingIOError where
    somebody else has it in hand, or it was written to or replaced meanwhile; FileNotFoundError, OddFile.
    """
    with source.open() as file:
        _lock(file)
        part = At(target.place, f"{secrets.token_hex(8)}{PART}")
        try:
            _copy(file, part, source)
            rename(part, target)
        except BaseException:
            with contextlib.suppress(OSError):
                part.place.remove(part.name)
            raise
    os.fsync(target.place.descriptor)
    try:
        source.place.remove(source.name)
    except PermissionError:  # any other answer may hide that it was removed
        target.place.remove(target.name)
        raise
    except OSError:
        """Both are there, or only the copy: what is read twice gives the same facts."""
    return target


def _lock(file: BinaryIO) -> None:
    """Against others who copy it; some file systems have no locks."""
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        """What is read twice gives the same facts."""


def _copy(file: BinaryIO, part: At, source: At) -> None:
    before = os.fstat(file.fileno())
    with part.place.create(part.name) as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.flush()
        os.utime(copy.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
        os.fsync(copy.fileno())
    if not same(before, os.fstat(file.fileno())) or not same(before, source.status()):
        raise BlockingIOError(errno.EAGAIN, "it was written to while it was copied", str(source))


def same(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether it is the very file, and unchanged."""
    return all(getattr(one, what) == getattr(other, what) for what in _IDENTITY)


def free_name(place: Place, name: str, *suffixes: str) -> str:
    """A name like this one under which the folder has nothing now, with none of the suffixes either."""
    candidates = _names(name, room=_LONGEST_NAME - max(map(len, suffixes), default=0))
    return next(each for each in candidates if not any(place.has(f"{each}{suffix}") for suffix in ("", *suffixes)))


def rename(source: At, target: At) -> At:
    """Claim by renaming, within one file system. Raises OSError, which names the source."""
    try:
        os.rename(source.name, target.name, src_dir_fd=source.place.descriptor, dst_dir_fd=target.place.descriptor)
    except OSError as error:
        error.filename, error.filename2 = str(source), None
        raise
    return target


def _move_new(source: At, target: At) -> None:
    """A hard link replaces nothing; where there are none, something empty keeps the name meanwhile."""
    folders = {"src_dir_fd": source.place.descriptor, "dst_dir_fd": target.place.descriptor}
    try:
        os.link(source.name, target.name, follow_symlinks=False, **folders)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError as error:
        if error.errno == errno.EXDEV:
            error.filename, error.filename2 = str(source), None
            raise
        _replace_placeholder(source, target)
    else:
        source.place.remove(source.name)


def _replace_placeholder(source: At, target: At) -> None:
    folder = target.place.descriptor
    if stat.S_ISDIR(source.status().st_mode):
        os.mkdir(target.name, dir_fd=folder)
        remove = os.rmdir
    else:
        target.place.create(target.name).close()
        remove = os.unlink
    try:
        rename(source, target)
    except OSError:
        remove(target.name, dir_fd=folder)
        raise


def _names(name: str, *, room: int = _LONGEST_NAME) -> Iterator[str]:
    """The name itself, and then numbered; cut before its first point, then behind it, where that would be too long."""
    stem, dot, suffix = name.partition(".")
    for number in itertools.count(1):
        mark = f".{number}" if number > 1 else ""
        begin, end = stem, f"{dot}{suffix}"
        while len(os.fsencode(f"{begin}{mark}{end}")) > room:
            begin, end = (begin[:-1], end) if len(begin) > 1 else (begin, end[1:])
        yield f"{begin}{mark}{end}"
