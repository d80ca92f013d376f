"""Whatever stands where something else belongs, in any field of a document: it is refused, never a mistake of ours.

Every value of the example files becomes, one at a time, a list, an object, nothing, a huge number and so on. Some of
these are tried, always the same ones; all of them with `CONFUSE=all`, which takes minutes.
"""

import copy
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from producers.feeds.reading import read_document
from producers.normalising import NormaliseContext

DATA: Final = Path(__file__).parents[2] / "data"
MOST: Final = 10**9 if os.environ.get("CONFUSE") == "all" else 60
MISTAKES: Final = {"normaliser_failed", "invalid_document"}
NUMBERS: Final = ("1e-999999999", "1e999999999", "-1e400", "9" * 30, "-0", "0.1", "1" * 5000)
"""Put into the text as they are: as numbers, Python would not write them so."""

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Example:
    """A document and how it is read."""

    name: str
    source: str
    document: Any
    options: dict[str, Any] = field(default_factory=dict)


def examples() -> Iterator[Example]:
    folders = {
        "stripe": "stripe-ruby-mock",
        "shopify": "shopify-*",
        "cin7": "cin7-core",
        "xero-payroll": "xero-payroll-au",
    }
    for source, folder in folders.items():
        for path in sorted(DATA.glob(f"{folder}/*.json")):
            yield Example(path.stem, source, json.loads(path.read_text()))
    runs = {"gusto-full": "gusto", "finch-run": "finch", "xero-nz": "xero-payroll", "xero-uk": "xero-payroll"}
    for name, source in runs.items():
        options = {"entity": "conn-1"} if source == "finch" else {}
        yield Example(name, source, json.loads((DATA / "payroll-made" / f"{name}.json").read_text()), options)
    yield Example("events", "epcis", epcis())
    yield Example("events of ours", "epcis", epcis(), {"ours": ["9501101530003"], "receipt_steps": ["receiving"]})
    row: dict[str, Any] = {"id": "1", "line": "1", "time": "2026-01-01T00:00:00Z", "item": "A", "place": "W"}
    row |= {"quantity": 1, "reason": "lost", "unit_cost": 1.5, "currency": "EUR", "order": {"number": "P"}}
    nested = {"rows": "pages.rows", "columns": {"order": "order.number"}, "kinds": {"a": "adjusted", "b": "counted"}}
    rows = [{**row, "kind": kind} for kind in "ab"]
    yield Example("rows", "warehouse-json", {"pages": [{"rows": rows}]}, nested)


def epcis() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "warehouse-made" / "epcis-events.json").read_text())
    return found


def places(value: object, at: Place = ()) -> Iterator[tuple[Place, object]]:
    """Every value of a document, and where it stands."""
    yield at, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from places(each, (*at, name))


def confusions(value: object) -> Iterator[object]:
    yield from ([value], [value, value], [[value]], {"id": value}, {"": None}, [], {}, None, True, False)
    yield from ("", " ", "\ud800", "x" * 300, "9" * 5000, "\u202e", "2026-13-45", -1, 2**63)
    yield from (f"@{number}@" for number in NUMBERS)


def put(example: Example, at: Place, value: object) -> bytes:
    """The document's text with something else at a place."""
    holder: Any = [copy.deepcopy(example.document)]
    inner = holder
    for name in (0, *at)[:-1]:
        inner = inner[name]
    inner[(0, *at)[-1]] = value
    text = json.dumps(holder[0])
    for number in NUMBERS:
        text = text.replace(f'"@{number}@"', number)
    return text.encode()


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: f"{example.source}: {example.name}")
def test_a_value_of_another_kind_is_refused_and_never_a_mistake_of_ours(example: Example) -> None:
    tries = [(at, other) for at, value in places(example.document) for other in confusions(value)]
    chance = random.Random(example.name)  # noqa: S311  (which are tried is no secret)
    for at, other in chance.sample(tries, min(MOST, len(tries))):
        context = NormaliseContext(options=example.options)
        _, rejected = read_document(example.source, put(example, at, other), context)
        assert rejected is None or rejected.reason not in MISTAKES, (at, str(other)[:60], str(rejected))


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "-1e999999999"])
def test_a_number_out_of_all_bounds_is_refused(number: str) -> None:
    document = json.loads((DATA / "payroll-made" / "gusto-full.json").read_text())
    example = Example("gusto-full", "gusto", document)
    raw = put(example, ("employee_compensations", 1, "net_pay"), f"@{number}@")
    _, rejected = read_document("gusto", raw.replace(f'"@{number}@"'.encode(), number.encode()), NormaliseContext())
    assert rejected is not None
    assert rejected.reason == "bad_amount"


def test_a_type_that_is_a_list_as_json_ld_allows_is_read_as_its_event() -> None:
    plain, rejected = read_document("epcis", json.dumps(epcis()).encode(), NormaliseContext())
    listed = epcis()
    listed["type"] = ["EPCISDocument", "ex:Document"]
    for event in listed["epcisBody"]["eventList"]:
        event["type"] = ["ex:Scan", event["type"]]
    again, refused = read_document("epcis", json.dumps(listed).encode(), NormaliseContext())
    assert [event.type for event in again.events] == [event.type for event in plain.events] != []
    assert str(rejected) == str(refused)


@pytest.mark.parametrize("named", [["EPCISDocument"], [["EPCISDocument"]], {}, [{}], 1, None])
def test_a_document_whose_type_is_no_text_is_no_mistake_of_ours(named: object) -> None:
    _, rejected = read_document("epcis", json.dumps({"type": named, "x": 1}).encode(), NormaliseContext())
    assert rejected is not None
    assert rejected.reason == "not_epcis"
