from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.inventory import BillReceived, OrderPlaced, ReceiptPosted, StockAdjusted, StockCounted
from schemas.money import Money
from tests.unit.producers.warehouse.reading import events_of, facts_of, ignored, read_csv, refused

ADJUSTED = "id,item,place,quantity,reason,day,unit_cost\n"


def test_an_adjustment_says_what_changed_and_why() -> None:
    found = read_csv(ADJUSTED + "A1,SKU-1,MAIN,-3,damage,2026-01-15,1.255\n", kind="adjusted")
    (event,) = events_of(found)
    assert event.data == StockAdjusted(
        fact="csv:adjusted:A1",
        item="SKU-1",
        place="MAIN",
        delta=Decimal(-3),
        reason="damage",
        unit_cost=Money.of("1.255", "USD"),
        day=date(2026, 1, 15),
    )
    assert (event.source, event.subject, event.partitionkey) == ("/warehouse/warehouse-csv", "SKU-1", "SKU-1")
    assert event.time == datetime(2026, 1, 15, 12, tzinfo=UTC)
    assert found[0].where == "line 2"


def test_columns_are_mapped_and_reasons_and_kinds_translated() -> None:
    text = (
        "Vorgang;Artikel;Menge;Grund;Am\nINV;X-1;-2,5;Bruch;31.01.2026\nZUG;X-1;4;;31.01.2026\nUML;X-1;4;;31.01.2026\n"
    )
    found = read_csv(
        text,
        columns={"kind": "Vorgang", "item": "Artikel", "quantity": "Menge", "reason": "Grund", "day": "Am"},
        kinds={"inv": "adjusted", "ZUG": "counted", "UML": "ignored"},
        reasons={"bruch": "damage"},
        decimal=",",
        dates="%d.%m.%Y",
    )
    first, second = (event.data for event in events_of(found))
    assert isinstance(first, StockAdjusted)
    assert (first.delta, first.reason, first.day) == (Decimal("-2.5"), "damage", date(2026, 1, 31))
    assert isinstance(second, StockCounted)
    assert ignored(found) == [("line 4", "kind_ignored")]


def test_an_unknown_reason_keeps_the_sources_word_and_ours_is_known_in_any_spelling() -> None:
    rows = "1,A,,-1,Broken pallet,2026-01-15,\n2,A,,-1,Cycle Count,2026-01-15,\n"
    data = [event.data for event in events_of(read_csv(ADJUSTED + rows, kind="adjusted"))]
    assert [row.reason for row in data if isinstance(row, StockAdjusted)] == ["csv:Broken pallet", "cycle_count"]


def test_a_cost_that_is_not_said_is_none_and_never_zero() -> None:
    (event,) = events_of(read_csv(ADJUSTED + "1,A,,-1,damage,2026-01-15,\n", kind="adjusted"))
    assert isinstance(event.data, StockAdjusted)
    assert event.data.unit_cost is None


def test_a_count_is_named_by_item_place_and_time_and_a_day_is_its_last_second() -> None:
    found = read_csv(
        "item,place,lot,quantity,time\nA:1,MAIN,,7,2026-01-15\nA:1,MAIN,L1,2,2026-01-15T10:00:00+01:00\n",
        kind="counted",
    )
    assert facts_of(found) == ["csv:count:A%3A1:MAIN:2026-01-15", "csv:count:A%3A1:MAIN:L1:2026-01-15T09:00:00Z"]
    assert [event.time for event in events_of(found)] == [
        datetime(2026, 1, 15, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 1, 15, 9, tzinfo=UTC),
    ]


def test_rows_of_one_receipt_and_day_are_one_event_with_its_lines() -> None:
    found = read_csv(
        "receipt,order,line,item,quantity,unit_cost,lot,expires,rejected,day\n"
        "R1,PO1,1,A,4,2.50,L1,2026-06-30,1,2026-01-15\n"
        "R1,PO1,2,B,6,,,,,2026-01-15\n"
        "R1,PO1,3,B,1,,,,,2026-01-16\n"
        "R2,PO1,1,A,5,,,,,2026-01-16\n",
        kind="receipt",
    )
    assert [piece.where for piece in found] == ["lines 2-3", "line 4", "line 5"]
    first = events_of(found)[0].data
    assert isinstance(first, ReceiptPosted)
    assert (first.order, first.receipt, first.day) == ("PO1", "R1", date(2026, 1, 15))
    assert [(line.line, line.item, line.quantity, line.rejected) for line in first.lines] == [
        ("1", "A", Decimal(4), Decimal(1)),
        ("2", "B", Decimal(6), None),
    ]
    assert (first.lines[0].lot, first.lines[0].expires) == ("L1", date(2026, 6, 30))
    assert facts_of(found) == [
        "csv:receipt:PO1:R1:2026-01-15",
        "csv:receipt:PO1:R1:2026-01-16",
        "csv:receipt:PO1:R2:2026-01-16",
    ]
    assert {event.subject for event in events_of(found)} == {"PO1"}


@pytest.mark.parametrize("written", ["3", "-3"])
def test_a_return_to_the_vendor_is_a_negative_receipt(written: str) -> None:
    (event,) = events_of(read_csv(f"receipt,item,quantity,day\nRT1,A,{written},2026-01-15\n", kind="return"))
    assert isinstance(event.data, ReceiptPosted)
    assert event.data.lines[0].quantity == Decimal(-3)
    assert event.data.fact == "csv:return:RT1:2026-01-15"


def test_an_order_tells_its_costs_and_a_bill_its_amounts() -> None:
    order = "order,supplier,line,item,quantity,unit_cost,day\n"
    order += "PO1,ACME,1,A,10,2.50,2026-01-10\nPO1,ACME,2,B,5,1,2026-01-10\n"
    (placed,) = events_of(read_csv(order, kind="order"))
    assert isinstance(placed.data, OrderPlaced)
    assert [(line.item, line.unit_cost) for line in placed.data.lines] == [
        ("A", Money.of("2.50", "USD")),
        ("B", Money.of("1", "USD")),
    ]
    bill = (
        "bill,order,supplier,item,quantity,amount,tax,total,day,due\n"
        "B9,PO1,ACME,A,10,26.00,2.60,33.60,2026-01-20,2026-02-20\n"
        "B9,PO1,ACME,B,5,5.00,2.60,33.60,2026-01-20,2026-02-20\n"
    )
    (received,) = events_of(read_csv(bill, kind="bill"))
    assert isinstance(received.data, BillReceived)
    assert received.data.total == Money.of("33.60", "USD")
    assert (received.data.fact, received.subject) == ("csv:bill:ACME:B9", "PO1")


def test_a_bill_that_does_not_add_up_is_refused_with_both_figures() -> None:
    text = "bill,order,supplier,item,quantity,amount,total,day\nB9,PO1,ACME,A,10,26.00,27.00,2026-01-20\n"
    (piece,) = read_csv(text, kind="bill")
    assert "26.00 USD" in str(piece)
    assert "27.00 USD" in str(piece)
    assert refused([piece])[0][:2] == ("line 2", "invalid_event")


def test_units_are_kept_converted_or_refused_as_declared() -> None:
    text = "id,item,quantity,unit,reason,day,unit_cost\n1,A,2,CS,found,2026-01-15,12\n2,A,3,EA,found,2026-01-15,1\n"
    text += "3,A,3,KG,found,2026-01-15,1\n"
    found = read_csv(text, kind="adjusted", units={"EA": 1, "CS": "12"}, stock_unit="EA")
    data = [event.data for event in events_of(found)]
    assert [(row.delta, row.unit, row.unit_cost) for row in data if isinstance(row, StockAdjusted)] == [
        (Decimal(24), "EA", Money.of(1, "USD")),
        (Decimal(3), "EA", Money.of(1, "USD")),
    ]
    assert refused(found) == [("line 4", "unknown_unit", "unit")]


def test_a_quantity_with_its_unit_is_read_only_where_that_is_declared() -> None:
    text = "id,item,quantity,reason,day\n1,A,12 EA,found,2026-01-15\n"
    assert refused(read_csv(text, kind="adjusted")) == [("line 2", "bad_number", "quantity")]
    (event,) = events_of(read_csv(text, kind="adjusted", quantity_has_unit=True))
    assert isinstance(event.data, StockAdjusted)
    assert (event.data.delta, event.data.unit) == (Decimal(12), "EA")


def test_a_local_time_needs_its_zone_and_one_that_came_twice_is_refused() -> None:
    text = "id,item,quantity,reason,time\n1,A,1,found,2026-01-15 10:00:00\n2,A,1,found,2026-10-25 02:30:00\n"
    assert [reason for _, reason, _ in refused(read_csv(text, kind="adjusted"))] == ["time_without_zone"] * 2
    found = read_csv(text, kind="adjusted", time_zone="Europe/Berlin")
    assert [event.time for event in events_of(found)] == [datetime(2026, 1, 15, 9, tzinfo=UTC)]
    assert refused(found) == [("line 3", "ambiguous_time", "time")]


def test_identical_rows_without_an_id_are_counted_and_a_row_with_an_id_repeats_itself() -> None:
    row = "A,-1,damage,2026-01-15\n"
    found = facts_of(read_csv("item,quantity,reason,day\n" + row * 3, kind="adjusted"))
    assert len(found[0].rpartition(":")[2]) == 16
    assert found == [found[0], f"{found[0]}:2", f"{found[0]}:3"]
    again = read_csv(ADJUSTED + "A1,A,,-1,damage,2026-01-15,\n" * 2, kind="adjusted")
    assert (facts_of(again), ignored(again)) == (["csv:adjusted:A1"], [("line 3", "repeated")])


def test_the_name_of_a_row_without_id_does_not_hang_on_how_it_is_written() -> None:
    plain = read_csv("item,quantity,reason,day\nA,-1,damage,2026-01-15\n", kind="adjusted")
    other = read_csv(
        "Tag;Grund;Menge;Artikel\r\n15.01.2026;damage;-1,00;A\r\n".encode("utf-16"),
        kind="adjusted",
        columns={"day": "Tag", "reason": "Grund", "quantity": "Menge", "item": "Artikel"},
        decimal=",",
        dates=["%d.%m.%Y"],
    )
    assert facts_of(plain) == facts_of(other)


def test_two_systems_with_the_same_ids_have_different_facts() -> None:
    text = ADJUSTED + "A1,A,,-1,damage,2026-01-15,\n"
    assert facts_of(read_csv(text, kind="adjusted", system="wms2")) == ["csv:adjusted:wms2:A1"]


def test_a_row_that_changes_nothing_is_ignored_and_so_is_an_empty_one() -> None:
    found = read_csv(ADJUSTED + "A1,A,,0,damage,2026-01-15,\n,,,,,,\n\n", kind="adjusted")
    assert ignored(found) == [("line 2", "quantity_zero"), ("line 3", "empty_row")]


def test_a_row_of_totals_that_agrees_is_no_row_of_stock() -> None:
    text = ADJUSTED + "1,A,,-3,damage,2026-01-15,\n2,B,,5,found,2026-01-15,\n,TOTAL,,2,,,\n"
    found = read_csv(text, kind="adjusted", totals="total")
    assert len(events_of(found)) == 2
    assert ignored(found) == [("line 4", "totals")]


SEPARATORS = [",", ";", "\t", "|"]


@pytest.mark.parametrize("sign", SEPARATORS)
def test_the_delimiter_is_found_where_the_header_names_the_columns(sign: str) -> None:
    text = "id,item,quantity,reason,day\n1,A,1,found,2026-01-15\n".replace(",", sign)
    assert facts_of(read_csv(text, kind="adjusted")) == ["csv:adjusted:1"]
    assert facts_of(read_csv(text, kind="adjusted", delimiter=sign)) == ["csv:adjusted:1"]


@pytest.mark.parametrize(
    ("encoding", "options"),
    [
        ("utf-8", {}),
        ("utf-8-sig", {}),
        ("utf-16", {}),
        ("utf-16", {"encoding": "utf-16"}),
        ("utf-16", {"encoding": "latin-1"}),
        ("latin-1", {"encoding": "latin-1"}),
        ("cp1252", {"encoding": "windows-1252"}),
    ],
)
def test_every_declared_encoding_is_read(encoding: str, options: dict[str, Any]) -> None:
    text = "id,item,quantity,reason,day\r\n1,Größe-Ä,1,found,2026-01-15\r\n"
    (event,) = events_of(read_csv(text.encode(encoding), kind="adjusted", **options))
    assert event.subject == "Größe-Ä"


@pytest.mark.parametrize("kind", ["receipt", "return"])
def test_a_receipt_that_was_cut_has_the_time_of_the_whole_one(kind: str) -> None:
    header, rows = "receipt,item,quantity,time\n", ["R1,A,5,2026-01-31T08:00:00Z\n", "R1,B,5,2026-01-31T09:30:00Z\n"]
    (part,), (whole,) = (events_of(read_csv(header + "".join(some), kind=kind)) for some in (rows[:1], rows))
    assert part.time == whole.time == datetime(2026, 1, 31, 8, tzinfo=UTC)


def test_names_made_of_what_a_row_says_stay_what_they_are() -> None:
    """Another name for a row that is booked already would book it again: these must never change."""
    text = "change,item,quantity,order,unit_cost,day\nput_away,A,5,PO-1,2.50,2026-01-31\ndamaged,A,-2,,,2026-01-31\n"
    assert facts_of(read_csv(text)) == ["csv:receipt:c30b20f38e944498", "csv:adjusted:59d89b758245f367"]
    other = text.replace("A,5,", "A,5.0,").replace("2.50", "2.5")
    assert facts_of(read_csv(other)) == facts_of(read_csv(text))
