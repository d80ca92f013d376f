"""No two companies spend one key's allowance, also where a key file is changed while all run; the first goes on."""

import functools
from pathlib import Path

import pytest

from ops.composing.keys import LOOK_SECONDS, Keys
from ops.composing.workers import open_solid
from runtime.settings import ConfigurationError, Settings
from solid.errors import Unavailable
from tests.fakes import FakeClock
from tests.unit.solid.support import WritingLimiter

KEYS = {"north": "n" * 64, "south": "s" * 64, "west": "w" * 64}


def put(company: str, key: str) -> None:
    Path(f"{company}.key").write_text(key)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Settings]:
    monkeypatch.chdir(tmp_path)
    for name, key in KEYS.items():
        put(name, key)
    companies = {name: {"solid": {"api_key_file": f"{name}.key"}} for name in KEYS}
    said = {"company": "north", "companies": companies, "solid": {"dialect": {"money": "decimal_string"}}}
    settings = Settings.model_validate(said)
    return {name: settings.of(name) for name in settings.served}


def refused(keys: Keys) -> set[str]:
    found = set()
    for name in KEYS:
        try:
            keys.of(name)
        except ConfigurationError:
            found.add(name)
    return found


def test_of_those_with_one_key_all_but_the_first_are_refused_at_once_and_until_it_is_mended(
    own: dict[str, Settings],
) -> None:
    keys = Keys(list(own.values()), FakeClock())
    assert refused(keys) == set()
    put("south", KEYS["north"])
    put("west", KEYS["north"])
    assert refused(keys) == {"south", "west"}
    put("south", "S" * 64)
    assert refused(keys) == {"west"}
    put("north", "N" * 64)
    assert refused(keys) == set(), "nobody has the other's any more"


def test_the_key_that_another_was_given_is_seen_though_it_makes_no_calls_here(own: dict[str, Settings]) -> None:
    clock = FakeClock()
    keys = Keys(list(own.values()), clock)
    assert keys.of("south") == KEYS["south"]
    put("north", KEYS["south"])
    clock.advance(LOOK_SECONDS)
    with pytest.raises(ConfigurationError, match=r"north and south have the same API key.*: north works with it"):
        keys.of("south")
    put("north", KEYS["north"])
    assert keys.of("south") == KEYS["south"]


def test_one_whose_file_cannot_be_read_keeps_nothing_from_another(own: dict[str, Settings]) -> None:
    Path("north.key").unlink()
    put("south", KEYS["north"])
    assert refused(Keys(list(own.values()), FakeClock())) == {"north"}


async def test_a_call_with_the_key_of_another_is_not_sent_and_pulls_the_own_brake(own: dict[str, Settings]) -> None:
    clock, limiter = FakeClock(), WritingLimiter()
    key = functools.partial(Keys(list(own.values()), clock).of, "south")
    async with open_solid(own["south"], limiter, clock, key=key) as solid:
        put("south", KEYS["north"])
        with pytest.raises(Unavailable, match="north and south have the same API key") as stopped:
            await solid.accounts()
    assert (stopped.value.cause, stopped.value.sent) == ("unauthorised", False)
    assert [report[2] for report in limiter.reports] == ["unauthorised"]
