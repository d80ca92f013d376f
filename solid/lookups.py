"""Concluding from rows whether a record is in Solid: present, absent, or not to be said. Pure.

Rows are compared here, whatever Solid was asked: a filter that it does not know may be ignored and return
everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from solid.dialect import Dialect
from solid.models import NewContact, NewRecord
from solid.pages import Listing

MARGIN = timedelta(days=1)
"""How far around its date a record is looked up: whether `from` is inclusive, and its zone, are not known."""


@dataclass(frozen=True, slots=True)
class Present:
    """Solid has it: the ids of every record found, the oldest first.

    The order is that of `created_at` where every one shows it, else the order in which Solid listed them.
    """

    ids: tuple[str, ...]


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


def question(record: NewRecord, dialect: Dialect) -> Mapping[str, str] | Inconclusive:
    """Give the query parameters of the look-up, or say why there is none."""
    rule, names = dialect.lookup(record.kind), dialect.parameters
    if rule.by == "external_id_filter":
        return {names.external_id: record.external_id}
    if rule.by == "display_name" and isinstance(record, NewContact):
        return {names.display_name: record.display_name}
    if rule.by == "date_range" and not isinstance(record, NewContact):
        until = {} if names.until is None else {names.until: (record.date + MARGIN).isoformat()}
        return {names.since: (record.date - MARGIN).isoformat(), **until}
    return Inconclusive(f"solid.dialect.lookups says that a person looks for the {record.kind}")


def conclude(record: NewRecord, listing: Listing, dialect: Dialect) -> Lookup:
    """Compare every row on the fields that carry our key, exactly."""
    fields = dialect.lookup(record.kind).compare
    matches = [row for row in listing.rows if any(row.get(field) == record.external_id for field in fields)]
    if matches:
        return _present(matches)
    if listing.cut is not None:
        return Inconclusive(listing.cut, moved=listing.moved)
    if listing.rows and not any(field in row for row in listing.rows for field in fields):
        return Inconclusive(f"no row of the {record.kind} list shows {' or '.join(fields)}, so none can be compared")
    return Absent()


def _present(matches: list[Mapping[str, object]]) -> Lookup:
    ids = [row.get("id") for row in matches]
    if not all(isinstance(each, str | int) and each for each in ids):
        return Inconclusive("a row carries our key but has no id")
    created = [row.get("created_at") for row in matches]
    if all(isinstance(each, str) for each in created):
        matches = sorted(matches, key=lambda row: str(row["created_at"]))
    return Present(tuple(str(row["id"]) for row in matches))
