"""Payroll exports as CSV: read by a mapping, added up over all people, one event a run.

A row that cannot be read makes its run's totals wrong, so the whole file is refused, with the line and the column.
Rows of totals are never added up: they are checked against what was. A person is kept as a hash until the end of the
file and in no other way. Sources: public descriptions of the exports, and a public sample of Gusto's journal.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext, Rejected, Taken
from producers.payroll.amounts import ZERO
from producers.payroll.exports.cells import ExportCells, ExportRow, rows
from producers.payroll.exports.items import one_row_each
from producers.payroll.exports.mapping import CsvMapping, ExportOptions, load
from producers.payroll.exports.totals import Section, Sums, check_first, check_total, is_total, repeats, total_or_person
from producers.payroll.guarding import share_a_word, without_context
from producers.payroll.tally import TAKES_BACK, Run, RunType, Tally, differ, negative_net_pay, normalised

NAME: Final = "payroll-csv"

MOST_RUNS: Final = 500
"""Runs of one file: each row is compared with the sums of all of them."""

_GROSS: Final = frozenset({"wages", "contractor"})


@dataclass(frozen=True, slots=True)
class _Key:
    entity: str
    run: str
    type: RunType
    pay_date: date
    period_start: date | None
    period_end: date | None


@dataclass(slots=True)
class _Adding:
    """What was added up so far: by run, between the rows of totals, and since the beginning.

    `alike` counts the rows that say the very same, as hashes.
    """

    tallies: dict[_Key, Tally] = field(default_factory=dict)
    of_run: dict[_Key, Section] = field(default_factory=dict)
    people: dict[tuple[_Key, int], tuple[Decimal, Decimal]] = field(default_factory=dict)
    alike: dict[_Key, Counter[int]] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=lambda: [Section()])
    whole: Section = field(default_factory=Section)

    def parts(self) -> list[Section]:
        """What a row of totals may be the total of."""
        return [self.sections[-1], self.whole, *self.of_run.values()]


def read_runs(file: BinaryIO, context: NormaliseContext) -> Iterator[Taken]:
    """Give each run of an export, once the whole file was read. Options: `csv_mapping.CsvOptions`.

    Raises Rejected before the first piece, with neither cause nor context (see docs/payroll-sources.md).
    """
    yield from without_context(lambda: _read(file, context))


def _read(file: BinaryIO, context: NormaliseContext) -> list[Taken]:
    options, mapping = load(context)
    currency = mapping.currency or context.currency
    cells = ExportCells(mapping, currency)
    adding = _Adding()
    for row in one_row_each(rows(file, mapping), cells):
        columns = [column for column in (*row.columns.amounts, *mapping.checks) if column in row.cells]
        amounts = {column: cells.amount(row, column) for column in columns}
        if is_total(row, mapping) or _is_unlabelled_total(row, amounts, adding, cells):
            check_total(row, amounts, adding.parts(), adding.sections, currency=currency)
            adding.sections.append(Section())
        else:
            _add(row, amounts, adding, cells, options, context)
    if mapping.unlabelled_totals == "refuse":
        check_first([adding.whole, *adding.of_run.values()], mapping, currency=currency)
    _check_runs(adding)
    _one_company(adding, context)
    return [_taken(key, adding, mapping, options, context, currency) for key in adding.tallies]


def _is_unlabelled_total(row: ExportRow, amounts: Sums, adding: _Adding, cells: ExportCells) -> bool:
    """Whether a row without a word for totals is one: what the rows before it make, without a name or a pay date.

    Raises Rejected `total_or_person` where it has both, as a person's row does.
    """
    part = repeats(row, amounts, adding.parts())
    if part is None or cells.mapping.unlabelled_totals == "people":
        return False
    if not row.single("pay_date") or not any(row.cells[column] for column in row.columns.people):
        return True
    raise total_or_person(row.line, part, cells.mapping, currency=cells.currency)


def _add(  # noqa: PLR0913, PLR0917  (a row, where it goes, and how it is read)
    row: ExportRow,
    amounts: Sums,
    adding: _Adding,
    cells: ExportCells,
    options: ExportOptions,
    context: NormaliseContext,
) -> None:
    names = tuple(row.cells[column] for column in row.columns.people)
    if not any(names):
        message = "this line names no person: a row of totals without a word for it? Add its word to total_words."
        raise Rejected("row_without_person", message, field=f"line {row.line}")
    _must_not_be_named(row, names, cells.mapping)
    key = _key(row, cells, options, context)
    if key not in adding.tallies and len(adding.tallies) == MOST_RUNS:
        message = f"the file has more than {MOST_RUNS} pay runs: export fewer at a time"
        raise Rejected("too_many_runs", message, field=f"line {row.line}")
    tally = adding.tallies.setdefault(key, Tally())
    own = Tally()
    for column, meaning in row.columns.amounts.items():
        amount = amounts.get(column, ZERO) * meaning.sign
        place = _place(row, options) if meaning.kind in _GROSS else {}
        tally.add(meaning.kind, meaning.category, amount, **place)
        own.add(meaning.kind, meaning.category, amount)
    for part in (adding.sections[-1], adding.whole, adding.of_run.setdefault(key, Section())):
        part.add(row.line, amounts)
    adding.alike.setdefault(key, Counter())[hash(tuple(row.cells.values()))] += 1
    person = (key, hash(names))
    net, gross = adding.people.get(person, (ZERO, ZERO))
    adding.people[person] = (net + own.total({"net_pay"}), gross + own.total(_GROSS))


def _must_not_be_named(row: ExportRow, names: Sequence[str], mapping: CsvMapping) -> None:
    """Refuse a category that somebody typed with this person's name in it ("Deduction: Loan Smith").

    What the mapping has in full, its owner has looked at. Raises Rejected `names_a_person`.
    """
    order = row.columns.order
    for column, meaning in row.columns.amounts.items():
        if column not in mapping.amounts and share_a_word(meaning.category, names):
            where = (
                f"the header of column {order.index(column) + 1}" if column in order else f"a word of {mapping.item}"
            )
            message = (
                f"{where} may hold the name of the person of this line, and would be told as a category. "
                "Give it in full in amounts of the mapping, with a category that names nobody."
            )
            raise Rejected("names_a_person", message, field=f"line {row.line}")


def _key(row: ExportRow, cells: ExportCells, options: ExportOptions, context: NormaliseContext) -> _Key:
    days = _days(row, cells)
    pay_date = cells.day(row, row.columns.names["pay_date"])
    ids = [cells.identifier(row, column) for column in cells.mapping.run]
    entity = options.entity or context.company
    if (column := row.columns.name("entity")) is not None:
        entity = cells.identifier(row, column, known=context.accounts)
    kind = _type(row, cells.mapping)
    dated = [str(day) for day in (*days, pay_date) if day]
    said = [kind] if kind == "reversal" or not (ids or kind == "regular") else []
    run = ":".join([*(ids or dated), *said])
    return _Key(entity, run, kind, pay_date, days[0], days[1])


def _days(row: ExportRow, cells: ExportCells) -> tuple[date | None, date | None]:
    """The first and the last day of the period."""
    if (column := row.columns.name("period")) is not None:
        return cells.period(row, column)
    start, end = row.columns.name("period_start"), row.columns.name("period_end")
    return (cells.day(row, start) if start else None, cells.day(row, end) if end else None)


def _type(row: ExportRow, mapping: CsvMapping) -> RunType:
    column = row.columns.name("type")
    word = row.cells[column] if column else ""
    if word and word not in mapping.types:
        message = "the mapping does not say which type of run this word is: add it to types"
        raise Rejected("unknown_run_type", message, field=row.at(column or ""))
    return mapping.types.get(word, "regular")


def _place(row: ExportRow, options: ExportOptions) -> dict[str, str | None]:
    if options.split == "none":
        return {}
    column = row.columns.name(options.split)
    if column is None:
        message = f"the file or its mapping has no column for the {options.split}"
        raise Rejected("split_not_possible", message, field="options.split")
    return {options.split: row.cells[column] or None}


def _check_runs(adding: _Adding) -> None:
    seen: set[tuple[str, str]] = set()
    for key in adding.tallies:
        if (key.entity, key.run) in seen:
            raise Rejected("run_twice", f"the run {key.run} stands in the file with two pay dates, periods or types")
        seen.add((key.entity, key.run))
    for key, alike in adding.alike.items():
        if min(alike.values()) > 1:
            message = f"every row of the run {key.run} stands in the file more than once. Export it again."
            raise Rejected("rows_twice", message)
    for (key, _), (net, gross) in adding.people.items():
        if net < 0 <= gross and key.type not in TAKES_BACK:
            raise negative_net_pay("net pay")


def _one_company(adding: _Adding, context: NormaliseContext) -> None:
    """Refuse the runs of several companies where nobody has said whose books each has."""
    entities = sorted({key.entity for key in adding.tallies})
    if len(entities) > 1 and not context.accounts:
        message = f"the file has runs of {', '.join(entities)}: say in entities of a [payroll.<name>] whose each is"
        raise Rejected("several_companies", message)


def _taken(  # noqa: PLR0913, PLR0917  (a run, what was added up, and how it is written)
    key: _Key, adding: _Adding, mapping: CsvMapping, options: ExportOptions, context: NormaliseContext, currency: str
) -> Taken:
    tally = adding.tallies[key]
    _check_columns(adding.of_run[key].sums, tally, mapping, currency)
    gross = tally.total(_GROSS)
    if key.type == "reversal" and gross > 0:
        message = f"the run {key.run} is called a reversal, and its wages are positive: does it take back, or pay?"
        raise Rejected("reversal_not_negative", f"{message} Set signs or types in the mapping.")
    is_reversal = key.type not in TAKES_BACK and gross < 0
    run = Run(
        source=NAME,
        provider=mapping.provider,
        entity=key.entity,
        id=f"{key.run}:reversal" if is_reversal else key.run,
        pay_date=key.pay_date,
        currency=currency,
        period_start=key.period_start,
        period_end=key.period_end,
        type="reversal" if is_reversal else key.type,
    )
    found = normalised(run, tally, context, limit=options.rounding_limit)
    return Taken(f"run {key.run}", found.events, found.ignored)


def _check_columns(sums: Sums, tally: Tally, mapping: CsvMapping, currency: str) -> None:
    """Check the columns that the file adds up itself. Raises Rejected `totals_differ`."""
    for column, kinds in mapping.checks.items():
        if column not in sums:
            continue
        made = tally.total(kind for kind in kinds if not kind.startswith("-"))
        made -= tally.total(kind.removeprefix("-") for kind in kinds if kind.startswith("-"))
        if made != sums[column]:
            raise differ(f"the column {column}", sums[column], f"{' and '.join(kinds)}", made, currency=currency)
