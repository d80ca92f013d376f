"""Bad files and bad rows: each is refused with its place, its field and a reason, and good rows go on."""

from typing import Any

import pytest

from producers.normalising import Refused
from producers.warehouse.rows.options import FIELDS
from tests.unit.producers.warehouse.reading import events_of, facts_of, read_csv, refused, rejected_csv

HEADER = "id,item,quantity,reason,day\n"
GOOD = "9,Z,1,found,2026-01-15\n"


@pytest.mark.parametrize(
    ("row", "reason", "field"),
    [
        ("1,A,,found,2026-01-15", "missing_field", "quantity"),
        ("1,,1,found,2026-01-15", "missing_field", "item"),
        ("1,A,1,,2026-01-15", "missing_field", "reason"),
        ("1,A,1,found,", "missing_field", "day"),
        ('1,A,"1.234,5",found,2026-01-15', "bad_number", "quantity"),
        ('1,A,"1,5",found,2026-01-15', "bad_number", "quantity"),
        ('1,A,"1,234",found,2026-01-15', "bad_number", "quantity"),
        ("1,A,1e3,found,2026-01-15", "bad_number", "quantity"),
        ("1,A,12 EA,found,2026-01-15", "bad_number", "quantity"),
        ("1,A,٣,found,2026-01-15", "bad_number", "quantity"),
        ("1,A,NaN,found,2026-01-15", "bad_number", "quantity"),
        ("1,A,9999999999999999,found,2026-01-15", "invalid_event", "quantity"),
        ("1,A,0.0000000001,found,2026-01-15", "invalid_event", "quantity"),
        ("1,A,1,found,15.01.2026", "bad_date", "day"),
        ("1,A,1,found,01/02/2026", "bad_date", "day"),
        ("1,A,1,found,2026-02-30", "bad_date", "day"),
        ("1,A,1,found,0026-02-01", "bad_date", "day"),
        ("1,A,1,found", "too_few_cells", None),
        ("1,A,1,found,2026-01-15,x", "too_many_cells", None),
        (f"1,{'A' * 256},1,found,2026-01-15", "bad_text", "item"),
        ('1,"A\nB",1,found,2026-01-15', "bad_text", "item"),
        ('1,"A"B,1,found,2026-01-15', "bad_quoting", None),
    ],
)
def test_a_bad_row_is_refused_and_the_rows_around_it_are_read(row: str, reason: str, field: str | None) -> None:
    found = read_csv(HEADER + "8,Y,1,found,2026-01-15\n" + row + "\n" + GOOD, kind="adjusted")
    where = "lines 3-4" if "\n" in row else "line 3"
    assert refused(found) == [(where, reason, field)]
    assert facts_of(found) == ["csv:adjusted:8", "csv:adjusted:9"]


@pytest.mark.parametrize(
    ("options", "cell", "reads"),
    [
        ({"decimal": ",", "thousands": "."}, "1.234,5", "1234.5"),
        ({"thousands": ","}, "1,234,567.25", "1234567.25"),
        ({"thousands": " "}, "1\u00a0234", "1234"),
        ({"thousands": "'"}, "-1'234", "-1234"),
        ({"decimal": ","}, "+0,5", "0.5"),
        ({"decimal": ",", "thousands": "."}, "1.23", None),
        ({"decimal": ",", "thousands": "."}, "1.2345,5", None),
        ({"decimal": ","}, "1.234", None),
        ({"thousands": ","}, "12,34", None),
    ],
)
def test_numbers_are_read_as_declared_and_never_guessed(options: dict[str, Any], cell: str, reads: str | None) -> None:
    found = read_csv(f"id;item;quantity;reason;day\n1;A;{cell};found;2026-01-15\n", kind="adjusted", **options)
    if reads is None:
        assert refused(found) == [("line 2", "bad_number", "quantity")]
    else:
        assert [str(event.data.model_dump()["delta"]) for event in events_of(found)] == [reads]


def test_dates_in_two_declared_forms_that_disagree_are_refused() -> None:
    rows = "1,A,1,found,01/02/2026\n2,A,1,found,31/01/2026\n"
    found = read_csv(HEADER + rows, kind="adjusted", dates=["%d/%m/%Y", "%m/%d/%Y"])
    assert refused(found) == [("line 2", "ambiguous_date", "day")]
    assert [str(event.data.model_dump()["day"]) for event in events_of(found)] == ["2026-01-31"]


def test_one_id_with_two_contents_is_refused_with_both_lines() -> None:
    found = read_csv(HEADER + "1,A,1,found,2026-01-15\n1,A,2,found,2026-01-15\n", kind="adjusted")
    (piece,) = [piece for piece in found if isinstance(piece, Refused)]
    assert (piece.where, piece.reason) == ("line 3", "id_twice")
    assert "line 2" in piece.message
    assert "line 3" in piece.message


def test_totals_that_disagree_are_refused_with_both_figures() -> None:
    found = read_csv(HEADER + "1,A,7,found,2026-01-15\n,TOTAL,8,,\n", kind="adjusted", totals="TOTAL")
    (piece,) = [piece for piece in found if isinstance(piece, Refused)]
    assert (piece.where, piece.reason, piece.field) == ("line 3", "totals_disagree", "quantity")
    assert "7" in piece.message
    assert "8" in piece.message
    assert refused(read_csv(HEADER + GOOD, kind="adjusted", totals="TOTAL")) == [
        ("end of file", "totals_missing", None)
    ]


def test_a_last_row_without_line_end_may_be_cut_and_is_refused_unless_it_has_an_id() -> None:
    text = "item,reason,day,quantity\nA,found,2026-01-15,12\nA,found,2026-01-15,1"
    found = read_csv(text, kind="adjusted")
    assert (len(events_of(found)), refused(found)) == (1, [("line 3", "cut_row", None)])
    assert len(events_of(read_csv(text, kind="adjusted", bare_end=True))) == 2
    assert facts_of(read_csv(HEADER + GOOD.strip(), kind="adjusted")) == ["csv:adjusted:9"]


RECEIPTS = "receipt,order,item,quantity,day\n"


def test_a_receipt_of_which_one_row_is_refused_is_refused_whole() -> None:
    rows = "R1,PO1,A,1,2026-01-15\nR1,PO1,B,x,2026-01-15\nR1,PO1,C,1,2026-01-15\nR2,PO1,A,1,2026-01-15\n"
    found = read_csv(RECEIPTS + rows, kind="receipt")
    assert refused(found) == [("line 3", "bad_number", "quantity"), ("lines 2-4", "document_incomplete", None)]
    assert facts_of(found) == ["csv:receipt:PO1:R2:2026-01-15"]


def test_a_row_that_cannot_be_read_may_be_part_of_the_documents_around_it() -> None:
    rows = "R1,PO1,A,1,2026-01-15\nR2,PO1\nR2,PO1,B,1,2026-01-15\nR3,PO1,A,1,2026-01-15\n"
    found = read_csv(RECEIPTS + rows, kind="receipt")
    assert [(where, reason) for where, reason, _ in refused(found)] == [
        ("line 3", "too_few_cells"),
        ("line 2", "document_incomplete"),
        ("line 4", "document_incomplete"),
    ]
    assert facts_of(found) == ["csv:receipt:PO1:R3:2026-01-15"]


def test_a_document_whose_rows_do_not_follow_one_another_is_refused_where_it_comes_again() -> None:
    rows = "R1,PO1,A,1,2026-01-15\nR2,PO1,A,1,2026-01-15\nR1,PO1,B,1,2026-01-15\n"
    found = read_csv(RECEIPTS + rows, kind="receipt")
    assert refused(found) == [("line 4", "id_twice", None)]


@pytest.mark.parametrize(
    ("text", "options", "reason", "field"),
    [
        ("item,quantity,reason,day,colour\n", {}, "unknown_column", "colour"),
        ("item,quantity,reason\n", {}, "missing_column", "time"),
        ("item,reason,day\n", {}, "missing_column", "quantity"),
        ("", {}, "empty_file", None),
        ("title\n", {"title_lines": 1}, "empty_file", None),
        (HEADER, {"columns": {"lot": "Batch"}}, "missing_column", "Batch"),
        ("item,Item,quantity,reason,day\n", {}, "column_twice", "item"),
        ('item,"quantity,reason,day\n', {}, "bad_quoting", None),
        (HEADER, {"encoding": "utf-7"}, "bad_options", "options.encoding"),
        (HEADER, {"colums": {}}, "bad_options", "options.colums"),
        (HEADER, {"columns": {"sku": "item"}}, "bad_options", "options.columns"),
        (HEADER, {"decimal": ",", "thousands": ","}, "bad_options", "options"),
        (HEADER, {"time_zone": "Mars/Olympus"}, "bad_options", "options.time_zone"),
        (HEADER, {"dates": "%d.%m."}, "bad_options", "options.dates"),
        (HEADER, {"units": {"CS": 12}}, "bad_options", "options"),
        (HEADER, {"units": {"CS": 1.5}, "stock_unit": "EA"}, "bad_options", "options.units.CS"),
        (HEADER, {"currency": "usd"}, "bad_options", "options.currency"),
    ],
)
def test_a_file_that_cannot_be_read_as_declared_is_rejected(
    text: str, options: dict[str, Any], reason: str, field: str | None
) -> None:
    error = rejected_csv(text, **({"kind": "adjusted"} | options))
    assert (error.reason, error.field) == (reason, field)


def test_columns_may_be_ignored_by_name_or_all() -> None:
    text = "item,quantity,reason,day,colour,\nA,1,found,2026-01-15,red,\n"
    for names in (["Colour", ""], ["*"]):
        assert len(events_of(read_csv(text, kind="adjusted", ignored=names))) == 1


@pytest.mark.parametrize(
    ("raw", "options", "line", "byte"),
    [
        (b"item,quantity,reason,day\nA,1,found,2026-01-15\nGr\xf6\xdfe,1,found,2026-01-15\n", {}, 3, 49),
        (b"\xef\xbb\xbfitem\nGr\xf6\xdfe,1\n", {}, 2, 11),
        (HEADER.encode() + b"\n" * 70_000 + b"\xff\n", {}, 70_002, 70_029),
        ((HEADER + "A").encode("utf-16") + b"\x00", {}, 2, 61),
        (b"item\nA\x81\n", {"encoding": "windows-1252"}, 2, 7),
    ],
)
def test_a_wrong_encoding_is_rejected_with_line_and_byte(
    raw: bytes, options: dict[str, Any], line: int, byte: int
) -> None:
    error = rejected_csv(raw, kind="adjusted", **options)
    assert error.reason == "wrong_encoding"
    assert f"line {line}" in str(error)
    assert f"byte {byte}" in str(error)


@pytest.mark.parametrize(
    ("raw", "options"),
    [
        (HEADER.encode("utf-16-le"), {}),
        (HEADER.encode("utf-16-be"), {"encoding": "utf-16"}),
        (HEADER.encode("utf-32"), {}),
        (HEADER.encode("utf-8-sig"), {"encoding": "latin-1"}),
    ],
)
def test_an_encoding_that_is_not_the_declared_one_is_rejected(raw: bytes, options: dict[str, Any]) -> None:
    assert rejected_csv(raw, kind="adjusted", **options).reason == "wrong_encoding"


def test_a_file_that_is_one_endless_line_is_rejected() -> None:
    assert rejected_csv(b"item," * 300_000, kind="adjusted").reason in {"line_too_long", "missing_column"}
    assert rejected_csv(HEADER.encode() + b"x" * (1 << 20), kind="adjusted").reason == "line_too_long"


def test_an_unknown_kind_and_a_currency_that_is_none_are_refused() -> None:
    found = read_csv(
        "kind,id,item,quantity,reason,day,unit_cost,currency\n"
        "moved,1,A,1,found,2026-01-15,1,USD\n"
        "adjusted,2,A,1,found,2026-01-15,1,usd\n"
        "adjusted,3,A,1,found,2026-01-15,-1,USD\n"
        "adjusted,4,A,1,found,2026-01-15,1,EUR\n"
    )
    assert refused(found) == [
        ("line 2", "unknown_kind", "kind"),
        ("line 3", "unknown_currency", "currency"),
        ("line 4", "negative_cost", "unit_cost"),
    ]
    assert facts_of(found) == ["csv:adjusted:4"]


def test_no_message_shows_a_cell() -> None:
    secret = "Jenny PLANTED"
    wide = dict.fromkeys(FIELDS, secret)
    for kind in ("adjusted", "counted", "receipt", "return", "order", "bill"):
        text = ",".join(wide) + "\n" + ",".join(wide.values()) + "\n"
        mapped = {"out": "out", "before": "before"}
        assert secret not in " ".join(str(piece) for piece in read_csv(text, kind=kind, columns=mapped))
