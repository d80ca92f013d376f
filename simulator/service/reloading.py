"""Brings a simulation back to where its journal left it, by one function a kind of line (the table below)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from simulator.books.journal import record_of
from simulator.errors import JournalError
from simulator.service.calls import from_json
from simulator.service.keys import NAME_DIGITS
from simulator.service.simulation import Simulation

Line = Mapping[str, Any]


def reloaded(simulation: Simulation) -> Simulation:
    """Read its journal into a simulation that holds only its seed, and give it back.

    Raises JournalError when a line cannot be read or does not fit what is there.
    """
    for line in simulation.journal.read():
        READERS[line["line"]](simulation, line)
    for call in simulation.calls:
        if call.counted and call.key is not None:
            simulation.limiter.remember(call.key, call.monotonic)
    return simulation


def _record(simulation: Simulation, line: Line) -> None:
    record = record_of(line)
    if record.seq != len(simulation.books.log):
        msg = f"the journal's record {record.id} does not fit: was there another chart of accounts?"
        raise JournalError(msg)
    simulation.books.add(record)


def _call(simulation: Simulation, line: Line) -> None:
    simulation.calls.append(from_json(line))


def _answer(simulation: Simulation, line: Line) -> None:
    call = simulation.calls[line["n"]]
    call.status, call.fault = line["status"], line["fault"]
    call.committed, call.external_id = tuple(line["committed"]), line["external_id"]


def _keys(simulation: Simulation, line: Line) -> None:
    simulation.keys = {name[:NAME_DIGITS] for name in line["keys"]}  # they were longer once


def _snapshot(simulation: Simulation, line: Line) -> None:
    simulation.snapshot = line["length"]


def _restore(simulation: Simulation, line: Line) -> None:
    simulation.books.truncate(line["length"])


def _dates(simulation: Simulation, line: Line) -> None:
    simulation.switches.closed_through = line["closed_through"]
    simulation.switches.accountant_copy = line["accountant_copy"]


READERS: Final[dict[str, Callable[[Simulation, Line], None]]] = {
    "record": _record,
    "call": _call,
    "answer": _answer,
    "keys": _keys,
    "snapshot": _snapshot,
    "restore": _restore,
    "dates": _dates,
}
