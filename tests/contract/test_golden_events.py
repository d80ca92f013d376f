"""Events as they were first published. The files are never changed: an event in a queue must still decode."""

import json
from pathlib import Path

import pytest

from schemas.catalog import EVENT_TYPES
from schemas.envelope import decode, encode

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


def test_every_event_type_has_a_golden_file() -> None:
    assert {json.loads(path.read_text(encoding="utf-8"))["type"] for path in GOLDEN} == EVENT_TYPES.keys()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_published_event_still_decodes_to_the_same_meaning(path: Path) -> None:
    raw = path.read_bytes()
    event = decode(raw)
    assert type(event.data) is EVENT_TYPES[event.type]
    assert without_of(json.loads(encode(event))) == without_of(json.loads(raw))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_an_event_that_says_what_it_refers_to_has_the_meaning_of_the_old_one(path: Path) -> None:
    event = decode(path.read_bytes())
    assert decode(encode(event)) == event


def without_of(document: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """The event without what newer ones say of another: that follows from the ids of the old."""
    data = {name: value for name, value in document["data"].items() if name != "of"}
    return {**document, "data": data}
