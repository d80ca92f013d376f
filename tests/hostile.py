"""Text from outside at its worst, and what may be seen of it."""

from rich.cells import cell_len

HOSTILE = "CAP[/x][red]S\x1b[2J\x1b]0;t\x07\x9b31m\u202eE\u2066\u200b\n2026 F\r\x7f\u3164\U000e0041[/red]"
"""Markup that closes what is not open, ESC, C1, right-to-left and isolate marks, nothing to see, a line of its own."""

SHOWN = r"CAP[/x][red]S\x1b[2J\x1b]0;t\x07\x9b31m\u202eE\u2066\u200b\n2026 F\r\x7f\u3164\U000e0041[/red]"
"""The same as a table, a line or a log shows it."""


def hidden_in(text: str) -> set[str]:
    """Everything in an output that moves the cursor, hides or turns its neighbours around."""
    return {letter for letter in text if letter != "\n" and (not letter.isprintable() or letter == "\u3164")}


def shows(text: str, wanted: str = SHOWN) -> bool:
    """Whether a text is there, whole, however a table has folded it: only letters count, in one column."""
    return squeezed(wanted) in squeezed(text)


def squeezed(text: str) -> str:
    """The text without its blanks."""
    return "".join(text.split())


def too_wide(text: str, columns: int = 80) -> list[str]:
    """Lines that a terminal would break."""
    return [line for line in text.splitlines() if cell_len(line) > columns]
