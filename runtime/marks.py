"""A mark: what was last seen of a company's inbox. It travels as a value between the store and the broker.

Must not know either.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mark:
    """One raise of an inbox's counter: which inbox, the number, by whom and under which word.

    `inbox` is random and made with the store, and made anew by `relay restored`. `count` only rises. `by` names the
    process that raised it and carries a word of this raise alone, so that a store that went back in time and rose again
    does not look the same, though its process went back with it. Only equality tells. An older relay says no word.
    """

    inbox: str
    count: int
    by: str

    def as_json(self) -> list[Any]:
        """For a message's body."""
        return list(astuple(self))

    @classmethod
    def from_json(cls, said: Sequence[Any]) -> "Mark":
        """What `as_json` made. Raises TypeError or ValueError for anything else."""
        inbox, count, by = said
        return cls(str(inbox), int(count), str(by))
