"""The cells of a payroll export: the header found, rows that fit it, amounts and days as the mapping writes them.

Every refusal names the line and the column, never what stands in the cell. It must not add anything up.
"""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

from producers.normalising import Rejected
from producers.payroll.amounts import ZERO, is_fine
from producers.payroll.exports.header import TAX_NUMBER, ExportColumns, HeaderFinder
from producers.payroll.exports.mapping import CsvMapping
from producers.reading.files import read_whole
from producers.reading.numbers import NumberForm
from producers.reading.tables import DELIMITERS, MOST_TITLE_LINES, TextLines, encoding_of
from schemas.money import MAX_AMOUNT

if TYPE_CHECKING:
    import _csv

MOST_BYTES_OF_A_PIPE: Final = 64 << 20
_LONGEST: Final = 100
"""Characters of a cell that holds an amount or a period."""

_ID: Final = re.compile(r"(?=[^ ]*\d)[A-Za-z0-9_.:#/-]{1,60}", re.ASCII)
_BETWEEN: Final = re.compile(r"\s*[-\u2013\u2014]\s*|\s+(?:to|through)\s+")
_DASH: Final = frozenset({"", "-", "--", "\u2212"})


@dataclass(frozen=True)
class ExportRow:
    """A row of the file by column, its line, and the columns of the file."""

    line: int
    cells: dict[str, str]
    columns: ExportColumns

    def at(self, column: str) -> str:
        """Name a cell."""
        return f"line {self.line}, column {column}"

    def single(self, what: str) -> str:
        """Give what stands in the column of the pay date, the company and so on; empty without one."""
        return self.cells.get(self.columns.name(what) or "", "")


def rows(file: BinaryIO, mapping: CsvMapping) -> Iterator[ExportRow]:
    """Give the rows below the header, without empty ones, repeated headers and lines of one cell.

    Raises Rejected `wrong_encoding`, `not_csv`, `missing_columns`, `unmapped_column:<header>`, `column_twice:<header>`,
    `shifted_columns`. The file stays open; one that cannot be read twice, such as a pipe, is taken into memory.
    """
    if not file.seekable():
        file = BytesIO(read_whole(file, max_bytes=MOST_BYTES_OF_A_PIPE))
    lines = TextLines(file, encoding_of(file, mapping.encoding))
    reader = csv.reader(lines, delimiter=mapping.delimiter, strict=True)
    try:
        yield from _rows(reader, mapping)
    except csv.Error:
        message = f"line {reader.line_num + 1}: not CSV: a quote is not closed, or stands inside a cell"
        raise Rejected("not_csv", message) from None


def _rows(reader: "_csv.Reader", mapping: CsvMapping) -> Iterator[ExportRow]:
    finder = HeaderFinder(mapping)
    above, titles, header = _header(reader, finder, mapping)
    columns = finder.columns(header, titles)
    for cells in reader:
        row = [cell.strip() for cell in cells]
        if not any(row) or _without_end(row) == header or _without_end(row) in above:
            continue
        told = finder.titles(row) if len(_without_end(row)) < len(header) else {}
        if told:
            if not told.keys() <= titles.keys():
                columns = finder.columns(header, titles | told)
            titles |= told
        elif not _is_heading(row, header, columns):
            yield ExportRow(reader.line_num, _titled(titles, columns) | _fitted(row, columns, reader.line_num), columns)


def _header(
    reader: "_csv.Reader", finder: HeaderFinder, mapping: CsvMapping
) -> tuple[list[list[str]], dict[str, str], list[str]]:
    """Find the first row with every column that is needed; the lines above it, and what they say."""
    above: list[list[str]] = []
    titles: dict[str, str] = {}
    missing: tuple[str, ...] | None = None
    searched = mapping.title_lines == "search"
    most = MOST_TITLE_LINES if searched else int(mapping.title_lines) + 1
    for number, cells in enumerate(islice(reader, most), start=1):
        row = _without_end([cell.strip() for cell in cells])
        absent = finder.absent(row, titles)
        if not absent and (searched or number == most):
            return above, titles, row
        missing = absent if missing is None else min(missing, absent, key=len)
        above.append(row)
        titles |= finder.titles(row)
    missing = missing or finder.absent([], {})
    message = f"no row of the first {most} is a header with all that is needed; missing: "
    message += ", ".join(missing)
    for other in set(DELIMITERS) - {mapping.delimiter}:
        for line in above:
            if len(line) and not finder.absent([c.strip(' "') for c in mapping.delimiter.join(line).split(other)], {}):
                message += f". The cells stand between {other!r} here: set delimiter, and look at decimal and thousands"
                raise Rejected("missing_columns", message)
    raise Rejected("missing_columns", message)


def _without_end(row: Sequence[str], *, least: int = 0) -> list[str]:
    """The row without empty cells at its end, of which so many cells stay."""
    end = len(row)
    while end > least and not row[end - 1]:
        end -= 1
    return list(row[:end])


def _is_heading(row: Sequence[str], header: Sequence[str], columns: ExportColumns) -> bool:
    """Whether a line has one cell only, which holds no amount: the name of a group, or a note at the end."""
    cell = row[0]
    if not cell or any(row[1:]) or columns.order[0] in columns.amounts:
        return False
    if columns.has_items and columns.order[0] in columns.people:
        return False  # the rows below belong to this name
    return max(cell.count(sign) for sign in DELIMITERS) < max(len(header) - 1, 2)


def _titled(titles: dict[str, str], columns: ExportColumns) -> dict[str, str]:
    return {name: titles[what] for what, name in columns.names.items() if what in titles and name not in columns.order}


def _fitted(row: Sequence[str], columns: ExportColumns, line: int) -> dict[str, str]:
    order = columns.order
    row = _without_end(row, least=len(order))
    if len(row) != len(order):
        message = f"line {line} has {len(row)} cells, the header has {len(order)}: its columns are shifted"
        raise Rejected("shifted_columns", message)
    for name, shown, cell in zip(order, columns.shown, row, strict=True):
        if name is None and any(sign.isalnum() and sign != "0" for sign in cell):
            message = f"line {line}: the mapping does not say what this column is: add it, or to ignored"
            raise Rejected(f"unmapped_column:{shown}", message, field=shown)
    return {name: cell for name, cell in zip(order, row, strict=True) if name}


@dataclass(frozen=True)
class ExportCells:
    """Reads the cells of rows as the mapping says they are written."""

    mapping: CsvMapping
    currency: str

    @cached_property
    def _numbers(self) -> NumberForm:
        return self.mapping.numbers

    def amount(self, row: ExportRow, column: str) -> Decimal:
        """Give the amount of a cell; zero when the cell or the column is empty.

        `(12.00)`, `-12.00` and `12.00-` are negative. Raises Rejected `shifted_columns` for words, `bad_amount`.
        """
        text = row.cells.get(column, "")
        if self._numbers.bare(text) in _DASH:
            return ZERO
        number = self._numbers.read(text) if len(text) <= _LONGEST else None
        if number is None or abs(number) > MAX_AMOUNT or not is_fine(number, self.currency):
            raise self._refused(row, column, text)
        return number

    def written(self, amount: Decimal) -> str:
        """Write an amount as the mapping reads it."""
        return f"{amount:f}".replace(".", self.mapping.decimal)

    def day(self, row: ExportRow, column: str) -> date:
        """Give the day of a cell. Raises Rejected `bad_date`."""
        return self.mapping.days.day(row.cells[column], row.at(column))

    def period(self, row: ExportRow, column: str) -> tuple[date, date]:
        """Give the two days of a cell, with a dash or `to` between them. Raises Rejected `bad_date`."""
        text = row.cells[column]
        for between in _BETWEEN.finditer(text[:_LONGEST]):  # a day may have dashes of its own
            first, last = self._parsed(text[: between.start()]), self._parsed(text[between.end() :])
            if first is not None and last is not None:
                return first, last
        form = " or ".join((*self.mapping.dates, "2026-04-17"))
        raise Rejected("bad_date", f"a period is two days, each {form}, with a dash between them", field=row.at(column))

    def _parsed(self, text: str) -> date | None:
        with suppress(Rejected):
            return self.mapping.days.day(text, "")
        return None

    def identifier(self, row: ExportRow, column: str, *, known: Collection[str] = ()) -> str:
        """Give an id that is known, or of letters, signs and at least one digit.

        Raises Rejected `bad_id`, also for a tax number.
        """
        text = row.cells[column]
        if text in known or (_ID.fullmatch(text) and not TAX_NUMBER.fullmatch(text)):
            return text
        message = (
            "an id of a run is 1 to 60 letters, signs and at least one digit, with no space, and no nine digits, which "
            "are a tax number's; so is one of a company that does not stand in entities"
        )
        raise Rejected("bad_id", message, field=row.at(column))

    def _refused(self, row: ExportRow, column: str, text: str) -> Rejected:
        if any(letter.isalpha() for letter in text):
            message = "words stand where an amount belongs: the columns of this line are shifted"
            return Rejected("shifted_columns", message, field=row.at(column))
        written = f"1{self.mapping.thousands}234{self.mapping.decimal}50"
        message = f"an amount of {self.currency} is written like {written} here, as the mapping says"
        return Rejected("bad_amount", message, field=row.at(column))
