"""The header of a payroll export, compared with its mapping: which column of this file is what.

It must not read amounts, and shows headers only, never what stands below them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from producers.normalising import Rejected
from producers.payroll.exports.mapping import ColumnMeaning, CsvMapping

_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ()/&%.#'+:_-]{0,59}", re.ASCII)
TAX_NUMBER: Final = re.compile(r"\d{3}-?\d{2}-?\d{4}")
MOST_COLUMNS: Final = 2_000
"""No export has a quarter of them."""

IN_TITLES: Final = ("pay_date", "period", "period_start", "period_end", "entity")
"""What may stand in a line above the header instead of a column."""
_ALONE: Final = (*IN_TITLES, "type", "department", "location")


def fold(text: str) -> str:
    """Give a header as headers are compared."""
    return " ".join(text.split()).casefold()


@dataclass(frozen=True, slots=True)
class ExportColumns:
    """The columns of one file, as its mapping spells them.

    `names` has the one name of each of `pay_date`, `period`, `entity` and so on that the file uses, for a column or a
    line above the header. `order` has the column at each place, empty where it is ignored, None where the mapping does
    not know it; `shown` how such a one may be named.
    """

    order: tuple[str | None, ...]
    shown: tuple[str, ...]
    names: Mapping[str, str]
    people: tuple[str, ...]
    amounts: Mapping[str, ColumnMeaning]
    has_items: bool


class HeaderFinder:
    """Compares rows with the headers that a mapping speaks of."""

    def __init__(self, mapping: CsvMapping) -> None:
        self._mapping = mapping
        self._alone = {what: tuple(getattr(mapping, what)) for what in _ALONE}
        item = [name for name in (mapping.item, mapping.item_amount, mapping.item_totals) if name]
        alone = [name for names in self._alone.values() for name in names]
        amounts = [name for name in mapping.amounts if "*" not in name]
        exact = [*alone, *mapping.run, *mapping.people, *item, *amounts, *mapping.checks]
        self._names = {fold(name): "" for name in mapping.ignored if "*" not in name}
        self._names |= {fold(name): name for name in exact}
        patterns = [name for name in (*mapping.amounts, *mapping.ignored) if "*" in name]
        self._patterns = sorted(patterns, key=len, reverse=True)

    def absent(self, row: Sequence[str], titles: Mapping[str, str]) -> tuple[str, ...]:
        """Say what is missing from a row that would have to be in the header; nothing where it is the header."""
        here = {fold(cell) for cell in row}
        net_pay = [name for name, meaning in self._mapping.amounts.items() if meaning.kind == "net_pay"]
        wanted = [(name,) for name in self._mapping.run] + [self._mapping.people, tuple(net_pay)]
        wanted += [self._alone[what] for what in ("pay_date", "entity") if what not in titles]
        if not {"period", "period_start"} & titles.keys():
            wanted.append((*self._alone["period_start"], *self._alone["period"]))
        if not {"period", "period_end"} & titles.keys():
            wanted.append((*self._alone["period_end"], *self._alone["period"]))
        return tuple(" or ".join(names) for names in wanted if names and not here & {fold(name) for name in names})

    def titles(self, row: Sequence[str]) -> dict[str, str]:
        """Give what a line above the header says: `Pay day: 07/01/2026`, or the value in the cell beside it."""
        cells = [cell for cell in row if cell]
        found: dict[str, str] = {}
        for what in IN_TITLES:
            for name in self._alone[what]:
                for place, cell in enumerate(cells):
                    label, colon, rest = cell.partition(":")
                    if fold(label) == fold(name):
                        value = rest.strip() if colon and rest.strip() else "".join(cells[place + 1 : place + 2])
                        found |= {what: value} if value else {}
        return found

    def columns(self, row: Sequence[str], titles: Mapping[str, str]) -> ExportColumns:
        """Say what each column of the header is. Raises Rejected `column_twice:<header>`, `too_many_columns`."""
        if len(row) > MOST_COLUMNS:
            message = f"the header has {len(row)} columns, and at most {MOST_COLUMNS} are read"
            raise Rejected("too_many_columns", message)
        known = [self.known(header) for header in row]
        order = tuple(name for name, _ in known)
        self._check_single(order)
        names = {what: name for what in IN_TITLES if what in titles for name in self._alone[what][:1]}
        names |= {what: name for what, possible in self._alone.items() for name in possible if name in order}
        return ExportColumns(
            order=order,
            shown=tuple(shown_header(header, number) for number, header in enumerate(row, start=1)),
            names=names,
            people=tuple(name for name in self._mapping.people if name in order),
            amounts={
                name: meaning
                for name, meaning in known
                if name is not None and meaning is not None and (meaning.unless is None or meaning.unless not in order)
            },
            has_items=self._mapping.item is not None and self._mapping.item in order,
        )

    def known(self, header: str) -> tuple[str | None, ColumnMeaning | None]:
        """Give a header as the mapping spells it (empty: ignored, None: not there), and what its amounts are."""
        name = self._names.get(fold(header))
        if name is not None:
            return name, self._mapping.amounts.get(name)
        for pattern in self._patterns:
            before, _, after = (re.escape(fold(part)) for part in pattern.partition("*"))
            match = re.fullmatch(rf"{before}\s*(.+?)\s*{after}", " ".join(header.split()), re.IGNORECASE)
            found = self._mapping.amounts.get(pattern)
            if match is not None and found is None:
                return "", None
            if match is not None and found is not None and shown_header(header, 0) == header:
                return header, found.model_copy(update={"category": found.category.replace("*", match[1])})
        return None, None

    def _check_single(self, order: Iterable[str | None]) -> None:
        named = [name for name in order if name]
        times = Counter(named)
        twice = [name for name in named if times[name] > 1]
        for known in self._alone.values():
            twice += [name for name in known if name in named][1:]
        if twice:
            message = "this column, or another of the same meaning, is there twice: which of the two counts is not said"
            shown = shown_header(twice[0], 0)
            raise Rejected(f"column_twice:{shown}", message, field=shown)


def shown_header(header: str, number: int) -> str:
    """Give a header as it may be shown: what may be a person's is a number."""
    text = " ".join(header.split())
    return text if _HEADER.fullmatch(text) and not TAX_NUMBER.search(text) else f"(column {number})"
