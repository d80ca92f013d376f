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
    assert json.loads(encode(event)) == json.loads(raw)
