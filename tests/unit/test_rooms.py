"""The house in `docs/architecture.md` is that of the code: its rooms, its wings, and who imports whom."""

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.unit.test_docs import code, table, text_of

ROOT = Path(__file__).parents[2]
PAGE = text_of("docs/architecture.md")
ROOMS = {folder.parent.name for folder in ROOT.glob("*/__init__.py")}
WINGS_OF_TESTS = 2
"""How many parts the path of a wing of `tests` has: those below mirror the rooms."""

Arrow = tuple[str, str]


def wings() -> list[tuple[str, str]]:
    """Each wing that the page names, in its order: the folder that it is in, and its name."""
    rows = [row for row in table(PAGE, "room") if re.search(r"/`$", row[1])]
    return [(code(row[0]), name) for row in rows for name in re.findall(r"`(\w+/)`", row[1])]


def imports() -> set[Arrow]:
    """Each pair of rooms of which one imports the other, whatever from."""
    return {
        (room, other)
        for room in ROOMS
        for module in (ROOT / room).rglob("*.py")
        for other in re.findall(r"^ *(?:from|import) (\w+)", module.read_text(encoding="utf-8"), re.MULTILINE)
        if other in ROOMS - {room}
    }


def arrows() -> Iterator[Arrow]:
    """The arrows of the picture."""
    [picture] = re.findall(r"```mermaid\n(flowchart .*?)```", PAGE, re.DOTALL)
    for line in picture.splitlines():
        steps = [step.split(" & ") for step in line.strip().split(" --> ")]
        for above, below in itertools.pairwise(steps):
            yield from ((room, other) for room in above for other in below)


def reached(room: str, drawn: set[Arrow]) -> set[str]:
    """The rooms below it in the picture, however far."""
    below = {other for one, other in drawn if one == room}
    return below.union(*(reached(other, drawn) for other in below))


def contracts() -> Mapping[str, list[str]]:
    """The wings of a room in the order of import-linter's contract, where there is one; modules are no wings."""
    contracts = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    return {
        room: [
            wing
            for floor in contract["layers"]
            for wing in floor.split(" | ")
            if (ROOT / room.replace(".", "/") / wing).is_dir()
        ]
        for contract in contracts
        for room in contract.get("containers", ())
        if contract["type"] == "layers"
    }


def test_the_page_names_every_room_and_no_other() -> None:
    rows = [code(row[0]) for row in table(PAGE, "room") if not re.search(r"/`$", row[1])]
    assert sorted(rows) == sorted(f"{room}/" for room in ROOMS)


def test_the_page_names_every_wing_and_no_other() -> None:
    folders = {module.parent.relative_to(ROOT) for room in ROOMS for module in (ROOT / room).rglob("*.py")}
    inside = {folder for folder in folders if len(folder.parts) > 1 and not folder.is_relative_to("tests")}
    tested = {folder for folder in folders if folder.is_relative_to("tests") and len(folder.parts) == WINGS_OF_TESTS}
    assert sorted(wings()) == sorted((f"{wing.parent}/", f"{wing.name}/") for wing in inside | tested)


@pytest.mark.parametrize("room", sorted(contracts()))
def test_wings_stand_in_the_order_of_their_contract(room: str) -> None:
    assert [wing.strip("/") for of, wing in wings() if of == f"{room.replace('.', '/')}/"] == contracts()[room]


def test_each_arrow_of_the_picture_is_an_import() -> None:
    assert set(arrows()) - imports() == set()


def test_each_import_follows_the_arrows_of_the_picture() -> None:
    drawn = set(arrows())
    assert {(room, other) for room, other in imports() if other not in reached(room, drawn)} == set()


def test_the_picture_has_no_circle() -> None:
    drawn = set(arrows())
    assert [room for room in ROOMS if room in reached(room, drawn)] == []
