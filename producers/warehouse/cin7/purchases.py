"""Cin7 Core purchases into receipts, one event a receiving task and day, and into what the order's lines cost.

Pure. Receipts have no prices: the order tells them. The purchase with its order is built from the public description
of the API; no file of a real one was at hand.
"""

from collections.abc import Iterator
from datetime import date  # noqa: TC003  (beside what is needed at run time)
from decimal import Decimal
from typing import Final

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.warehouse.cin7 import fields as read
from producers.warehouse.cin7.adjustments import place_of
from schemas.inventory import OrderLine, OrderPlaced, ReceiptLine, ReceiptPosted
from schemas.money import Money

VOIDED: Final = "VOIDED"
_POSTED: Final = "AUTHORISED"
_HUNDRED: Final = Decimal(100)


def receipts(task: Fields, *, order: str, supplier: str | None = None) -> Iterator[ReceiptPosted]:
    """Give the receipts of one receiving task: of its lines that are received, by their day. None unless authorised."""
    if (status_of(task) or "") != _POSTED:
        return
    name = task.identifier_or_none("TaskID") or order
    days: dict[date, list[ReceiptLine]] = {}
    for line in task.sections("Lines") or ():
        if line.flag_or_none("Received") is False:
            continue
        quantity = read.number(line, "Quantity")
        if quantity:
            days.setdefault(read.day(line, "Date"), []).append(_receipt_line(line, quantity))
    for on, lines in days.items():
        fact = f"cin7:receipt:{order}:{name}:{on}"
        yield ReceiptPosted(fact=fact, order=order, receipt=name, supplier=supplier, lines=tuple(lines), day=on)


def returns(purchase: Fields) -> Iterator[Fields]:
    """Give the authorised credit notes of a purchase that send goods back."""
    one = isinstance(purchase.get("CreditNote"), dict)
    notes = (purchase.section("CreditNote"),) if one else purchase.sections("CreditNote") or ()
    for note in notes:
        if note is not None and status_of(note) == _POSTED and note.sections("Unstock"):
            yield note


def status_of(fields: Fields) -> str | None:
    """Give a document's status in capitals, or None."""
    status = fields.token_or_none("Status") or read.text_or_none(fields, "Status")
    return status.upper() if status else None


def order_placed(purchase: Fields, *, currency: str) -> OrderPlaced | None:
    """Give what the lines of an authorised order cost, discounts taken off; None for any other.

    Raises Rejected: `tax_inclusive` where prices hold tax, for they are then no costs.
    """
    order = purchase.section("Order")
    if order is None or status_of(order) != _POSTED:
        return None
    if (read.text_or_none(purchase, "TaxCalculation") or "").casefold() == "inclusive":
        message = "the prices hold tax, and what the goods cost without it is not said"
        raise Rejected(reason="tax_inclusive", message=message, field=purchase.at("TaxCalculation"))
    paid_in = read.text_or_none(purchase, "SupplierCurrency") or currency
    lines = tuple(_order_line(line, paid_in) for line in order.sections("Lines") or ())
    if not lines:
        return None
    identifier, supplier = purchase.identifier("ID"), read.text_or_none(purchase, "Supplier")
    return OrderPlaced(fact=f"cin7:order:{identifier}", order=identifier, supplier=supplier, lines=lines)


def _receipt_line(line: Fields, quantity: Decimal) -> ReceiptLine:
    return ReceiptLine(
        item=read.text(line, "SKU"),
        quantity=quantity,
        lot=read.text_or_none(line, "BatchSN"),
        expires=read.day_or_none(line, "ExpiryDate"),
        place=place_of(line),
    )


def _order_line(line: Fields, currency: str) -> OrderLine:
    price = read.cost_or_none(line, "Price", currency)
    if price is None:
        raise line.missing("Price")
    discount = read.number_or_none(line, "Discount") or Decimal(0)
    if not 0 <= discount <= _HUNDRED:
        message = "a discount is from 0 to 100 per cent"
        raise Rejected(reason="bad_number", message=message, field=line.at("Discount"))
    cost = Money.of(price.amount * (_HUNDRED - discount) / _HUNDRED, currency)
    return OrderLine(item=read.text(line, "SKU"), quantity=read.number_or_none(line, "Quantity"), unit_cost=cost)
