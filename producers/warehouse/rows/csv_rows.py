"""CSV files of a warehouse (`warehouse-csv`): a header, and rows that are changes, counts, receipts, orders or bills.

Pure, and in memory no more than a line, a document and a hash a row. What rows mean is decided in `rows`.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.reading.numbers import split_unit
from producers.reading.options import read_options
from producers.reading.tables import (
    MOST_TITLE_LINES,
    TextLines,
    delimiter_of,
    encoding_of,
    separator_in,
    split_header,
    split_or_none,
)
from producers.warehouse.rows.cells import joined, number_in
from producers.warehouse.rows.options import FIELDS, NEEDED, CsvOptions, RowOptions
from producers.warehouse.rows.reader import RowReader

if TYPE_CHECKING:
    import _csv

SOURCE: Final = "/warehouse/warehouse-csv"

MOST_COLUMNS: Final = 16_384
"""As many as a spreadsheet has."""

_SUMMED: Final = ("quantity", "out", "amount", "ordered", "rejected", "short", "over")


def read(stream: BinaryIO, context: NormaliseContext) -> Iterator[Taken | Refused]:
    """Read a CSV file row by row. Options: `CsvOptions`. The stream must be seekable.

    Raises Rejected where the encoding, the header or the options are wrong, before the first row.
    """
    options = read_options(CsvOptions, context.options)
    lines = TextLines(stream, encoding_of(stream, options.encoding))
    header, delimiter, above = _find_header(lines, options)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    names = split_header(header, delimiter)
    if len(names) > MOST_COLUMNS:
        message = (
            f"the header has {len(names)} columns, and at most {MOST_COLUMNS} are read: leave out what is not used"
        )
        raise Rejected("too_many_columns", message)
    columns = _Columns(names, columns_of(names, options))
    reader = RowReader(options, context, source=SOURCE, prefix="csv", unit="line")
    if not options.bare_end:
        reader.is_cut = lambda: lines.bare
    yield from _read_rows(rows, columns, reader, totals=_Totals(options), above=above + 1)


def _find_header(lines: TextLines, options: CsvOptions) -> tuple[str, str, int]:
    """Give the header, its delimiter and how many lines stand above it. Raises Rejected: `empty_file`."""

    def is_whole(names: Sequence[str]) -> bool:
        return not missing_columns(names, options)

    searched = options.title_lines == "search"
    above = sum(1 for _ in islice(lines, 0 if searched else int(options.title_lines)))
    header = next(lines, "")
    said = separator_in(header)
    if said is not None:
        header, above = next(lines, ""), above + 1
    while header:
        delimiter = options.delimiter or said or delimiter_of(header, is_whole)
        if not searched or is_whole(split_or_none(header, delimiter)):
            return header, delimiter, above
        header, above = next(lines, "") if above < MOST_TITLE_LINES else "", above + 1
    if above == 0 or not searched:
        raise Rejected("empty_file", "the file ends before its header")
    raise Rejected("missing_column", f"no line of the first {MOST_TITLE_LINES} is a header with all that is needed")


def missing_columns(names: Sequence[str], options: RowOptions) -> list[str]:
    """Give the columns that the options speak of, or that rows of their kind need, and the header does not have."""
    there = {name.strip().casefold() for name in names}
    own = {field: options.columns_for(field) for field in FIELDS}
    missing = [column for field in options.columns for column in own[field] if column.strip().casefold() not in there]
    has = {
        field for field, columns in own.items() if columns and {name.strip().casefold() for name in columns} <= there
    }
    if options.kind is None:
        wanted: tuple[str, ...] = () if "change" in has else ("kind",)
    else:
        said = {"reason"} if options.reason else set()
        said |= {"quantity"} if options.kind == "adjusted" and "out" in has else set()
        wanted = tuple(field for field in NEEDED[options.kind] if field not in said)
    if not has & {"time", "day"}:
        wanted = (*wanted, "time")
    if options.kind == "bill" and not has & {"amount", "unit_cost"}:
        wanted = (*wanted, "amount")
    lacking = [column for field in wanted if field not in has for column in own[field]]
    return missing + [column for column in lacking if column not in missing]


def columns_of(names: Sequence[str], options: RowOptions) -> dict[str, tuple[int, ...]]:
    """Give the columns of each of our fields that the header has, as places in the row.

    Raises Rejected: `missing_column`, `unknown_column`, `column_twice`.
    """
    if missing := missing_columns(names, options):
        message = f"the header has no column {', '.join(missing)}: map the file's own names in the option columns"
        message += ", or set the option kind for all rows" if "kind" in missing else ""
        raise Rejected("missing_column", message, field=missing[0])
    plain = [name.strip().casefold() for name in names]
    mapped = {field: tuple(name.strip().casefold() for name in columns) for field, columns in options.columns.items()}
    taken = {name for columns in mapped.values() for name in columns}
    own = {field: options.columns_for(field) for field in FIELDS if field not in mapped and field not in taken}
    ignored = {name.strip().casefold() for name in options.ignored}
    read = {name for columns in (*mapped.values(), *own.values()) for name in columns} - ignored
    for number, name in enumerate(plain, start=1):
        written = names[number - 1].strip()[:100]
        if name not in read and name not in ignored and "*" not in ignored:
            what = f"column {number} is not known" if name else f"column {number} has no name"
            message = f'{what}: map it in the option columns, or add "{written}" to ignored'
            raise Rejected("unknown_column", message, field=written or None)
        if name in read and plain.count(name) > 1:
            message = "two columns have this name: which of them counts is not said"
            raise Rejected("column_twice", message, field=written)
    found = {
        field: tuple(plain.index(name) for name in columns if name in plain and name in read)
        for field, columns in (*mapped.items(), *own.items())
    }
    return {field: places for field, places in found.items() if places}


class _Columns:
    """Which cells of a row are which of our fields."""

    def __init__(self, names: Sequence[str], places: Mapping[str, tuple[int, ...]]) -> None:
        self.count = len(names)
        self._single = [(field, of_field[0]) for field, of_field in places.items() if len(of_field) == 1]
        self._several = [(field, of_field) for field, of_field in places.items() if len(of_field) > 1]

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """Raises Rejected: the cells of one field contradict each other."""
        values = {field: cells[place] for field, place in self._single}
        for field, places in self._several:
            values[field] = str(joined([cells[place] for place in places], field) or "")
        return values


def _read_rows(
    rows: "_csv.Reader", columns: _Columns, reader: RowReader, *, totals: "_Totals", above: int
) -> Iterator[Taken | Refused]:
    while True:
        first = rows.line_num + above + 1
        try:
            cells = next(rows, None)
        except csv.Error:
            refused = Rejected("bad_quoting", "quotation marks do not match, or a cell has more than 131072 characters")
            yield from reader.refuse(refused, first=first, last=rows.line_num + above)
            continue
        if cells is None:
            break
        last = rows.line_num + above
        if not "".join(cells).strip():
            if cells:
                yield Taken(reader.where(first, last), (), ignored="empty_row")
            continue
        if len(cells) != columns.count:
            message = f"the row has {len(cells)} cells, and the header {columns.count}"
            reason = "too_few_cells" if len(cells) < columns.count else "too_many_cells"
            yield from reader.refuse(Rejected(reason, message), first=first, last=last)
            continue
        try:
            values = columns.values(cells)
        except Rejected as error:
            yield from reader.refuse(error, first=first, last=last)
            continue
        if totals.are_in(values):
            yield totals.check(values, reader.where(first, last))
            continue
        totals.add(values)
        yield from reader.take(values, first=first, last=last)
    yield from reader.end()
    yield from totals.end()


class _Totals:
    """The sums of a file's figures, where a row of totals is declared."""

    def __init__(self, options: CsvOptions) -> None:
        self._marks = frozenset(word.strip().casefold() for word in options.totals)
        self._column = options.totals_in
        self._form = options.numbers
        self._sums = dict.fromkeys(_SUMMED, Decimal(0))
        self._checked = not self._marks
        self._with_unit = options.quantity_has_unit

    def are_in(self, values: Mapping[str, str]) -> bool:
        return values.get(self._column, "").strip().casefold() in self._marks

    def add(self, values: Mapping[str, str]) -> None:
        if not self._marks:
            return
        for name in _SUMMED:
            with suppress(Rejected):  # the row itself is refused for it
                self._sums[name] += self._read(values, name) or 0

    def check(self, values: Mapping[str, str], where: str) -> Taken | Refused:
        self._checked = True
        try:
            said = {name: self._read(values, name) for name in _SUMMED}
        except Rejected as error:
            return Refused(where, error.reason, error.message, error.field)
        if not any(figure is not None for figure in said.values()):
            return Refused(where, "totals_missing", "the row of totals has no figure")
        for name, figure in said.items():
            if figure is not None and figure != self._sums[name]:
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
