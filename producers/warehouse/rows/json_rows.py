"""JSON files of a warehouse (`warehouse-json`): a list of rows, an object that holds one, or JSON lines.

Pure. JSON lines are read one at a time, a document as a whole. What rows mean is decided in `reader`: the fields are
those of CSV.
"""

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext, Piece, Rejected
from producers.reading.fields import parsed
from producers.reading.options import read_options
from producers.warehouse.rows.cells import Cell, joined
from producers.warehouse.rows.options import FIELDS, JsonOptions
from producers.warehouse.rows.reader import RowReader
from schemas.errors import InvalidJson
from schemas.json_text import MOST_VALUES_OF_A_FILE, parse_json

_LONGEST_LINE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as it was found. `around` are the objects that it stands in, the outermost first."""

    value: object
    around: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class _Path:
    """Where a field stands: `depth` objects from the document's own, None: in the row; and its names from there."""

    depth: int | None
    names: tuple[str, ...]

    def cell(self, row: _Row, field: str) -> Cell | None:
        """Give what stands there. Raises Rejected: `wrong_type`."""
        value = row.value if self.depth is None else row.around[self.depth]
        if isinstance(value, Mapping) and self.names[0] not in value:
            return None
        for name in self.names:
            if isinstance(value, list) and len(value) > 1:
                message = "a list of several: if each is a row, the option rows leads there"
                raise Rejected("wrong_type", message, field=field)
            value = next(iter(value), None) if isinstance(value, list) else value
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is None or isinstance(value, str | Decimal):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return Decimal(value)
        raise Rejected("wrong_type", "a text or a number belongs here", field=field)


def read(stream: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
    """Read a JSON file row by row. Options: `JsonOptions`. The stream must be seekable.

    Raises Rejected: `bad_options`; `not_json`, `file_too_large` or `no_rows` for a document.
    """
    options = read_options(JsonOptions, context.options)
    columns = _Columns(options)
    is_lines = _is_lines(stream, options)
    reader = RowReader(options, context, prefix="json", unit="line" if is_lines else "row")
    rows = (
        _lines(stream, columns.rows) if is_lines else enumerate(_rows_at(_document(stream, options), columns.rows), 1)
    )
    for number, row in rows:
        try:
            values = columns.cells(row)
        except Rejected as error:
            yield from reader.refuse(error, first=number, last=number)
        else:
            yield from reader.take(values, first=number, last=number)
    yield from reader.end()


def _is_lines(stream: BinaryIO, options: JsonOptions) -> bool:
    """Whether the file is JSON lines: its first line is an object by itself; where `rows` leads into it, not alone."""
    mark = stream.read(4)
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in mark:
        raise Rejected("wrong_encoding", "JSON is in UTF-8, and the file's first bytes say UTF-16 or UTF-32")
    stream.seek(0)
    lines = iter(lambda: stream.readline(_LONGEST_LINE), b"")
    first = next((line for line in lines if line.removeprefix(codecs.BOM_UTF8).strip()), b"")
    several = next(lines, b"").lstrip().startswith(b"{")
    stream.seek(0)
    if not first.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        return False
    try:
        parse_json(first)
    except InvalidJson:
        return options.rows is None and several
    return options.rows is None or several


def _lines(stream: BinaryIO, names: Sequence[str]) -> Iterator[tuple[int, _Row | Rejected]]:
    """The rows of JSON lines, with the number of their line."""
    for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), start=1):
        if len(line) == _LONGEST_LINE:
            raise Rejected("line_too_long", f"line {number} has more than a million bytes: this is no file of rows")
        text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if text.strip():
            yield from ((number, row) for row in _of_line(text, names))


def _of_line(text: bytes, names: Sequence[str]) -> list[_Row] | list[Rejected]:
    try:
        return list(_rows_at(parse_json(text), names)) if names else [_Row(parse_json(text))]
    except InvalidJson as error:
        return [Rejected("not_json", str(error))]
    except Rejected as error:
        return [error]


def _document(stream: BinaryIO, options: JsonOptions) -> object:
    raw = stream.read(options.max_bytes + 1)
    if len(raw) > options.max_bytes:
        message = f"a document is read as a whole, of at most {options.max_bytes} bytes: send JSON lines"
        raise Rejected("file_too_large", message)
    return parsed(raw, most_values=MOST_VALUES_OF_A_FILE)


def _rows_at(
    value: object, names: Sequence[str], around: tuple[Mapping[str, object], ...] = (), *, listed: bool = False
) -> Iterator[_Row]:
    """Give each row of the list at this path; lists on the way are gone through, and `null` is an empty one.

    Raises Rejected: `no_rows`, before the first row. Where one of several (`listed`) has none, that one is a row of
    its own, which nobody can read.
    """
    if value is None and around:
        return
    if not names and isinstance(value, list | dict):
        yield from (_Row(each, around) for each in (value if isinstance(value, list) else [value]))
    elif names and isinstance(value, list):
        for each in _flat(value):
            yield from _rows_at(each, names, around, listed=True)
    elif names and isinstance(value, dict) and names[0] in value:
        yield from _rows_at(value[names[0]], names[1:], (*around, value), listed=listed)
    elif listed:
        yield _Row(None, around)
    else:
        raise Rejected("no_rows", "there is no list of rows: the option rows says where it is")


def _flat(values: list[object]) -> Iterator[object]:
    """What stands in a list and in the lists in it, in its order, however deep."""
    waiting = values[::-1]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += reversed(each)
        else:
            yield each


class _Columns:
    """Where each of our fields stands: `product.sku` is a path in the row, `/order.number` one from the document."""

    def __init__(self, options: JsonOptions) -> None:
        self.rows = tuple(options.rows.split(".")) if options.rows else ()
        self._paths = {field: tuple(self._path(column) for column in options.columns_for(field)) for field in FIELDS}
        read = {path.names[0] for paths in self._paths.values() for path in paths if path.depth is None}
        self._known = read | {name.partition(".")[0] for name in options.ignored}
        self._all = "*" in options.ignored

    def cells(self, row: _Row | Rejected) -> dict[str, Cell]:
        """Give the row's cells by our field names. Raises Rejected: `unknown_column`, `wrong_type`; what is no row."""
        if isinstance(row, Rejected):
            raise row
        if not isinstance(row.value, dict):
            raise Rejected("wrong_type", "a row is a JSON object, in a list at the path of option rows")
        if not self._all and not row.value.keys() <= self._known:
            name = next(name for name in row.value if name not in self._known)
            message = "this field is not known: map it in the option columns, or add it to ignored"
            raise Rejected("unknown_column", message, field=name[:100])
        values: dict[str, Cell] = {}
        for field, paths in self._paths.items():
            there = [cell for path in paths if (cell := path.cell(row, field)) is not None]
            cell = there[0] if len(there) == 1 else joined(there, field)
            if cell is not None:
                values[field] = cell
        return values

    def _path(self, column: str) -> _Path:
        if not column.startswith("/"):
            return _Path(None, tuple(column.split(".")))
        names, depth = tuple(column[1:].split(".")), 0
        while depth < min(len(self.rows), len(names) - 1) and names[depth] == self.rows[depth]:
            depth += 1
        return _Path(None if depth == len(self.rows) else depth, names[depth:])
