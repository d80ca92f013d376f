"""Reading what comes in pages while it may change: until two readings agree, or what came was a single page.

A list whose pages are read one after the other can lose a row between two of them although every count is right; two
whole readings that agree are the proof that nothing moved.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from producers.calling.errors import KeepsChanging

T = TypeVar("T")

MOST_READINGS: Final = 6


class Shifted(Exception):
    """Within one reading already the pages do not fit together."""


@dataclass(frozen=True, slots=True)
class SettledReading(Generic[T]):
    """What was read, and over how many pages. `content` is compared with that of the next reading."""

    content: T
    pages: int


async def settled(read: Callable[[], Awaitable[SettledReading[T]]], *, what: str) -> T:
    """Read until it is certain that nothing changed meanwhile.

    `read` raises `Shifted` when its pages do not fit together. Raises KeepsChanging after `MOST_READINGS` readings.
    """
    before: SettledReading[T] | None = None
    for _ in range(MOST_READINGS):
        try:
            reading = await read()
        except Shifted:
            before = None
            continue
        if reading.pages == 1 or (before is not None and before.content == reading.content):
            return reading.content
        before = reading
    msg = f"{what} changed at each of {MOST_READINGS} readings, so nothing of it was used. Pull again when it is quiet."
    raise KeepsChanging(msg)
