"""Rows of totals in a payroll export: told from people, checked against the rows before them, never added.

Where nobody can say whether a row is a person's or a total, the file is refused: a total that is taken for a person
doubles a run. It must not show an amount that may be one person's alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate, chain, islice
from typing import Final

from producers.normalising import Rejected
from producers.payroll.amounts import ZERO
from producers.payroll.exports.cells import ExportRow
from producers.payroll.exports.mapping import CsvMapping
from producers.payroll.tally import differ
from schemas.money import Money

_SEVERAL: Final = 2
_MOST_SECTIONS: Final = 100
"""As many totals may stand one after the other before one of them all, unless that is of its run or the file."""

Sums = dict[str, Decimal]


@dataclass(slots=True)
class Section:
    """Sums of columns over some rows, how many people's rows with an amount they are, and the first of them."""

    sums: Sums = field(default_factory=dict)
    rows: int = 0
    first: tuple[int, Sums] | None = None

    def add(self, line: int, amounts: Mapping[str, Decimal]) -> None:
        """Add a person's row."""
        if any(amounts.values()):
            self.rows += 1
            self.first = self.first or (line, dict(amounts))
        for column, amount in amounts.items():
            self.sums[column] = self.sums.get(column, ZERO) + amount

    def joined(self, other: "Section") -> "Section":
        """Give these rows and others as one part."""
        sums = {name: self.sums.get(name, ZERO) + other.sums.get(name, ZERO) for name in self.sums | other.sums}
        return Section(sums, self.rows + other.rows)

    def makes(self, told: Mapping[str, Decimal]) -> bool:
        """Whether the rows make these sums."""
        return all(self.sums.get(column, ZERO) == amount for column, amount in told.items())


def is_total(row: ExportRow, mapping: CsvMapping) -> bool:
    """Whether a word for totals stands where a person's name does, or, where no name does, in another first column.

    A person who is called so is refused by the check, and no total is added.
    """
    texts = row.names
    if not any(texts):
        texts = (row.single("department"), row.single("location"), next(iter(row.cells.values())))
    return any(map(mapping.says_total, texts))


def check_total(
    row: ExportRow, amounts: Sums, parts: Iterable[Section], sections: Sequence[Section], *, currency: str
) -> None:
    """Check a row of totals against the rows since the last one, of a run, or of the file so far.

    Totals may stand within totals, so the `sections` between them may make it, too: the last one, the last two, and
    so on. Raises Rejected `totals_differ`.
    """
    told = {column: amount for column, amount in amounts.items() if row.cells[column]}
    known = list(parts)
    since = accumulate(islice(reversed(sections), _MOST_SECTIONS), Section.joined)
    if any(part.makes(told) for part in chain(known, since)):
        return
    nearest = max(known, key=lambda part: sum(part.sums.get(column, ZERO) == told[column] for column in told))
    column = next(column for column, amount in told.items() if nearest.sums.get(column, ZERO) != amount)
    if nearest.rows < _SEVERAL:
        message = f"line {row.line}: a row of totals is not what the rows before it make. Export the file again."
        raise Rejected("totals_differ", message, field=row.at(column))
    where = f"line {row.line}: the total of {column}"
    raise differ(where, told[column], "the rows before it", nearest.sums.get(column, ZERO), currency=currency)


def repeats(row: ExportRow, amounts: Sums, parts: Iterable[Section]) -> Section | None:
    """The rows before, two at least, that make every amount of this row; None where none do."""
    told = {column: amounts[column] for column in row.columns.amounts if column in amounts}
    if not any(told.values()):
        return None
    return next((part for part in parts if part.rows >= _SEVERAL and part.makes(told)), None)


def total_or_person(line: int, part: Section, mapping: CsvMapping, *, currency: str) -> Rejected:
    """Build the refusal for a row that is what the others make, though no word says that it is a total."""
    shown = [
        f"{column} {Money.of(part.sums[column], currency)}"
        for column, meaning in mapping.amounts.items()
        if meaning.kind in {"wages", "net_pay"} and part.sums.get(column)
    ]
    message = (
        f"the row has the sums of {part.rows} other rows ({', '.join(shown)}), and no word that says so: a total, "
        "or a person paid as much as all of them? Add its word to totals, or say unlabelled_totals = "
        '"people" in the mapping. Nothing was counted twice.'
    )
    return Rejected("total_or_person", message, field=f"line {line}")


def check_first(parts: Iterable[Section], mapping: CsvMapping, *, currency: str) -> None:
    """Refuse a file that begins with what all its other rows make. Raises Rejected `total_or_person`."""
    for part in parts:
        if part.first is None or part.rows <= _SEVERAL:
            continue
        line, amounts = part.first
        told = {column: amount for column, amount in amounts.items() if column in part.sums}
        if part.makes({column: 2 * amount for column, amount in told.items()}):
            others = Section(told, part.rows - 1)
            raise total_or_person(line, others, mapping, currency=currency)
