"""What a document says of goods, whatever its format; and the events made of it, in one way for all formats.

A format ends in a `GoodsDocument`. It must not know any format.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final, Literal, TypeVar

from producers.drafts import GoodsData, rejecting
from producers.normalising import Piece, Refused, Rejected, Taken
from producers.reading.files import FileOptions
from schemas.envelope import Event
from schemas.inventory import OrderLine, OrderPlaced, ReceiptLine, ReceiptPosted, StockAdjusted, StockCounted
from schemas.money import Money

P = TypeVar("P")

BadLines = Literal["whole", "rest"]
GoodsKind = Literal["receipt", "order", "adjustment", "shipment", "count"]


class GoodsOptions(FileOptions):
    """Settings of every format whose documents have lines.

    `bad_lines` says what becomes of a document of which a line cannot be read: `whole`, nothing of it is taken; `rest`,
    its good lines are (decision 0035). Counts stand alone, each for its item, and are always taken.
    """

    bad_lines: BadLines = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsLine:
    """One line. `fact` is what it is booked under: the lines of a receipt or an order that share one are one event.

    `quantity` is how many came in good, were ordered, shipped or counted, or by how many stock changed. Without
    `where` a line stands where its document does.
    """

    where: str = ""
    fact: str
    item: str
    quantity: Decimal | None
    line: str | None = None
    order: str | None = None
    day: date | None = None
    unit: str | None = None
    unit_cost: Money | None = None
    lot: str | None = None
    expires: date | None = None
    place: str | None = None
    reason: str | None = None
    ordered: Decimal | None = None
    rejected: Decimal | None = None
    short: Decimal | None = None
    over: Decimal | None = None


Line = GoodsLine | Taken | Refused
"""A line that is good, one that posts nothing, or one that is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsDocument:
    """What one document says. `day`, `place` and `reason` are those of lines that name none.

    `number` is that of a receipt, `document` the one under which the source knows a change or a count of stock.
    `total` is what it says that its lines make, and the field that says so. `nothing` is why a line of no quantity
    posts nothing; without it such a line is like any other.
    """

    kind: GoodsKind
    lines: Sequence[Line]
    number: str | None = None
    document: str | None = None
    supplier: str | None = None
    day: date | None = None
    place: str | None = None
    reason: str | None = None
    total: tuple[Decimal, str] | None = None
    nothing: str | None = None


_JOINED = frozenset({"receipt", "order"})
_Data = ReceiptLine | OrderLine | StockAdjusted | StockCounted
_Draft = tuple[GoodsLine, _Data]
_MODELS: Final[Mapping[GoodsKind, tuple[type[_Data], str]]] = {
    "receipt": (ReceiptLine, "quantity"),
    "order": (OrderLine, "quantity"),
    "adjustment": (StockAdjusted, "delta"),
    "shipment": (StockAdjusted, "delta"),
    "count": (StockCounted, "counted"),
}
"""What a line of each kind becomes, and the field of it that the quantity is."""


def ignored(reason: str, *, where: str = "") -> GoodsDocument:
    """Give a document that posts nothing, and why."""
    return GoodsDocument(kind="count", lines=(Taken(where, (), ignored=reason),))


def several(orders: Iterable[str | None]) -> bool:
    """Whether lines are of more than one order, so that it names their facts; those that are refused count too."""
    return len(set(orders)) > 1


def lines_of(
    parts: Iterable[P], read: Callable[[P], Iterable[GoodsLine | Taken]], *, where: Callable[[P], str] = lambda _: ""
) -> tuple[Line, ...]:
    """Read the parts of a document; one that is rejected is refused at its place."""
    lines: list[Line] = []
    for part in parts:
        try:
            with rejecting():
                lines += list(read(part))
        except Rejected as error:
            lines.append(error.at(where(part)))
    return tuple(lines)


def events_of(
    goods: GoodsDocument, event: Callable[[GoodsData], Event], *, where: str, bad_lines: BadLines
) -> Iterator[Piece]:
    """Make the events of a document, which stands at `where`, and say what of it is refused or posts nothing."""
    drafts, rest = _drafts(goods, where)
    refused = [line for line in rest if isinstance(line, Refused)]
    if disagrees := not refused and _total_disagrees(goods, where):
        yield disagrees
        return
    if goods.kind == "count":
        drafts, twice = _once(goods, drafts)
        refused += twice
    taken = []
    for group in _groups(goods, drafts):
        at = where if goods.kind in _JOINED else group[0][0].where
        try:
            taken.append(Taken(at, (event(_data(goods, group)),)))
        except Rejected as error:
            refused.append(error.at(at))
    yield from (line for line in rest if isinstance(line, Taken))
    yield from refused
    held = bad_lines == "whole" and goods.kind != "count" and taken and refused
    bad = refused[0] if held else None
    yield from [incomplete(where, bad.field if bad.field and bad.where == where else bad.where)] if bad else taken
    if not (taken or refused or rest):
        yield Taken(where, (), ignored="nothing_received" if goods.kind == "receipt" else "no_lines")


def data_of(goods: GoodsDocument) -> list[GoodsData]:
    """Make the data of all events of a document. Raises Rejected: the first thing that is wrong with any of them."""
    drafts = [(line, _draft(goods, line)) for line in goods.lines if isinstance(line, GoodsLine)]
    return [_data(goods, group) for group in _groups(goods, drafts)]


def incomplete(where: str, bad: str) -> Refused:
    """Build the refusal of a document of which the line at `bad` was refused."""
    message = f"{bad} may be part of this document and was refused: mend it and send the file again"
    return Refused(where, "document_incomplete", message)


def _drafts(goods: GoodsDocument, where: str) -> tuple[list[_Draft], list[Piece]]:
    """What the good lines say, and the lines that are not good."""
    drafts: list[_Draft] = []
    rest: list[Piece] = []
    for each in goods.lines:
        line = each if each.where else replace(each, where=where)
        if not isinstance(line, GoodsLine):
            rest.append(line)
        elif goods.nothing is not None and not line.quantity:
            rest.append(Taken(line.where, (), ignored=goods.nothing))
        else:
            try:
                drafts.append((line, _draft(goods, line)))
            except Rejected as error:
                rest.append(error.at(line.where))
    return drafts, rest


def _draft(goods: GoodsDocument, line: GoodsLine) -> _Data:
    """The model of the kind, with what the line says in the fields of these names, or the document for all lines."""
    model, amount = _MODELS[goods.kind]
    said: dict[str, object] = {}
    for name in model.model_fields:
        value = getattr(line, name, None)
        said[name] = getattr(goods, name, None) if value is None else value
    said[amount] = -line.quantity if goods.kind == "shipment" and line.quantity else line.quantity
    with rejecting():
        return model.model_validate({name: value for name, value in said.items() if value is not None})


def _once(goods: GoodsDocument, drafts: Sequence[_Draft]) -> tuple[list[_Draft], list[Refused]]:
    """Take out the counts of an item that is counted twice: no level of it is certain."""

    def counted(line: GoodsLine) -> tuple[str | None, ...]:
        return line.item, line.place or goods.place, line.lot

    times = Counter(counted(line) for line, _ in drafts)
    message = "one report counts this item twice in the same place and lot: which is its level is not said"
    twice = [line.where for line, _ in drafts if times[counted(line)] > 1]
    once = [(line, data) for line, data in drafts if times[counted(line)] == 1]
    return once, [Refused(where, "counted_twice", message, "item") for where in twice]


def _groups(goods: GoodsDocument, drafts: Sequence[_Draft]) -> Iterable[Sequence[_Draft]]:
    """The lines of each event."""
    groups: dict[str | int, list[_Draft]] = {}
    for index, (line, data) in enumerate(drafts):
        groups.setdefault(line.fact if goods.kind in _JOINED else index, []).append((line, data))
    return groups.values()


def _data(goods: GoodsDocument, group: Sequence[_Draft]) -> GoodsData:
    line, data = group[0]
    if isinstance(data, StockAdjusted | StockCounted):
        return data
    lines = tuple(data for _, data in group)
    values = {"fact": line.fact, "order": line.order, "supplier": goods.supplier, "lines": lines}
    with rejecting():
        if goods.kind == "order":
            return OrderPlaced.model_validate(values)
        number, day = goods.number or line.order or line.fact, line.day or goods.day
        return ReceiptPosted.model_validate({**values, "receipt": number, "day": day})


def _total_disagrees(goods: GoodsDocument, where: str) -> Refused | None:
    """What came may be told with or without what of it was not accepted."""
    lines = [line for line in goods.lines if isinstance(line, GoodsLine)]
    good = sum((line.quantity or Decimal(0) for line in lines), Decimal(0))
    came = good + sum((line.rejected or Decimal(0) for line in lines), Decimal(0))
    if goods.total is None or goods.total[0] in {good, came}:
        return None
    message = f"the total says {goods.total[0]:f}, and the lines make {came:f}: nothing of this document was taken"
    return Refused(where, "totals_disagree", message, goods.total[1])
