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
from producers.warehouse.rows.alone import RowDraft, digest, part, receipt_line
from producers.warehouse.rows.cells import RowCells, needed
from schemas.event_data import EventModel
from schemas.inventory import BillLine, BillReceived, OrderLine, OrderPlaced, ReceiptPosted
from schemas.money import Money


@dataclass(frozen=True, slots=True)
class Grouping:
    """How rows of one kind make a document, whose fields are its ids, its head and its lines.

    `ids` and `when` tell documents apart. `head` is what rows say alike, as far as they say it; a row without a `line`
    says that nothing came.
    """

    word: str
    model: type[GoodsData]
    ids: Callable[[RowCells], dict[str, str | None]]
    when: Callable[[Moment], object]
    head: Callable[[RowCells, Moment], Mapping[str, object]]
    line: Callable[[RowCells], EventModel | None]


@dataclass(slots=True)
class RowGroup:
    """One document while its rows come; `spoilt` is the row at fault.

    `time` is that of its first row: rows that a cut file lacked do not change it.
    """

    how: Grouping
    key: tuple[dict[str, str | None], object]
    first: int
    last: int
    time: datetime
    head: dict[str, Any] = field(default_factory=dict)
    lines: list[Any] = field(default_factory=list)
    spoilt: str | None = None

    def take(self, cells: RowCells, moment: Moment) -> bool:
        """Add a row; False where it says that nothing came. Raises Rejected, and ValueError of the models."""
        for name, value in self.how.head(cells, moment).items():
            if value is not None and self.head.setdefault(name, value) != value:
                raise Rejected("rows_disagree", "another row of the same document says something else", field=name)
        line = self.how.line(cells)
        if line is None:
            return False
        if len(self.lines) == MOST_LINES:
            raise Rejected("too_many_lines", f"a document has at most {MOST_LINES} lines")
        self.lines.append(line)
        return True

    def draft(self) -> RowDraft:
        """Give the document."""
        ids, when = self.key
        names = [part(text) for text in ids.values() if text]
        named = ":".join([*names, str(when)] if self.how.model is ReceiptPosted else names)
        content = digest((self.time, *sorted(self.head.items()), *sorted(repr(line) for line in self.lines)))
        return RowDraft(self.how.word, named, self._data, content, self.time)

    def _data(self, *, fact: str) -> GoodsData:
        """Raises ValueError: of the models, and of a bill in two currencies."""
        head = self.head
        if self.how.model is BillReceived and "total" not in head:
            first, *others = [line.amount for line in self.lines] + [head[name] for name in head if name == "tax"]
            head = {**head, "total": sum(others, first)}
        return self.how.model(fact=fact, **self.key[0], lines=tuple(self.lines), **head)


def _order_line(cells: RowCells) -> OrderLine:
    amount = cells.amount_or_none()
    factor = amount.factor if amount else cells.unit(cells.text_or_none("unit"))[1] if cells.how.units else Decimal(1)
    cost = needed(cells.cost_or_none(factor), "unit_cost")
    item, line = cells.text("item"), cells.text_or_none("line")
    return OrderLine(line=line, item=item, quantity=amount.stock if amount else None, unit_cost=cost)


def _bill_head(cells: RowCells, moment: Moment) -> Mapping[str, object]:
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


_RECEIPT: Final = Grouping(
    word="receipt",
    model=ReceiptPosted,
    ids=lambda cells: {"order": cells.text_or_none("order"), "receipt": cells.text("receipt")},
    when=lambda moment: moment.local_day,
    head=lambda cells, moment: {"supplier": cells.text_or_none("supplier"), "day": moment.day},
    line=lambda cells: receipt_line(cells, sign=1),
)
GROUPINGS: Final[Mapping[str, Grouping]] = {
    "receipt": _RECEIPT,
    "return": replace(_RECEIPT, word="return", line=lambda cells: receipt_line(cells, sign=-1)),
    "order": Grouping(
        word="order",
        model=OrderPlaced,
        ids=lambda cells: {"order": cells.text("order")},
        when=lambda moment: moment.time,
        head=lambda cells, _: {"supplier": cells.text_or_none("supplier")},
        line=_order_line,
    ),
    "bill": Grouping(
        word="bill",
        model=BillReceived,
        ids=lambda cells: {"supplier": cells.text("supplier"), "bill": cells.text("bill")},
        when=lambda _: None,
        head=_bill_head,
        line=_bill_line,
    ),
}
"""The kinds of rows that make documents together."""
