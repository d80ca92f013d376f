"""Bills, adjustments, vendors and memos of lines: what a write must be, and the record that it becomes."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from solid.models import Account, NewBill, NewContact, NewEntry
from tests.unit.workers.bench import DAY
from workers.chart import Chart
from workers.plans.writes import AdjustmentWrite, BillLine, BillWrite, ContactWrite, EntryWrite, Line, Parked
from workers.records import record_of

CHART = Chart([Account(id=f"a-{name.lower()}", name=name) for name in ("Accrued", "Variance", "Shrinkage")])
IDS = {"v": "c-1"}


def bill(**changes: Any) -> BillWrite:  # noqa: ANN401 - any field
    lines = (
        BillLine(role="received_not_billed", account="Accrued", amount=Decimal("90.00"), memo="Order 7"),
        BillLine(role="purchase_price_variance", account="Variance", amount=Decimal("1.50")),
    )
    about = {"external_id": "b:1", "date": DAY, "currency": "USD", "memo": "Acme's bill"}
    return BillWrite.model_validate({"total": Decimal("91.50"), "contact": "v", "lines": lines, **about, **changes})


def adjustment(**changes: Any) -> AdjustmentWrite:  # noqa: ANN401 - any field
    about = {"external_id": "a:1", "date": DAY, "currency": "USD", "memo": "Damage", "role": "write_off"}
    item = {"sku": "MUG", "item_id": "i-1", "quantity": Decimal(-3), "account": "Shrinkage", "reason": "damage"}
    return AdjustmentWrite.model_validate({**about, **item, **changes})


def test_a_bill_becomes_a_record_with_the_vendors_id_and_the_lines_own_memos() -> None:
    record = record_of(bill(due_date=date(2026, 2, 15), number="4711"), IDS, CHART)
    assert isinstance(record, NewBill)
    assert (record.vendor_id, record.number, record.due_date) == ("c-1", "4711", date(2026, 2, 15))
    assert [(line.account_id, line.description, line.amount) for line in record.lines] == [
        ("a-accrued", "Order 7", Decimal("90.00")),
        ("a-variance", "Acme's bill", Decimal("1.50")),
    ]
    assert record.memo == "Acme's bill (bill 4711)", "a dialect may have no field for the number"


@pytest.mark.parametrize(
    "amounts", [[], ["91.49"], ["91.50", "0"], ["92.50", "-1.00"], ["90.00", "1.50", "0.01"], ["-91.50"]]
)
def test_a_bill_that_does_not_add_up_does_not_exist(amounts: list[str]) -> None:
    lines = [{"role": "r", "account": "Accrued", "amount": amount} for amount in amounts]
    with pytest.raises(ValueError, match="b:1: a bill of"):
        bill(lines=lines)


def test_a_bill_on_an_unknown_account_is_parked() -> None:
    line = BillLine(role="r", account="Acrued", amount=Decimal("91.50"))
    with pytest.raises(Parked, match="Accrued"):
        record_of(bill(lines=(line,)), IDS, CHART)


def test_an_adjustment_becomes_a_record_of_the_item() -> None:
    record = record_of(adjustment(unit_cost=Decimal("2.125")), {}, CHART)
    assert record.model_dump() == {
        "kind": "adjustment",
        "external_id": "a:1",
        "date": DAY,
        "item_id": "i-1",
        "quantity_delta": Decimal(-3),
        "account_id": "a-shrinkage",
        "unit_cost": Decimal("2.125"),
        "currency": "USD",
        "reason": "damage",
        "memo": "Damage",
    }


@pytest.mark.parametrize(
    ("currency", "cost", "amount"), [("USD", "2.125", "6.38"), ("JPY", "2.125", "6"), ("USD", None, None)]
)
def test_an_adjustment_is_worth_its_quantity_times_its_cost(
    currency: str, cost: str | None, amount: str | None
) -> None:
    write = adjustment(currency=currency, unit_cost=cost)
    assert write.amount == (None if amount is None else Decimal(amount))


def test_the_hash_tells_what_may_never_differ_and_nothing_else() -> None:
    same = (bill(number="1"), bill(memo="m", date=date(2026, 2, 2)), bill(total=Decimal("91.5"), contact="w"))
    assert {write.payload_hash for write in same} == {bill().payload_hash}
    assert bill(lines=(BillLine(role="r", account="A", amount=Decimal("91.50")),)).payload_hash != bill().payload_hash
    assert bill(currency="EUR").payload_hash != bill().payload_hash
    alike = (adjustment(quantity=Decimal("-3.0")), adjustment(item_id="i-2", account="A", role="r", reason="lost"))
    assert {write.payload_hash for write in alike} == {adjustment().payload_hash}
    others = [{"quantity": "3"}, {"sku": "mug"}, {"unit_cost": "1"}, {"currency": "EUR"}]
    assert len({adjustment().payload_hash, *(adjustment(**other).payload_hash for other in others)}) == 5


def test_a_vendor_is_created_as_one_and_a_customer_as_before() -> None:
    about = {"external_id": "v", "date": DAY, "currency": "USD", "memo": "Vendor", "display_name": "Acme"}
    for given, expected in (({"contact_type": "vendor"}, "vendor"), ({}, "customer")):
        record = record_of(ContactWrite.model_validate({**about, **given}), {}, CHART)
        assert isinstance(record, NewContact)
        assert record.contact_type == expected


def entry(*memos: str | None) -> EntryWrite:
    lines = [Line(role="r", account="Accrued", debit=Decimal("0.01"), memo=memo) for memo in memos]
    whole = Line(role="s", account="Shrinkage", credit=Decimal(len(memos)).scaleb(-2))
    return EntryWrite(external_id="e:1", date=DAY, currency="USD", memo="All", lines=(*lines, whole))


def test_a_line_has_its_own_memo_or_the_entrys() -> None:
    record = record_of(entry("item 1", None), {}, CHART)
    assert isinstance(record, NewEntry)
    assert [line.memo for line in record.lines] == ["item 1", "All", "All"]
    assert entry("item 1", "item 2").payload_hash == entry(None, None).payload_hash, "a memo is no money"


def test_hundreds_of_lines_are_one_record() -> None:
    record = record_of(entry(*(f"item {number}" for number in range(600))), {}, CHART)
    assert isinstance(record, NewEntry)
    assert [line.memo for line in record.lines] == [*(f"item {number}" for number in range(600)), "All"]


def test_numbers_are_written_as_plain_text() -> None:
    shown = adjustment(quantity=Decimal("1E+2"), unit_cost=Decimal("1E-7")).model_dump(mode="json")
    assert (shown["quantity"], shown["unit_cost"]) == ("100", "0.0000001")
    assert adjustment().model_dump(mode="json")["unit_cost"] is None
    assert bill().model_dump(mode="json")["lines"][1]["amount"] == "1.50"
