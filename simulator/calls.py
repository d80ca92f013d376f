"""The record of every call Solid received, answered or not. Times are those of arrival. It judges nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


def fingerprint(key: str) -> str:
    """What stands for an API key in records: enough to tell keys apart, useless as a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass(slots=True)
class Call:
    """One HTTP request.

    `status` stays None while no answer was sent; `committed` are the ids of records it made.

    `at` is in seconds since 1970, `monotonic` on the machine's monotonic clock (it goes on over a restart of
    this process, not over one of the machine). `rate_limited` is true for refusals whatever their status.
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
