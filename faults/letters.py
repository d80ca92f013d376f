"""The dead letters at the end, by the relay's own command, each with the Stripe event that it came from."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from demo.judging import Letter
from demo.relay import ask
from staging.processes import Stage


def collect_letters(stage: Stage, store: Path) -> list[Letter]:
    """All dead letters; this takes them out of their queues, into the store.

    Raises:
        NotReady: the command failed.
    """
    rows = ask(stage, "dead", "list", "--json")
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        bodies = dict(database.execute("SELECT id, body FROM dead_letters WHERE event_id IS NULL").fetchall())
    return [
        Letter(row["queue"], row["reason"], row["error"], event_of(row["event_id"], bodies.get(row["id"], b"")))
        for row in rows
    ]


def event_of(event_id: str | None, body: bytes) -> str | None:
    """The Stripe event's id, without the part that tells several events of one webhook apart.

    A letter that could not be read names no event: then the id stands in its raw body, if anywhere.
    """
    if event_id is not None:
        return event_id.partition(":")[0]
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return str(document["id"]) if isinstance(document, dict) and "id" in document else None
