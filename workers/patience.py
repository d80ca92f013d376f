"""A call to Solid, made again for as long as nothing was sent: the brake paces it, the worker's patience ends it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from solid.errors import Unavailable

Result = TypeVar("Result")


async def when_open(call: Callable[[], Awaitable[Result]]) -> Result:
    """The answer of the call.

    Raises:
        Unavailable: it was sent, and what came of it is not known.
    """
    while True:
        try:
            return await call()
        except Unavailable as error:
            if error.sent:
                raise
