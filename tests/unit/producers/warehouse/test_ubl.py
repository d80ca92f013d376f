from decimal import Decimal
from functools import partial

import pytest

from producers.normalising import Rejected
from producers.warehouse.ubl import read_ubl
from schemas.inventory import ReceiptPosted
from tests.unit.producers.warehouse.reading_files import (
    DATA,
    OUR_GLN,
    data_of,
    events_of,
    ignored,
    made,
    pieces,
    refusals,
    shown,
)

RECEIPT = made("ubl-receipt-advice.xml")
DESPATCH = made("ubl-despatch-advice.xml")


rest = partial(pieces, read_ubl, bad_lines="rest")


def changed(raw: bytes, old: str, new: str) -> bytes:
    assert old.encode() in raw
    return raw.replace(old.encode(), new.encode())


def test_a_whole_document_in_the_shape_of_the_public_example_is_a_receipt_of_175_kg_with_25_short() -> None:
    found = pieces(read_ubl, (DATA / "ubl-made" / "receipt-advice-2.0.xml").read_bytes())
    (receipt,) = data_of(found)
    assert isinstance(receipt, ReceiptPosted)
    (line,) = receipt.lines
    assert (receipt.order, receipt.receipt, receipt.supplier) == ("PO-45070", "700412", "SUP07")
    assert (line.quantity, line.short, line.unit, line.lot, line.unit_cost) == (
        Decimal(175),
        Decimal(25),
        "KGM",
        "LOT-2601",
        None,
    )
    assert (str(line.expires), line.item, str(receipt.day)) == ("2027-06-30", "BEAN-G", "2026-01-15")
    assert refusals(found) == []


def test_a_receipt_counts_what_was_received_and_not_rejected() -> None:
    found = rest(RECEIPT)
    (receipt,) = shown(found)
    assert receipt == {
        "fact": "ubl:receipt:9501101020016:RA-31:PO-4503",
        "order": "PO-4503",
        "receipt": "RA-31",
        "supplier": "9501101020016",
        "day": "2026-01-15",
        "lines": [
            {"line": "10", "item": "BEAN-A", "quantity": "45", "unit": "EA", "rejected": "5", "over": "2"},
            {"line": "20", "item": "S-2", "quantity": "12.25", "unit": "KGM"},
        ],
    }
    assert [(piece.where, piece.reason) for piece in refusals(found)] == [("line 3", "bad_quantity")]
    (event,) = events_of(found)
    assert (event.source, event.partitionkey) == ("/warehouse/ubl", "PO-4503")


@pytest.mark.parametrize(
    ("item_id", "items", "missing"),
    [("buyers", ["BEAN-A"], ["line 2"]), ("standard", ["09506000134352"], ["line 2"]), ("sellers", ["S-1", "S-2"], [])],
)
def test_the_item_id_is_the_one_that_is_declared(item_id: str, items: list[str], missing: list[str]) -> None:
    found = rest(RECEIPT, item_id=item_id)
    assert [line["item"] for line in shown(found)[0]["lines"]] == items
    assert [piece.where for piece in refusals(found) if piece.reason == "no_item"] == missing


def test_lines_of_two_orders_are_two_receipts() -> None:
    two = RECEIPT.replace(b"PO-4503", b"PO-4504", 1)
    assert [(row["order"], row["fact"][-8:], len(row["lines"])) for row in shown(rest(two))] == [
        ("PO-4504", ":PO-4504", 1),
        ("PO-4503", ":PO-4503", 1),
    ]


def test_what_others_received_from_us_is_no_receipt_of_ours() -> None:
    assert ignored(pieces(read_ubl, RECEIPT, ours="9501101020016")) == [("document", "received_by_others")]


def test_rejected_goods_may_be_counted_beside_the_received() -> None:
    (receipt,) = shown(rest(RECEIPT, received_quantity="accepted"))
    assert (receipt["lines"][0]["quantity"], receipt["lines"][0]["rejected"]) == ("50", "5")
    none = changed(RECEIPT, 'unitCode="EA">50<', 'unitCode="EA">0<')
    (receipt,) = shown(rest(none, received_quantity="accepted"))
    assert (receipt["lines"][0]["quantity"], receipt["lines"][0]["rejected"]) == ("0", "5")


def test_a_lot_may_stand_below_the_item_itself() -> None:
    lot = "<cac:LotIdentification><cbc:LotNumberID>L-9</cbc:LotNumberID><cbc:ExpiryDate>2027-01-31</cbc:ExpiryDate>"
    raw = changed(
        RECEIPT,
        "<cbc:ID>S-2</cbc:ID></cac:SellersItemIdentification>",
        f"<cbc:ID>S-2</cbc:ID></cac:SellersItemIdentification>{lot}</cac:LotIdentification>",
    )
    line = shown(rest(raw))[0]["lines"][1]
    assert (line["lot"], line["expires"]) == ("L-9", "2027-01-31")


def test_a_document_in_its_envelope_of_a_network_is_read() -> None:
    sbd = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
    inner = RECEIPT.split(b"?>", 1)[1]
    raw = f'<s:StandardBusinessDocument xmlns:s="{sbd}"><s:H/>'.encode() + inner + b"</s:StandardBusinessDocument>"
    assert shown(rest(raw)) == shown(rest(RECEIPT))
    with pytest.raises(Rejected, match="the root is StandardBusinessDocument"):
        rest(raw.replace(inner, inner + inner))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "<cbc:IssueDate>",
            "<cbc:DocumentStatusCode>Cancelled</cbc:DocumentStatusCode><cbc:IssueDate>",
            "cancellation",
        ),
        ("ReceiptLine>", "OtherLine>", "no_lines"),
    ],
)
def test_what_is_undone_or_empty_comes_before_a_person(old: str, new: str, reason: str) -> None:
    with pytest.raises(Rejected) as caught:
        pieces(read_ubl, RECEIPT.replace(old.encode(), new.encode()))
    assert caught.value.reason == reason


def test_a_copy_posts_nothing() -> None:
    copy = changed(RECEIPT, "<cbc:CopyIndicator>false", "<cbc:CopyIndicator>true")
    assert ignored(pieces(read_ubl, copy)) == [("document", "copy")]


def test_a_despatch_of_ours_leaves_the_stock_and_one_of_others_is_not_received_yet() -> None:
    (shipped,) = shown(pieces(read_ubl, DESPATCH, ours=[OUR_GLN]))
    assert (shipped["delta"], shipped["reason"], shipped["lot"], shipped["day"]) == (
        "-12",
        "shipment",
        "LOT-5",
        "2026-01-15",
    )
    assert shipped["fact"] == "ubl:despatch:0f1e2d3c-0000-4000-8000-000000000007:1"
    assert ignored(pieces(read_ubl, DESPATCH)) == [("document", "despatched_not_received")]
    both = [OUR_GLN, "9501101999999"]
    assert ignored(pieces(read_ubl, DESPATCH, ours=both)) == [("document", "between_own_places")]


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;">]>'


@pytest.mark.parametrize(
    "declaration",
    [
        LAUGHS,
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
        '<!DOCTYPE r PUBLIC "-//X//Y" "x.dtd">',
        "<!DOCTYPE ReceiptAdvice>",
    ],
)
def test_xml_with_a_document_type_or_entities_is_refused(declaration: str) -> None:
    raw = changed(RECEIPT, "?>\n", f"?>\n{declaration}\n")
    with pytest.raises(Rejected) as caught:
        pieces(read_ubl, raw)
    assert caught.value.reason == "xml_entities"


def test_an_entity_that_nothing_declares_is_refused() -> None:
    with pytest.raises(Rejected) as caught:
        pieces(read_ubl, changed(RECEIPT, "<cbc:ID>RA-31", "<cbc:ID>&ra;"))
    assert caught.value.reason == "xml_entities"


def test_the_five_entities_of_xml_itself_are_texts() -> None:
    (receipt,) = shown(rest(changed(RECEIPT, "<cbc:ID>RA-31", "<cbc:ID>R&amp;A&#45;31")))
    assert receipt["receipt"] == "R&A-31"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (RECEIPT.replace(b"ReceiptAdvice", b"Invoice"), "wrong_root"),
        (RECEIPT.replace(b"xsd:ReceiptAdvice-2", b"xsd:ReceiptAdvice-3"), "wrong_root"),
        (b"<ReceiptAdvice/>", "wrong_root"),
        (changed(RECEIPT, "<cbc:ID>RA-31</cbc:ID>", ""), "missing_field"),
        (RECEIPT[:-40], "not_xml"),
        (b"<a>" * 100 + b"</a>" * 100, "not_xml"),
        (b"{}", "not_xml"),
        (changed(RECEIPT, 'encoding="UTF-8"', 'encoding="EBCDIC-X"'), "not_xml"),
        (RECEIPT.replace(b"BEAN-A", b"B\xff"), "not_xml"),
        (b"PK\x03\x04", "compressed"),
        (b"", "empty_file"),
        (changed(RECEIPT, "2026-01-15", "15.01.2026").replace(b"2026-01-16", b"16.01.2026"), "bad_date"),
    ],
)
def test_what_is_no_ubl_document_is_rejected(raw: bytes, reason: str) -> None:
    with pytest.raises(Rejected) as caught:
        pieces(read_ubl, raw)
    assert caught.value.reason == reason


def test_a_wrong_root_is_named_without_its_namespace() -> None:
    with pytest.raises(Rejected, match="the root is Invoice, and"):
        pieces(read_ubl, RECEIPT.replace(b"ReceiptAdvice", b"Invoice"))


def test_utf_16_is_read_as_the_document_declares_it() -> None:
    wide = RECEIPT.decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert shown(rest(wide)) == shown(rest(RECEIPT))


@pytest.mark.parametrize(
    ("old", "new", "reason", "field"),
    [
        ('unitCode="EA">5<', 'unitCode="CT">5<', "units_differ", "ReceiptLine.RejectedQuantity"),
        ('unitCode="EA">5<', 'unitCode="EA">51<', "rejected_exceeds_received", "ReceiptLine.RejectedQuantity"),
        ('unitCode="EA">50<', 'unitCode="EA">-50<', "negative_quantity", "ReceiptLine.ReceivedQuantity"),
        ('unitCode="EA">50<', 'unitCode="EA">1.000,5<', "bad_quantity", "ReceiptLine.ReceivedQuantity"),
        ('unitCode="EA">50<', 'unitCode="EA"><', "missing_quantity", "ReceiptLine.ReceivedQuantity"),
        ("2026-01-15", "2026-02-30", "bad_date", "ReceiptLine.ReceivedDate"),
        ("</cac:Item>\n", "</cac:Item><cac:Item/>\n", "several_items", "ReceiptLine.Item"),
    ],
)
def test_a_bad_line_is_said_with_its_field_and_the_good_ones_are_taken(
    old: str, new: str, reason: str, field: str
) -> None:
    found = rest(RECEIPT.replace(old.encode(), new.encode(), 1))
    assert (refusals(found)[0].where, refusals(found)[0].reason, refusals(found)[0].field) == ("line 1", reason, field)
    assert [line["item"] for line in shown(found)[0]["lines"]][-1] == "S-2"


def test_a_line_that_is_refused_does_not_change_the_day_of_the_others() -> None:
    found = rest(changed(RECEIPT, 'unitCode="EA">50<', 'unitCode="EA">x<'))
    assert refusals(found)[0].where == "line 1", "it alone says a day"
    assert [receipt["day"] for receipt in shown(found)] == ["2026-01-15"]
