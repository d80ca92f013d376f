"""What a provider of pay runs is to the rest: it lists runs, finds one, and gives the document of one.

Each provider has a folder with its `client.py`. None of them judges a run or makes events: normalisers do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

RunStatus = Literal["closed", "open", "cancelled"]


@dataclass(frozen=True, slots=True)
class Span:
    """Days, both included."""

    first: date
    last: date

    def holds(self, day: date | None) -> bool:
        """Whether the day is in it; what has no day is held too, so that nothing is passed over."""
        return day is None or self.first <= day <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRun:
    """A run as a list shows it. `entity` is the company it says it is of, which may not be the one that was asked for.

    `closed`: it is final, and may be told; `open`: the provider still works at it, or does again; `cancelled`: the
    provider says that it was taken back. `reverses` names the run that this one takes back.
    """

    entity: str
    run: str
    status: RunStatus
    pay_date: date | None = None
    period_start: date | None = None
    period_end: date | None = None
    reverses: str | None = None


class Provider(Protocol):
    """A client of one account. Every method raises `ProviderError`; all are safe to cancel and to repeat."""

    async def runs(self, entity: str, span: Span) -> Sequence[ListedRun]:
        """Every run of an entity that is paid within these days, whatever its status. Raises KeepsChanging."""

    async def find(self, entity: str, run: str) -> ListedRun | None:
        """One run by its id; None where the provider has none, or no call for one."""
        del entity, run
        return None

    async def departments(self, entity: str) -> Mapping[str, str]:
        """The department of each employee's id, where the documents do not name it; else nothing."""
        del entity
        return {}

    async def document(self, listed: ListedRun) -> bytes:
        """The whole document of a run, JSON as its normaliser reads it. Raises NotReady where a part is to come."""
