"""JSON files of a warehouse (`warehouse-json`): a list of rows, an object that holds one, or JSON lines.

Pure. JSON lines are read one at a time, a document as a whole. What rows mean is decided in `rows`: the fields are
those of CSV.
"""

import codecs
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.warehouse.cells import Cell
from producers.warehouse.declared import RowRefused
from producers.warehouse.options import FIELDS, JsonOptions, RowOptions, read_options
from producers.warehouse.rows import RowReader
from schemas.errors import InvalidJson
from schemas.json_text import parse_json

SOURCE: Final = "/warehouse/warehouse-json"

_LONGEST_LINE: Final = 1 << 20


def read(stream: BinaryIO, context: NormaliseContext) -> Iterator[Taken | Refused]:
    """Read a JSON file row by row. Options: `JsonOptions`. The stream must be seekable.

    Raises Rejected: `bad_options`; `not_json`, `file_too_large` or `no_rows` for a document.
    """
    options = read_options(JsonOptions, context.options)
    columns = Columns(options)
    if _is_lines(stream, options):
        reader = RowReader(options, context, source=SOURCE, prefix="json", unit="line")
        yield from _read_lines(stream, columns, reader)
    else:
        rows = _document(stream, options)
        reader = RowReader(options, context, source=SOURCE, prefix="json", unit="row")
        for number, row in enumerate(rows, start=1):
            yield from _take(row, columns, reader, number=number)
    yield from reader.end()


class Columns:
    """Where each of our fields stands in a row; columns may be dotted paths."""

    def __init__(self, options: RowOptions) -> None:
        """Prepare the paths."""
        self._paths = {field: tuple(options.columns.get(field, field).split(".")) for field in FIELDS}
        self._paths |= {field: (column,) for field, column in options.columns.items() if "." not in column}
        known = {path[0] for path in self._paths.values()}
        self._known = known | {name.partition(".")[0] for name in options.ignore_columns}
        self._all = "*" in options.ignore_columns
        self._declared = set(options.columns)

    def cells(self, row: Mapping[str, object]) -> dict[str, Cell]:
        """Give the row's cells by our field names. Raises RowRefused: `unknown_column`, `wrong_type`."""
        if not self._all and not row.keys() <= self._known:
            name = next(name for name in row if name not in self._known)
            message = "this field is not known: map it in the option columns, or add it to ignore_columns"
            raise RowRefused("unknown_column", message, field=name[:100])
        values: dict[str, Cell] = {}
        for field, path in self._paths.items():
            value = row.get(path[0]) if len(path) == 1 else _inside(row, path)
            if value is not None:
                values[field] = _cell(value, field)
        return values


def _inside(row: Mapping[str, object], path: Sequence[str]) -> object:
    value: object = row
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _cell(value: object, field: str) -> Cell:
    if isinstance(value, str | Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise RowRefused("wrong_type", "a text or a number belongs here", field=field)


def _is_lines(stream: BinaryIO, options: JsonOptions) -> bool:
    """Whether the file is JSON lines: its first line is an object by itself, and no list inside it is declared."""
    mark = stream.read(4)
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in mark:
        message = "JSON is in UTF-8, and the file's first bytes say UTF-16 or UTF-32"
        raise Rejected(reason="wrong_encoding", message=message)
    stream.seek(0)
    first = stream.readline(_LONGEST_LINE)
    while first and not first.removeprefix(codecs.BOM_UTF8).strip():
        first = stream.readline(_LONGEST_LINE)
    stream.seek(0)
    if options.rows is not None or not first.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        return False
    try:
        parse_json(first)
    except InvalidJson:
        more = stream.readline(_LONGEST_LINE) and stream.readline(_LONGEST_LINE).lstrip()
        stream.seek(0)
        return bool(more) and more.startswith(b"{")
    return True


def _read_lines(stream: BinaryIO, columns: Columns, reader: RowReader) -> Iterator[Taken | Refused]:
    number = 0
    while line := stream.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            message = f"line {number} has more than a million bytes: this is no file of rows"
            raise Rejected(reason="line_too_long", message=message)
        line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except InvalidJson as error:
            yield from reader.refuse(RowRefused("not_json", str(error)), first=number, last=number)
            continue
        yield from _take(row, columns, reader, number=number)


def _take(row: object, columns: Columns, reader: RowReader, *, number: int) -> Iterator[Taken | Refused]:
    try:
        if not isinstance(row, dict):
            raise RowRefused("wrong_type", "a row is a JSON object")
        values = columns.cells(row)
    except RowRefused as error:
        yield from reader.refuse(error, first=number, last=number)
        return
    yield from reader.take(values, first=number, last=number)


def _document(stream: BinaryIO, options: JsonOptions) -> Sequence[object]:
    raw = stream.read(options.max_bytes + 1)
    if len(raw) > options.max_bytes:
        message = f"a document is read as a whole, of at most {options.max_bytes} bytes: send JSON lines"
        raise Rejected(reason="file_too_large", message=message)
    try:
        found = parse_json(raw)
    except InvalidJson as error:
        raise Rejected(reason="not_json", message=str(error)) from None
    if options.rows is not None and isinstance(found, dict):
        found = _inside(found, options.rows.split("."))
    elif options.rows is None and isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        where = f"at {options.rows}" if options.rows else "in the file"
        message = f"there is no list of rows {where}: the option rows says where it is"
        raise Rejected(reason="no_rows", message=message, field=options.rows)
    return found
