"""Rows that follow one another and make one document: a receipt, a return, an order, a bill.

It holds one document at a time, and must not remember the ones before it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from producers.drafts import MOST_LINES, GoodsData
from producers.normalising import Rejected
from producers.reading.days import Moment
from producers.warehouse.rows.alone import receipt_line
from producers.warehouse.rows.cells import RowCells
from producers.warehouse.rows.names import part
from producers.warehouse.rows.options import RowKind
from schemas.event_data import EventModel
from schemas.inventory import BillLine, BillReceived, OrderLine, OrderPlaced, ReceiptPosted
from schemas.money import Money

Head = Mapping[str, object]


@dataclass(slots=True)
class RowGroup:
    """One document while its rows come. `head` is what its rows say alike, `spoilt` the row at fault.

    `time` is that of its first row: rows that a cut file lacked do not change it.
    """

    kind: RowKind
    key: tuple[object, ...]
    first: int
    last: int
    time: datetime
    head: dict[str, object] = field(default_factory=dict)
    lines: list[EventModel] = field(default_factory=list)
    spoilt: str | None = None

    def take(self, cells: RowCells, moment: Moment) -> bool:
        """Add a row; False where it says that nothing came. Raises Rejected, and ValueError of the models."""
        grouping = GROUPINGS[self.kind]
        for name, value in grouping.head(cells, moment).items():
            if value is not None and self.head.setdefault(name, value) != value:
                raise Rejected("rows_disagree", "another row of the same document says something else", field=name)
        line = grouping.line(cells)
        if line is None:
            return False
        if len(self.lines) == MOST_LINES:
            raise Rejected("too_many_lines", f"a document has at most {MOST_LINES} lines")
        self.lines.append(line)
        return True


@dataclass(frozen=True, slots=True)
class Grouping:
    """How rows of one kind make a document. `key` tells documents apart; `name` names one in its fact."""

    word: str
    model: type[GoodsData]
    key: Callable[[RowCells, Moment], tuple[object, ...]]
    name: Callable[[RowGroup], str]
    head: Callable[[RowCells, Moment], Head]
    line: Callable[[RowCells], EventModel | None]
    fields: Callable[[RowGroup], Mapping[str, Any]]


def _receipt_key(cells: RowCells, moment: Moment) -> tuple[object, ...]:
    return cells.text("receipt"), cells.text_or_none("order"), moment.local_day


def _receipt_name(group: RowGroup) -> str:
    receipt, order, day = group.key
    return ":".join([*([part(str(order))] if order else []), part(str(receipt)), str(day)])


def _receipt_head(cells: RowCells, moment: Moment) -> Head:
    return {"supplier": cells.text_or_none("supplier"), "day": moment.day}


def _receipt_fields(group: RowGroup) -> Mapping[str, Any]:
    receipt, order, _ = group.key
    return {"receipt": receipt, "order": order, "lines": tuple(group.lines), **group.head}


def _order_line(cells: RowCells) -> OrderLine:
    amount = cells.amount_or_none()
    factor = amount.factor if amount else cells.unit(cells.text_or_none("unit"))[1] if cells.how.units else Decimal(1)
    cost = cells.cost_or_none(factor)
    if cost is None:
        raise Rejected("missing_field", "needed, and empty or missing", field="unit_cost")
    item, line = cells.text("item"), cells.text_or_none("line")
    return OrderLine(line=line, item=item, quantity=amount.stock if amount else None, unit_cost=cost)


def _order_fields(group: RowGroup) -> Mapping[str, Any]:
    return {"order": group.key[0], "lines": tuple(group.lines), **group.head}


def _bill_head(cells: RowCells, moment: Moment) -> Head:
    return {
        "order": cells.text("order"),
        "tax": cells.money_or_none("tax"),
        "total": cells.money_or_none("total"),
        "day": moment.day or moment.local_day,
        "due": cells.day_or_none("due"),
    }


def _bill_line(cells: RowCells) -> BillLine:
    quantity, charged = cells.amount(), cells.money_or_none("amount")
    if charged is None:
        cost = cells.money_or_none("unit_cost")
        if cost is None:
            raise Rejected("missing_field", "needed, or unit_cost, and empty or missing", field="amount")
        charged = Money.of(cost.amount * quantity.written, cost.currency)
    item, line = cells.text("item"), cells.text_or_none("line")
    return BillLine(line=line, item=item, quantity=quantity.stock, amount=charged)


def _bill_fields(group: RowGroup) -> Mapping[str, Any]:
    supplier, bill = group.key
    head = dict(group.head)
    lines = [line for line in group.lines if isinstance(line, BillLine)]
    if "total" not in head:
        charged = [line.amount for line in lines] + [tax for tax in (head.get("tax"),) if isinstance(tax, Money)]
        head["total"] = sum(charged[1:], charged[0])
    return {"bill": bill, "supplier": supplier, "lines": tuple(lines), **head}


_RECEIPT: Final = Grouping(
    word="receipt",
    model=ReceiptPosted,
    key=_receipt_key,
    name=_receipt_name,
    head=_receipt_head,
    line=lambda cells: receipt_line(cells, sign=1),
    fields=_receipt_fields,
)
GROUPINGS: Final[Mapping[RowKind, Grouping]] = {
    "receipt": _RECEIPT,
    "return": replace(_RECEIPT, word="return", line=lambda cells: receipt_line(cells, sign=-1)),
    "order": Grouping(
        word="order",
        model=OrderPlaced,
        key=lambda cells, moment: (cells.text("order"), moment.time),
        name=lambda group: part(str(group.key[0])),
        head=lambda cells, _: {"supplier": cells.text_or_none("supplier")},
        line=_order_line,
        fields=_order_fields,
    ),
    "bill": Grouping(
        word="bill",
        model=BillReceived,
        key=lambda cells, _: (cells.text("supplier"), cells.text("bill")),
        name=lambda group: ":".join(part(str(name)) for name in group.key),
        head=_bill_head,
        line=_bill_line,
        fields=_bill_fields,
    ),
}
"""The kinds of rows that make documents together."""
