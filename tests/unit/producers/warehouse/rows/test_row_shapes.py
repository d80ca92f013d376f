"""Shapes in which other providers say the same: each is read by settings alone, or refused."""

from decimal import Decimal
from typing import Any

import pytest

from schemas.inventory import ReceiptPosted, StockAdjusted, StockCounted
from tests.unit.producers.warehouse.reading import (
    events_of,
    facts_of,
    ignored,
    json_lines,
    read_csv,
    read_json,
    refused,
    rejected_csv,
)

HEADER = "id;item;quantity;reason;day\n"
TIME = "2026-01-31T10:00:00Z"


def _deltas(found: Any) -> list[str]:  # noqa: ANN401
    return [str(event.data.delta) for event in events_of(found) if isinstance(event.data, StockAdjusted)]


@pytest.mark.parametrize("cell", ["-1234.5", "1234.5-", "(1234.5)", "\u22121234.5", "(1,234.50)"])
def test_less_than_zero_is_written_in_several_ways(cell: str) -> None:
    assert _deltas(read_csv(f"{HEADER}1;A;{cell};found;2026-01-15\n", kind="adjusted", thousands=",")) == ["-1234.5"]


@pytest.mark.parametrize("cell", ["-5-", "(-5)", "(5", "--5", "1e3", ".", "()"])
def test_what_is_no_plain_number_is_refused(cell: str) -> None:
    found = read_csv(f"{HEADER}1;A;{cell};found;2026-01-15\n", kind="adjusted")
    assert refused(found) == [("line 2", "bad_number", "quantity")]


@pytest.mark.parametrize(("thousands", "cell"), [("'", "1\u2019234"), (" ", "1\u2009234"), (" ", "1\u202f234")])
def test_separators_of_typesetters_are_those_of_keyboards(thousands: str, cell: str) -> None:
    rows = f"{HEADER}1;A;{cell};found;2026-01-15\n"
    assert _deltas(read_csv(rows, kind="adjusted", thousands=thousands)) == ["1234"]


@pytest.mark.parametrize(
    ("cell", "delta", "unit"), [("12 m2", "12", "m2"), ("5- EA", "-5", "EA"), ("1.5kg", "1.5", "kg")]
)
def test_a_unit_stands_behind_its_quantity(cell: str, delta: str, unit: str) -> None:
    found = read_csv(f"{HEADER}1;A;{cell};found;2026-01-15\n", kind="adjusted", quantity_has_unit=True)
    (event,) = events_of(found)
    assert isinstance(event.data, StockAdjusted)
    assert (str(event.data.delta), event.data.unit) == (delta, unit)


def test_a_power_of_ten_is_no_unit() -> None:
    found = read_csv(f"{HEADER}1;A;1e3;found;2026-01-15\n", kind="adjusted", quantity_has_unit=True)
    assert refused(found) == [("line 2", "bad_number", "quantity")]


@pytest.mark.parametrize("cell", ["$1,000.50", "1,000.50 $", "1,000.50"])
def test_the_sign_of_a_currency_is_left_out_where_it_is_declared(cell: str) -> None:
    rows = f"id;item;quantity;reason;day;unit_cost\n1;A;1;found;2026-01-15;{cell}\n"
    (event,) = events_of(read_csv(rows, kind="adjusted", thousands=",", signs="$"))
    assert isinstance(event.data, StockAdjusted)
    assert event.data.unit_cost is not None
    assert str(event.data.unit_cost.amount) == "1000.50"


def test_a_day_and_its_hour_may_be_two_columns() -> None:
    rows = "id,Date,Time,item,quantity,reason\n1,31.01.2026,17:05,A,1,found\n2,31.01.2026,,A,1,found\n"
    forms = ["%d.%m.%Y %H:%M", "%d.%m.%Y"]
    found = read_csv(rows, kind="adjusted", columns={"time": ["Date", "Time"]}, dates=forms, time_zone="Europe/Berlin")
    assert [event.time.isoformat() for event in events_of(found)] == [
        "2026-01-31T16:05:00+00:00",
        "2026-01-31T12:00:00+00:00",
    ]


def test_a_field_of_several_columns_needs_them_all_and_of_a_number_one_value() -> None:
    columns = {"quantity": ["In", "Back"]}
    rows = "id,item,In,Back,reason,day\n1,A,1,,found,2026-01-15\n2,A,1,2,found,2026-01-15\n"
    found = read_csv(rows, kind="adjusted", columns=columns)
    assert (_deltas(found), refused(found)) == (["1"], [("line 3", "several_values", "quantity")])
    error = rejected_csv("id,item,In,reason,day\n", kind="adjusted", columns=columns)
    assert (error.reason, error.field) == ("missing_column", "Back")


def test_what_came_and_what_left_may_be_two_columns() -> None:
    rows = "id,item,In,Out,reason,day\n1,A,5,,x,2026-01-15\n2,A,,5,x,2026-01-15\n3,A,7,2,x,2026-01-15\n"
    rows += "4,A,,-5,x,2026-01-15\n5,A,,,x,2026-01-15\n"
    found = read_csv(rows, kind="adjusted", columns={"quantity": "In", "out": "Out"})
    assert _deltas(found) == ["5", "-5", "5"]
    assert refused(found) == [("line 5", "negative_out", "out"), ("line 6", "missing_field", "quantity")]
    sold = "id,item,out,reason,day\n1,A,5,x,2026-01-15\n"
    assert _deltas(read_csv(sold, kind="adjusted", columns={"out": "out"})) == ["-5"]


@pytest.mark.parametrize("name", ["out", "before"])
def test_a_column_turns_a_quantity_into_another_only_where_that_is_said(name: str) -> None:
    rows = f"id,item,quantity,{name},reason,day\n1,A,5,7,x,2026-01-15\n"
    assert rejected_csv(rows, kind="adjusted").reason == "unknown_column"
    assert _deltas(read_csv(rows, kind="adjusted", ignored=["*"])) == ["5"]


def test_a_change_may_be_two_levels_and_a_level_that_is_not_said_is_not_zero() -> None:
    rows = "item,old,new,reason,day\nA,5,3,x,2026-01-15\nA,3,1,x,2026-01-15\nA,1,1,x,2026-01-15\nA,,9,x,2026-01-15\n"
    found = read_csv(rows, kind="adjusted", columns={"quantity": "new", "before": "old"})
    assert _deltas(found) == ["-2", "-2"]
    assert not any(fact.endswith(":2") for fact in facts_of(found)), "they are two changes, not one told twice"
    assert ignored(found) == [("line 4", "quantity_zero")]
    assert refused(found) == [("line 5", "missing_field", "before")]


def test_times_may_count_from_1970() -> None:
    rows = "id,time,item,quantity,reason\n1,1767225600,A,1,x\n2,1767225600123,A,1,x\n3,20260131,A,1,x\n4,-1,A,1,x\n"
    found = read_csv(rows, kind="adjusted", dates=["unix", "unix_ms", "%Y%m%d"])
    assert [event.time.isoformat() for event in events_of(found)] == [
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00.123000+00:00",
        "2026-01-31T12:00:00+00:00",
    ]
    assert refused(found) == [("line 5", "bad_date", "time")]


def test_a_first_line_may_declare_the_delimiter_and_lines_are_counted_with_it() -> None:
    found = read_csv("\ufeffsep=;\r\n" + HEADER + "1;A;1;found;2026-01-15\n2;A;x;found;2026-01-15\n", kind="adjusted")
    assert (facts_of(found), refused(found)) == (["csv:adjusted:1"], [("line 4", "bad_number", "quantity")])


def test_a_column_without_a_name_is_told_as_such() -> None:
    rows = "id,item,quantity,reason,day,\n1,A,1,found,2026-01-15,\n"
    assert "column 6 has no name" in str(rejected_csv(rows, kind="adjusted"))
    assert facts_of(read_csv(rows, kind="adjusted", ignored=[""])) == ["csv:adjusted:1"]


@pytest.mark.parametrize(
    ("encoding", "codec", "word"),
    [("utf-16-le", "utf-16-le", "Ä"), ("windows-1250", "cp1250", "Łódź"), ("shift_jis", "cp932", "倉庫")],
)
def test_encodings_of_elsewhere_are_declared(encoding: str, codec: str, word: str) -> None:
    raw = f"{HEADER}1;{word};1;found;2026-01-15\n".encode(codec)
    (event,) = events_of(read_csv(raw, kind="adjusted", encoding=encoding))
    assert event.subject == word


SQUARE: list[dict[str, Any]] = [
    {"type": "ADJUSTMENT", "adjustment": {"id": "a", "from_state": "IN_STOCK", "to_state": "SOLD", "quantity": "7"}},
    {"type": "PHYSICAL_COUNT", "physical_count": {"id": "b", "state": "IN_STOCK", "quantity": "15"}},
    {"type": "TRANSFER", "transfer": {"id": "c", "quantity": "1"}},
]


def test_rows_of_several_shapes_are_told_by_fields_of_several_columns() -> None:
    kinds = ("adjustment", "physical_count", "transfer")
    rows = [{**row, row["type"].lower(): {**row[row["type"].lower()], "item": "A", "at": TIME}} for row in SQUARE]
    found = read_json(
        {"changes": rows, "cursor": "x"},
        rows="changes",
        signed=False,
        columns={
            "change": ["type", "adjustment.from_state", "adjustment.to_state"],
            **{
                ours: [f"{kind}.{theirs}" for kind in kinds]
                for ours, theirs in {"id": "id", "item": "item", "quantity": "quantity", "time": "at"}.items()
            },
        },
        changes={"ADJUSTMENT IN_STOCK SOLD": "shipped", "PHYSICAL_COUNT": "level", "TRANSFER": "move"},
    )
    assert facts_of(found) == ["json:adjusted:a", "json:count:b"]
    assert _deltas(found) == ["-7"]
    assert ignored(found) == [("row 3", "change_posts_nothing:transfer")]


def test_goods_that_went_back_to_the_vendor_are_a_negative_receipt() -> None:
    row = {"id": "1", "change": "Return to Vendor", "item": "A", "quantity": 3, "order": "PO1", "time": TIME}
    found = read_json([row, {"change": "vendor_return", "item": "A", "quantity": 1, "time": TIME}])
    (event,) = events_of(found)
    assert isinstance(event.data, ReceiptPosted)
    assert (event.data.fact, event.data.lines[0].quantity) == ("json:return:1", Decimal(-3))
    assert refused(found) == [("row 2", "missing_field", "order")]


RECEIPTS = [
    {"number": "R1", "po": {"number": "PO-7"}, "at": TIME, "lines": [{"sku": "A", "qty": 5, "lots": [{"no": "L"}]}]},
    {"number": "R2", "po": None, "at": TIME, "lines": None},
    {"number": "R3", "po": None, "at": TIME, "lines": [{"sku": "B", "qty": 1, "lots": []}]},
]
NESTED = {"receipt": "number", "order": "po.number", "time": "at"}
IN_ROW = {"item": "sku", "quantity": "qty", "lot": "lots.no"}


def test_rows_may_be_nested_and_take_what_their_document_says() -> None:
    document = {"warehouse": "W1", "receipts": RECEIPTS}
    around = {field: f"/receipts.{path}" for field, path in NESTED.items()} | {"place": "/warehouse"}
    found = read_json(document, kind="receipt", rows="receipts.lines", columns=around | IN_ROW)
    assert facts_of(found) == ["json:receipt:PO-7:R1:2026-01-31", "json:receipt:R3:2026-01-31"]
    lines = [event.data.lines[0] for event in events_of(found) if isinstance(event.data, ReceiptPosted)]
    assert [(line.item, line.place, line.lot) for line in lines] == [("A", "W1", "L"), ("B", "W1", None)]


@pytest.mark.parametrize("value", [RECEIPTS, json_lines(*RECEIPTS)])
def test_a_list_of_documents_and_lines_of_them_hold_nested_rows_too(value: object) -> None:
    columns = {field: f"/{path}" for field, path in NESTED.items()} | IN_ROW
    found = read_json(value, kind="receipt", rows="lines", columns=columns)
    assert facts_of(found) == ["json:receipt:PO-7:R1:2026-01-31", "json:receipt:R3:2026-01-31"]


def test_a_document_without_its_rows_is_refused_and_the_others_are_read() -> None:
    columns = {field: f"/{path}" for field, path in NESTED.items()} | IN_ROW
    lines = json_lines(RECEIPTS[0], {"x": 1}, {"x": 2}, RECEIPTS[0], RECEIPTS[2])
    found = read_json(lines, kind="receipt", rows="lines", columns=columns)
    assert ("line 2", "no_rows", None) in refused(found)
    assert facts_of(found) == ["json:receipt:R3:2026-01-31"]
    found = read_json([{"x": 1}], kind="receipt", rows="lines", columns=columns)
    assert refused(found) == [("row 1", "wrong_type", None)]


def test_a_list_of_several_is_no_value() -> None:
    row = {"id": "1", "item": "A", "quantity": 1, "reason": "x", "time": TIME, "lots": [{"no": "L1"}, {"no": "L2"}]}
    found = read_json([row], kind="adjusted", columns={"lot": "lots.no"})
    assert refused(found) == [("row 1", "wrong_type", "lot")]


def test_a_level_as_a_text_is_a_count() -> None:
    counts = [{"state": "IN_STOCK", "item": "A", "quantity": "10", "at": TIME}, {"state": "SOLD", "item": "A"}]
    body = {"data": {"object": {"inventory_counts": counts}}}
    found = read_json(
        body,
        rows="data.object.inventory_counts",
        columns={"kind": "state", "time": "at"},
        kinds={"IN_STOCK": "counted", "SOLD": "ignored"},
        reason="level",
    )
    (event,) = events_of(found)
    assert isinstance(event.data, StockCounted)
    assert (event.data.counted, event.data.reason) == (Decimal(10), "level")


def test_the_name_of_a_logs_row_does_not_hang_on_how_its_word_is_declared() -> None:
    row = {"change": "VendorReturns", "item": "A", "quantity": -1, "time": TIME}
    (first,) = facts_of(read_json([row], changes={"VendorReturns": "shipped"}))
    (second,) = facts_of(read_json([row], changes={"VendorReturns": "damaged"}))
    assert first == second
