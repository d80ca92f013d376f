"""API keys: what one looks like, its short name, and files of many. Keys are never shown, only their names."""

import hashlib
from pathlib import Path
from typing import Final

from simulator.errors import SwitchError

KEY_LENGTH: Final = 64
NAME_DIGITS: Final = 8


def name_of(key: str) -> str:
    """The short name of an API key: the first hex digits of its SHA-256, useless as a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:NAME_DIGITS]


def checked_key(key: str) -> str:
    """`key` if it could be one of Solid's. Raises SwitchError; the message does not hold the key."""
    if len(key) != KEY_LENGTH or not key.isascii() or not key.isprintable():
        msg = f"an API key has {KEY_LENGTH} printable characters"
        raise SwitchError(msg)
    return key


def read_keys(path: Path) -> tuple[str, ...]:
    """The keys in a file, one a line; empty lines are passed over.

    Raises SwitchError naming the line that is no key, never showing it; OSError when the file cannot be read.
    """
    keys = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if line.strip():
            try:
                keys.append(checked_key(line.strip()))
            except SwitchError as exc:
                msg = f"{path}: line {number}: {exc}"
                raise SwitchError(msg) from exc
    return tuple(keys)
