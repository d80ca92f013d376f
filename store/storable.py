"""Text that every database can keep. PostgreSQL refuses NUL, both refuse half a surrogate pair."""


def storable(text: str) -> str:
    """`text` with the characters that PostgreSQL or SQLite refuse replaced by U+FFFD or '?'."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
