"""Carries out requests to the control port's `/switch`: all is checked before any is done."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from simulator.errors import SwitchError
from simulator.service import values
from simulator.service.limits import Limit
from simulator.service.simulation import Simulation
from simulator.service.switches import Act, Changes, Fault, FaultKind
from simulator.switching import item_acts, key_acts

Builder = Callable[[Simulation, Changes], Act]

_DETAILS: Final = (
    "count",
    "only",
    "delay_seconds",
    "late_hangs",
    "status",
    "html",
    "envelope",
    "code",
    "commit",
    "keep_old_key",
)
_STATUSES: Final = (200, *range(300, 600))


async def switch(simulation: Simulation, changes: Changes) -> None:
    """Do what `changes` say (see `ACTS`).

    Raises SwitchError, having changed nothing, when one of them cannot be done.
    """
    unknown = [name for name in changes if name not in ACTS and name not in _DETAILS]
    if unknown:
        msg = f"{', '.join(unknown)}: no such switch; known: {', '.join([*ACTS, *_DETAILS])}"
        raise SwitchError(msg)
    acts = [ACTS[name](simulation, changes) for name in changes if name in ACTS]
    simulation.settle_strangers()
    for act in acts:
        done = act()
        if done is not None:
            await done


def _open(simulation: Simulation, changes: Changes) -> Act:
    is_open = values.flag("open", changes["open"])
    return lambda: simulation.set_open(is_open=is_open)


def _close_for(simulation: Simulation, changes: Changes) -> Act:
    seconds = values.seconds("close_for_seconds", changes["close_for_seconds"])
    return lambda: simulation.close_for(seconds)


def _slow(simulation: Simulation, changes: Changes) -> Act:
    count = values.count("count", changes.get("count", 1))
    seconds = values.seconds("slow_seconds", changes["slow_seconds"])
    return _arming(simulation, "slow", count if seconds else 0, only=_only(changes), seconds=seconds)


def _lose(simulation: Simulation, changes: Changes) -> Act:
    count = values.count("lose_answers", changes["lose_answers"])
    return _arming(simulation, "answer_lost", count, only=_only(changes, default="POST"))


def _twice(simulation: Simulation, changes: Changes) -> Act:
    count = values.count("commit_twice", changes["commit_twice"])
    return _arming(simulation, "twice", count, only=_only(changes, default="POST"))


def _hold(simulation: Simulation, changes: Changes) -> Act:
    return _arming(
        simulation,
        "answer_held",
        values.count("hold_answers", changes["hold_answers"]),
        only=_only(changes, default="POST"),
        seconds=values.seconds("delay_seconds", changes.get("delay_seconds", 1)),
    )


def _late(simulation: Simulation, changes: Changes) -> Act:
    return _arming(
        simulation,
        "late_commit",
        values.count("late_commits", changes["late_commits"]),
        only=_only(changes),
        seconds=values.seconds("delay_seconds", changes.get("delay_seconds", 1)),
        hangs=values.flag("late_hangs", changes.get("late_hangs", False)),
    )


def _errors(simulation: Simulation, changes: Changes) -> Act:
    status = changes.get("status", 503)
    if status not in _STATUSES:
        msg = "status: must be 200, or from 300 to 599"
        raise SwitchError(msg)
    return _arming(
        simulation,
        "error",
        values.count("errors", changes["errors"]),
        only=_only(changes),
        status=status,
        html=values.flag("html", changes.get("html", False)),
        envelope=values.flag("envelope", changes.get("envelope", True)),
        code=str(changes.get("code", "INTERNAL_ERROR")),
        commit=values.flag("commit", changes.get("commit", False)),
    )


def _hang(simulation: Simulation, changes: Changes) -> Act:
    return _arming(simulation, "hang", values.count("hang", changes["hang"]), only=_only(changes))


def _arming(simulation: Simulation, kind: FaultKind, count: int, **details: Any) -> Act:  # noqa: ANN401  # Fault's
    fault = Fault(kind, count, **details)
    return lambda: simulation.switches.arm(fault)


def _clear(simulation: Simulation, changes: Changes) -> Act:
    return simulation.switches.faults.clear if values.flag("clear_faults", changes["clear_faults"]) else _nothing


def _flag(name: str) -> Builder:
    def build(simulation: Simulation, changes: Changes) -> Act:
        flag = values.flag(name, changes[name])
        return lambda: setattr(simulation.switches, name, flag)

    return build


def _date(name: str) -> Builder:
    def build(simulation: Simulation, changes: Changes) -> Act:
        date = None if changes[name] is None else values.date(name, changes[name])

        def act() -> None:
            setattr(simulation.switches, name, date)
            simulation.write_dates()

        return act

    return build


def _limit(simulation: Simulation, changes: Changes) -> Act:
    """All of the request's changes of the limit together: some are only possible so."""
    limit = simulation.limiter.limit.changed({name: changes[name] for name in LIMIT if name in changes})
    return lambda: simulation.limiter.change(limit)


def _snapshot(simulation: Simulation, changes: Changes) -> Act:
    return simulation.take_snapshot if values.flag("snapshot", changes["snapshot"]) else _nothing


def _restore(simulation: Simulation, changes: Changes) -> Act:
    if not values.flag("restore", changes["restore"]):
        return _nothing
    if simulation.snapshot is None:
        msg = "restore: there is no snapshot; take one first"
        raise SwitchError(msg)
    return lambda: _none(simulation.restore())


def _dialect(simulation: Simulation, changes: Changes) -> Act:
    if not isinstance(changes["dialect"], Mapping):
        msg = "dialect: must be an object"
        raise SwitchError(msg)
    dialect = simulation.switches.dialect.changed(changes["dialect"])
    return lambda: setattr(simulation.switches, "dialect", dialect)


def _nothing() -> None:
    pass


def _none(_result: object) -> None:
    pass


def _only(changes: Changes, default: str = "*") -> str:
    only = changes.get("only", default)
    if not isinstance(only, str) or not only.split():
        msg = 'only: must be a method, a path or both, such as "POST /invoices", or "*"'
        raise SwitchError(msg)
    return only


LIMIT: Final = tuple(field.name for field in fields(Limit))
ACTS: Final[dict[str, Builder]] = {
    "open": _open,
    "close_for_seconds": _close_for,
    "clear_faults": _clear,
    "slow_seconds": _slow,
    "lose_answers": _lose,
    "commit_twice": _twice,
    "hold_answers": _hold,
    "late_commits": _late,
    "errors": _errors,
    "hang": _hang,
    "rate_limit_header": _flag("rate_limit_header"),
    "rate_limit_as_200": _flag("rate_limit_as_200"),
    "closed_through": _date("closed_through"),
    "accountant_copy": _date("accountant_copy"),
    "revoke_key": key_acts.revoke,
    "key": key_acts.key,
    "keys": key_acts.keys,
    "closed_for": key_acts.closed_for,
    "stranger": key_acts.stranger,
    **dict.fromkeys(LIMIT, _limit),
    "snapshot": _snapshot,
    "restore": _restore,
    "dialect": _dialect,
    "items": item_acts.items,
}
"""Every switch and what builds its act. The order of the request decides the order of the acts."""
