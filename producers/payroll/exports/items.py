"""Exports in which a person has several rows, one for each kind of pay: made one row a person.

The words of the rows become columns (`Pay Type: Bonus`). It must not know what they mean.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from producers.normalising import Rejected
from producers.payroll.amounts import ZERO
from producers.payroll.exports.cells import ExportCells, ExportRow
from producers.payroll.exports.header import ExportColumns, HeaderFinder, shown_header
from producers.payroll.exports.totals import Sums, has_total_word


def one_row_each(rows: Iterable[ExportRow], cells: ExportCells) -> Iterator[ExportRow]:
    """Give one row for each row that names somebody and those without a name below it; all rows where none has items.

    What a person's sums repeat is checked and not added again.
    Raises Rejected `unmapped_column:<item>: <word>`, `bad_amount`, `shifted_columns`, `totals_differ`.
    """
    mapping, finder = cells.mapping, HeaderFinder(cells.mapping)
    group: list[ExportRow] = []
    for row in rows:
        if mapping.item is None or not row.columns.has_items:
            yield row
            continue
        names_somebody = any(row.cells[column] for column in row.columns.people)
        if group and (names_somebody or not row.cells[mapping.item]):
            yield _merged(group, cells, finder)
            group = []
        group.append(row)
    if group:
        yield _merged(group, cells, finder)


def _merged(group: Sequence[ExportRow], cells: ExportCells, finder: HeaderFinder) -> ExportRow:
    mapping = cells.mapping
    item, amount_of = mapping.item or "", mapping.item_amount or ""
    single: Sums = {}
    summed: Sums = {}
    sums = single
    for row in group:
        if row is not group[0]:
            _check_bare(row)
        if has_total_word(row.cells.get(mapping.item_totals or "", ""), mapping):
            sums = summed
        word = row.cells[item]
        amount = cells.amount(row, amount_of)
        if word:
            column = finder.spelled(f"{item}: {word}")
            if column is None:
                shown = shown_header(f"{item}: {word}", 0)
                message = f"line {row.line}: the mapping does not say what this is: add it, or to ignored"
                raise Rejected(f"unmapped_column:{shown}", message, field=shown)
            if column:
                sums[column] = sums.get(column, ZERO) + amount
        elif amount:
            raise Rejected("bad_amount", "an amount without a word for what it is", field=row.at(amount_of))
    for column in single.keys() & summed.keys():
        if single[column] != summed[column]:
            message = f"line {group[0].line}: the sum of {column} is not what the rows of this person make"
            raise Rejected("totals_differ", message, field=column)
    first = group[0]
    found = {column: cells.written(amount) for column, amount in (single | summed).items()}
    return ExportRow(first.line, {**first.cells, **found}, _with_items(first.columns, found, finder))


def _check_bare(row: ExportRow) -> None:
    """A row without a name holds an item and nothing else that has a meaning. Raises Rejected `row_without_person`."""
    if any(row.cells[column] not in {"", "-"} for column in row.columns.amounts):
        message = "this line names no person, and has more than one kind of pay: see totals and item"
        raise Rejected("row_without_person", message, field=f"line {row.line}")


def _with_items(columns: ExportColumns, found: Iterable[str], finder: HeaderFinder) -> ExportColumns:
    meanings = dict(known for column in found for known in [finder.meaning(column)] if known is not None)
    return replace(columns, amounts={**columns.amounts, **meanings})
