"""The pages of the feeds stay true: their examples are read, their tables match the code."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from producers.normalising import Piece, Rejected
from producers.reading import days, numbers
from producers.reading.options import providers
from producers.reading.written import renamed
from producers.warehouse.rows import json_rows
from producers.warehouse.rows.alone import CHANGES
from producers.warehouse.rows.options import FIELDS, NEEDED, CsvOptions, JsonOptions, RowKind
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


def test_each_recipe_reads_its_example() -> None:
    page = (PAGES / "recipes.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^## (.+?)\n.*?```toml\n(.*?)```\n\n```(csv|json)\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    found = {name: _read_as(language, text, **tomllib.loads(options)) for name, options, language, text in blocks}
    assert [refused(piece) for piece in found.values()] == [[]] * page.count("\n## ")
    assert facts_of(found["Square: changes of stock"]) == ["json:adjusted:A1", "json:count:C1"]
    assert facts_of(found["NetSuite: adjustments as a saved search"]) == ["csv:adjusted:INVADJ12 1"]
    assert facts_of(found["Receipts with their lines"]) == ["json:receipt:PO-7:R1:2026-01-31"]
    assert {name: len(facts_of(pieces)) for name, pieces in found.items()} == dict.fromkeys(found, 1) | {
        "Square: changes of stock": 2
    }


def _read_as(language: str, text: str, **options: Any) -> list[Piece]:  # noqa: ANN401  (settings of any kind)
    return read_csv(text, **options) if language == "csv" else pieces(json_rows.read, text.encode(), **options)


def test_the_tables_name_every_field_kind_and_option() -> None:
    assert set(_rows(CSV, "field")) == set(FIELDS)
    assert {kind: tuple(re.findall(r"`(\w+)`", fields)) for kind, fields in _rows(CSV, "kind").items()} == dict(NEEDED)
    assert set(NEEDED) == set(get_args(RowKind))
    assert set(_rows(CSV, "option")) == set(CsvOptions.model_fields)
    assert set(_rows(JSON, "option")) == set(JsonOptions.model_fields) - set(CsvOptions.model_fields)


def test_the_reasons_of_refusals_are_those_of_the_code() -> None:
    rows = Path(json_rows.__file__).parent
    modules = [rows / f"{name}.py" for name in READERS.split()] + [Path(days.__file__), Path(numbers.__file__)]
    code = "".join(path.read_text(encoding="utf-8") for path in modules)
    raised = set(re.findall(r'Rejected\(\s*"(\w+)"', code)) | set(
        re.findall(r'Refused\(\s*\w+(?:\.\w+)?,\s*"(\w+)"', code)
    )
    raised |= {"too_few_cells", "too_many_cells", "totals_missing", "document_incomplete"}
    of_json = {"not_json", "wrong_type", "unknown_column", "no_rows"}
    of_the_file = {"file_too_large", "line_too_long", "wrong_encoding"}
    of_machines = {"missing_quantity", "bad_quantity"}
    of_the_header = {"empty_file", "too_many_columns", "missing_column", "column_twice"}
    assert set(_rows(CSV, "reason")) == raised - of_json - of_the_file - of_the_header - of_machines


READERS = "cells csv_rows json_rows alone groups reader"


def test_the_words_of_stock_logs_are_known() -> None:
    words = {word for first in _rows(JSON, "change") for word in re.findall(r"\w+", first)}
    assert words <= CHANGES.keys()


def test_every_mapping_that_comes_with_the_relay_is_a_recipe_and_can_be_added_to() -> None:
    page = (PAGES / "recipes.md").read_text(encoding="utf-8")
    assert set(re.findall(r'provider = "([\w-]+)"', page)) == set(providers("producers.warehouse.rows"))
    more = JsonOptions.model_validate({"provider": "shiphero", "reasons": {"Lost": "lost"}, "columns": {"lot": "lot"}})
    assert more.reasons == {"Damaged in warehouse": "damage", "Lost": "lost"}
    assert (more.columns["item"], more.columns["lot"], more.kind) == (("sku",), ("lot",), "adjusted")
    old = CsvOptions.model_validate({"provider": "amazon-ledger", "date_format": "%d/%m/%Y"})
    assert old.dates == ("%d/%m/%Y",)
    with pytest.raises(ValidationError, match="amazon-ledger"):
        JsonOptions.model_validate({"provider": "nobody"})


def test_options_of_before_still_work_and_say_what_they_are_called_now() -> None:
    old = {"skip_lines": 2, "ignore_columns": ["x"], "currency_sign": "$", "date_format": "%d.%m.%Y", "totals": "Sum"}
    new = {"title_lines": 2, "ignored": ["x"], "signs": ["$"], "dates": ["%d.%m.%Y"], "totals": ["Sum"]}
    assert CsvOptions.model_validate(old) == CsvOptions.model_validate(new)
    assert renamed(CsvOptions, old)[0] == "skip_lines is called title_lines now; both work"
    with pytest.raises(ValidationError, match="skip_lines is called title_lines now: give one of them"):
        CsvOptions.model_validate({**old, "title_lines": 2})


@pytest.mark.parametrize(("name", "ours"), [("cp1252", "windows-1252"), ("UTF8", "utf-8"), ("utf-8-sig", "utf-8")])
def test_an_encoding_may_have_its_other_names(name: str, ours: str) -> None:
    assert CsvOptions.model_validate({"encoding": name}).encoding == ours


def test_the_header_is_searched_below_titles_of_any_number() -> None:
    text = "Stock of North\n\nPrinted;by;me\nitem;quantity;day\nA;-3;2026-01-31\n"
    assert len(facts_of(read_csv(text, kind="adjusted", reason="found", title_lines="search"))) == 1
    with pytest.raises(Rejected, match="no line of the first 30"):
        read_csv("title\n" * 40 + "item;quantity;day\n", kind="adjusted", reason="found", title_lines="search")
