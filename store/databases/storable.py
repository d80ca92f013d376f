"""Text that every database can keep. PostgreSQL refuses NUL, and long text in an index; both half a surrogate pair."""

import hashlib
from typing import Final

MOST_KEY_BYTES: Final = 500
"""PostgreSQL refuses rows of an index above 2,704 bytes, and one may hold four such texts."""


def storable(text: str) -> str:
    """`text` with the characters that PostgreSQL or SQLite refuse replaced by U+FFFD or '?'."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def key_of(text: str) -> str:
    """`text` as it is kept where an index holds it: a longer one as its beginning and a hash of all of it."""
    kept = storable(text)
    if len(kept.encode()) <= MOST_KEY_BYTES:
        return kept
    digest = hashlib.sha256(kept.encode()).hexdigest()
    return kept.encode()[: MOST_KEY_BYTES - len(digest) - 1].decode(errors="ignore") + f"~{digest}"
