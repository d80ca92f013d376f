"""The conformance cases of CloudEvents, as far as they apply to structured JSON: all of them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.attributes import check_attributes, parse_time
from schemas.envelope import decode
from schemas.errors import InvalidEvent, UnknownEventType
from schemas.json_text import parse_json

CASES = Path(__file__).parents[2] / "data" / "cloudevents"


def _cases(name: str) -> list[object]:
    tests = json.loads((CASES / name).read_text())["tests"]
    return [pytest.param(json.dumps(test["event"]).encode(), id=test["id"]) for test in tests]


VALID = _cases("valid-events.json")
INVALID = _cases("invalid-events.json")


def test_all_cases_are_there() -> None:
    assert (len(VALID), len(INVALID)) == (10, 25)


@pytest.mark.parametrize("raw", VALID)
def test_a_valid_event_passes_and_only_its_type_is_unknown(raw: bytes) -> None:
    attributes = check_attributes(parse_json(raw))
    assert attributes["specversion"] == "1.0"
    with pytest.raises(UnknownEventType, match=r"io\.cloudevents\.test") as caught:
        decode(raw)
    assert caught.value.type == "io.cloudevents.test"


@pytest.mark.parametrize("raw", INVALID)
def test_an_invalid_event_is_refused_before_its_type_is_looked_at(raw: bytes) -> None:
    with pytest.raises(InvalidEvent):
        check_attributes(parse_json(raw))
    with pytest.raises(InvalidEvent) as caught:
        decode(raw)
    assert not isinstance(caught.value, UnknownEventType)


def test_null_attributes_count_as_absent() -> None:
    document = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "subject": None, "time": None}
    assert check_attributes(document).keys() == {"specversion", "id", "source", "type"}


@pytest.mark.parametrize("value", [1.5, 2**31, -(2**31) - 1, [], {}, "a\nb", "\x85", "\ud800"])
def test_extension_values_are_text_booleans_or_small_integers(value: object) -> None:
    document = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "ext": value}
    with pytest.raises(InvalidEvent, match="ext"):
        check_attributes(document)


@pytest.mark.parametrize("document", [[], "text", 1, None])
def test_an_event_is_an_object(document: object) -> None:
    with pytest.raises(InvalidEvent, match="object"):
        check_attributes(document)


def test_times_become_utc() -> None:
    assert parse_time("2018-04-05T18:31:00+01:00") == datetime(2018, 4, 5, 17, 31, tzinfo=UTC)
    assert parse_time("2018-04-05t17:31:00.123456789z") == datetime(2018, 4, 5, 17, 31, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2018-02-30T00:00:00Z", "0001-01-01T00:00:00+23:59", "2018-04-05 17:31:00Z", "٢018-04-05T17:31:00Z"],
)
def test_times_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(InvalidEvent, match="time"):
        parse_time(text)
