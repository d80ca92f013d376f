"""One receipt of three lines, of which the second cannot be read, in every format: all of it, or the rest of it."""

import io
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial

import pytest

from producers.drafts import wrap
from producers.normalising import NormaliseContext, Piece, Refused, Rejected, Taken
from producers.sources import SOURCES
from producers.warehouse.goods import BadLines, GoodsDocument, GoodsKind, GoodsLine, Line, data_of, events_of
from schemas.event_data import EventData
from schemas.inventory import OrderPlaced, ReceiptPosted, StockAdjusted, StockCounted
from schemas.money import Money
from tests.unit.producers.warehouse.reading_files import edifact, x12

TASK = {"TaskID": "t1", "Status": "AUTHORISED"}
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"


def _ubl(bad: str) -> bytes:
    lines = "".join(
        f"<a:ReceiptLine><b:ID>{n}</b:ID><b:ReceivedQuantity>{quantity}</b:ReceivedQuantity><a:Item>"
        f"<a:BuyersItemIdentification><b:ID>{item}</b:ID></a:BuyersItemIdentification></a:Item></a:ReceiptLine>"
        for n, (item, quantity) in enumerate([("A", "1"), ("B", bad), ("C", "3")], start=1)
    )
    names = f'xmlns="{UBL}ReceiptAdvice-2" xmlns:a="{UBL}CommonAggregateComponents-2"'
    names += f' xmlns:b="{UBL}CommonBasicComponents-2"'
    head = "<b:ID>R-1</b:ID><b:IssueDate>2026-01-15</b:IssueDate>"
    return f"<ReceiptAdvice {names}>{head}{lines}</ReceiptAdvice>".encode()


def _cin7(bad: str) -> bytes:
    lines = [
        {"SKU": item, "Quantity": quantity, "Date": "2026-01-15T00:00:00"}
        for item, quantity in (("A", 1), ("B", bad), ("C", 3))
    ]
    return json.dumps({"PurchaseID": "PO-1", "StockReceiving": [{**TASK, "Lines": lines}]}).encode()


def _rows(bad: str) -> list[dict[str, str]]:
    head = {"kind": "receipt", "receipt": "R-1", "order": "PO-1", "day": "2026-01-15"}
    return [{**head, "item": item, "quantity": quantity} for item, quantity in (("A", "1"), ("B", bad), ("C", "3"))]


def _csv(bad: str) -> bytes:
    rows = _rows(bad)
    return "".join(f"{','.join(row)}\n" for row in ([*rows[0]], *(row.values() for row in rows))).encode()


RECEIPTS: dict[str, Callable[[str], bytes]] = {
    "x12 944": lambda bad: x12(
        "RE", "944", "W17*F*20260115*R-1", "W07*1*EA**VN*A", f"W07*{bad}*EA**VN*B", "W07*3*EA**VN*C"
    ),
    "x12 861": lambda bad: x12(
        *("RC", "861", "BRA*R-1*20260115*00*2", "RCD*1*1*EA", "LIN**VN*A"),
        *(f"RCD*2*{bad}*EA", "LIN**VN*B", "RCD*3*3*EA", "LIN**VN*C"),
    ),
    "edifact RECADV": lambda bad: edifact(
        *("RECADV", "BGM+632+R-1+9", "DTM+50:20260115:102", "LIN+1++A:IN", "QTY+48:1"),
        *("LIN+2++B:IN", f"QTY+48:{bad}", "LIN+3++C:IN", "QTY+48:3"),
    ),
    "ubl": _ubl,
    "cin7": _cin7,
    "warehouse-csv": _csv,
    "warehouse-json": lambda bad: json.dumps(_rows(bad)).encode(),
}


def read(name: str, bad: str, **options: str) -> list[Piece]:
    context = NormaliseContext(company="acme", options=options)
    return list(SOURCES[name.split(maxsplit=1)[0]].pieces(io.BytesIO(RECEIPTS[name](bad)), context))


def data_in(pieces: list[Piece]) -> list[EventData]:
    return [event.data for piece in pieces if isinstance(piece, Taken) for event in piece.events]


def received(pieces: list[Piece]) -> list[list[tuple[str, Decimal]]]:
    receipts = [data for data in data_in(pieces) if isinstance(data, ReceiptPosted)]
    return [[(line.item, line.quantity) for line in receipt.lines] for receipt in receipts]


def reasons(pieces: list[Piece]) -> list[str]:
    return [piece.reason for piece in pieces if isinstance(piece, Refused)]


@pytest.mark.parametrize("name", RECEIPTS)
def test_a_receipt_with_a_bad_line_is_taken_as_a_whole_or_not_at_all(name: str) -> None:
    pieces = read(name, "x")
    assert received(pieces) == []
    line, document = reasons(pieces)
    assert line in {"bad_quantity", "bad_number"}
    assert document == "document_incomplete"


@pytest.mark.parametrize("name", RECEIPTS)
def test_its_other_lines_are_taken_where_that_is_set(name: str) -> None:
    pieces = read(name, "x", bad_lines="rest")
    assert received(pieces) == [[("A", Decimal(1)), ("C", Decimal(3))]]
    assert len(reasons(pieces)) == 1


@pytest.mark.parametrize("name", RECEIPTS)
@pytest.mark.parametrize("bad_lines", ["whole", "rest"])
def test_put_right_it_posts_under_the_fact_that_its_rest_had(name: str, bad_lines: str) -> None:
    def facts(bad: str, policy: str) -> list[str]:
        return [data.fact for data in data_in(read(name, bad, bad_lines=policy))]

    pieces = read(name, "2", bad_lines=bad_lines)
    assert received(pieces) == [[("A", Decimal(1)), ("B", Decimal(2)), ("C", Decimal(3))]]
    assert reasons(pieces) == []
    assert facts("2", bad_lines) == facts("x", "rest")


@pytest.mark.parametrize("name", RECEIPTS)
def test_another_policy_is_no_option(name: str) -> None:
    with pytest.raises(Rejected, match=r"options\.bad_lines"):
        read(name, "2", bad_lines="some")


BAD = Refused("line 2", "bad_quantity", "no number", "quantity")


def line(item: str, quantity: int, *, number: int = 1, **more: str) -> GoodsLine:
    return GoodsLine(where=f"line {number}", fact=f"f:{number}", item=item, quantity=Decimal(quantity), **more)  # type: ignore[arg-type]  # fields of any type


def goods(kind: GoodsKind, *lines: Line, **more: object) -> GoodsDocument:
    return GoodsDocument(kind=kind, lines=lines, day=date(2026, 1, 15), **more)  # type: ignore[arg-type]  # fields of any type


def pieces_of(document: GoodsDocument, *, bad_lines: BadLines = "whole") -> list[Piece]:
    return list(
        events_of(document, partial(wrap, source="made", company="acme"), where="document", bad_lines=bad_lines)
    )


@pytest.mark.parametrize("kind", ["adjustment", "shipment"])
def test_changes_of_one_document_stand_or_fall_together(kind: GoodsKind) -> None:
    document = goods(kind, line("A", 1, number=1), BAD, line("C", 3, number=3), reason="lost")
    assert reasons(pieces_of(document)) == ["bad_quantity", "document_incomplete"]
    assert not any(isinstance(piece, Taken) for piece in pieces_of(document))
    rest = [data for data in data_in(pieces_of(document, bad_lines="rest")) if isinstance(data, StockAdjusted)]
    sign = -1 if kind == "shipment" else 1
    assert [(data.fact, data.delta * sign) for data in rest] == [("f:1", Decimal(1)), ("f:3", Decimal(3))]


def test_a_count_stands_alone_and_one_counted_twice_is_none() -> None:
    twice = (line("B", 1, number=3), line("B", 2, number=4, place="P"))
    document = goods("count", line("A", 1), BAD, *twice, place="P", reason="level")
    pieces = pieces_of(document)
    assert reasons(pieces) == ["bad_quantity", "counted_twice", "counted_twice"]
    (data,) = data_in(pieces)
    assert isinstance(data, StockCounted)
    assert (data.item, data.place, data.reason) == ("A", "P", "level")


def test_a_total_that_disagrees_keeps_back_everything_and_is_not_asked_beside_a_bad_line() -> None:
    lines = (line("A", 1), GoodsLine(where="line 2", fact="f:1", item="B", quantity=Decimal(2), rejected=Decimal(4)))
    for said in (3, 7):
        assert reasons(pieces_of(goods("receipt", *lines, total=(Decimal(said), "W1401")))) == []
    wrong = goods("receipt", *lines, total=(Decimal(5), "W1401"))
    assert reasons(pieces_of(wrong, bad_lines="rest")) == ["totals_disagree"]
    assert received(pieces_of(wrong, bad_lines="rest")) == []
    beside = goods("receipt", *lines, BAD, total=(Decimal(5), "W1401"))
    assert reasons(pieces_of(beside, bad_lines="rest")) == ["bad_quantity"]


def test_lines_of_one_fact_are_one_event_and_an_order_has_costs() -> None:
    cost = Money.of("2.50", "EUR")
    lines = [GoodsLine(fact="f", order="PO-1", item=item, quantity=None, unit_cost=cost) for item in "AB"]
    (placed,) = data_of(goods("order", *lines, supplier="ACME"))
    assert isinstance(placed, OrderPlaced)
    assert [line.item for line in placed.lines] == ["A", "B"]
    assert {(line.quantity, line.unit_cost) for line in placed.lines} == {(None, cost)}
    assert (placed.order, placed.supplier) == ("PO-1", "ACME")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (goods("receipt"), "nothing_received"),
        (goods("adjustment"), "no_lines"),
        (goods("adjustment", line("A", 0), nothing="nothing_returned_good"), "nothing_returned_good"),
    ],
)
def test_what_posts_nothing_says_why(document: GoodsDocument, reason: str) -> None:
    (piece,) = pieces_of(document)
    assert isinstance(piece, Taken)
    assert (piece.events, piece.ignored) == ((), reason)


def test_a_document_that_cannot_be_an_event_is_refused_at_its_place() -> None:
    (refused,) = pieces_of(GoodsDocument(kind="receipt", lines=[line("A", 1)]))
    assert isinstance(refused, Refused)
    assert (refused.where, refused.reason) == ("document", "missing_date")
