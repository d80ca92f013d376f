"""CSV files of a warehouse (`warehouse-csv`): a header, and rows that are changes, counts, receipts, orders or bills.

Pure, and in memory no more than a line, a document and a hash a row. What rows mean is decided in `reader`.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

from producers.normalising import NormaliseContext, Piece, Refused, Rejected, Taken
from producers.reading.numbers import split_unit
from producers.reading.options import read_options
from producers.reading.tables import DELIMITERS, MOST_TITLE_LINES, TextLines, encoding_of
from producers.warehouse.rows.cells import joined, number_in
from producers.warehouse.rows.options import FIELDS, NEEDED, CsvOptions, RowOptions
from producers.warehouse.rows.reader import RowReader

if TYPE_CHECKING:
    import _csv

_MOST_COLUMNS: Final = 16_384
"""As many as a spreadsheet has."""

_SEPARATOR: Final = re.compile(r'"?sep=([^\w\s"]|\t)"?\s*', re.IGNORECASE)
"""The delimiter in a line of its own, as spreadsheets write it."""

_SUMMED: Final = ("quantity", "out", "amount", "ordered", "rejected", "short", "over")


def read(stream: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
    """Read a CSV file row by row. Options: `CsvOptions`. The stream must be seekable.

    Raises Rejected where the encoding, the header or the options are wrong, before the first row.
    """
    options = read_options(CsvOptions, context.options)
    lines = TextLines(stream, encoding_of(stream, options.encoding))
    names, delimiter, above = _find_header(lines, options)
    places = _places(names, options)
    reader = RowReader(options, context, prefix="csv", unit="line")
    if not options.bare_end:
        reader.is_cut = lambda: lines.bare
    totals = _Totals(options)
    for first, last, cells in _numbered(csv.reader(lines, delimiter=delimiter, strict=True), above=above):
        try:
            values = _values(cells, places, len(names))
        except Rejected as error:
            yield from reader.refuse(error, first=first, last=last)
        else:
            yield from _pieces(values, reader, totals, first=first, last=last)
    yield from reader.end()
    yield from totals.end()


def _pieces(
    values: Mapping[str, str] | None, reader: RowReader, totals: "_Totals", *, first: int, last: int
) -> Iterator[Piece]:
    if values is None:
        yield Taken(reader.where(first, last), (), ignored="empty_row")
    elif totals.are_in(values):
        yield totals.check(values, reader.where(first, last))
    else:
        totals.add(values)
        yield from reader.take(values, first=first, last=last)


def _find_header(lines: TextLines, options: CsvOptions) -> tuple[Sequence[str], str, int]:
    """Give the columns, the delimiter and how many lines stand above the header. Raises Rejected."""
    searched = options.title_lines == "search"
    above = sum(1 for _ in islice(lines, 0 if searched else int(options.title_lines)))
    header = next(lines, "")
    said = _SEPARATOR.fullmatch(header)
    if said is not None:
        header, above = next(lines, ""), above + 1
    while header:
        delimiter = options.delimiter or (said[1] if said else _delimiter_of(header, options))
        if not searched or not _missing(_split_or_none(header, delimiter), options):
            return _split(header, delimiter), delimiter, above
        header, above = next(lines, "") if above < MOST_TITLE_LINES else "", above + 1
    if above == 0 or not searched:
        raise Rejected("empty_file", "the file ends before its header")
    raise Rejected("missing_column", f"no line of the first {MOST_TITLE_LINES} is a header with all that is needed")


def _delimiter_of(header: str, options: CsvOptions) -> str:
    """The one with which the header names all columns that are needed, else the one that stands there most often."""
    fitting = [sign for sign in DELIMITERS if not _missing(_split_or_none(header, sign), options)]
    return fitting[0] if fitting else max(DELIMITERS, key=header.count)


def _split(header: str, delimiter: str) -> Sequence[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter, strict=True), [])
    except csv.Error:
        message = "the header's quotation marks do not match; a header stands on one line"
        raise Rejected("bad_quoting", message) from None


def _split_or_none(header: str, delimiter: str) -> Sequence[str]:
    with suppress(Rejected):
        return _split(header, delimiter)
    return []


def _plain(name: str) -> str:
    return name.strip().casefold()


def _missing(names: Sequence[str], options: RowOptions) -> list[str]:
    """The columns that the options speak of, or that rows of their kind need, and the header does not have."""
    there = set(map(_plain, names))
    own = {field: options.columns_for(field) for field in FIELDS}
    absent = {field: [column for column in columns if _plain(column) not in there] for field, columns in own.items()}
    has = {field for field, columns in own.items() if columns and not absent[field]}
    kind, instead = options.kind, {"kind": "change", "time": "day", "amount": "unit_cost"}
    if kind == "adjusted":
        instead["quantity"] = "out"
    wanted = [*(NEEDED[kind] if kind else ("kind",)), "time", *(["amount"] if kind == "bill" else [])]
    lacking = [field for field in wanted if not has & {field, instead.get(field)}]
    missing = [column for field in options.columns for column in absent[field]]
    needed = [column for field in lacking if field != "reason" or not options.reason for column in own[field]]
    return missing + [column for column in needed if column not in missing]


def _places(names: Sequence[str], options: RowOptions) -> dict[str, tuple[int, ...]]:
    """The columns of each of our fields that the header has, as places in the row. Raises Rejected."""
    if len(names) > _MOST_COLUMNS:
        message = f"the header has {len(names)} columns, and at most {_MOST_COLUMNS} are read"
        raise Rejected("too_many_columns", f"{message}: leave out what is not used")
    if missing := _missing(names, options):
        message = f"the header has no column {', '.join(missing)}: map the file's own names in the option columns"
        message += ", or set the option kind for all rows" if "kind" in missing else ""
        raise Rejected("missing_column", message, field=missing[0])
    plain = [_plain(name) for name in names]
    fields = {field: tuple(map(_plain, columns)) for field, columns in options.columns.items()}
    mapped = {name for columns in fields.values() for name in columns}
    fields |= {field: options.columns_for(field) for field in FIELDS if field not in fields and field not in mapped}
    ignored = set(map(_plain, options.ignored))
    read = {name for columns in fields.values() for name in columns} - ignored
    _refuse_unclear(names, read, ignored)
    there = read.intersection(plain)
    places = {field: tuple(plain.index(name) for name in columns if name in there) for field, columns in fields.items()}
    return {field: of_field for field, of_field in places.items() if of_field}


def _refuse_unclear(names: Sequence[str], read: set[str], ignored: set[str]) -> None:
    times = Counter(map(_plain, names))
    for number, name in enumerate(names, start=1):
        plain, written = _plain(name), name.strip()[:100]
        if plain not in read and plain not in ignored and "*" not in ignored:
            what = f"column {number} is not known" if plain else f"column {number} has no name"
            message = f'{what}: map it in the option columns, or add "{written}" to ignored'
            raise Rejected("unknown_column", message, field=written or None)
        if plain in read and times[plain] > 1:
            message = "two columns have this name: which of them counts is not said"
            raise Rejected("column_twice", message, field=written)


def _numbered(rows: "_csv.Reader", *, above: int) -> Iterator[tuple[int, int, list[str] | Rejected]]:
    """The rows with their first and last line, those without any character left out; what is no row, refused."""
    while True:
        first = rows.line_num + above + 2
        cells: list[str] | Rejected | None
        try:
            cells = next(rows, None)
        except csv.Error:
            message = "quotation marks do not match, or a cell has more than 131072 characters"
            cells = Rejected("bad_quoting", message)
        if cells is None:
            return
        if cells:
            yield first, rows.line_num + above + 1, cells


def _values(cells: list[str] | Rejected, places: Mapping[str, tuple[int, ...]], count: int) -> dict[str, str] | None:
    """The cells by our field names; None for an empty row. Raises Rejected, also what is no row."""
    if isinstance(cells, Rejected):
        raise cells
    if not "".join(cells).strip():
        return None
    if len(cells) != count:
        reason = "too_few_cells" if len(cells) < count else "too_many_cells"
        raise Rejected(reason, f"the row has {len(cells)} cells, and the header {count}")
    return {
        field: str(joined([cells[at] for at in of_field], field) or "") if len(of_field) > 1 else cells[of_field[0]]
        for field, of_field in places.items()
    }


class _Totals:
    """The sums of a file's figures, where a row of totals is declared."""

    def __init__(self, options: CsvOptions) -> None:
        self._marks = frozenset(map(_plain, options.totals))
        self._column = options.totals_in
        self._form = options.numbers
        self._sums = dict.fromkeys(_SUMMED, Decimal(0))
        self._checked = not self._marks
        self._with_unit = options.quantity_has_unit

    def are_in(self, values: Mapping[str, str]) -> bool:
        return _plain(values.get(self._column, "")) in self._marks

    def add(self, values: Mapping[str, str]) -> None:
        for name in _SUMMED if self._marks else ():
            with suppress(Rejected):  # the row itself is refused for it
                self._sums[name] += self._read(values, name) or 0

    def check(self, values: Mapping[str, str], where: str) -> Taken | Refused:
        self._checked = True
        try:
            said = {name: figure for name in _SUMMED if (figure := self._read(values, name)) is not None}
        except Rejected as error:
            return error.at(where)
        if not said:
            return Refused(where, "totals_missing", "the row of totals has no figure")
        for name, figure in said.items():
            if figure != self._sums[name]:
                summed = self._sums[name]
                message = f"the rows make {summed:f}, the row of totals says {figure:f}: is the file whole?"
                return Refused(where, "totals_disagree", message, name)
        return Taken(where, (), ignored="totals")

    def end(self) -> Iterator[Refused]:
        if not self._checked:
            message = "a row of totals is declared and there is none: the file is not whole"
            yield Refused("end of file", "totals_missing", message)

    def _read(self, values: Mapping[str, str], name: str) -> Decimal | None:
        cell = values.get(name, "").strip()
        if name == "quantity" and self._with_unit:
            cell, _ = split_unit(cell, None)
        return number_in(cell, name, self._form) if cell else None
