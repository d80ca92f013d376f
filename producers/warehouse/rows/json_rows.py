"""JSON files of a warehouse (`warehouse-json`): a list of rows, an object that holds one, or JSON lines.

Pure. JSON lines are read one at a time, a document as a whole. What rows mean is decided in `rows`: the fields are
those of CSV.
"""

import codecs
from collections.abc import Iterator
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.reading.fields import parsed
from producers.reading.options import read_options
from producers.warehouse.rows.json_columns import JsonColumns, JsonRow, rows_at
from producers.warehouse.rows.options import JsonOptions
from producers.warehouse.rows.reader import RowReader
from schemas.errors import InvalidJson
from schemas.json_text import MOST_VALUES_OF_A_FILE, parse_json

SOURCE: Final = "/warehouse/warehouse-json"

_LONGEST_LINE: Final = 1 << 20


def read(stream: BinaryIO, context: NormaliseContext) -> Iterator[Taken | Refused]:
    """Read a JSON file row by row. Options: `JsonOptions`. The stream must be seekable.

    Raises Rejected: `bad_options`; `not_json`, `file_too_large` or `no_rows` for a document.
    """
    options = read_options(JsonOptions, context.options)
    columns = JsonColumns(options)
    if _is_lines(stream, options):
        reader = RowReader(options, context, source=SOURCE, prefix="json", unit="line")
        yield from _read_lines(stream, columns, reader)
    else:
        document = _document(stream, options)
        reader = RowReader(options, context, source=SOURCE, prefix="json", unit="row")
        for number, row in enumerate(rows_at(document, columns.rows), start=1):
            yield from _take(row, columns, reader, number=number)
    yield from reader.end()


def _is_lines(stream: BinaryIO, options: JsonOptions) -> bool:
    """Whether the file is JSON lines: its first line is an object by itself; where `rows` leads into it, not alone."""
    mark = stream.read(4)
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in mark:
        raise Rejected("wrong_encoding", "JSON is in UTF-8, and the file's first bytes say UTF-16 or UTF-32")
    stream.seek(0)
    first = _line(stream)
    while first and not first.removeprefix(codecs.BOM_UTF8).strip():
        first = _line(stream)
    more = _line(stream).lstrip()
    stream.seek(0)
    if not first.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        return False
    try:
        parse_json(first)
    except InvalidJson:
        return options.rows is None and more.startswith(b"{")
    return options.rows is None or more.startswith(b"{")


def _line(stream: BinaryIO) -> bytes:
    return stream.readline(_LONGEST_LINE)


def _read_lines(stream: BinaryIO, columns: JsonColumns, reader: RowReader) -> Iterator[Taken | Refused]:
    number = 0
    while line := stream.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise Rejected("line_too_long", f"line {number} has more than a million bytes: this is no file of rows")
        line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if not line.strip():
            continue
        try:
            rows = list(rows_at(parse_json(line), columns.rows)) if columns.rows else [JsonRow(parse_json(line))]
        except InvalidJson as error:
            yield from reader.refuse(Rejected("not_json", str(error)), first=number, last=number)
            continue
        except Rejected as error:
            yield from reader.refuse(Rejected("no_rows", str(error)), first=number, last=number)
            continue
        for row in rows:
            yield from _take(row, columns, reader, number=number)


def _take(row: JsonRow, columns: JsonColumns, reader: RowReader, *, number: int) -> Iterator[Taken | Refused]:
    try:
        values = columns.cells(row)
    except Rejected as error:
        yield from reader.refuse(error, first=number, last=number)
        return
    yield from reader.take(values, first=number, last=number)


def _document(stream: BinaryIO, options: JsonOptions) -> object:
    raw = stream.read(options.max_bytes + 1)
    if len(raw) > options.max_bytes:
        message = f"a document is read as a whole, of at most {options.max_bytes} bytes: send JSON lines"
        raise Rejected("file_too_large", message)
    return parsed(raw, most_values=MOST_VALUES_OF_A_FILE)
