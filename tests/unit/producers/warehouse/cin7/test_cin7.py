import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.warehouse.cin7.cin7 import read_cin7
from schemas.inventory import OrderPlaced, ReceiptPosted, StockAdjusted
from schemas.money import Money
from tests.unit.producers.warehouse.reading import DATA, events_of, ignored, pieces, refused
from tests.unit.producers.warehouse.reading import normalise_cin7 as normalise

FILES = DATA / "cin7-core"
Json = dict[str, Any]


def _of(document: Json, **options: object) -> Normalised:
    return normalise(json.dumps(document).encode(), NormaliseContext(options=options))


def _file(name: str) -> Json:
    found: Json = json.loads((FILES / name).read_text())
    return found


def _rejected(document: Json, **options: object) -> Rejected:
    with pytest.raises(Rejected) as caught:
        _of(document, **options)
    return caught.value


def _adjustment(*existing: Json, **fields: object) -> Json:
    return (
        _file("stockadjustment.get.completed.json") | {"ExistingStockLines": [dict(line) for line in existing]} | fields
    )


EXISTING = {"SKU": "B1", "QuantityOnHand": 60, "Adjustment": 48, "Location": "Main", "BatchSN": "L9"}


def test_the_real_adjustment_brings_600_into_stock_against_cost_of_goods() -> None:
    (event,) = _of(_file("stockadjustment.get.completed.json")).events
    data = event.data
    assert isinstance(data, StockAdjusted)
    assert (data.item, data.delta, data.unit_cost) == ("AF308", Decimal(600), Money.of("1", "USD"))
    assert (data.reason, data.place, data.day) == ("cost_of_goods_sold", "Main Warehouse", date(2017, 12, 1))
    assert data.document == "ST-00022"
    assert data.fact.startswith("cin7:adjustment:1df013cf-9487-4d39-abac-2d1d973f4b62:")
    assert (event.source, event.subject) == ("/warehouse/cin7", "AF308")
    assert event.time == datetime(2017, 12, 1, 12, tzinfo=UTC)


def test_the_real_list_has_no_lines_and_posts_nothing() -> None:
    assert _of(_file("stockadjustmentlist.get.json")) == Normalised((), ignored="list_without_lines")


def test_the_real_purchase_was_received_in_two_tasks() -> None:
    found = _of(_file("advanced-purchase-stock-received.get.json"))
    first, second = (event.data for event in found.events)
    assert isinstance(first, ReceiptPosted)
    assert isinstance(second, ReceiptPosted)
    assert [(line.item, line.quantity, line.lot, line.expires, line.unit_cost) for line in second.lines] == [
        ("Bread", Decimal(4), "6318846844", date(2018, 5, 31), None),
        ("GB3-White", Decimal(9), None, None, None),
    ]
    assert (first.day, second.day) == (date(2018, 4, 23), date(2018, 4, 20))
    order = "5a7fb526-527a-4229-b331-90b6f5535aab"
    assert (first.order, found.events[0].subject) == (order, order)
    assert first.fact == f"cin7:receipt:{order}:3320ef94-a7e8-4d81-9588-2a3e14cfca6f:2018-04-23"


def test_a_later_state_of_a_purchase_repeats_the_facts_of_the_earlier_one() -> None:
    whole = _file("advanced-purchase-stock-received.get.json")
    earlier = whole | {"StockReceiving": whole["StockReceiving"][1:]}
    (before,) = _of(earlier).events
    assert before in _of(whole).events


def test_lines_of_two_days_are_two_receipts_and_a_line_not_received_is_none() -> None:
    document = _file("advanced-purchase-stock-received.get.json")
    lines = document["StockReceiving"][0]["Lines"]
    lines[0]["Date"] = "2018-04-24T00:00:00"
    lines.append(lines[1] | {"Received": False, "Quantity": 99})
    del document["StockReceiving"][1]
    found = [event.data for event in _of(document).events]
    assert [(data.day, len(data.lines)) for data in found if isinstance(data, ReceiptPosted)] == [
        (date(2018, 4, 24), 1),
        (date(2018, 4, 23), 1),
    ]


def _pieces(*documents: Json) -> list[Any]:
    return pieces(read_cin7, json.dumps(documents).encode())


def test_a_voided_document_or_task_comes_before_a_person_and_the_other_tasks_post() -> None:
    whole = _file("advanced-purchase-stock-received.get.json")
    whole["StockReceiving"][0]["Status"] = "VOIDED"
    found = _pieces(_adjustment(Status="Voided"), whole)
    assert refused(found) == [
        ("document 1", "voided", "Status"),
        ("document 2", "voided", "StockReceiving[0].Status"),
    ]
    assert "(cin7:adjustment:1df013cf-9487-4d39-abac-2d1d973f4b62)" in found[0].message
    assert [event.time.date() for event in events_of(found)] == [date(2018, 4, 20)]
    assert refused(_pieces(_purchase(Status="VOIDED"))) == [("document 1", "voided", "Status")]


def test_a_bad_task_does_not_stop_the_good_ones() -> None:
    whole = _file("advanced-purchase-stock-received.get.json")
    whole["StockReceiving"][1]["Lines"][0]["Quantity"] = "many"
    found = _pieces(whole)
    assert refused(found) == [
        ("document 1", "bad_number", "StockReceiving[1].Lines[0].Quantity"),
        ("document 1", "document_incomplete", None),
    ]
    assert [event.time.date() for event in events_of(found)] == [date(2018, 4, 23)]


@pytest.mark.parametrize("several", [False, True])
def test_goods_that_went_back_to_the_supplier_come_before_a_person(several: bool) -> None:  # noqa: FBT001
    note = {"Status": "AUTHORISED", "Unstock": [{"SKU": "A", "Quantity": 1}]}
    found = _pieces(_purchase(CreditNote=[note] if several else note))
    field = "CreditNote[0].Unstock" if several else "CreditNote.Unstock"
    assert refused(found) == [("document 1", "returned_to_vendor", field)]
    assert len(events_of(found)) == 2
    assert not refused(_pieces(_purchase(CreditNote=note | {"Status": "DRAFT"})))


def test_a_list_of_tasks_without_any_is_not_silence() -> None:
    assert ignored(_pieces({"PurchaseID": "p1", "StockReceiving": []})) == [("document 1", "nothing_received")]


@pytest.mark.parametrize("status", ["DRAFT", "NOT AVAILABLE"])
def test_what_is_not_done_posts_nothing(status: str) -> None:
    receipt = _file("advanced-purchase-stock-received.get.json")
    for task in receipt["StockReceiving"]:
        task["Status"] = status
    assert _of(receipt) == Normalised((), ignored="nothing_received")
    adjustment = _of(_adjustment(Status=status))
    assert adjustment == Normalised((), ignored=f"status_not_posted:{status.lower().replace(' ', '_')}")


def test_the_adjustment_of_an_existing_line_is_the_new_quantity_unless_it_is_declared_as_the_change() -> None:
    document = _adjustment(EXISTING, NewStockLines=[])
    (event,) = _of(document).events
    assert isinstance(event.data, StockAdjusted)
    assert (event.data.delta, event.data.unit_cost, event.data.lot) == (Decimal(-12), None, "L9")
    document["ExistingStockLines"][0]["Adjustment"] = -12
    assert _rejected(document).reason == "negative_quantity"
    (changed,) = _of(document, adjustment="change").events
    assert changed.data == event.data


def test_a_line_that_changes_nothing_is_no_event() -> None:
    assert _of(_adjustment(EXISTING | {"Adjustment": 60}, NewStockLines=[])).ignored == "changes_nothing"


def test_the_order_of_lines_does_not_name_them() -> None:
    lines = [EXISTING, EXISTING | {"SKU": "B2"}, EXISTING | {"BatchSN": "L8"}, EXISTING]
    found, turned = (
        {event.data.fact for event in _of(_adjustment(*some)).events} for some in (lines, list(reversed(lines)))
    )
    assert len(found) == 5
    assert found == turned


def test_a_journal_that_says_another_value_is_rejected_with_both_figures() -> None:
    document = _adjustment()
    document["Transactions"][0]["Amount"] = 599.5
    error = _rejected(document)
    assert (error.reason, error.field) == ("amounts_disagree", "Transactions")
    assert "600" in str(error)
    assert "599.5" in str(error)


def _with_account(name: str | None, code: str | None = "403", number: str | None = "ST-1") -> Json:
    journal = [{"Debit": "715: Inventory", "Credit": f"403: {name}", "Amount": 600}] if name else []
    return _adjustment(Account=code, Transactions=journal, StocktakeNumber=number)


@pytest.mark.parametrize(
    ("document", "options", "reason"),
    [
        (_with_account("Cost of Sales"), {}, "cost_of_goods_sold"),
        (_with_account("Shrinkage"), {}, "shrinkage"),
        (_with_account("Sundry"), {}, "cin7:403"),
        (_with_account("Sundry", code=None), {}, "cin7:403"),
        (_with_account("Sundry"), {"reasons": {"403": "damage"}}, "damage"),
        (_with_account("Sundry"), {"reasons": {"sundry": "found"}}, "found"),
        (_with_account(None), {}, "cin7:403"),
        (_with_account(None, code=None), {}, "stocktake"),
        (_with_account(None, code=None, number=None), {}, "cin7:adjustment"),
    ],
)
def test_the_account_says_why(document: Json, options: Json, reason: str) -> None:
    (event,) = _of(document, **options).events
    assert isinstance(event.data, StockAdjusted)
    assert event.data.reason == reason


def test_a_stocktake_is_an_adjustment_and_a_transfer_posts_nothing() -> None:
    take: Json = {
        "TaskID": "t1",
        "StocktakeNumber": "ST-9",
        "Status": "COMPLETED",
        "EffectiveDate": "2026-01-15T00:00:00",
    }
    take |= {"Location": "Main", "NonZeroStockOnHandProducts": [{"SKU": "A", "QuantityOnHand": 5, "Adjustment": 7}]}
    (event,) = _of(take).events
    assert isinstance(event.data, StockAdjusted)
    assert (event.data.delta, event.data.reason, event.data.place) == (Decimal(2), "stocktake", "Main")
    assert _of({"TaskID": "t2", "From": "A", "To": "B", "Lines": []}).ignored == "transfer_posts_nothing"


def _purchase(**fields: object) -> Json:
    return {
        "ID": "p1",
        "Supplier": "ACME",
        "OrderDate": "2026-01-10T00:00:00",
        "SupplierCurrency": "EUR",
        "Order": {
            "Status": "AUTHORISED",
            "Lines": [{"SKU": "A", "Quantity": 10, "Price": 2.5, "Discount": 10, "Total": 22.5}],
        },
        "StockReceived": {
            "Status": "AUTHORISED",
            "Lines": [{"SKU": "A", "Quantity": 4, "Date": "2026-01-12T00:00:00", "Received": True}],
        },
    } | fields


def test_a_purchase_tells_what_its_lines_cost_and_what_was_received() -> None:
    placed, received = (event.data for event in _of(_purchase()).events)
    assert isinstance(placed, OrderPlaced)
    assert isinstance(received, ReceiptPosted)
    assert (placed.order, placed.lines[0].unit_cost) == ("p1", Money.of("2.25", "EUR"))
    assert (received.order, received.receipt, received.lines[0].quantity) == ("p1", "p1", Decimal(4))
    assert _of(_purchase(Order={"Status": "DRAFT", "Lines": []}, StockReceived=[])).ignored == "nothing_authorised"
    assert _rejected(_purchase(TaxCalculation="Inclusive")).reason == "tax_inclusive"


def test_a_price_that_a_discount_makes_too_fine_is_no_cost() -> None:
    line = {"SKU": "A", "Quantity": 1, "Price": "0.000000000001", "Discount": 50}
    error = _rejected(_purchase(Order={"Status": "AUTHORISED", "Lines": [line]}))
    assert error.reason == "invalid_event"


@pytest.mark.parametrize(
    ("document", "reason", "field"),
    [
        ({}, "unknown_document", None),
        (_adjustment(Status=None), "missing_field", "Status"),
        (_adjustment(TaskID=None), "missing_field", "TaskID"),
        (_adjustment(EffectiveDate="01/02/2017"), "bad_date", "EffectiveDate"),
        (_adjustment(EXISTING | {"SKU": None}), "missing_field", "ExistingStockLines[0].SKU"),
        (_adjustment(EXISTING | {"Adjustment": "x"}), "bad_number", "ExistingStockLines[0].Adjustment"),
        (_adjustment(NewStockLines=[{"SKU": "A", "Quantity": -1}]), "bad_number", "NewStockLines[0].Quantity"),
        (_adjustment(NewStockLines={"SKU": "A"}), "wrong_type", "NewStockLines"),
        (_adjustment(EXISTING | {"SKU": "A\nB"}), "bad_text", "ExistingStockLines[0].SKU"),
        (_adjustment(EXISTING | {"UnitCost": -1}), "negative_cost", "ExistingStockLines[0].UnitCost"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_field(document: Json, reason: str, field: str | None) -> None:
    error = _rejected(document)
    assert (error.reason, error.field) == (reason, field)
