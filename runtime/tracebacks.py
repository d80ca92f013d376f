"""What may be seen of an exception: its kind and the way it took; what it says only where the words are our own.

The words of others may hold what was being worked on: a row of the database, a value of an event, a header with a key.
"""

import traceback
from collections.abc import Iterator
from typing import Final

ROOMS: Final = frozenset(("messaging", "ops", "producers", "runtime", "schemas", "solid", "store", "workers"))
CAUSED: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
DURING: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"


def trace_of(error: BaseException) -> str:
    """The traceback of an exception and of those before it and in it, as Python prints it, without what they say."""
    return "".join(_trace(error, set())).rstrip("\n")


def _trace(error: BaseException, seen: set[int]) -> Iterator[str]:
    chain, links = [error], list[str]()
    while (before := _before(chain[-1])) is not None and id(before[0]) not in {id(each) for each in chain} | seen:
        chain.append(before[0])
        links.append(before[1])
    seen.update(id(each) for each in chain)
    for each, link in zip(reversed(chain), [*reversed(links), ""], strict=True):
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(each.__traceback__)
        yield f"{type(each).__module__}.{type(each).__qualname__}\n".removeprefix("builtins.")
        for inner in each.exceptions if isinstance(each, BaseExceptionGroup) else ():
            yield "In it:\n"
            yield from _trace(inner, seen)
        yield link


def _before(error: BaseException) -> tuple[BaseException, str] | None:
    """The exception that came before this one, and how the two hang together."""
    if error.__cause__ is not None:
        return error.__cause__, CAUSED
    if error.__context__ is not None and not error.__suppress_context__:
        return error.__context__, DURING
    return None


def words_of(error: BaseException) -> str:
    """What a failure says, where the words are the relay's own or the operating system's; else its kind."""
    if type(error).__module__.partition(".")[0] in ROOMS:
        return str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return type(error).__name__
