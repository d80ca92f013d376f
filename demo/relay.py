"""Asks the relay's own commands, as a person would: what waits in which queue, which dead letters there are."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from demo.judging import Letter
from staging.processes import NotReady, Stage

WITHIN_SECONDS = 60


def backlog(stage: Stage) -> Mapping[str, int]:
    """How many messages are ready in each queue of this company, in the retry queues and the dead-letter queues."""
    queues = ask(stage, "status", "--json")["backlog"]
    return {name: count or 0 for name, count in queues.items()}


def is_dead_letter_queue(name: str) -> bool:
    """Is this queue one of those that wait for a person."""
    return name.endswith(".dlq")


def dead_letters(stage: Stage, *, source: str = "/webhooks/stripe") -> list[Letter]:
    """All dead letters of this company, with the ids of the Stripe events they came from.

    This takes them out of their queues, into the database of the stage. Raw ones name no company: those of our source
    are ours.
    """
    return [
        Letter(row["queue"], row["reason"], row["error"], _stripe_event(stage, row))
        for row in ask(stage, "dead", "list", "--json")
        if row["company"] == stage.company or (row["company"] is None and row["event_source"] == source)
    ]


def _stripe_event(stage: Stage, row: Mapping[str, Any]) -> str | None:
    """The id without the part that tells several events of one webhook apart; a raw letter has it in its body."""
    if row["event_id"] is not None:
        return str(row["event_id"]).partition(":")[0]
    body = ask(stage, "dead", "show", row["id"], "--json")["body"]
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return str(document.get("id")) if isinstance(document, dict) else None


def ask(stage: Stage, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """Run one `relay` command and read its JSON.

    Raises:
        NotReady: it failed, or took too long; the message names its log.
    """
    name = f"relay-{arguments[0]}"
    printed = stage.folder / f"{name}.json"
    process = stage.start(name, "ops.commands.relay", *arguments, stdout=printed)
    command = f"`relay {' '.join(arguments)}`"
    try:
        code = process.popen.wait(WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        msg = f"{command} took longer than {WITHIN_SECONDS} s: see {process.log}"
        raise NotReady(msg) from None
    if code:
        msg = f"{command} failed: see {process.log}"
        raise NotReady(msg)
    return json.loads(printed.read_text())
