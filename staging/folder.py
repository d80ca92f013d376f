"""The folder in which a demo or a campaign leaves its logs: cleared first, and held by one at a time."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from staging.processes import NotReady

MARK = "books.toml"


def clear(folder: Path, *, what: str) -> None:
    """Empty the folder, if it is ours to empty. `what` is what leaves its logs there: `demo`.

    Raises:
        NotReady: something is in it that nothing of the kind has left.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        msg = f"{folder} holds something else than an earlier {what}. Name an empty folder with --folder."
        raise NotReady(msg)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


@contextlib.contextmanager
def alone(folder: Path, *, what: str) -> Iterator[None]:
    """Hold the folder, so that a second one does not clear the logs of one that runs.

    Raises:
        NotReady: another one holds it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = f"another {what} is running in {folder}. Wait for it, or name another folder with --folder."
            raise NotReady(msg) from None
        yield
