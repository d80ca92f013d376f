"""The report beside a refused file: for machines as JSON, for people as text. It holds no content of the file.

Source of the fields: `Refused`, whose messages name ids, SKUs, fields and amounts, and nothing else of a row.
"""

import contextlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from producers.feeds.moving import At, free_name, move_beside
from producers.feeds.places import Place
from producers.feeds.spool import Spool
from runtime.outside_text import visible, visible_json

JSON_SUFFIX: Final = ".report.json"
TEXT_SUFFIX: Final = ".report.txt"
_SHOWN: Final = ("where", "field", "reason", "message")


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file that was refused in whole or in part. `published`: its good rows are in the broker."""

    feed: str
    source: str
    company: str
    at: datetime
    published: bool
    spool: Spool

    def as_json(self, file: str) -> str:
        """For machines."""
        counts = self.spool.counts
        told = {
            "file": file,
            "feed": self.feed,
            "source": self.source,
            "company": self.company,
            "read_at": self.at.isoformat(),
            "published": self.published,
            "rows": counts.rows,
            "events": counts.events if self.published else 0,
            "rejects": counts.rejects,
            "ignored": counts.ignored,
            "refused": [{name: getattr(each, name) for name in _SHOWN} for each in self.spool.refused],
            "not_listed": self._not_listed,
        }
        return visible_json(json.dumps(told, indent=2, ensure_ascii=False)) + "\n"

    def as_text(self, file: str) -> str:
        """For people."""
        counts = self.spool.counts
        head = ["Nothing of it was published. Mend it and put it back."]
        if self.published:
            good = f"{counts.events:,} events were published from {counts.rows - counts.rejects:,} good rows."
            head = [good, f"Mend the {counts.rejects:,} below and put the file back: what is in already counts once."]
        lines = [f"{file} ({self.feed}, {self.source}), read {self.at.isoformat(timespec='seconds')}", *head, ""]
        for each in self.spool.refused:
            field = f", field {each.field}" if each.field else ""
            lines.append(f"{each.where}{field}: {each.reason}: {each.message}")
        if self._not_listed:
            lines.append(f"and {self._not_listed:,} more")
        return "\n".join(map(visible, lines)) + "\n"

    @property
    def _not_listed(self) -> int:
        return self.spool.counts.rejects - len(self.spool.refused)


def fail(file: At, failed: Place, report: Report) -> At:
    """Write the report, then move the file beside it: never a failed file without its report. Raises OSError."""
    name = free_name(failed, file.name, JSON_SUFFIX, TEXT_SUFFIX)
    texts = {f"{name}{JSON_SUFFIX}": report.as_json(name), f"{name}{TEXT_SUFFIX}": report.as_text(name)}
    written: list[str] = []
    try:
        for place, text in texts.items():
            with failed.create(place) as made:
                written.append(place)
                made.write(text.encode("utf-8"))
        return move_beside(file, failed, name)
    except OSError:
        for place in written:  # a disk that is full would else get two more at every try
            with contextlib.suppress(FileNotFoundError):
                failed.remove(place)
        raise
