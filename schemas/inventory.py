"""Inventory events: what happened to stock, to receipts of purchase orders, and to the vendor's bill for them.

They say what happened to goods, not how it is booked. They hold no personal data: a supplier is a company or an id.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema, model_validator

from schemas.dates import Day
from schemas.errors import AmountRefused
from schemas.event_data import EventData, EventModel, NotNegativeMoney, Text
from schemas.money import Money, read_decimal

MAX_QUANTITY: Final = Decimal(10**12)
"""No quantity is larger, either way; a larger one is a mistake."""

_MOST_DECIMALS: Final = 9


def _bounded(quantity: Decimal) -> Decimal:
    if not quantity.is_finite() or quantity.copy_abs() > MAX_QUANTITY:
        raise AmountRefused(reason="quantity_too_large", message=f"a quantity is at most {MAX_QUANTITY} either way")
    shortest = quantity.normalize() + 0
    if -int(shortest.as_tuple().exponent) > _MOST_DECIMALS or (quantity and not shortest):
        raise AmountRefused(reason="quantity_too_fine", message=f"a quantity has at most {_MOST_DECIMALS} decimals")
    return shortest


def _not_zero(quantity: Decimal) -> Decimal:
    if not quantity:
        msg = "must not be zero"
        raise ValueError(msg)
    return quantity


def _some_money(money: Money) -> Money:
    if not money:
        msg = "must not be zero"
        raise ValueError(msg)
    return money


def _some(lines: tuple[EventModel, ...]) -> tuple[EventModel, ...]:
    if not lines:
        msg = "must have at least one line"
        raise ValueError(msg)
    return lines


def _zero_or_more(quantity: Decimal) -> Decimal:
    if quantity < 0:
        msg = "must not be negative"
        raise ValueError(msg)
    return quantity


Quantity = Annotated[
    Decimal,
    BeforeValidator(read_decimal),
    AfterValidator(_bounded),
    PlainSerializer(lambda quantity: format(quantity, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]{1,16}(\.[0-9]{1,12})?$", "examples": ["12", "0.5"]}),
]
"""A quantity in the item's unit: a Decimal, as JSON a string."""

SummedQuantity = Annotated[
    Decimal,
    BeforeValidator(read_decimal),
    PlainSerializer(lambda quantity: format(quantity, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]{1,16}(\.[0-9]{1,12})?$", "examples": ["12", "0.5"]}),
]
"""A sum of quantities: as large as it comes."""

ChangedQuantity = Annotated[Quantity, AfterValidator(_not_zero)]
CountedQuantity = Annotated[Quantity, AfterValidator(_zero_or_more)]


class StockAdjusted(EventData):
    """Stock of an item changed by `delta` (negative: less). `fact`: `cin7:adjustment:<task>:<line>`.

    `item` is the source's own SKU, `place` a warehouse or a location in it. `reason` is one word such as `damage`,
    `shrinkage`, `cycle_count`, `found`, `customer_return`, `shipment`, `transfer_out`; an unknown code of the source
    keeps the source's name (`x12:07`). `unit_cost` only where the source says it. `day` is the calendar day where the
    source gives a day and no instant.
    """

    item: Text
    place: Text | None = None
    lot: Text | None = None
    delta: ChangedQuantity
    unit: Text | None = None
    reason: Text
    unit_cost: NotNegativeMoney | None = None
    day: Day | None = None
    document: Text | None = None


class StockCounted(EventData):
    """An item was counted: `counted` is all of it, as of the event's time. `fact`: `csv:count:<item>:<place>:<time>`.

    Without `place`, of all places; without `lot`, of all lots there. `reason` is `cycle_count`, `stocktake`, `level`,
    or `opening`: the level that a relay begins with, which posts nothing.
    """

    item: Text
    place: Text | None = None
    lot: Text | None = None
    counted: CountedQuantity
    unit: Text | None = None
    reason: Text = "cycle_count"
    unit_cost: NotNegativeMoney | None = None
    day: Day | None = None
    document: Text | None = None


class ReceiptLine(EventModel):
    """One line of a receipt. `quantity` went into stock; negative: returned to the vendor.

    `rejected` came and was not accepted (a claim on the supplier), `short` never came, `over` is how much of
    `quantity` is more than was ordered. `unit_cost` is the order's cost, where the source says it.
    """

    line: Text | None = None
    item: Text
    quantity: Quantity
    unit: Text | None = None
    unit_cost: NotNegativeMoney | None = None
    lot: Text | None = None
    expires: date | None = None  # no bounds: a lot that never expires has a day far away, and nothing is booked on it
    place: Text | None = None
    ordered: CountedQuantity | None = None
    rejected: CountedQuantity | None = None
    short: CountedQuantity | None = None
    over: CountedQuantity | None = None


class ReceiptPosted(EventData):
    """Goods of a purchase order came in, in whole or in part, or went back. `fact`: `cin7:receipt:<order>:<task>`.

    One event a receiving document and day; its lines become one entry.
    """

    order: Text | None = None
    receipt: Text
    supplier: Text | None = None
    lines: Annotated[tuple[ReceiptLine, ...], AfterValidator(_some)]
    day: Day | None = None


class OrderLine(EventModel):
    """What one unit of an item costs on an order."""

    line: Text | None = None
    item: Text
    quantity: Quantity | None = None
    unit_cost: NotNegativeMoney


class OrderPlaced(EventData):
    """A purchase order, or a change of it: tells the costs of its lines, posts nothing. `fact`: `csv:order:<order>`.

    Of two for one order, the later event says what the lines cost that are received after it.
    """

    order: Text
    supplier: Text | None = None
    lines: Annotated[tuple[OrderLine, ...], AfterValidator(_some)]


class BillLine(EventModel):
    """A line of a vendor's bill. `amount` is what it charges for `quantity`, without tax; both negative: a credit."""

    line: Text | None = None
    item: Text
    quantity: ChangedQuantity
    amount: Money


class BillReceived(EventData):
    """The vendor's bill for goods received, or its credit note (negative). `fact`: `csv:bill:<vendor>:<number>`.

    The lines' amounts, `tax` and nothing else make `total`, in one currency, or there is no BillReceived.
    """

    order: Text
    bill: Text
    supplier: Text
    lines: Annotated[tuple[BillLine, ...], AfterValidator(_some)]
    tax: Money | None = None
    total: Annotated[Money, AfterValidator(_some_money)]
    day: Day | None = None
    due: Day | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        charged = sum((line.amount for line in self.lines), Money.zero(self.total.currency))
        charged = charged + self.tax if self.tax else charged
        if charged != self.total:
            msg = f"lines and tax make {charged}, and the total says {self.total}"
            raise ValueError(msg)
        return self


class MergedLine(EventModel):
    """Adjustments of one item, reason and day, summed: DR `debit` / CR `credit` the `value`, the reverse if negative.

    Both are roles; `debit` is `inventory` as a rule, so that a positive value is more stock.
    """

    item: Text
    reason: Text
    debit: Text = "inventory"
    credit: Text
    quantity: SummedQuantity
    value: Money
    facts: int


class StockMerged(EventData):
    """Many adjustments as one entry, made by the relay itself of what it recorded. `fact`: `stock:merged:<id>`."""

    day: date  # without bounds: what was recorded is merged, whenever it says that it was
    lines: Annotated[tuple[MergedLine, ...], AfterValidator(_some)]
