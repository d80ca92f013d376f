"""The rows of a payroll export: the header found, cells as the mapping writes them, and one row a person.

Where a person has several rows, one for each kind of pay, the words of these become columns (`Pay Type: Bonus`).
Every refusal names the line and the column, never what stands in the cell. It must not know what columns mean.
"""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

from producers.normalising import Rejected
from producers.payroll.amounts import ZERO, is_fine
from producers.payroll.exports.header import TAX_NUMBER, ExportColumns, HeaderFinder, shown_header
from producers.payroll.exports.mapping import ColumnMeaning, CsvMapping
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
        return self.cells.get(self.columns.names.get(what, ""), "")

    @property
    def names(self) -> tuple[str, ...]:
        """What stands in the columns that name a person."""
        return tuple(self.cells[column] for column in self.columns.people)


def rows(file: BinaryIO, cells: "ExportCells") -> Iterator[ExportRow]:
    """Give the rows below the header, one a person, without empty ones, repeated headers and lines of one cell.

    Raises Rejected `wrong_encoding`, `not_csv`, `missing_columns`, `unmapped_column:<header>`, `column_twice:<header>`,
    `shifted_columns`, and for rows of one kind of pay `bad_amount` and `totals_differ`.
    The file stays open; one that cannot be read twice, such as a pipe, is taken into memory.
    """
    mapping = cells.mapping
    if not file.seekable():
        file = BytesIO(read_whole(file, max_bytes=MOST_BYTES_OF_A_PIPE))
    lines = TextLines(file, encoding_of(file, mapping.encoding))
    reader = csv.reader(lines, delimiter=mapping.delimiter, strict=True)
    finder = HeaderFinder(mapping)
    try:
        yield from _one_each(_rows(reader, finder, mapping), cells, finder)
    except csv.Error:
        message = f"line {reader.line_num + 1}: not CSV: a quote is not closed, or stands inside a cell"
        raise Rejected("not_csv", message) from None


def _rows(reader: "_csv.Reader", finder: HeaderFinder, mapping: CsvMapping) -> Iterator[ExportRow]:
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
            above_it = {name: titles[what] for what, name in columns.names.items() if name not in columns.order}
            yield ExportRow(reader.line_num, above_it | _fitted(row, columns, reader.line_num), columns)


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
    message = f"no row of the first {most} is a header with all that is needed; missing: {', '.join(missing)}"
    for other in set(DELIMITERS) - {mapping.delimiter}:
        lines = (mapping.delimiter.join(line).split(other) for line in above if line)
        if any(not finder.absent([cell.strip(' "') for cell in line], {}) for line in lines):
            message += f". The cells stand between {other!r} here: set delimiter, and look at decimal and thousands"
            break
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


def _one_each(rows: Iterable[ExportRow], cells: "ExportCells", finder: HeaderFinder) -> Iterator[ExportRow]:
    """Give one row for each that names somebody with those below it; what a person's sums repeat is only checked."""
    group: list[ExportRow] = []
    for row in rows:
        if not row.columns.has_items:
            yield row
            continue
        if group and (any(row.names) or not row.cells[cells.mapping.item or ""]):
            yield _merged(group, cells, finder)
            group = []
        group.append(row)
    if group:
        yield _merged(group, cells, finder)


def _merged(group: Sequence[ExportRow], cells: "ExportCells", finder: HeaderFinder) -> ExportRow:
    mapping, first = cells.mapping, group[0]
    amount_of = mapping.item_amount or ""
    meanings = dict(first.columns.amounts)
    single: dict[str, Decimal] = {}
    summed: dict[str, Decimal] = {}
    sums = single
    for row in group:
        if row is not first and any(row.cells[column] not in {"", "-"} for column in row.columns.amounts):
            message = "this line names no person, and has more than one kind of pay: see totals and item"
            raise Rejected("row_without_person", message, field=f"line {row.line}")
        if mapping.says_total(row.cells.get(mapping.item_totals or "", "")):
            sums = summed
        amount = cells.amount(row, amount_of)
        column, meaning = _item(row, mapping.item or "", finder)
        if column:
            sums[column] = sums.get(column, ZERO) + amount
            meanings |= {column: meaning} if meaning is not None else {}
        elif column is None and amount:
            raise Rejected("bad_amount", "an amount without a word for what it is", field=row.at(amount_of))
    for column in single.keys() & summed.keys():
        if single[column] != summed[column]:
            message = f"line {first.line}: the sum of {column} is not what the rows of this person make"
            raise Rejected("totals_differ", message, field=column)
    found = {column: f"{amount:f}".replace(".", mapping.decimal) for column, amount in (single | summed).items()}
    return ExportRow(first.line, first.cells | found, replace(first.columns, amounts=meanings))


def _item(row: ExportRow, item: str, finder: HeaderFinder) -> tuple[str | None, ColumnMeaning | None]:
    """The column that the word of a row stands for, empty where it is ignored; None without a word."""
    if not row.cells[item]:
        return None, None
    header = f"{item}: {row.cells[item]}"
    found = finder.known(header)
    if found[0] is None:
        shown = shown_header(header, 0)
        message = f"line {row.line}: the mapping does not say what this is: add it, or to ignored"
        raise Rejected(f"unmapped_column:{shown}", message, field=shown)
    return found


@dataclass(frozen=True)
class ExportCells:
    """Reads the cells of rows as the mapping says they are written."""

    mapping: CsvMapping
    currency: str

    @cached_property
    def _numbers(self) -> NumberForm:
        return self.mapping.numbers

    def amount(self, row: ExportRow, column: str) -> Decimal:
        """Give the amount of a cell; zero when empty. Raises Rejected `shifted_columns` for words, `bad_amount`."""
        text = row.cells.get(column, "")
        if self._numbers.bare(text) in _DASH:
            return ZERO
        number = self._numbers.read(text) if len(text) <= _LONGEST else None
        if number is None or abs(number) > MAX_AMOUNT or not is_fine(number, self.currency):
            raise self._refused(row, column, text)
        return number

    def day(self, row: ExportRow, column: str) -> date:
        """Give the day of a cell. Raises Rejected `bad_date`."""
        return self.mapping.days.day(row.cells[column], row.at(column))

    def period(self, row: ExportRow, column: str) -> tuple[date, date]:
        """Give the two days of a cell, with a dash or `to` between them. Raises Rejected `bad_date`."""
        text, days = row.cells[column], self.mapping.days
        for between in _BETWEEN.finditer(text[:_LONGEST]):  # a day may have dashes of its own
            with suppress(Rejected):
                return days.day(text[: between.start()], ""), days.day(text[between.end() :], "")
        form = " or ".join((*self.mapping.dates, "2026-04-17"))
        raise Rejected("bad_date", f"a period is two days, each {form}, with a dash between them", field=row.at(column))

    def identifier(self, row: ExportRow, column: str, *, known: Collection[str] = ()) -> str:
        """Give an id that is known, or of letters, signs and a digit. Raises Rejected `bad_id`, as for a tax number."""
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
