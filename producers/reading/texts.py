"""Texts of documents as they may be kept: printable, and of a length that every table and message takes.

It must not know any format.
"""

import re
from typing import Final

from producers.normalising import Rejected

LONGEST: Final = 255
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def clean(text: str | None) -> str | None:
    """Give the text without control characters and outer spaces; None when nothing is left.

    Raises Rejected: `bad_text` where it is longer than 255, as two ids that differ behind that would be one.
    """
    if text is None:
        return None
    if not text.isprintable():
        text = _UNPRINTABLE.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))
    text = text.strip()
    if len(text) > LONGEST:
        raise Rejected("bad_text", f"a text has at most {LONGEST} characters, this one {len(text)}")
    return text or None
