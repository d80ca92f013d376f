"""Carries out requests to the control port's `/switch`: all is checked before any is done."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from simulator.calls import fingerprint
from simulator.errors import SwitchError
from simulator.fields import day
from simulator.simulation import Simulation, checked_key
from simulator.switches import Fault, FaultKind

Changes = Mapping[str, Any]
Act = Callable[[], Awaitable[None] | None]
Builder = Callable[[Simulation, Changes], Act]

_DETAILS: Final = ("count", "only", "delay_seconds", "late_hangs", "status", "html", "commit", "keep_old_key")
_STATUSES: Final = range(500, 600)


async def switch(simulation: Simulation, changes: Changes) -> None:
    """Do what `changes` say (see `ACTS`).

    Raises SwitchError, having changed nothing, when one of them cannot be done.
    """
    unknown = [name for name in changes if name not in ACTS and name not in _DETAILS]
    if unknown:
        msg = f"{', '.join(unknown)}: no such switch; known: {', '.join([*ACTS, *_DETAILS])}"
        raise SwitchError(msg)
    for act in [ACTS[name](simulation, changes) for name in changes if name in ACTS]:
        done = act()
        if done is not None:
            await done


def _open(simulation: Simulation, changes: Changes) -> Act:
    is_open = _bool("open", changes["open"])
    return lambda: simulation.set_open(is_open=is_open)


def _close_for(simulation: Simulation, changes: Changes) -> Act:
    seconds = _number("close_for_seconds", changes["close_for_seconds"])
    return lambda: simulation.close_for(seconds)


def _slow(simulation: Simulation, changes: Changes) -> Act:
    count = _count("count", changes.get("count", 1))
    seconds = _number("slow_seconds", changes["slow_seconds"])
    return _arming(simulation, "slow", count if seconds else 0, only=_only(changes), seconds=seconds)


def _lose(simulation: Simulation, changes: Changes) -> Act:
    count = _count("lose_answers", changes["lose_answers"])
    return _arming(simulation, "answer_lost", count, only=_only(changes, default="POST"))


def _hold(simulation: Simulation, changes: Changes) -> Act:
    return _arming(
        simulation,
        "answer_held",
        _count("hold_answers", changes["hold_answers"]),
        only=_only(changes, default="POST"),
        seconds=_number("delay_seconds", changes.get("delay_seconds", 1)),
    )


def _late(simulation: Simulation, changes: Changes) -> Act:
    return _arming(
        simulation,
        "late_commit",
        _count("late_commits", changes["late_commits"]),
        only=_only(changes),
        seconds=_number("delay_seconds", changes.get("delay_seconds", 1)),
        hangs=_bool("late_hangs", changes.get("late_hangs", False)),
    )


def _errors(simulation: Simulation, changes: Changes) -> Act:
    status = changes.get("status", 503)
    if status not in _STATUSES:
        msg = "status: must be from 500 to 599"
        raise SwitchError(msg)
    return _arming(
        simulation,
        "error",
        _count("errors", changes["errors"]),
        only=_only(changes),
        status=status,
        html=_bool("html", changes.get("html", False)),
        commit=_bool("commit", changes.get("commit", False)),
    )


def _hang(simulation: Simulation, changes: Changes) -> Act:
    return _arming(simulation, "hang", _count("hang", changes["hang"]), only=_only(changes))


def _arming(simulation: Simulation, kind: FaultKind, count: int, **details: Any) -> Act:  # noqa: ANN401  # Fault's
    fault = Fault(kind, count, **details)
    return lambda: simulation.switches.arm(fault)


def _clear(simulation: Simulation, changes: Changes) -> Act:
    return simulation.switches.faults.clear if _bool("clear_faults", changes["clear_faults"]) else _nothing


def _flag(name: str) -> Builder:
    def build(simulation: Simulation, changes: Changes) -> Act:
        flag = _bool(name, changes[name])
        return lambda: setattr(simulation.switches, name, flag)

    return build


def _date(name: str) -> Builder:
    def build(simulation: Simulation, changes: Changes) -> Act:
        date = None if changes[name] is None else _day(name, changes[name])

        def act() -> None:
            setattr(simulation.switches, name, date)
            simulation.write_dates()

        return act

    return build


def _revoke(simulation: Simulation, changes: Changes) -> Act:
    return simulation.set_keys if _bool("revoke_key", changes["revoke_key"]) else _nothing


def _key(simulation: Simulation, changes: Changes) -> Act:
    new = fingerprint(checked_key(changes["key"] if isinstance(changes["key"], str) else ""))
    keep = _bool("keep_old_key", changes.get("keep_old_key", False))
    return lambda: simulation.set_keys(new, *(simulation.keys if keep else ()))


def _allowance(simulation: Simulation, changes: Changes) -> Act:
    allowance = _count("allowance", changes["allowance"])
    return lambda: setattr(simulation.limiter, "allowance", allowance)


def _window(simulation: Simulation, changes: Changes) -> Act:
    seconds = _number("window_seconds", changes["window_seconds"])
    return lambda: setattr(simulation.limiter, "window_seconds", seconds)


def _snapshot(simulation: Simulation, changes: Changes) -> Act:
    return simulation.take_snapshot if _bool("snapshot", changes["snapshot"]) else _nothing


def _restore(simulation: Simulation, changes: Changes) -> Act:
    if not _bool("restore", changes["restore"]):
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


def _bool(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        msg = f"{name}: must be true or false"
        raise SwitchError(msg)
    return value


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        msg = f"{name}: must be a number of seconds, zero or more"
        raise SwitchError(msg)
    return float(value)


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"{name}: must be a whole number, zero or more"
        raise SwitchError(msg)
    return value


def _day(name: str, value: object) -> str:
    try:
        return day(value if isinstance(value, str) else "")
    except ValueError as exc:
        msg = f"{name}: {exc}"
        raise SwitchError(msg) from exc


ACTS: Final[dict[str, Builder]] = {
    "open": _open,
    "close_for_seconds": _close_for,
    "clear_faults": _clear,
    "slow_seconds": _slow,
    "lose_answers": _lose,
    "hold_answers": _hold,
    "late_commits": _late,
    "errors": _errors,
    "hang": _hang,
    "rate_limit_header": _flag("rate_limit_header"),
    "rate_limit_as_200": _flag("rate_limit_as_200"),
    "closed_through": _date("closed_through"),
    "accountant_copy": _date("accountant_copy"),
    "revoke_key": _revoke,
    "key": _key,
    "allowance": _allowance,
    "window_seconds": _window,
    "snapshot": _snapshot,
    "restore": _restore,
    "dialect": _dialect,
}
"""Every switch and what builds its act. The order of the request decides the order of the acts."""
