"""Reads the values of switches and options strictly: what is wrong is a SwitchError that names the switch.

Knows types and ranges, not what a switch does.
"""

from collections.abc import Sequence
from math import isfinite

from simulator.books.fields import day
from simulator.errors import SwitchError


def flag(name: str, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        msg = f"{name}: must be true or false"
        raise SwitchError(msg)
    return value


def seconds(name: str, value: object) -> float:
    """A number of seconds, zero or more."""
    found = number(name, value, unit="seconds, zero or more")
    if found < 0:
        msg = f"{name}: must be a number of seconds, zero or more"
        raise SwitchError(msg)
    return found


def number(name: str, value: object, *, unit: str) -> float:
    """Any finite number; `unit` is for the message."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        msg = f"{name}: must be a number of {unit}"
        raise SwitchError(msg)
    return float(value)


def count(name: str, value: object) -> int:
    """A whole number, zero or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"{name}: must be a whole number, zero or more"
        raise SwitchError(msg)
    return value


def choice(name: str, value: object, among: Sequence[str]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in among:
        msg = f"{name}: {value!r} is not one of {', '.join(among)}"
        raise SwitchError(msg)
    return value


def date(name: str, value: object) -> str:
    """A calendar day as YYYY-MM-DD."""
    try:
        return day(value if isinstance(value, str) else "")
    except ValueError as exc:
        msg = f"{name}: {exc}"
        raise SwitchError(msg) from exc
