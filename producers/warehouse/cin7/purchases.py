"""Cin7 Core purchases into receipts, one event a receiving task and day, and into what the order's lines cost.

Pure. Receipts have no prices: the order tells them. The purchase with its order is built from the public description
of the API; no file of a real one was at hand.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.warehouse.cin7 import fields as read
from producers.warehouse.cin7.adjustments import place_of
from producers.warehouse.goods import GoodsDocument, GoodsLine, lines_of
from schemas.money import Money

VOIDED: Final = "VOIDED"
_POSTED: Final = "AUTHORISED"
_HUNDRED: Final = Decimal(100)


def receipt(task: Fields, *, order: str, supplier: str | None) -> GoodsDocument:
    """Read a receiving task: its lines that are received, a receipt a day. Nothing unless it is authorised."""
    name = task.identifier_or_none("TaskID") or order
    lines = task.sections("Lines") or () if status_of(task) == _POSTED else ()

    def read_line(line: Fields) -> Iterator[GoodsLine]:
        quantity = None if line.flag_or_none("Received") is False else line.number("Quantity")
        if not quantity:
            return
        on = line.day("Date")
        yield GoodsLine(
            fact=f"cin7:receipt:{order}:{name}:{on}",
            order=order,
            day=on,
            item=read.must(line, "SKU", read.text),
            quantity=quantity,
            lot=read.text(line, "BatchSN"),
            expires=line.day_or_none("ExpiryDate"),
            place=place_of(line),
        )

    read_lines = lines_of(lines, read_line)
    return GoodsDocument(kind="receipt", lines=read_lines, number=name, supplier=supplier)


def returns(purchase: Fields) -> Iterator[Fields]:
    """Give the authorised credit notes of a purchase that send goods back."""
    one = isinstance(purchase.get("CreditNote"), dict)
    notes = (purchase.section("CreditNote"),) if one else purchase.sections("CreditNote") or ()
    for note in notes:
        if note is not None and status_of(note) == _POSTED and note.sections("Unstock"):
            yield note


def status_of(fields: Fields) -> str | None:
    """Give a document's status in capitals, or None."""
    status = fields.token_or_none("Status") or read.text(fields, "Status")
    return status.upper() if status else None


def order_placed(purchase: Fields, *, currency: str) -> GoodsDocument | None:
    """Read what the lines of an authorised order cost, discounts taken off; None for any other.

    Raises Rejected: `tax_inclusive` where prices hold tax, for they are then no costs.
    """
    order = purchase.section("Order")
    if order is None or status_of(order) != _POSTED:
        return None
    if (read.text(purchase, "TaxCalculation") or "").casefold() == "inclusive":
        message = "the prices hold tax, and what the goods cost without it is not said"
        raise Rejected("tax_inclusive", message, field=purchase.at("TaxCalculation"))
    name, paid_in = purchase.identifier("ID"), read.text(purchase, "SupplierCurrency") or currency

    def read_line(line: Fields) -> Iterator[GoodsLine]:
        yield GoodsLine(
            fact=f"cin7:order:{name}",
            order=name,
            item=read.must(line, "SKU", read.text),
            quantity=line.number_or_none("Quantity"),
            unit_cost=_cost(line, paid_in),
        )

    lines = lines_of(order.sections("Lines") or (), read_line)
    supplier = read.text(purchase, "Supplier")
    return GoodsDocument(kind="order", lines=lines, supplier=supplier) if lines else None


def _cost(line: Fields, currency: str) -> Money:
    price = read.cost(line, "Price", currency)
    if price is None:
        raise line.missing("Price")
    discount = line.number_or_none("Discount") or Decimal(0)
    if not 0 <= discount <= _HUNDRED:
        raise Rejected("bad_number", "a discount is from 0 to 100 per cent", field=line.at("Discount"))
    return Money.of(price.amount * (_HUNDRED - discount) / _HUNDRED, currency)
