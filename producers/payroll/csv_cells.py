"""The cells of a payroll export: the header found, rows that fit it, amounts and days as the mapping writes them.

Every refusal names the line and the column, never what stands in the cell. It must not add anything up.
"""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from io import TextIOWrapper
from typing import BinaryIO, Final

from producers.normalising import Rejected
from producers.payroll.amounts import ZERO, is_fine
from producers.payroll.csv_mapping import CsvMapping
from schemas.money import MAX_AMOUNT

_MOST_TITLE_LINES: Final = 30
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ()/&%.#'+:_-]{0,59}", re.ASCII)
_ID: Final = re.compile(r"(?=[^ ]*\d)[A-Za-z0-9_.:#/-]{1,60}", re.ASCII)
_TAX_NUMBER: Final = re.compile(r"\d{3}-?\d{2}-?\d{4}")
_DASH: Final = frozenset({"", "-", "--"})


@dataclass(frozen=True)
class Row:
    """A row of the file by column, and its line."""

    line: int
    cells: dict[str, str]

    def at(self, column: str) -> str:
        """Name a cell."""
        return f"line {self.line}, column {column}"


def rows(file: BinaryIO, mapping: CsvMapping) -> Iterator[Row]:
    """Give the rows below the header, without empty ones and repeated headers.

    Raises Rejected `bad_encoding`, `not_csv`, `missing_columns`, `unmapped_column:<header>`, `column_twice:<header>`,
    `shifted_columns`. The file stays open.
    """
    text = TextIOWrapper(file, encoding=mapping.encoding, newline="")
    reader = csv.reader(text, delimiter=mapping.delimiter, strict=True)
    try:
        header = _header(reader, mapping)
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if any(row) and row != header:
                yield Row(reader.line_num, _fitted(row, header, reader.line_num))
    except UnicodeError:
        message = f"the file is not {mapping.encoding}, as the mapping says, after line {reader.line_num}"
        raise Rejected(reason="bad_encoding", message=f"{message}. Set its encoding.", field="encoding") from None
    except csv.Error:
        message = f"line {reader.line_num + 1}: not CSV: a quote is not closed, or stands inside a cell"
        raise Rejected(reason="not_csv", message=message) from None
    finally:
        text.detach()


def _header(reader: Iterator[list[str]], mapping: CsvMapping) -> list[str]:
    """Find the first row with every column that is needed; title lines may stand above it."""
    required = mapping.required()
    missing = required
    for _, cells in zip(range(_MOST_TITLE_LINES), reader, strict=False):
        row = [cell.strip() for cell in cells]
        absent = tuple(name for name in required if name not in row)
        missing = min(missing, absent, key=len)
        if not absent:
            return _known(row, mapping)
    message = f"no row of the first {_MOST_TITLE_LINES} is a header with all of {', '.join(required)}"
    raise Rejected(reason="missing_columns", message=f"{message}; missing: {', '.join(missing)}")


def _known(row: list[str], mapping: CsvMapping) -> list[str]:
    while row and not row[-1]:
        row = row[:-1]
    for number, header in enumerate(row, start=1):
        shown = header if _HEADER.fullmatch(header) and not _TAX_NUMBER.search(header) else f"(column {number})"
        if header not in mapping.known():
            message = f"the mapping of {mapping.provider} does not say what this column is: add it, or to ignored"
            raise Rejected(reason=f"unmapped_column:{shown}", message=message, field=shown)
        if row.count(header) > 1:
            message = "this column is there twice: which of the two counts is not said"
            raise Rejected(reason=f"column_twice:{shown}", message=message, field=shown)
    return row


def _fitted(row: list[str], header: Sequence[str], line: int) -> dict[str, str]:
    while len(row) > len(header) and not row[-1]:
        row = row[:-1]
    if len(row) != len(header):
        message = f"line {line} has {len(row)} cells, the header has {len(header)}: its columns are shifted"
        raise Rejected(reason="shifted_columns", message=message)
    return dict(zip(header, row, strict=True))


@dataclass(frozen=True)
class Cells:
    """Reads the cells of rows as the mapping says they are written."""

    mapping: CsvMapping
    currency: str

    @cached_property
    def _number(self) -> re.Pattern[str]:
        decimal, thousands = re.escape(self.mapping.decimal), re.escape(self.mapping.thousands)
        grouped = rf"|\d{{1,3}}(?:{thousands}\d{{3}})+" if thousands else ""
        return re.compile(rf"(?:\d{{1,16}}{grouped})(?:{decimal}\d{{1,12}})?|{decimal}\d{{1,12}}", re.ASCII)

    def amount(self, row: Row, column: str) -> Decimal:
        """Give the amount of a cell; zero when the cell or the column is empty.

        `(12.00)`, `-12.00` and `12.00-` are negative. Raises Rejected `shifted_columns` for words, `bad_amount`.
        """
        text = row.cells.get(column, "")
        if text in _DASH:
            return ZERO
        bare = text.replace(self.mapping.symbol, "").strip() if self.mapping.symbol else text
        digits = bare.strip("()").strip().removeprefix("-").removesuffix("-").strip()
        if not self._number.fullmatch(digits):
            raise self._refused(row, column, text)
        value = Decimal(digits.replace(self.mapping.thousands, "").replace(self.mapping.decimal, "."))
        if value > MAX_AMOUNT or not is_fine(value, self.currency):
            raise self._refused(row, column, text)
        is_negative = "-" in bare or (bare.startswith("(") and bare.endswith(")"))
        return -value if is_negative else value

    def day(self, row: Row, column: str) -> date:
        """Give the day of a cell. Raises Rejected `bad_date`."""
        try:
            return datetime.strptime(row.cells[column], self.mapping.date_format).replace(tzinfo=UTC).date()
        except ValueError:
            message = f"a day is written {self.mapping.date_format} here, as the mapping says"
            raise Rejected(reason="bad_date", message=message, field=row.at(column)) from None

    def identifier(self, row: Row, column: str, *, known: Collection[str] = ()) -> str:
        """Give an id that is known, or of letters, signs and at least one digit.

        Raises Rejected `bad_id`, also for a tax number.
        """
        text = row.cells[column]
        if text in known or (_ID.fullmatch(text) and not _TAX_NUMBER.fullmatch(text)):
            return text
        message = (
            "an id of a run is 1 to 60 letters, signs and at least one digit, with no space; so is one of a company"
        )
        message += " that does not stand in entities"
        raise Rejected(reason="bad_id", message=message, field=row.at(column))

    def _refused(self, row: Row, column: str, text: str) -> Rejected:
        if any(letter.isalpha() for letter in text):
            message = "words stand where an amount belongs: the columns of this line are shifted"
            return Rejected(reason="shifted_columns", message=message, field=row.at(column))
        written = f"1{self.mapping.thousands}234{self.mapping.decimal}50"
        message = f"an amount of {self.currency} is written like {written} here, as the mapping says"
        return Rejected(reason="bad_amount", message=message, field=row.at(column))
