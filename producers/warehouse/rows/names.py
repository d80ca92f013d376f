"""Names for what rows say: by the source's ids, else by a hash of the row and how often it came before.

It keeps 16 bytes for each row of a file, and must not keep the rows.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final

_LOW: Final = (1 << 40) - 1


def part(text: str) -> str:
    """Write a text as one part of a fact: `:` and `%` are escaped, so that two facts never read alike."""
    return text.replace("%", "%25").replace(":", "%3A")


def digest(said: Sequence[object]) -> bytes:
    """Hash what a row says, the same however its numbers and times were written; 32 bytes."""
    return sha256("\x1f".join(_written(value) for value in said).encode("utf-8", "surrogatepass")).digest()


def _written(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return format(value.normalize() + 0, "f")
        case datetime():
            return value.astimezone(UTC).isoformat()
        case _:
            return str(value)


class SeenRows:
    """What a file has said so far, by hashes."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._rows: dict[bytes, int] = {}

    def times(self, row: bytes) -> int:
        """Count a row that has no id: 1 for the first of its kind, 2 for the second."""
        count = self._rows[row[:16]] = self._rows.get(row[:16], 0) + 1
        return count

    def claim(self, identity: str, content: bytes, *, number: int) -> tuple[int, bool] | None:
        """Note that row `number` says `content` of `identity`.

        None for the first; else the row that was first, and whether it said the same.
        """
        packed = int.from_bytes(content[:8]) << 40 | number
        first = self._rows.setdefault(digest((identity,))[:16], packed)
        return None if first == packed else (first & _LOW, first >> 40 == packed >> 40)
