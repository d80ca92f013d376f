"""Payroll exports as CSV: read by a mapping, added up over all people, one event a run.

A row that cannot be read makes its run's totals wrong, so the whole file is refused, with the line and the column.
Rows of totals are never added up: they are checked against what was. A person is kept as a hash until the end of the
file and in no other way. Sources: public descriptions of the exports, and a public sample of Gusto's journal.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext, Rejected, Taken
from producers.payroll.amounts import ZERO
from producers.payroll.exports.cells import ExportCells, ExportRow, rows
from producers.payroll.exports.mapping import CsvMapping, ExportOptions, load
from producers.payroll.exports.totals import Section, Sums, check_first, check_total, is_total, repeats, total_or_person
from producers.payroll.guarding import share_a_word, without_context
from producers.payroll.tally import TAKES_BACK, Run, RunType, Tally, differ, negative_net_pay, normalised

MOST_RUNS: Final = 500
"""Runs of one file: each row is compared with the sums of all of them."""

_GROSS: Final = frozenset({"wages", "contractor"})


@dataclass(slots=True)
class _Added:
    """What was added up of one run. People are net and gross pay by a hash; `alike` counts equal rows, as hashes."""

    tally: Tally = field(default_factory=Tally)
    section: Section = field(default_factory=Section)
    people: dict[int, tuple[Decimal, Decimal]] = field(default_factory=dict)
    alike: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class _Export:
    """How an export is read, and what was added up so far: by run, between the rows of totals, and in all."""

    cells: ExportCells
    options: ExportOptions
    context: NormaliseContext
    runs: dict[Run, _Added] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=lambda: [Section()])
    whole: Section = field(default_factory=Section)

    def parts(self) -> list[Section]:
        """What a row of totals may be the total of."""
        return [self.sections[-1], self.whole, *(added.section for added in self.runs.values())]


def read_runs(file: BinaryIO, context: NormaliseContext) -> Iterator[Taken]:
    """Give each run of an export, once all of it was read. Raises Rejected before the first, as `without_context`."""
    yield from without_context(lambda: _read(file, context))


def _read(file: BinaryIO, context: NormaliseContext) -> list[Taken]:
    options, mapping = load(context)
    cells = ExportCells(mapping, mapping.currency or context.currency)
    export = _Export(cells, options, context)
    for row in rows(file, cells):
        columns = [column for column in (*row.columns.amounts, *mapping.checks) if column in row.cells]
        amounts = {column: cells.amount(row, column) for column in columns}
        if is_total(row, mapping) or _is_unlabelled_total(row, amounts, export):
            check_total(row, amounts, export.parts(), export.sections, currency=cells.currency)
            export.sections.append(Section())
        else:
            _add(row, amounts, export)
    if mapping.unlabelled_totals == "refuse":
        check_first(export.parts()[1:], mapping, currency=cells.currency)
    _check_runs(export.runs)
    _one_company(export)
    return [_taken(run, added, export) for run, added in export.runs.items()]


def _is_unlabelled_total(row: ExportRow, amounts: Sums, export: _Export) -> bool:
    """Whether a row without a word for totals is one: what the rows before it make, without a name or a pay date.

    Raises Rejected `total_or_person` where it has both, as a person's row does.
    """
    part = repeats(row, amounts, export.parts())
    if part is None or export.cells.mapping.unlabelled_totals == "people":
        return False
    if not row.single("pay_date") or not any(row.names):
        return True
    raise total_or_person(row.line, part, export.cells.mapping, currency=export.cells.currency)


def _add(row: ExportRow, amounts: Sums, export: _Export) -> None:
    if not any(row.names):
        message = "this line names no person: a row of totals without a word for it? Add its word to total_words."
        raise Rejected("row_without_person", message, field=f"line {row.line}")
    _must_not_be_named(row, export.cells.mapping)
    run = _run(row, export)
    if run not in export.runs and len(export.runs) == MOST_RUNS:
        message = f"the file has more than {MOST_RUNS} pay runs: export fewer at a time"
        raise Rejected("too_many_runs", message, field=f"line {row.line}")
    added = export.runs.setdefault(run, _Added())
    own = Tally()
    for column, meaning in row.columns.amounts.items():
        amount = amounts.get(column, ZERO) * meaning.sign
        place = _place(row, export.options) if meaning.kind in _GROSS else {}
        added.tally.add(meaning.kind, meaning.category, amount, **place)
        own.add(meaning.kind, meaning.category, amount)
    for part in (export.sections[-1], export.whole, added.section):
        part.add(row.line, amounts)
    added.alike[hash(tuple(row.cells.values()))] += 1
    net, gross = added.people.get(hash(row.names), (ZERO, ZERO))
    added.people[hash(row.names)] = (net + own.total({"net_pay"}), gross + own.total(_GROSS))


def _must_not_be_named(row: ExportRow, mapping: CsvMapping) -> None:
    """Refuse a category that somebody typed with this person's name in it ("Deduction: Loan Smith").

    What the mapping has in full, its owner has looked at. Raises Rejected `names_a_person`.
    """
    order = row.columns.order
    for column, meaning in row.columns.amounts.items():
        if column not in mapping.amounts and share_a_word(meaning.category, row.names):
            where = (
                f"the header of column {order.index(column) + 1}" if column in order else f"a word of {mapping.item}"
            )
            message = (
                f"{where} may hold the name of the person of this line, and would be told as a category. "
                "Give it in full in amounts of the mapping, with a category that names nobody."
            )
            raise Rejected("names_a_person", message, field=f"line {row.line}")


def _run(row: ExportRow, export: _Export) -> Run:
    """The run of a row, under its run numbers, else under its dates."""
    cells, mapping = export.cells, export.cells.mapping
    first, last = _days(row, cells)
    pay_date = cells.day(row, row.columns.names["pay_date"])
    ids = [cells.identifier(row, column) for column in mapping.run]
    entity = export.options.entity or export.context.company
    if (column := row.columns.names.get("entity")) is not None:
        entity = cells.identifier(row, column, known=export.context.accounts)
    kind = _type(row, mapping)
    dated = [str(day) for day in (first, last, pay_date) if day]
    said = [kind] if kind == "reversal" or not (ids or kind == "regular") else []
    return Run(
        provider=mapping.provider,
        entity=entity,
        run=":".join([*(ids or dated), *said]),
        pay_date=pay_date,
        currency=cells.currency,
        period_start=first,
        period_end=last,
        run_type=kind,
        source="payroll-csv",
    )


def _days(row: ExportRow, cells: ExportCells) -> tuple[date | None, date | None]:
    """The first and the last day of the period."""
    names = row.columns.names
    if "period" in names:
        return cells.period(row, names["period"])
    first, last = (cells.day(row, names[what]) if what in names else None for what in ("period_start", "period_end"))
    return first, last


def _type(row: ExportRow, mapping: CsvMapping) -> RunType:
    word = row.single("type")
    if word and word not in mapping.types:
        message = "the mapping does not say which type of run this word is: add it to types"
        raise Rejected("unknown_run_type", message, field=row.at(row.columns.names["type"]))
    return mapping.types.get(word, "regular")


def _place(row: ExportRow, options: ExportOptions) -> dict[str, str | None]:
    if options.split == "none":
        return {}
    column = row.columns.names.get(options.split)
    if column is None:
        message = f"the file or its mapping has no column for the {options.split}"
        raise Rejected("split_not_possible", message, field="options.split")
    return {options.split: row.cells[column] or None}


def _check_runs(runs: Mapping[Run, _Added]) -> None:
    seen: set[tuple[str, str]] = set()
    for run in runs:
        if (run.entity, run.run) in seen:
            raise Rejected("run_twice", f"the run {run.run} stands in the file with two pay dates, periods or types")
        seen.add((run.entity, run.run))
    for run, added in runs.items():
        if min(added.alike.values()) > 1:
            message = f"every row of the run {run.run} stands in the file more than once. Export it again."
            raise Rejected("rows_twice", message)
    for run, added in runs.items():
        if run.run_type not in TAKES_BACK and any(net < 0 <= gross for net, gross in added.people.values()):
            raise negative_net_pay("net pay")


def _one_company(export: _Export) -> None:
    """Refuse the runs of several companies where nobody has said whose books each has."""
    entities = sorted({run.entity for run in export.runs})
    if len(entities) > 1 and not export.context.accounts:
        message = f"the file has runs of {', '.join(entities)}: say in entities of a [payroll.<name>] whose each is"
        raise Rejected("several_companies", message)


def _taken(run: Run, added: _Added, export: _Export) -> Taken:
    _check_columns(added, export)
    gross = added.tally.total(_GROSS)
    if run.run_type == "reversal" and gross > 0:
        message = f"the run {run.run} is called a reversal, and its wages are positive: does it take back, or pay?"
        raise Rejected("reversal_not_negative", f"{message} Set signs or types in the mapping.")
    told = run
    if run.run_type not in TAKES_BACK and gross < 0:
        told = replace(run, run=f"{run.run}:reversal", run_type="reversal")
    found = normalised(told, added.tally, export.context, limit=export.options.rounding_limit)
    return Taken(f"run {run.run}", found.events, found.ignored)


def _check_columns(added: _Added, export: _Export) -> None:
    """Check the columns that the file adds up itself. Raises Rejected `totals_differ`."""
    sums, tally = added.section.sums, added.tally
    for column, kinds in export.cells.mapping.checks.items():
        if column not in sums:
            continue
        made = tally.total(kind for kind in kinds if not kind.startswith("-"))
        made -= tally.total(kind.removeprefix("-") for kind in kinds if kind.startswith("-"))
        if made != sums[column]:
            raise differ(
                f"the column {column}", sums[column], " and ".join(kinds), made, currency=export.cells.currency
            )
