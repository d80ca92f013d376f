"""What can be made to go wrong, as plain state: the app's door, faults waiting for calls, closed dates.

Holds no sockets and commits nothing: `api` carries the faults out, `switching` sets them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from simulator.books.dialect import Dialect
from simulator.errors import ApiError

Changes = Mapping[str, Any]
"""What a request to the control port's `/switch` says."""
Act = Callable[[], Awaitable[None] | None]
"""What one switch of it does, once all are known to be possible."""
FaultKind = Literal["slow", "answer_lost", "answer_held", "late_commit", "twice", "error", "hang"]


@dataclass(slots=True)
class Fault:
    """Something that happens to the next `left` calls that `only` allows.

    slow: wait `seconds`, then commit and answer. answer_held: commit at once, answer `seconds` later.
    answer_lost: commit, then cut the connection. late_commit:
    cut (or hang) without an answer, commit `seconds` later. twice: commit two records, answer with the first.
    error: answer `status` and `code`, as HTML if `html`, as JSON of somebody else without `envelope`, after
    committing if `commit`. hang: never answer, never commit.

    `only` is `*`, a method (`POST`), a path (`/invoices`) or both (`POST /invoices`).
    """

    kind: FaultKind
    left: int
    only: str = "*"
    seconds: float = 0.0
    status: int = 503
    html: bool = False
    envelope: bool = True
    code: str = "INTERNAL_ERROR"
    commit: bool = False
    hangs: bool = False

    def matches(self, method: str, path: str) -> bool:
        """Is this call one that the fault is for. `path` is without the prefix and the query."""
        if self.left <= 0 or (self.kind == "late_commit" and method != "POST"):
            return False
        words = self.only.split()
        return all(word in {"*", method, path} or (word[0] == "/" and path.startswith(f"{word}/")) for word in words)


@dataclass(slots=True)
class Switches:
    """Everything that can be switched, at its default.

    `closed_keys`: until which time, on the monotonic clock, the app is closed for a key.
    """

    open: bool = True
    closed_keys: dict[str, float] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    rate_limit_header: bool = True
    rate_limit_as_200: bool = False
    closed_through: str | None = None
    accountant_copy: str | None = None
    dialect: Dialect = field(default_factory=Dialect)

    def is_closed_for(self, key: str | None, at: float) -> bool:
        """Is the app closed for this key (its short name) alone."""
        return key in self.closed_keys and at < self.closed_keys[key]

    def arm(self, fault: Fault) -> None:
        """Let a fault wait for calls; it replaces one of the same kind, and none is armed for no calls."""
        self.faults = [armed for armed in self.faults if armed.kind != fault.kind]
        if fault.left > 0:
            self.faults.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The first armed fault for this call; it has one call less to wait for."""
        fault = next((armed for armed in self.faults if armed.matches(method, path)), None)
        if fault is not None:
            fault.left -= 1
            self.faults = [armed for armed in self.faults if armed.left > 0]
        return fault

    def check_date(self, date: str) -> None:
        """Raise ApiError (PERIOD_CLOSED, ACCOUNTANT_COPY) when nothing may be posted on this day."""
        if self.closed_through is not None and date <= self.closed_through:
            message = f"the books are closed through {self.closed_through}; {date} cannot be posted to"
            raise ApiError(422, "PERIOD_CLOSED", message)
        if self.accountant_copy is not None and date <= self.accountant_copy:
            message = f"an accountant copy is out; nothing on or before {self.accountant_copy} may change"
            raise ApiError(422, "ACCOUNTANT_COPY", message)

    def as_json(self) -> Mapping[str, Any]:
        """All of it, for the control port."""
        return asdict(self)
