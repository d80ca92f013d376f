import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from schemas.catalog import EVENT_TYPES
from schemas.envelope import Event, encode
from schemas.generate import TARGET, event_schema, schema_files
from tests.event_strategies import events

VALIDATORS = {name: Draft202012Validator(event_schema(name)) for name in EVENT_TYPES}
GOLDEN = Path(__file__).parents[2] / "contract" / "golden"


def test_the_schema_files_are_what_the_models_say() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in TARGET.glob("*.json")}
    assert written == schema_files(), "run: python -m schemas.generate"


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_each_schema_is_a_valid_schema(name: str) -> None:
    Draft202012Validator.check_schema(event_schema(name))


@given(events())
@settings(max_examples=50)
def test_whatever_is_encoded_fits_its_schema(event: Event) -> None:
    VALIDATORS[event.type].validate(json.loads(encode(event)))


@pytest.mark.parametrize(
    "change",
    [
        {"Tenant": "a"},
        {"type": "sales.payout.paid.v1"},
        {"data": {}},
        {"data": None},
        {"specversion": "0.9"},
        {"subject": ""},
    ],
)
def test_a_schema_refuses_what_decoding_refuses(change: dict[str, object]) -> None:
    name = "sales.payment.succeeded.v1"
    document = json.loads((GOLDEN / f"{name}.json").read_text())
    VALIDATORS[name].validate(document)
    assert not VALIDATORS[name].is_valid(document | change)
