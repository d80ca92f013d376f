"""A file of JSON lines that lets a killed simulator go on where it was: writes, keys, settings and calls.

Each line is flushed to the operating system before the call it belongs to is answered: it outlives the
process, not the machine. The file is for one process at a time.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from simulator.books.books import Draft, Leg, Record
from simulator.books.money import Cents
from simulator.errors import JournalError

_CENTS: Final = "¢"


class Journal:
    """Appends lines to a file; with no path it keeps nothing."""

    def __init__(self, path: Path | None = None) -> None:
        """Use the file at `path`; `read` opens it."""
        self._path = path
        self._file: Any = None

    def read(self) -> Iterator[dict[str, Any]]:
        """Every line written before, then open for appending. A torn last line is cut off.

        Raises JournalError when another line cannot be read.
        """
        if self._path is None:
            return
        raw = self._path.read_bytes() if self._path.exists() else b""
        whole = raw[: raw.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                yield json.loads(line, object_hook=_unpack)
            except ValueError as exc:
                msg = f"{self._path}: line {number} is not JSON"
                raise JournalError(msg) from exc
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab")
        self._file.truncate(len(whole))

    def write(self, line: Mapping[str, object]) -> None:
        """Append one line and flush it."""
        if self._file is not None:
            self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file; nothing is kept from then on."""
        if self._file is not None:
            self._file.close()
            self._file = None


def record_line(record: Record) -> dict[str, object]:
    """A record as a line of the journal."""
    draft = record.draft
    return {
        "line": "record",
        "id": record.id,
        "seq": record.seq,
        "created_at": record.created_at,
        "kind": draft.kind,
        "external_id": draft.external_id,
        "date": draft.date,
        "total": _pack(draft.total),
        "fields": _pack(draft.fields),
        "legs": [[leg.account_id, int(leg.debit), int(leg.credit), leg.memo] for leg in draft.legs],
    }


def record_of(line: Mapping[str, Any]) -> Record:
    """The record of such a line."""
    legs = tuple(Leg(account, Cents(debit), Cents(credit), memo) for account, debit, credit, memo in line["legs"])
    draft = Draft(line["kind"], line["fields"], line["external_id"], line["date"], line["total"], legs)
    return Record(line["id"], line["seq"], line["created_at"], seed=False, draft=draft)


def _pack(value: object) -> object:
    """Amounts as `{"¢": 10800}`, so that they come back as amounts."""
    if isinstance(value, Cents):
        return {_CENTS: int(value)}
    if isinstance(value, dict):
        return {name: _pack(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_pack(item) for item in value]
    return value


def _unpack(value: dict[str, Any]) -> object:
    return Cents(value[_CENTS]) if value.keys() == {_CENTS} else value
