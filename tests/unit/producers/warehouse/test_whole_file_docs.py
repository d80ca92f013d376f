"""The pages of docs/feeds say the options, codes and steps that the code has."""

import re
from pathlib import Path

import pytest

from producers.reading.files import FileOptions
from producers.warehouse.edi import x12 as x12_sets
from producers.warehouse.edi.edifact_fields import ITEM_QUALIFIERS as EDIFACT_QUALIFIERS
from producers.warehouse.edi.edifact_fields import EdifactOptions
from producers.warehouse.edi.x12 import REASONS, STATUS_ONLY
from producers.warehouse.edi.x12_fields import ITEM_QUALIFIERS, X12, X12Options
from producers.warehouse.epcis.epcis import EpcisOptions
from producers.warehouse.ubl import UblOptions

FEEDS = Path(__file__).parents[4] / "docs" / "feeds"


def page(name: str) -> str:
    return (FEEDS / name).read_text(encoding="utf-8")


def rows(text: str, first_column: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading."""
    table = text.split(f"| {first_column} |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


@pytest.mark.parametrize(
    ("name", "models"),
    [("edi.md", (X12Options, EdifactOptions)), ("epcis.md", (EpcisOptions,)), ("ubl.md", (UblOptions,))],
)
def test_every_option_is_told(name: str, models: tuple[type[FileOptions], ...]) -> None:
    told = {row[0].strip("`") for row in rows(page(name), "option")}
    assert told == {field for model in models for field in model.model_fields}


def test_the_codes_of_adjustments_are_those_of_the_code() -> None:
    told = {code: row[1].strip("`") for row in rows(page("edi.md"), "codes of W1901") for code in row[0].split(", ")}
    assert {code: told[code] for code in REASONS} == dict(REASONS)
    assert {code for code, reason in told.items() if reason.startswith("none: ")} == STATUS_ONLY
    assert told.keys() == REASONS.keys() | STATUS_ONLY | {"AK", "any other"}


def test_the_conditions_of_received_goods_are_those_of_the_code() -> None:
    told = next(row[3] for row in rows(page("edi.md"), "set") if row[:2] == ["944", "W13"])
    groups = {
        re.sub(r"\W", "", word): set(codes.split(", ")) for codes, word in re.findall(r"([0-9, ]{2,}): (\S+)", told)
    }
    assert {key: {code.strip() for code in codes if code.strip()} for key, codes in groups.items()} == {
        "rejected": x12_sets.REJECTED,
        "short": {x12_sets.SHORT},
        "over": {x12_sets.OVER},
        "nothing": x12_sets.FINE,
    }


def test_the_ids_of_items_and_groups_stand_in_the_order_of_the_code() -> None:
    told = {(row[0].strip("`"), row[1]): row[2] for row in rows(page("edi.md"), "option")}
    assert told["item_qualifiers", "X12"] == ", ".join(ITEM_QUALIFIERS)
    assert told["item_qualifiers", "EDIFACT"] == ", ".join(EDIFACT_QUALIFIERS)
    assert all(f"{kind} {wanted}" in page("edi.md").replace(" is ", " ") for kind, wanted in X12.groups.items())
