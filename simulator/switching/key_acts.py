"""The switches that are about API keys: which are good, for which the app is closed, on which a stranger calls.

Each builder checks its part of a request and changes nothing; the act that it gives back does it. In requests
and answers a key goes by its short name, except where a new one is told.
"""

from collections.abc import Mapping
from typing import Final

from simulator.errors import SwitchError
from simulator.service import values
from simulator.service.keys import checked_key, name_of
from simulator.service.simulation import Simulation
from simulator.service.switches import Act, Changes

MOST_STRANGER_CALLS: Final = 1_000_000


def key(simulation: Simulation, changes: Changes) -> Act:
    """One good key from now on; those of before too with `keep_old_key`."""
    new = _new("key", changes["key"])
    keep = values.flag("keep_old_key", changes.get("keep_old_key", False))
    return lambda: simulation.set_keys(new, *(simulation.keys if keep else ()))


def keys(simulation: Simulation, changes: Changes) -> Act:
    """Exactly these good keys from now on, with nothing forgotten of those that stay."""
    given = changes["keys"]
    if not isinstance(given, list):
        msg = "keys: must be a list of API keys"
        raise SwitchError(msg)
    names = [_new(f"keys[{place}]", each) for place, each in enumerate(given)]
    return lambda: simulation.set_keys(*names)


def revoke(simulation: Simulation, changes: Changes) -> Act:
    """No good key any more, or one less."""
    which = changes["revoke_key"]
    if isinstance(which, str):
        name = _known(simulation, "revoke_key", which)
        return lambda: simulation.set_keys(*(simulation.keys - {name}))
    if not isinstance(which, bool):
        msg = "revoke_key: must be true, false or the short name of a key"
        raise SwitchError(msg)
    return simulation.set_keys if which else lambda: None


def closed_for(simulation: Simulation, changes: Changes) -> Act:
    """The app closed for one key and some time; 0 seconds opens it again."""
    details = _details("closed_for", changes["closed_for"], {"key", "seconds"})
    name = _known(simulation, "closed_for.key", details.get("key"))
    seconds = values.seconds("closed_for.seconds", details.get("seconds"))

    def act() -> None:
        simulation.switches.closed_keys.pop(name, None)
        if seconds:
            simulation.switches.closed_keys[name] = simulation.clock.monotonic() + seconds

    return act


def stranger(simulation: Simulation, changes: Changes) -> Act:
    """Somebody who calls on a key at a steady pace from now on; a rate or time of 0 sends them away."""
    details = _details("stranger", changes["stranger"], {"key", "rate_per_second", "seconds"})
    only = next(iter(simulation.keys)) if len(simulation.keys) == 1 else None
    name = _known(simulation, "stranger.key", details.get("key", only))
    rate = values.number("stranger.rate_per_second", details.get("rate_per_second"), unit="calls a second")
    seconds = values.seconds("stranger.seconds", details.get("seconds"))
    if rate < 0 or rate * seconds > MOST_STRANGER_CALLS:
        msg = f"stranger: rate_per_second must be zero or more, and the calls in all {MOST_STRANGER_CALLS:,} at most"
        raise SwitchError(msg)
    return lambda: simulation.strangers.start(
        name, at=simulation.clock.monotonic(), rate_per_second=rate, seconds=seconds
    )


def _new(name: str, value: object) -> str:
    """The short name of a key that is told in full; the message does not hold the key."""
    try:
        return name_of(checked_key(value if isinstance(value, str) else ""))
    except SwitchError as exc:
        msg = f"{name}: {exc}"
        raise SwitchError(msg) from exc


def _known(simulation: Simulation, switch: str, name: object) -> str:
    if not isinstance(name, str) or name not in simulation.keys:
        msg = f"{switch}: must be the short name of a good key, one of keys in /state"
        raise SwitchError(msg)
    return name


def _details(name: str, value: object, known: set[str]) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not value.keys() <= known:
        msg = f"{name}: must be an object of {', '.join(sorted(known))}"
        raise SwitchError(msg)
    return value
