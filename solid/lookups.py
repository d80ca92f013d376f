"""Concluding from rows whether a record is in Solid: present, absent, or not to be said. Pure.

Rows are compared here, whatever Solid was asked: a filter that it does not know may be ignored and return
everything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from solid.dialect import Dialect
from solid.models import NewContact, NewEntry, NewRecord, RecordKind
from solid.pages import Listing

MARGIN = timedelta(days=1)
"""How far around its date a record is looked up: whether `from` is inclusive, and its zone, are not known."""


def shifted(day: date, by: timedelta) -> date:
    """Give the day so much later or earlier, at most the last or the first one that there is."""
    try:
        return day + by
    except OverflowError:
        return date.max if by > timedelta(0) else date.min


Days = tuple[date, date] | None
"""The first and the last date under which a record was ever sent; None where nothing is known of others."""


@dataclass(frozen=True, slots=True)
class Present:
    """Solid has it: the ids of every record found, the oldest first.

    The order is that of `created_at` where every one shows it, else the order in which Solid listed them. `amounts` are
    what their lines move, ascending, credits below zero; None for one that shows no lines.
    """

    ids: tuple[str, ...]
    amounts: tuple[tuple[Decimal, ...] | None, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Absent:
    """Every row that could hold it was read, and none does."""


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """Nothing can be concluded; `why` is a sentence for people. Sending again could make a duplicate.

    `moved`: the list changed while it was read, so that another look, in a quieter moment, may tell.
    """

    why: str
    moved: bool = False


Lookup = Present | Absent | Inconclusive


@dataclass(frozen=True, slots=True)
class Sought:
    """What a look-up must know of a record: its kind, its key, and where to look.

    `since` and `until` are the earliest and the latest date under which the record was ever sent.
    """

    kind: RecordKind
    external_id: str
    display_name: str | None = None
    since: date | None = None
    until: date | None = None

    @classmethod
    def of(cls, record: NewRecord, *, days: Days = None) -> "Sought":
        """What is sought where the record itself is at hand; `days` where it may have had other dates."""
        if isinstance(record, NewContact):
            return cls(record.kind, record.external_id, display_name=record.display_name)
        first, last = days or (record.date, record.date)
        since, until = min(first, record.date), max(last, record.date)
        return cls(record.kind, record.external_id, since=since, until=until)


@dataclass(frozen=True, slots=True)
class Everything:
    """All records of a kind that carry a key: the key → the ids that Solid has under it, the oldest first.

    `whole`: of all days, whatever days were asked for.
    """

    ids: Mapping[str, tuple[str, ...]]
    whole: bool = False


def question(sought: Sought, dialect: Dialect) -> Mapping[str, str] | Inconclusive:
    """Give the query parameters of the look-up, or say why there is none."""
    rule, names = dialect.lookup(sought.kind), dialect.parameters
    if rule.by == "external_id_filter":
        return {names.external_id: sought.external_id}
    if rule.by == "display_name" and sought.display_name is not None:
        return {names.display_name: sought.display_name}
    if rule.by == "date_range" and sought.since is not None:
        return days_between(shifted(sought.since, -MARGIN), shifted(sought.until or sought.since, MARGIN), dialect)
    return Inconclusive(f"solid.dialect.lookups says that a person looks for the {sought.kind}")


def days_between(since: date, until: date | None, dialect: Dialect) -> Mapping[str, str]:
    """Give the query parameters for the records of some days, or of all from one on."""
    names = dialect.parameters
    last = {} if names.until is None or until is None else {names.until: until.isoformat()}
    return {names.since: since.isoformat(), **last}


def conclude(sought: Sought, listing: Listing, dialect: Dialect) -> Lookup:
    """Compare every row on the fields that carry our key, exactly."""
    fields = dialect.lookup(sought.kind).compare
    matches = [row for row in listing.rows if any(row.get(field) == sought.external_id for field in fields)]
    if matches:
        return _present(matches)
    return _why_not_all(sought.kind, listing, fields) or Absent()


def collect(kind: RecordKind, listing: Listing, dialect: Dialect) -> Everything | Inconclusive:
    """Give every record of a list by its key. Inconclusive where the list may lack some, or shows no keys."""
    fields = dialect.lookup(kind).compare
    rows: dict[str, list[Mapping[str, object]]] = {}
    for row in listing.rows:
        for key in {key for name in fields if isinstance(key := row.get(name), str) and key}:
            rows.setdefault(key, []).append(row)
    by_key: dict[str, tuple[str, ...]] = {}
    for key, matches in rows.items():
        match _present(matches):
            case Present(ids=ids):
                by_key[key] = ids
            case unclear:
                return unclear
    whole = dialect.lookup(kind).by != "date_range"
    return _why_not_all(kind, listing, fields) or Everything(by_key, whole)


def _why_not_all(kind: RecordKind, listing: Listing, fields: Sequence[str]) -> Inconclusive | None:
    """Why a record that is not among these rows may be in Solid all the same; None when it certainly is not."""
    if listing.cut is not None:
        return Inconclusive(listing.cut, moved=listing.moved)
    if listing.rows and not any(field in row for row in listing.rows for field in fields):
        return Inconclusive(f"no row of the {kind} list shows {' or '.join(fields)}, so none can be compared")
    return None


def _present(matches: Sequence[Mapping[str, object]]) -> Present | Inconclusive:
    ids = [row.get("id") for row in matches]
    if not all(isinstance(text, str | int) and text for text in ids):
        return Inconclusive("a row carries our key but has no id")
    created = [row.get("created_at") for row in matches]
    if all(isinstance(text, str) for text in created):
        matches = sorted(matches, key=lambda row: str(row["created_at"]))
    return Present(tuple(str(row["id"]) for row in matches), tuple(_amounts(row) for row in matches))


def moves(entry: NewEntry) -> tuple[Decimal, ...]:
    """What the lines of an entry move, as `Present.amounts` tells it of one in Solid."""
    return tuple(sorted((line.debit or Decimal(0)) - (line.credit or Decimal(0)) for line in entry.lines))


def _amounts(row: Mapping[str, object]) -> tuple[Decimal, ...] | None:
    lines = row.get("lines")
    if not isinstance(lines, list) or not all(
        isinstance(line, dict) and {"debit", "credit"} & set(line) for line in lines
    ):
        return None
    try:
        moved = [Decimal(str(line.get("debit") or 0)) - Decimal(str(line.get("credit") or 0)) for line in lines]
        return tuple(sorted(amount for amount in moved if amount))
    except InvalidOperation:
        return None
