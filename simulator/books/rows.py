"""A view of some rows of an index, so that a page of a long list costs only the page."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Row = TypeVar("Row")


class Rows(Generic[Row]):
    """The rows `low <= i < high` of an index, read only where they are asked for."""

    __slots__ = ("_index", "_low", "_row", "count")

    def __init__(
        self, index: Sequence[Key], row: Callable[[Key], Row], *, low: int = 0, high: int | None = None
    ) -> None:
        """View `index`; `row` turns one of its keys into a row."""
        self._index = index
        self._row: Callable[..., Row] = row
        self._low = low
        self.count = (len(index) if high is None else high) - low

    def take(self, offset: int, limit: int) -> list[Row]:
        """At most `limit` rows from `offset` on."""
        start = self._low + min(offset, self.count)
        end = self._low + min(offset + limit, self.count)
        return [self._row(key) for key in self._index[start:end]]

    def all(self) -> list[Row]:
        """Every row."""
        return self.take(0, self.count)


def rows_of(records: Sequence[Row]) -> Rows[Row]:
    """A view of all of `records`."""
    return Rows(records, lambda record: record)
