"""A copy of the project that may be broken: never the tree itself."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LEFT_OUT: Final = (".git", ".venv", "var", "build", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")


@contextmanager
def copy_of(root: Path) -> Iterator[Path]:
    """Give a copy of the project in `root`, as it is now, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="relay-mutant-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder).resolve() / "relay"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        yield copy
