import json
from decimal import Decimal
from typing import Any

import pytest

from producers.normalising import Piece, Rejected
from producers.warehouse.epcis.epcis import read_epcis
from schemas.inventory import ReceiptPosted, StockAdjusted, StockCounted
from tests.unit.producers.warehouse.reading_files import DATA, data_of, events_of, ignored, pieces, refusals, shown

US = "urn:epc:id:sgln:9501101.53000.0"
THEM = "urn:epc:id:sgln:9501101.02001.0"
CLASS = "urn:epc:class:lgtin:9506000.013435.LOT-5"
GTIN = "09506000134352"

Json = dict[str, Any]


def event(**members: object) -> Json:
    return {
        "type": "ObjectEvent",
        "eventID": "urn:uuid:1",
        "eventTime": "2026-01-14T10:00:00+02:00",
        "eventTimeZoneOffset": "+02:00",
        "action": "OBSERVE",
        "bizStep": "receiving",
        "quantityList": [{"epcClass": CLASS, "quantity": 200.5, "uom": "KGM"}],
    } | members


def owned(*, source: str = THEM, destination: str = US) -> Json:
    return {
        "sourceList": [{"type": "owning_party", "source": source}],
        "destinationList": [{"type": "owning_party", "destination": destination}],
    }


def read(*events: object, **options: object) -> list[Piece]:
    document = {"type": "EPCISDocument", "epcisBody": {"eventList": list(events)}}
    return pieces(read_epcis, json.dumps(document).encode(), **options)


def test_every_shape_of_the_public_examples_is_read_and_posts_what_it_should() -> None:
    files = sorted((DATA / "epcis-made").glob("*.jsonld"))
    posted = {file.stem: pieces(read_epcis, file.read_bytes()) for file in files}
    assert len(posted) == 14
    assert all(not refusals(found) for found in posted.values())
    for name in ("lot-received", "digital-link-lot-received"):
        (receipt,) = data_of(posted[name])
        assert isinstance(receipt, ReceiptPosted)
        (line,) = receipt.lines
        assert (line.quantity, line.unit, line.lot, line.item) == (Decimal(350), "KGM", "LOT-8", "09506000134352")
    for name in ("shipped-and-received", "commented", "query", "digital-link-shipped-and-received"):
        (first,) = data_of(posted[name])
        assert isinstance(first, ReceiptPosted)
        assert (first.order, first.receipt, first.lines[0].quantity) == ("45060", "7742", Decimal(1))
    for name in ("transformed", "digital-link-transformed"):
        made = shown(posted[name])
        assert [(row["reason"], row["delta"]) for row in made][-2:] == [
            ("production_out", "-1"),
            ("production_in", "3"),
        ]
    silent = {name for name, found in posted.items() if not data_of(found)}
    assert silent == {name for name in posted if name.startswith("associated") or name.endswith("packed")}


def test_a_receipt_says_order_lot_unit_place_and_when_in_utc() -> None:
    found = read(
        event(
            bizLocation={"id": "urn:epc:id:sgln:9501101.53001.7"},
            bizTransactionList=[
                {"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:9501101530003:PO-1"},
                {"type": "desadv", "bizTransaction": "https://acme.example/desadv/D-9?x=1"},
            ],
            **owned(),
        ),
        ours=[US],
    )
    assert shown(found) == [
        {
            "fact": "epcis:urn:uuid:1",
            "order": "PO-1",
            "receipt": "D-9",
            "supplier": "9501101020016",
            "lines": [
                {
                    "line": "1",
                    "item": GTIN,
                    "quantity": "200.5",
                    "unit": "KGM",
                    "lot": "LOT-5",
                    "place": "urn:epc:id:sgln:9501101.53001.7",
                }
            ],
        }
    ]
    (taken,) = events_of(found)
    assert (taken.time.isoformat(), taken.source) == ("2026-01-14T08:00:00+00:00", "/warehouse/epcis")


@pytest.mark.parametrize(
    "step",
    [
        "receiving",
        "urn:epcglobal:cbv:bizstep:accepting",
        "https://ref.gs1.org/cbv/BizStep-receiving",
        "cbv:BizStep-accepting",
        "https://ns.gs1.org/voc/Bizstep-receiving",
        "gs1:BizStep-receiving",
        "Receiving",
    ],
)
def test_a_business_step_is_the_same_however_it_is_spelt(step: str) -> None:
    assert [type(data) for data in data_of(read(event(bizStep=step)))] == [ReceiptPosted]


@pytest.mark.parametrize(
    "name",
    [
        CLASS,
        "https://id.gs1.org/01/09506000134352/10/LOT-5",
        "https://dl.acme.example/shop/01/9506000134352/10/LOT%2D5?17=270630",
    ],
)
def test_one_product_has_one_item_id_however_it_is_spelt(name: str) -> None:
    ((line,),) = [row["lines"] for row in shown(read(event(quantityList=[{"epcClass": name, "quantity": 1}])))]
    assert (line["item"], line["lot"]) == (GTIN, "LOT-5")


def test_each_epc_is_one_piece_and_pieces_of_a_product_are_one_line() -> None:
    epcs = [f"urn:epc:id:sgtin:9506000.013435.{serial}" for serial in (1, 2, 2, 3)]
    other = "https://id.gs1.org/01/09506000134369/21/7"
    pallet = "urn:epc:id:sscc:9501101.0000000001"
    ((first, second),) = [row["lines"] for row in shown(read(event(quantityList=None, epcList=[*epcs, other, pallet])))]
    assert (first["item"], first["quantity"]) == (GTIN, "3")
    assert (second["item"], second["quantity"]) == ("09506000134369", "1")


def test_only_what_we_own_is_received_where_we_are_told_apart() -> None:
    assert len(data_of(read(event(**owned()), ours="9501101530003"))) == 1
    assert ignored(read(event(**owned(destination=THEM)), ours=US)) == [("event 1", "received_by_others")]
    assert [piece.reason for piece in refusals(read(event(), ours=US))] == ["owner_not_named"]


def test_a_shipment_is_ours_only_where_we_are_the_source_and_not_the_destination() -> None:
    shipping = event(bizStep="shipping", **owned(source=US, destination=THEM))
    (sent,) = data_of(read(shipping, ours=US))
    assert isinstance(sent, StockAdjusted)
    assert (str(sent.delta), sent.reason, sent.fact) == ("-200.5", "shipment", "epcis:urn:uuid:1:1")
    assert ignored(read(shipping)) == [("event 1", "shipment_without_ours")]
    assert ignored(read(shipping, ours="1234567890128")) == [("event 1", "not_shipped_by_us")]
    assert ignored(read(shipping, ours=[US, THEM])) == [("event 1", "between_own_places")]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"bizStep": "destroying", "action": "DELETE"}, "destroyed"),
        ({"bizStep": "inspecting", "disposition": "damaged"}, "damaged"),
        ({"bizStep": "holding", "disposition": "urn:epcglobal:cbv:disp:expired"}, "expired"),
        ({"bizStep": None, "disposition": "https://ref.gs1.org/cbv/Disp-stolen"}, "stolen"),
        ({"bizStep": "other", "disposition": "lost"}, "lost"),
    ],
)
def test_what_is_gone_or_spoilt_is_written_off(members: Json, reason: str) -> None:
    (gone,) = data_of(read(event(**members)))
    assert isinstance(gone, StockAdjusted)
    assert (gone.reason, str(gone.delta)) == (reason, "-200.5")


def test_goods_received_damaged_are_a_claim_and_goods_returned_come_back_from_a_customer() -> None:
    (damaged,) = shown(read(event(disposition="damaged")))
    assert (damaged["lines"][0]["quantity"], damaged["lines"][0]["rejected"]) == ("0", "200.5")
    (returned,) = shown(read(event(disposition="returned")))
    assert (returned["reason"], returned["delta"]) == ("customer_return", "200.5")


def test_a_count_is_a_count_also_of_nothing() -> None:
    counted = data_of(read(event(bizStep="cycle_counting", quantityList=[{"epcClass": CLASS, "quantity": 0}])))
    assert [(type(data), getattr(data, "counted", None)) for data in counted] == [(StockCounted, 0)]
    (taken,) = data_of(read(event(bizStep="stock_taking")))
    assert isinstance(taken, StockCounted)
    assert taken.reason == "stocktake"


def test_one_of_two_steps_is_chosen_where_a_feed_has_both() -> None:
    both = [event(), event(eventID="urn:uuid:2", bizStep="accepting")]
    assert len(data_of(read(*both, receipt_steps="accepting"))) == 1


def test_a_document_of_both_steps_is_not_received_twice_and_one_of_accepting_alone_is_received() -> None:
    both = [event(), event(eventID="urn:uuid:2", bizStep="accepting")]
    assert [piece.reason for piece in refusals(read(*both))] == ["several_receipt_steps"] * 2
    assert len(data_of(read(*both[1:]))) == 1
    packed = event(eventID="urn:uuid:3", bizStep="accepting", type="AggregationEvent")
    assert len(data_of(read(both[0], packed))) == 1


def test_goods_of_two_owners_are_not_all_ours() -> None:
    both = [event(**owned()), event(eventID="urn:uuid:2", **owned(destination=THEM))]
    assert [piece.reason for piece in refusals(read(*both))] == ["several_owners"] * 2
    assert len(data_of(read(*both, ours=US))) == 1
    assert len(data_of(read(both[0], event(eventID="urn:uuid:3")))) == 2


def test_goods_that_two_events_of_a_document_tell_received_come_before_a_person() -> None:
    def piece(name: str, serial: int, **members: object) -> Json:
        epcs = [f"urn:epc:id:sgtin:9506000.013435.{serial}", "urn:epc:id:grai:9501101.01234.1"]
        return event(eventID=name, quantityList=None, epcList=epcs, **members)

    found = read(piece("a", 1), piece("b", 2), piece("c", 1, type="TransactionEvent"), piece("a", 1))
    assert [(piece.where, piece.reason) for piece in refusals(found)] == [
        ("event 1", "received_twice"),
        ("event 3", "received_twice"),
        ("event 4", "received_twice"),
    ]
    linked = [event(), event(eventID="b", type="TransactionEvent")]
    assert [piece.reason for piece in refusals(read(*linked))] == ["received_twice"] * 2
    pallets = [event(), event(eventID="b")]
    assert len(data_of(read(*pallets))) == 2
    corrected = [piece("a", 1, errorDeclaration={}), piece("b", 1)]
    assert [row["fact"] for row in shown(read(*corrected))] == ["epcis:b"]


def test_a_voided_shipment_comes_before_a_person_and_goods_sent_back_are_a_negative_receipt() -> None:
    ours = owned(source=US, destination=THEM)
    assert [piece.reason for piece in refusals(read(event(bizStep="void_shipping", **ours), ours=US))] == [
        "shipment_voided"
    ]
    assert ignored(read(event(bizStep="void_shipping", **ours))) == [("event 1", "shipment_without_ours")]
    (back,) = shown(read(event(bizStep="shipping", disposition="returned", **ours), ours=US))
    assert (back["supplier"], back["lines"][0]["quantity"]) == ("9501101020016", "-200.5")


def test_an_event_declared_wrong_names_what_corrects_it_and_is_no_matter_where_it_posted_nothing() -> None:
    declared = {"errorDeclaration": {"reason": "incorrect_data", "correctiveEventIDs": ["urn:uuid:9", 3]}}
    found = read(event(**declared), event(eventID="urn:uuid:9"), event(bizStep="packing", **declared))
    (refusal,) = refusals(found)
    assert refusal.message.startswith("event urn:uuid:1 is declared wrong")
    assert refusal.message.endswith("corrected by urn:uuid:9")
    assert [row["fact"] for row in shown(found)] == ["epcis:urn:uuid:9"]
    assert ignored(found) == [("event 3", "biz_step:packing")]


def test_pieces_and_quantities_of_one_product_are_counted_together() -> None:
    quantities = [{"epcClass": "urn:epc:idpat:sgtin:9506000.013435.*", "quantity": count} for count in (20, 2)]
    epcs = ["urn:epc:id:sgtin:9506000.013435.1", "https://id.gs1.org/01/09506000134352/21/2"]
    (count,) = shown(read(event(bizStep="stock_taking", quantityList=quantities, epcList=epcs)))
    assert (count["item"], count["counted"]) == (GTIN, "24")


def test_json_ld_may_leave_a_list_of_one_out_and_name_the_type_with_its_sign() -> None:
    plain = event(sourceList=owned()["sourceList"][0], quantityList=event()["quantityList"][0])
    plain["@type"] = "epcis:" + plain.pop("type")
    (receipt,) = shown(read(plain))
    assert (receipt["supplier"], receipt["lines"][0]["quantity"]) == ("9501101020016", "200.5")


def test_an_event_without_an_id_is_named_by_what_it_says() -> None:
    bare = event()
    del bare["eventID"]
    named = [
        row["fact"] for row in shown(read(bare, dict(reversed(bare.items())) | {"recordTime": "2026-01-15T00:00:00Z"}))
    ]
    assert named[0] == named[1]
    (other,) = shown(read(bare | {"eventTime": "2026-01-14T10:00:01+02:00"}))
    assert other["fact"] not in named


def test_a_time_without_offset_has_that_of_its_own_member() -> None:
    (taken,) = events_of(read(event(eventTime="2026-01-14T10:00:00")))
    assert taken.time.isoformat() == "2026-01-14T08:00:00+00:00"


@pytest.mark.parametrize(
    ("members", "reason", "field"),
    [
        ({"errorDeclaration": {"declarationTime": "2026-01-15T00:00:00Z"}}, "error_declaration", "errorDeclaration"),
        ({"action": "DELETE"}, "receipt_deleted", "action"),
        ({"action": None}, "missing_field", "action"),
        ({"eventTime": "14.01.2026"}, "bad_time", "eventTime"),
        ({"eventTime": "2026-01-14T10:00:00", "eventTimeZoneOffset": None}, "bad_time", "eventTime"),
        ({"quantityList": [{"epcClass": CLASS}]}, "missing_quantity", "quantityList[0].quantity"),
        ({"quantityList": [{"epcClass": CLASS, "quantity": "five"}]}, "bad_quantity", "quantityList[0].quantity"),
        ({"quantityList": [{"epcClass": CLASS, "quantity": -5}]}, "negative_quantity", "quantityList[0].quantity"),
        ({"quantityList": [{"quantity": 5}]}, "no_item", "quantityList[0].epcClass"),
        ({"quantityList": 5}, "wrong_type", "quantityList"),
        ({"type": None}, "missing_field", "type"),
        ({"quantityList": None, "epcList": ["urn:epc:id:sscc:9501101.0000000001"]}, "contents_unknown", "epcList"),
    ],
)
def test_what_is_wrong_with_an_event_is_said_and_the_others_are_taken(members: Json, reason: str, field: str) -> None:
    found = read(event(**members), event(eventID="urn:uuid:2"))
    assert [(piece.where, piece.reason, piece.field) for piece in refusals(found)] == [("event 1", reason, field)]
    assert len(data_of(found)) == 1


def test_events_of_no_stock_are_ignored_by_their_type_or_step() -> None:
    found = read(
        event(type="AggregationEvent"), event(type="AssociationEvent"), event(bizStep="packing"), event(quantityList=[])
    )
    assert [reason for _, reason in ignored(found)] == [
        "event_type:AggregationEvent",
        "event_type:AssociationEvent",
        "biz_step:packing",
        "no_goods",
    ]


@pytest.mark.parametrize(
    "document",
    [
        event(),
        [event()],
        {"eventList": [event()]},
        {"type": "EPCISDocument", "epcisBody": {"event": event()}},
        {
            "type": "EPCISQueryDocument",
            "epcisBody": {"queryResults": {"resultsBody": {"eventList": [event(type="TransactionEvent")]}}},
        },
    ],
)
def test_documents_query_answers_lists_and_bare_events_are_read(document: object) -> None:
    assert len(data_of(pieces(read_epcis, json.dumps(document).encode()))) == 1


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "not_json"),
        (b"// comment\n{}", "not_json"),
        (b"{}", "not_epcis"),
        (b"3", "not_epcis"),
        (b'{"type": "EPCISDocument"}', "not_epcis"),
        (b'<EPCISDocument xmlns="urn:epcglobal:epcis:xsd:2"/>', "xml_not_read"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><epcis:EPCISDocument/>', "xml_not_read"),
        (b'{"a": 1, "a": 2}', "not_json"),
        (b"\xff\xfe{\x00", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"\x1f\x8b\x08", "compressed"),
        (b" ", "empty_file"),
    ],
)
def test_what_is_no_epcis_is_rejected(raw: bytes, reason: str) -> None:
    with pytest.raises(Rejected) as caught:
        pieces(read_epcis, raw)
    assert caught.value.reason == reason


def test_an_empty_list_of_events_is_not_silence() -> None:
    assert ignored(pieces(read_epcis, b"[]")) == [("file", "no_events")]
