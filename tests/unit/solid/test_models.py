"""A record that could not be booked cannot be built."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from solid.models import EntryLine, InvoiceLine, NewAdjustment, NewBill, NewEntry, NewInvoice, NewPayment
from tests.fakes import NOON
from tests.unit.solid.support import ADJUSTMENT, BILL, CONTACT, DAY, ENTRY, INVOICE, PAYMENT


def entry(*lines: EntryLine) -> NewEntry:
    return NewEntry(external_id="x", date=DAY, currency="USD", memo="m", lines=lines)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.integers(min_value=1, max_value=10**9), min_size=1, max_size=30))
def test_an_entry_balances_or_is_not_built(cents: list[int]) -> None:
    debits = [EntryLine(account_id="a", debit=Decimal(each).scaleb(-2)) for each in cents]
    total = Decimal(sum(cents)).scaleb(-2)
    assert entry(*debits, EntryLine(account_id="b", credit=total)).lines[-1].credit == total
    with pytest.raises(ValidationError, match="does not balance"):
        entry(*debits, EntryLine(account_id="b", credit=total + Decimal("0.01")))


@pytest.mark.parametrize(
    "sides",
    [
        {},
        {"debit": Decimal(1), "credit": Decimal(1)},
        {"debit": Decimal(0)},
        {"credit": Decimal("-1.00")},
    ],
)
def test_a_line_has_one_side_above_nothing(sides: dict[str, Decimal]) -> None:
    with pytest.raises(ValidationError, match="either a debit or a credit"):
        EntryLine(account_id="a", **sides)


@pytest.mark.parametrize("amount", [1.5, True, "1,5", Decimal("NaN")])
def test_an_amount_is_never_a_float(amount: Any) -> None:  # noqa: ANN401 - the wrong types are the point
    with pytest.raises(ValueError, match=r"amount|finite"):
        NewInvoice(
            external_id="x",
            customer_id="c",
            date=DAY,
            currency="USD",
            lines=(InvoiceLine(account_id="a", description="d", amount=amount),),
        )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("external_id", ""),
        ("external_id", "two words"),
        ("external_id", "x" * 201),
        ("external_id", "a\nb"),
        ("customer_id", ""),
        ("currency", "usd"),
        ("currency", "XXX"),
        ("date", NOON),
        ("date", datetime(2026, 1, 1)),  # noqa: DTZ001 - a naive time is what is refused
        ("lines", ()),
        ("colour", "red"),
    ],
)
def test_what_solid_could_not_book_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        NewInvoice.model_validate({**dict(INVOICE), field: value})


def test_an_invoice_may_hold_a_discount_but_not_be_negative() -> None:
    line, discount = (
        INVOICE.lines[0],
        InvoiceLine(account_id="a", description="less", amount=Decimal("-5.00")),
    )
    assert INVOICE.model_validate({**dict(INVOICE), "lines": (line, discount)}).total == Decimal("15.00")
    with pytest.raises(ValidationError, match="cannot be negative"):
        INVOICE.model_validate({**dict(INVOICE), "lines": (discount,)})


@pytest.mark.parametrize("amount", ["19.99", "0.00", "-20.00"])
def test_a_payment_covers_what_it_clears(amount: str) -> None:
    with pytest.raises(ValidationError, match=r"cannot clear|more than nothing"):
        NewPayment.model_validate({**dict(PAYMENT), "amount": Decimal(amount)})


def test_a_bill_is_the_sum_of_its_lines_and_each_is_more_than_nothing() -> None:
    assert BILL.total == Decimal("91.50")
    line = dict(BILL.lines[0])
    for lines in ((), ({**line, "amount": Decimal(0)},), (BILL.lines[0], {**line, "amount": Decimal("-1.00")})):
        with pytest.raises(ValidationError, match=r"more than nothing|at least 1"):
            NewBill.model_validate({**dict(BILL), "lines": lines})
    with pytest.raises(ValidationError, match="fraction"):
        NewBill.model_validate({**dict(BILL), "lines": ({**line, "amount": Decimal("1.005")},)})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity_delta", Decimal(0)),
        ("quantity_delta", 1.5),
        ("quantity_delta", Decimal("NaN")),
        ("quantity_delta", Decimal("1e-13")),
        ("quantity_delta", Decimal("1e16")),
        ("unit_cost", Decimal("-0.01")),
        ("unit_cost", Decimal("Infinity")),
        ("reason", ""),
        ("item_id", ""),
    ],
)
def test_an_adjustment_changes_a_quantity_at_a_cost_that_can_be(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        NewAdjustment.model_validate({**dict(ADJUSTMENT), field: value})


def test_fractions_below_a_cent_are_refused_at_once() -> None:
    with pytest.raises(ValidationError, match="fraction"):
        NewPayment.model_validate({**dict(PAYMENT), "amount": Decimal("20.001")})


def test_records_are_frozen_and_know_their_kind() -> None:
    records = (CONTACT, INVOICE, PAYMENT, ENTRY, BILL, ADJUSTMENT)
    kinds = ["contact", "invoice", "payment", "entry", "bill", "adjustment"]
    assert [record.kind for record in records] == kinds
    with pytest.raises(ValidationError, match="frozen"):
        CONTACT.display_name = "other"  # type: ignore[misc]  # that it is refused is what is tested


def test_an_error_does_not_show_what_was_given() -> None:
    with pytest.raises(ValidationError) as caught:
        NewInvoice.model_validate({**dict(INVOICE), "customer_id": ["Ann Example"]})
    assert "Ann" not in str(caught.value)
