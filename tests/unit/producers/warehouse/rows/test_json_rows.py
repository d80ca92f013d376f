import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from producers.normalising import Rejected
from schemas.inventory import ReceiptPosted, StockAdjusted, StockCounted
from tests.unit.producers.warehouse.reading import (
    events_of,
    facts_of,
    ignored,
    json_lines,
    read_csv,
    read_json,
    refused,
)

ROW: dict[str, object] = {"id": "A1", "item": "SKU-1", "quantity": -3, "reason": "damage", "day": "2026-01-15"}


@pytest.mark.parametrize(
    ("value", "options", "where"),
    [
        ([ROW], {}, "row 1"),
        ({"data": {"changes": [ROW]}, "page": 1}, {"rows": "data.changes"}, "row 1"),
        (json_lines(ROW), {}, "line 1"),
        (b"\xef\xbb\xbf\n" + json_lines(ROW, ROW), {}, "line 2"),
        (json.dumps(ROW, indent=2).encode(), {}, "row 1"),
    ],
)
def test_a_list_an_object_that_holds_one_and_lines_are_all_read(value: object, options: Any, where: str) -> None:  # noqa: ANN401
    found = read_json(value, kind="adjusted", **options)
    (event,) = events_of(found)
    assert event.data == StockAdjusted(
        fact="json:adjusted:A1", item="SKU-1", delta=Decimal(-3), reason="damage", day=date(2026, 1, 15)
    )
    assert event.source == "/warehouse/warehouse-json"
    assert found[0].where == where


def test_numbers_are_never_floats_and_a_number_may_be_a_text() -> None:
    raw = b'[{"id": 271878346596884015, "item": 7, "quantity": 0.1, "reason": "found", "day": "2026-01-15"}]'
    (event,) = events_of(read_json(raw, kind="adjusted"))
    assert isinstance(event.data, StockAdjusted)
    assert (event.data.fact, event.data.item) == ("json:adjusted:271878346596884015", "7")
    assert event.data.delta == Decimal("0.1")


def test_columns_may_be_paths_into_the_row() -> None:
    row = {"sku": {"code": "S", "name": "n"}, "qty": 4, "at": "2026-01-15T10:00:00Z", "by": "someone"}
    found = read_json(
        [row],
        kind="counted",
        columns={"item": "sku.code", "quantity": "qty", "time": "at"},
        ignored=["by"],
    )
    (event,) = events_of(found)
    assert isinstance(event.data, StockCounted)
    assert (event.data.item, event.data.counted) == ("S", Decimal(4))


def test_a_row_is_the_same_whether_it_comes_as_csv_or_as_json_but_for_the_source() -> None:
    (of_json,) = facts_of(read_json([{**ROW, "id": None}], kind="adjusted"))
    (of_csv,) = facts_of(read_csv("item,quantity,reason,day\nSKU-1,-3.0,damage,2026-01-15\n", kind="adjusted"))
    assert of_json.removeprefix("json:") == of_csv.removeprefix("csv:")


def _log(change: str, quantity: int, **fields: object) -> dict[str, object]:
    return {
        "id": f"{change}-{quantity}",
        "item": "S",
        "quantity": quantity,
        "change": change,
        "time": "2026-01-15T10:00:00Z",
    } | fields


NOTHING = ["reserve", "Unreserve", "allocation", "OutboundCreated", "release", "re-label", "relabel", "bin move"]


def test_most_rows_of_a_stock_log_post_nothing_and_say_so() -> None:
    words = [word for word in NOTHING if word != "re-label"]
    found = read_json(json_lines(*(_log(word, 1) for word in words)))
    assert [reason for _, reason in ignored(found)] == [
        "change_posts_nothing:reserve",
        "change_posts_nothing:unreserve",
        "change_posts_nothing:allocation",
        "change_posts_nothing:outbound_created",
        "change_posts_nothing:release",
        "change_posts_nothing:relabel",
        "change_posts_nothing:bin_move",
    ]


def test_a_put_away_is_a_receipt_where_an_inbound_order_is_named_and_an_exception_else() -> None:
    found = read_json(json_lines(_log("PutAway", 5, order="PO7", lot="L1"), _log("put away", 6)))
    (event,) = events_of(found)
    assert isinstance(event.data, ReceiptPosted)
    assert (event.data.order, event.data.receipt, event.data.fact) == ("PO7", "PutAway-5", "json:receipt:PutAway-5")
    assert event.subject == "PO7"
    assert refused(found) == [("line 2", "put_away_without_order", "order")]


@pytest.mark.parametrize(
    ("change", "quantity", "reason"),
    [
        ("found", 2, "found"),
        ("Missing", -2, "missing"),
        ("counted", -1, "cycle_count"),
        ("damaged", -1, "damaged"),
        ("expired", -4, "expired"),
        ("customer return", 1, "customer_return"),
        ("outbound shipped", -3, "shipment"),
    ],
)
def test_what_was_found_missing_counted_or_damaged_is_an_adjustment(change: str, quantity: int, reason: str) -> None:
    (event,) = events_of(read_json(json_lines(_log(change, quantity))))
    assert isinstance(event.data, StockAdjusted)
    assert (event.data.delta, event.data.reason) == (Decimal(quantity), reason)


def test_a_change_against_its_word_is_refused_and_unsigned_logs_are_declared() -> None:
    log = json_lines(_log("missing", 2), _log("found", 2), _log("counted", 2))
    found = read_json(log)
    assert refused(found) == [("line 1", "wrong_sign", "quantity")]
    unsigned = read_json(log, signed=False)
    assert [event.data.model_dump()["delta"] for event in events_of(unsigned)] == [Decimal(-2), Decimal(2)]
    assert refused(unsigned) == [("line 3", "sign_not_said", "quantity")]


def test_an_unknown_change_is_refused_until_it_is_declared() -> None:
    log = json_lines(_log("Bruch", -1))
    assert refused(read_json(log)) == [("line 1", "unknown_change", "change")]
    (event,) = events_of(read_json(log, changes={"bruch": "damaged"}))
    assert isinstance(event.data, StockAdjusted)
    assert event.data.reason == "damaged"


def test_a_change_that_is_declared_to_mean_nothing_at_all_is_refused_whatever_the_row_says() -> None:
    log = json_lines({**_log("Bruch", -1), "reason": "found"})
    assert refused(read_json(log, changes={"bruch": " "})) == [("line 1", "invalid_event", "reason")]


def test_a_bad_line_is_refused_and_the_lines_around_it_are_read() -> None:
    bad = b'{"id": "A2", "item"\n[1]\n{"id": "A3", "item": {"x": 1}, "quantity": 1}\n{"id": "A4", "hue": 1}\n'
    bad += b'{"id": "A5", "item": "S", "quantity": true}\n{"id": "A6", "item": 1.5, "quantity": 1}\n\xff\n'
    found = read_json(json_lines(ROW) + bad + json_lines({**ROW, "id": "A9"}), kind="adjusted")
    assert refused(found) == [
        ("line 2", "not_json", None),
        ("line 3", "wrong_type", None),
        ("line 4", "wrong_type", "item"),
        ("line 5", "unknown_column", "hue"),
        ("line 6", "wrong_type", "quantity"),
        ("line 7", "missing_field", "time"),
        ("line 8", "not_json", None),
    ]
    assert facts_of(found) == ["json:adjusted:A1", "json:adjusted:A9"]


@pytest.mark.parametrize(
    ("raw", "options", "reason"),
    [
        (b'[{"id": 1},', {}, "not_json"),
        (b"7", {}, "no_rows"),
        (b"", {}, "not_json"),
        (b'{"rows": 7}', {"rows": "rows"}, "no_rows"),
        (b'{"rows": [1]}', {"rows": "other"}, "no_rows"),
        (json.dumps([ROW]).encode("utf-16"), {}, "wrong_encoding"),
        (json.dumps([ROW]).encode("utf-16-le"), {}, "wrong_encoding"),
        (b"[" + b" " * 100 + b"]", {"max_bytes": 50}, "file_too_large"),
        (b'{"a": 1}\n' + b" " * (1 << 20), {}, "line_too_long"),
        (b"[" * 100_000, {}, "not_json"),
        (b"[]", {"encoding": "utf-8"}, "bad_options"),
    ],
)
def test_a_file_that_cannot_be_read_is_rejected(raw: bytes, options: Any, reason: str) -> None:  # noqa: ANN401
    with pytest.raises(Rejected) as caught:
        read_json(raw, kind="adjusted", **options)
    assert caught.value.reason == reason
