"""The pages of the feeds stay true: their examples are read, their tables match the code."""

import re
import tomllib
from pathlib import Path
from typing import get_args

from producers.warehouse import json_rows
from producers.warehouse.changes import CHANGES
from producers.warehouse.options import FIELDS, NEEDED, CsvOptions, JsonOptions, Kind
from tests.unit.producers.warehouse.reading import facts_of, pieces, read_csv, refused

PAGES = Path(__file__).parents[4] / "docs" / "feeds"
CSV, JSON = ((PAGES / name).read_text(encoding="utf-8") for name in ("csv.md", "json.md"))


def _block(page: str, language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return str(found)


def _rows(page: str, heading: str) -> dict[str, str]:
    """The first cells of the table with this first heading, each with its last."""
    found = re.search(rf"^\| {heading} \|.*\n\|[-| ]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert found is not None
    cells = [re.split(r" \| ", line.strip("| ")) for line in found[1].splitlines()]
    return {row[0].strip("`"): row[-1] for row in cells}


def test_the_example_of_csv_is_read() -> None:
    found = read_csv(_block(CSV, "csv"), **tomllib.loads(_block(CSV, "toml")))
    assert facts_of(found) == ["csv:adjusted:1001", "csv:adjusted:1002"]


def test_the_example_of_json_is_read() -> None:
    found = pieces(json_rows.read, _block(JSON, "json").encode(), **tomllib.loads(_block(JSON, "toml")))
    assert facts_of(found) == ["json:adjusted:c-1", "json:receipt:c-2"]
    assert refused(found) == []


def test_the_tables_name_every_field_kind_and_option() -> None:
    assert set(_rows(CSV, "field")) == set(FIELDS)
    assert {kind: tuple(re.findall(r"`(\w+)`", fields)) for kind, fields in _rows(CSV, "kind").items()} == dict(NEEDED)
    assert set(NEEDED) == set(get_args(Kind))
    assert set(_rows(CSV, "option")) == set(CsvOptions.model_fields)
    assert set(_rows(JSON, "option")) == set(JsonOptions.model_fields) - set(CsvOptions.model_fields)


def test_the_reasons_of_refusals_are_those_of_the_code() -> None:
    modules = (Path(json_rows.__file__).parent / f"{name}.py" for name in READERS.split())
    code = "".join(path.read_text(encoding="utf-8") for path in modules)
    raised = set(re.findall(r'RowRefused\(\s*"(\w+)"', code)) | set(
        re.findall(r'Refused\(\s*\w+(?:\.\w+)?,\s*"(\w+)"', code)
    )
    raised |= {"too_few_cells", "too_many_cells", "totals_missing"}
    ours = {"not_json", "wrong_type", "unknown_column"}
    assert set(_rows(CSV, "reason")) == raised - ours


READERS = "cells changes csv_rows declared json_rows row_drafts row_groups rows"


def test_the_words_of_stock_logs_are_known() -> None:
    words = {word for first in _rows(JSON, "change") for word in re.findall(r"\w+", first)}
    assert words <= CHANGES.keys()
