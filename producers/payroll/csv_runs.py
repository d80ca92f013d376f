"""Payroll exports as CSV: read by a mapping, added up over all people, one event a run.

A row that cannot be read makes its run's totals wrong, so the whole file is refused, with the line and the column.
Rows of totals are never added up: they are checked against what was. A person is kept as a hash until the end of the
file and in no other way. Source: public descriptions of the exports; no real one is at hand, the mappings are made.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext, Rejected, Taken
from producers.payroll.amounts import ZERO
from producers.payroll.csv_cells import Cells, Row, rows
from producers.payroll.csv_mapping import CsvMapping, CsvOptions, load
from producers.payroll.guarding import without_context
from producers.payroll.tally import Run, RunType, Tally, differ, negative_net_pay, normalised

NAME: Final = "payroll-csv"

_GROSS: Final = frozenset({"wages", "contractor"})
_SEVERAL: Final = 2
Sums = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class _Key:
    entity: str
    run: str
    type: RunType
    pay_date: date
    period_start: date | None
    period_end: date | None


@dataclass(slots=True)
class _Part:
    """Sums of columns over some rows, and how many people's rows they are."""

    sums: Sums = field(default_factory=dict)
    rows: int = 0

    def add(self, amounts: Mapping[str, Decimal]) -> None:
        self.rows += 1
        for column, amount in amounts.items():
            self.sums[column] = self.sums.get(column, ZERO) + amount


@dataclass(slots=True)
class _Adding:
    """What was added up so far: by run, since the last row of totals, and since the beginning."""

    tallies: dict[_Key, Tally] = field(default_factory=dict)
    of_run: dict[_Key, _Part] = field(default_factory=dict)
    people: dict[tuple[_Key, int], tuple[Decimal, Decimal]] = field(default_factory=dict)
    section: _Part = field(default_factory=_Part)
    whole: _Part = field(default_factory=_Part)


def read_runs(file: BinaryIO, context: NormaliseContext) -> Iterator[Taken]:
    """Give each run of an export, once the whole file was read. Options: `csv_mapping.CsvOptions`.

    Raises Rejected before the first piece, with neither cause nor context (see docs/payroll-sources.md).
    """
    yield from without_context(lambda: _read(file, context))


def _read(file: BinaryIO, context: NormaliseContext) -> list[Taken]:
    options, mapping = load(context)
    currency = mapping.currency or context.currency
    cells = Cells(mapping, currency)
    adding = _Adding()
    for row in rows(file, mapping):
        columns = [column for column in (*mapping.amounts, *mapping.checks) if column in row.cells]
        amounts = {column: cells.amount(row, column) for column in columns}
        if _is_total(row, mapping):
            _check_total(row, amounts, adding, currency)
        else:
            _add(row, amounts, adding, cells, options, context)
    _no_run_twice(adding)
    _one_company(adding, context)
    return [_taken(key, adding, mapping, options, context, currency) for key in adding.tallies]


def _is_total(row: Row, mapping: CsvMapping) -> bool:
    """Whether a word for totals stands where a person's name does, or, where no name does, in another first column.

    Anywhere in the cell ("Sales Total"): a person who is called so is refused by the check, and no total is added.
    """
    columns: tuple[str | None, ...] = mapping.people
    if not any(row.cells[column] for column in mapping.people):
        columns = (mapping.department, mapping.location, next(iter(row.cells)))
    words = "|".join(re.escape(word) for word in mapping.total_words)
    labels = [row.cells.get(column or "", "") for column in columns]
    return any(re.search(rf"(?<!\w)(?:{words})(?!\w)", label, re.IGNORECASE) for label in labels)


def _check_total(row: Row, amounts: Sums, adding: _Adding, currency: str) -> None:
    """Check a row of totals against the rows since the last one, of a run, or of the file so far."""
    told = {column: amount for column, amount in amounts.items() if row.cells[column]}
    parts = [adding.section, adding.whole, *adding.of_run.values()]
    adding.section = _Part()
    if any(all(part.sums.get(column, ZERO) == amount for column, amount in told.items()) for part in parts):
        return
    nearest = max(parts, key=lambda part: sum(part.sums.get(column, ZERO) == told[column] for column in told))
    column = next(column for column, amount in told.items() if nearest.sums.get(column, ZERO) != amount)
    if nearest.rows < _SEVERAL:
        message = f"line {row.line}: a row of totals is not what the rows before it make. Export the file again."
        raise Rejected(reason="totals_differ", message=message, field=row.at(column))
    where = f"line {row.line}: the total of {column}"
    raise differ(where, told[column], "the rows before it", nearest.sums.get(column, ZERO), currency=currency)


def _add(  # noqa: PLR0913, PLR0917  (a row, where it goes, and how it is read)
    row: Row, amounts: Sums, adding: _Adding, cells: Cells, options: CsvOptions, context: NormaliseContext
) -> None:
    mapping = cells.mapping
    names = tuple(row.cells.get(column, "") for column in mapping.people)
    if not any(names):
        message = "this line names no person: a row of totals without a word for it? Add its word to total_words."
        raise Rejected(reason="row_without_person", message=message, field=f"line {row.line}")
    key = _key(row, cells, options, context)
    tally = adding.tallies.setdefault(key, Tally())
    own = Tally()
    for column, meaning in mapping.amounts.items():
        amount = amounts.get(column, ZERO) * meaning.sign
        place = _place(row, mapping, options) if meaning.kind in _GROSS else {}
        tally.add(meaning.kind, meaning.category, amount, **place)
        own.add(meaning.kind, meaning.category, amount)
    for part in (adding.section, adding.whole, adding.of_run.setdefault(key, _Part())):
        part.add(amounts)
    person = (key, hash(names))
    net, gross = adding.people.get(person, (ZERO, ZERO))
    adding.people[person] = (net + own.total({"net_pay"}), gross + own.total(_GROSS))


def _key(row: Row, cells: Cells, options: CsvOptions, context: NormaliseContext) -> _Key:
    mapping = cells.mapping
    days = [cells.day(row, column) if column else None for column in (mapping.period_start, mapping.period_end)]
    pay_date = cells.day(row, mapping.pay_date)
    ids = [cells.identifier(row, column) for column in mapping.run]
    entity = options.entity or context.company
    if mapping.entity:
        entity = cells.identifier(row, mapping.entity, known=context.accounts)
    kind = _type(row, mapping)
    dated = [str(day) for day in (*days, pay_date) if day]
    said = [kind] if kind == "reversal" or not (ids or kind == "regular") else []
    run = ":".join([*(ids or dated), *said])
    return _Key(entity, run, kind, pay_date, days[0], days[1])


def _type(row: Row, mapping: CsvMapping) -> RunType:
    if mapping.type is None or mapping.type not in row.cells:
        return "regular"
    word = row.cells[mapping.type]
    if word and word not in mapping.types:
        message = "the mapping does not say which type of run this word is: add it to types"
        raise Rejected(reason="unknown_run_type", message=message, field=row.at(mapping.type))
    return mapping.types.get(word, "regular")


def _place(row: Row, mapping: CsvMapping, options: CsvOptions) -> dict[str, str | None]:
    if options.split == "none":
        return {}
    column = mapping.department if options.split == "department" else mapping.location
    if column is None or column not in row.cells:
        message = f"the file or its mapping has no column for the {options.split}"
        raise Rejected(reason="split_not_possible", message=message, field="options.split")
    return {options.split: row.cells[column] or None}


def _no_run_twice(adding: _Adding) -> None:
    seen: set[tuple[str, str]] = set()
    for key in adding.tallies:
        if (key.entity, key.run) in seen:
            message = f"the run {key.run} stands in the file with two pay dates, periods or types"
            raise Rejected(reason="run_twice", message=message)
        seen.add((key.entity, key.run))
    for net, gross in adding.people.values():
        if net < 0 <= gross:
            raise negative_net_pay("net pay")


def _one_company(adding: _Adding, context: NormaliseContext) -> None:
    """Refuse the runs of several companies where nobody has said whose books each has."""
    entities = sorted({key.entity for key in adding.tallies})
    if len(entities) > 1 and not context.accounts:
        message = f"the file has runs of {', '.join(entities)}: say in entities of a [payroll.<name>] whose each is"
        raise Rejected(reason="several_companies", message=message)


def _taken(  # noqa: PLR0913, PLR0917  (a run, what was added up, and how it is written)
    key: _Key, adding: _Adding, mapping: CsvMapping, options: CsvOptions, context: NormaliseContext, currency: str
) -> Taken:
    tally = adding.tallies[key]
    _check_columns(adding.of_run[key].sums, tally, mapping, currency)
    is_reversal = key.type != "reversal" and tally.total(_GROSS) < 0
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
