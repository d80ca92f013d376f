"""The record of every call Solid received, answered or not. Times are those of arrival. It judges nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(slots=True)
class Call:
    """One HTTP request.

    `status` stays None while no answer was sent; `committed` are the ids of records it made.

    `at` is in seconds since 1970, `monotonic` on the machine's monotonic clock (it goes on over a restart of
    this process, not over one of the machine). `key` is the short name of the API key that came with it.
    `rate_limited` is true for refusals of the limit whatever their status, `counted` for what the limit counted.
    """

    n: int
    at: float
    monotonic: float
    method: str
    path: str
    query: str
    key: str | None = None
    rate_limited: bool = False
    counted: bool = False
    status: int | None = None
    committed: tuple[str, ...] = ()
    external_id: str | None = None
    fault: str | None = None

    def as_json(self) -> dict[str, Any]:
        """All of it, for the control port and the journal."""
        return {name: getattr(self, name) for name in _NAMES}


_NAMES = tuple(field.name for field in fields(Call))


def from_json(values: Mapping[str, Any]) -> Call:
    """A call as it was written to the journal."""
    known = {name: value for name, value in values.items() if name in _NAMES}
    return Call(**known | {"committed": tuple(known.get("committed", ()))})
