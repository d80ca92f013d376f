"""Texts of documents as they may be kept: printable, and of a length that every table and message takes.

It must not know any format.
"""

import re
from typing import Final

_LONGEST: Final = 255
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def clean(text: str | None) -> str | None:
    """Give the text without control characters and outer spaces, cut at 255; None when nothing is left."""
    if text is None:
        return None
    if not text.isprintable():
        text = _UNPRINTABLE.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))
    return text.strip()[:_LONGEST].strip() or None
