r"""Text from outside, made fit to be looked at in a terminal, a log or a report.

A SKU, a header, a file's name or an error of somebody else's may hold what moves the cursor, hides, turns the text
around it or begins a line of its own. Here such a character becomes its escape: `\x1b`, `\n`, `\u202e`. What can be
read stays as it is. It must not be applied to what is stored or sent: there a text stays what it was.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

MARKS_IN_A_ROW: Final = 2
"""Accents on one letter; more of them are drawn over the lines above and below."""

_BLANK: Final = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),  # combining grapheme joiner
        (0x115F, 0x1160),  # fillers that take room and show nothing
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),  # variation selectors, which can carry a text that nobody sees
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0000, 0xE0FFF),
    )
    for code in range(first, last + 1)
)
"""What counts as printable and cannot be seen."""


def visible(text: object) -> str:
    """The text on one line, with all that is not to be seen as escapes; of another object what `str` says."""
    said = str(text)
    if said.isascii() and said.isprintable():
        return said
    shown, marks = [], MARKS_IN_A_ROW  # nothing comes before the first letter that a mark could belong to
    for letter in said:
        marks = marks + 1 if unicodedata.category(letter) in {"Mn", "Me"} else 0
        shown.append(_escape(letter) if _hides(letter) or marks > MARKS_IN_A_ROW else letter)
    return "".join(shown)


def visible_lines(text: str, indent: str) -> str:
    """A text of several lines, such as a traceback. All but the first are indented, so that none looks like ours."""
    return f"\n{indent}".join(map(visible, text.split("\n")))


def visible_json(text: str) -> str:
    """A document of JSON that says exactly the same, with what is not to be seen as JSON's own escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_json_escape(letter) if letter != "\n" and _hides(letter) else letter for letter in text)


def visible_values(value: Any) -> Any:  # noqa: ANN401 - whatever somebody logs
    """The same with every text in it made visible: keys too, however deep. What is no text stays what it is."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return visible(value)
        case Mapping():
            return {visible(key): visible_values(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [visible_values(each) for each in value]
        case _:
            return visible(repr(value))


def _hides(letter: str) -> bool:
    return not letter.isprintable() or letter in _BLANK


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def _json_escape(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
