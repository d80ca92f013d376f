"""Where the rows stand in a JSON document, and our fields in a row and around it. It must not know what a row means."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from producers.normalising import Rejected
from producers.warehouse.rows.cells import Cell, joined
from producers.warehouse.rows.options import FIELDS, JsonOptions


@dataclass(frozen=True, slots=True)
class JsonRow:
    """A row as it was found. `around` are the objects that it stands in, the outermost first."""

    value: object
    around: tuple[Mapping[str, object], ...] = ()


def rows_at(
    value: object, names: Sequence[str], around: tuple[Mapping[str, object], ...] = (), *, listed: bool = False
) -> Iterator[JsonRow]:
    """Give each row of the list at this path; lists on the way are gone through, and `null` is an empty one.

    Raises Rejected: `no_rows`, before the first row. Where one of several (`listed`) has none, that one is a row of
    its own, which nobody can read.
    """
    if value is None and around:
        return
    if not names and isinstance(value, list | dict):
        yield from (JsonRow(each, around) for each in (value if isinstance(value, list) else [value]))
    elif names and isinstance(value, list):
        for each in _flat(value):
            yield from rows_at(each, names, around, listed=True)
    elif names and isinstance(value, dict) and names[0] in value:
        yield from rows_at(value[names[0]], names[1:], (*around, value), listed=listed)
    elif listed:
        yield JsonRow(None, around)
    else:
        raise Rejected("no_rows", "there is no list of rows: the option rows says where it is")


def _flat(values: list[object]) -> Iterator[object]:
    """What stands in a list and in the lists in it, in its order, however deep."""
    waiting = [iter(values)]
    while waiting:
        for each in waiting[-1]:
            if isinstance(each, list):
                waiting.append(iter(each))
                break
            yield each
        else:
            waiting.pop()


class JsonColumns:
    """Where each of our fields stands: `product.sku` is a path in the row, `/order.number` one from the document."""

    def __init__(self, options: JsonOptions) -> None:
        """Prepare the paths."""
        self.rows = tuple(options.rows.split(".")) if options.rows else ()
        self._paths = {field: tuple(self._path(column) for column in options.columns_for(field)) for field in FIELDS}
        single = {field: paths[0] for field, paths in self._paths.items() if len(paths) == 1}
        self._simple = {
            field: names[0] for field, (depth, names) in single.items() if depth is None and len(names) == 1
        }
        self._others = {field: paths for field, paths in self._paths.items() if field not in self._simple}
        known = {names[0] for paths in self._paths.values() for depth, names in paths if depth is None}
        self._known = known | {name.partition(".")[0] for name in options.ignored}
        self._all = "*" in options.ignored

    def cells(self, row: JsonRow) -> dict[str, Cell]:
        """Give the row's cells by our field names. Raises Rejected: `unknown_column`, `wrong_type`."""
        if not isinstance(row.value, dict):
            raise Rejected("wrong_type", "a row is a JSON object, in a list at the path of option rows")
        if not self._all and not row.value.keys() <= self._known:
            name = next(name for name in row.value if name not in self._known)
            message = "this field is not known: map it in the option columns, or add it to ignored"
            raise Rejected("unknown_column", message, field=name[:100])
        values: dict[str, Cell] = {}
        for field, name in self._simple.items():
            if (simple := _cell(row.value.get(name), field)) is not None:
                values[field] = simple
        for field, paths in self._others.items():
            there = [cell for path in paths if (cell := _found(row, path, field)) is not None]
            cell = there[0] if len(there) == 1 else joined(there, field)
            if cell is not None:
                values[field] = cell
        return values

    def _path(self, column: str) -> tuple[int | None, tuple[str, ...]]:
        """How deep in the document a path begins, None for the row itself; and its names from there."""
        if not column.startswith("/"):
            return None, tuple(column.split("."))
        names, depth = tuple(column[1:].split(".")), 0
        while depth < min(len(self.rows), len(names) - 1) and names[depth] == self.rows[depth]:
            depth += 1
        return (None if depth == len(self.rows) else depth), names[depth:]


def _found(row: JsonRow, path: tuple[int | None, tuple[str, ...]], field: str) -> Cell | None:
    depth, names = path
    value = row.value if depth is None else row.around[depth]
    for name in names:
        if isinstance(value, list):
            value = _only(value, field)
        value = value.get(name) if isinstance(value, Mapping) else None
    return _cell(value, field)


def _cell(value: object, field: str) -> Cell | None:
    if value is None or isinstance(value, str | Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise Rejected("wrong_type", "a text or a number belongs here", field=field)


def _only(values: list[object], field: str) -> object:
    if len(values) > 1:
        raise Rejected("wrong_type", "a list of several: if each is a row, the option rows leads there", field=field)
    return values[0] if values else None
