import pytest

from producers.normalising import Refused, Rejected
from producers.warehouse.edi.x12 import read_x12
from producers.warehouse.edi.x12_fields import X12
from schemas.inventory import ReceiptPosted, StockAdjusted, StockCounted
from tests.unit.producers.warehouse.reading_files import (
    data_of,
    events_of,
    ignored,
    made,
    pieces,
    refusals,
    shown,
    x12,
)

W17 = "W17*F*20260114*RCV-1*PO-1"
W15 = "W15*20260114*ADJ-1"
W06 = "W06*F*SO-1*20260115*SHP-1"
BRA = "BRA*RA-1*20260115*00*2"
BIA = "BIA*00*SI*INV-1*20260115"


def test_a_warehouse_receipt_counts_what_came_in_good() -> None:
    found = pieces(read_x12, made("x12-944.edi"))
    (receipt,) = data_of(found)
    assert isinstance(receipt, ReceiptPosted)
    assert receipt.fact == "x12:3PLWEST:944:RCV-7781"
    assert (receipt.order, receipt.receipt, receipt.supplier) == ("PO-4500", "RCV-7781", "V-17")
    assert [(line.item, str(line.quantity), line.unit, line.lot) for line in receipt.lines] == [
        ("BEAN-A", "96", "CA", "LOT-5"),
        ("BEAN-B", "50", "EA", "LOT-6"),
    ]
    assert [(line.rejected, line.short, line.unit_cost) for line in receipt.lines] == [
        (4, None, None),
        (None, 10, None),
    ]
    (event,) = events_of(found)
    assert (event.source, event.subject, event.time.isoformat()) == (
        "/warehouse/x12",
        "PO-4500",
        "2026-01-14T12:00:00+00:00",
    )


def test_adjustments_have_the_reason_of_the_public_code_list_and_keep_the_code_that_has_none() -> None:
    found = pieces(read_x12, made("x12-947.edi"))
    assert [(row["item"], row["delta"], row["reason"], row.get("lot")) for row in shown(found)] == [
        ("BEAN-A", "-3", "stocktake", "LOT-5"),
        ("012345678905", "-2", "damaged", None),
        ("BEAN-B", "5", "customer_return", None),
        ("TIN-9", "1", "x12:AH", "LOT-9"),
    ]
    assert ignored(found) == [("segment 9 (W19)", "status_change:05")]
    assert [row["fact"] for row in shown(found)][-1] == "x12:3PLWEST:947:ADJ-31:5"


def test_a_reason_of_ones_own_replaces_that_of_the_table() -> None:
    found = pieces(read_x12, made("x12-947.edi"), reasons={"AH": "shrinkage", "05": "quality"})
    assert [row["reason"] for row in shown(found)] == [
        "stocktake",
        "damaged",
        "customer_return",
        "quality",
        "shrinkage",
    ]


def test_a_receiving_advice_posts_its_good_lines_and_leaves_the_contested_to_a_person() -> None:
    found = pieces(read_x12, made("x12-861.edi"), item_qualifiers="BP", bad_lines="rest")
    (receipt,) = data_of(found)
    assert isinstance(receipt, ReceiptPosted)
    assert [(line.line, line.item, str(line.quantity), line.short) for line in receipt.lines] == [
        ("1", "BEAN-A", "40", None),
        ("2", "BEAN-B", "10", None),
        ("2:returned", "BEAN-B", "-2", None),
        ("4", "BEAN-D", "20", 3),
    ]
    assert (receipt.order, str(receipt.day)) == ("PO-4501", "2026-01-14")
    assert [(piece.where, piece.reason) for piece in refusals(found)] == [("segment 14 (RCD)", "in_question")]


def test_a_shipment_leaves_the_stock_with_other_separators_and_line_ends() -> None:
    found = pieces(read_x12, made("x12-945.edi"))
    assert [(row["item"], row["delta"], row["reason"]) for row in shown(found)] == [
        ("BEAN-A", "-12", "shipment"),
        ("001234567890", "-8", "shipment"),
    ]
    assert ignored(found) == [("segment 8 (W12)", "nothing_shipped")]


def test_a_level_is_what_is_on_hand_and_nothing_else() -> None:
    found = pieces(read_x12, made("x12-846.edi"))
    counts = data_of(found)
    assert all(isinstance(count, StockCounted) and count.reason == "level" for count in counts)
    assert [(row["item"], row["counted"]) for row in shown(found)] == [("BEAN-A", "97"), ("TIN-9", "0")]
    assert [piece.reason for piece in refusals(found)] == ["no_on_hand_quantity"]
    assert events_of(found)[0].time.isoformat() == "2026-01-15T23:59:59+00:00"
    both = pieces(read_x12, made("x12-846.edi"), level_qualifiers=["17", "33"])
    assert [row["counted"] for row in shown(both)] == ["97", "12", "0"]


def test_the_same_file_gives_the_same_events_and_another_version_the_same_fact() -> None:
    (first,) = events_of(pieces(read_x12, x12("RE", "944", W17, "W07*5*EA**VN*A")))
    (again,) = events_of(pieces(read_x12, x12("RE", "944", W17, "W07*5*EA**VN*A")))
    (changed,) = events_of(pieces(read_x12, x12("RE", "944", W17, "W07*6*EA**VN*A")))
    assert first == again
    assert (first.data.fact, first.id) != (changed.data.fact, changed.id)
    assert first.data.fact == changed.data.fact


def test_documents_without_a_number_are_named_by_what_they_say() -> None:
    one = x12("AW", "947", "W15*20260114", "W19*AA*1*EA**VN*A").decode()
    two = one.replace("\nST*", "\nST*947*0001~W15*20260114~W19*AA*1*EA**VN*A~SE*4*0001~ST*").replace("GE*1", "GE*2")
    facts = [row["fact"] for row in shown(pieces(read_x12, two.encode()))]
    assert len(set(facts)) == 2
    assert facts[0] == shown(pieces(read_x12, one.encode()))[0]["fact"]
    assert facts[1].removesuffix(":2:1") == facts[0].removesuffix(":1")


def test_several_interchanges_groups_and_sets_are_read_one_after_the_other() -> None:
    both = pieces(read_x12, made("x12-944.edi") + made("x12-947.edi") + b"\r\n" + made("x12-861.edi"), bad_lines="rest")
    assert [type(data) for data in data_of(both)] == [ReceiptPosted, *[StockAdjusted] * 4, ReceiptPosted]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("GE*1*", "GE*2*", "control_count"),
        ("GE*1*7", "GE*1*8", "control_number"),
        ("IEA*1*", "IEA*x*", "control_count"),
        ("IEA*1*000000101", "IEA*1*000000102", "control_number"),
    ],
)
def test_wrong_control_counts_reject_the_file_or_warn(old: str, new: str, reason: str) -> None:
    raw = made("x12-944.edi").replace(old.encode(), new.encode())
    with pytest.raises(Rejected) as caught:
        pieces(read_x12, raw)
    assert caught.value.reason == reason
    lenient = pieces(read_x12, raw, control_counts="warn")
    assert [piece.reason for piece in refusals(lenient)] == [f"warning:{reason}"]
    assert shown(lenient) == shown(pieces(read_x12, made("x12-944.edi")))


@pytest.mark.parametrize(
    ("old", "new", "reason", "said"),
    [
        (b"SE*5*0001", b"SE*14*0001", "control_count", "SE01 says 14 segments, and 5 are there"),
        (b"SE*5*0001", b"SE*5*0009", "control_number", "SE02 is not what ST02 says in segment 3 (ST)"),
    ],
)
def test_a_set_whose_own_count_is_wrong_is_refused_and_the_others_are_read(
    old: bytes, new: bytes, reason: str, said: str
) -> None:
    raw = x12("IB", "846", BIA, "LIN**VN*A", "QTY*17*1").replace(
        b"GE*1*7", b"ST*846*2~" + f"{BIA}~LIN**VN*B~QTY*17*5~".encode() + b"SE*5*2~\nGE*2*7"
    )
    found = pieces(read_x12, raw.replace(old, new))
    assert [(piece.where, piece.reason, piece.message) for piece in refusals(found)] == [
        ("segment 7 (SE)", reason, said)
    ]
    assert [row["item"] for row in shown(found)] == ["B"]
    lenient = pieces(read_x12, raw.replace(old, new), control_counts="warn")
    assert [piece.reason for piece in refusals(lenient)] == [f"warning:{reason}"]
    assert [row["item"] for row in shown(lenient)] == ["A", "B"]


def test_a_wrong_functional_group_is_a_warning_only() -> None:
    found = pieces(read_x12, x12("SH", "944", W17, "W07*5*EA**VN*A"))
    assert [piece.reason for piece in refusals(found)] == ["warning:functional_id"]
    assert len(data_of(found)) == 1


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"ST*944*0001~W17*F*20260114*R~SE*3*0001~", "no_envelope"),
        (b"GS*RE*A*B*20260115*0930*7*X*004010~ST*944*0001~", "no_envelope"),
        (made("x12-944.edi").replace(b"GS*RE*3PLWEST*ACME*20260115*0930*7*X*004010~\n", b""), "no_envelope"),
        (made("x12-944.edi").replace(b"IEA*1*000000101~", b""), "unclosed"),
        (made("x12-944.edi")[:300], "unclosed"),
        (made("x12-944.edi").replace(b"GE*1*7~\n", b""), "bad_envelope"),
        (made("x12-944.edi").replace(b"SE*15*0001~\n", b""), "bad_envelope"),
        (made("x12-944.edi").replace(b"3PLWEST        ", b"3PLWEST"), "bad_isa"),
        (made("x12-944.edi").replace(b"*P*>~", b"*P**~"), "bad_isa"),
        (made("x12-944.edi").replace(b"Green", b"Gr\xe9en"), "encoding"),
        (made("x12-944.edi").replace(b"\nG69*", b"\n?!*"), "bad_segment"),
        (b"hello", "no_envelope"),
        (b"  \n", "empty_file"),
        (b"PK\x03\x04rest", "compressed"),
        (b"\x1f\x8b\x08rest", "compressed"),
        (made("x12-944.edi").decode().encode("utf-16"), "encoding"),
        (made("x12-944.edi").decode().encode("utf-16-le"), "encoding"),
    ],
)
def test_a_file_that_is_no_whole_interchange_is_rejected_before_anything_is_given(raw: bytes, reason: str) -> None:
    with pytest.raises(Rejected) as caught:
        pieces(read_x12, raw)
    assert caught.value.reason == reason


def test_a_file_in_latin_1_is_read_where_that_is_set() -> None:
    raw = made("x12-944.edi").replace(b"VN*BEAN-A", b"VN*B\xc9AN-A")
    assert shown(pieces(read_x12, raw, encoding="latin-1"))[0]["lines"][0]["item"] == "BÉAN-A"


def test_a_file_past_the_cap_is_rejected() -> None:
    with pytest.raises(Rejected) as caught:
        pieces(read_x12, made("x12-944.edi"), max_bytes=100)
    assert caught.value.reason == "too_large"


def test_unknown_settings_are_named() -> None:
    with pytest.raises(Rejected) as caught:
        pieces(read_x12, made("x12-944.edi"), control_count="warn")
    assert (caught.value.reason, caught.value.field) == ("bad_options", "options.control_count")


@pytest.mark.parametrize(
    ("kind", "body", "where", "reason", "field"),
    [
        ("944", [W17, "W07*1,5*EA**VN*A"], "segment 5 (W07)", "bad_quantity", "W0701"),
        ("944", [W17, "W07*1.000,5*EA**VN*A"], "segment 5 (W07)", "bad_quantity", "W0701"),
        ("944", [W17, "W07**EA**VN*A"], "segment 5 (W07)", "missing_quantity", "W0701"),
        ("944", [W17, "W07*5*EA**ZZ*A"], "segment 5 (W07)", "no_item", "W07"),
        ("944", [W17, "W07*5*EA**VN*A", "W13*6*EA*01"], "segment 5 (W07)", "rejected_exceeds_received", "W0701"),
        ("944", [W17, "W07*5*EA**VN*A", "W13*1*EA*13"], "segment 5 (W07)", "in_question", "W1303"),
        ("944", ["W17*F*20261301*R", "W07*5*EA**VN*A"], "segment 3 (ST)", "bad_date", "W1702"),
        ("944", ["W17*F**R", "W07*5*EA**VN*A"], "segment 3 (ST)", "missing_date", None),
        ("944", ["W17*F*20260114**PO-1", "W07*5*EA**VN*A"], "segment 3 (ST)", "no_number", "W1703"),
        ("944", ["N9*PO*1", "W07*5*EA**VN*A"], "segment 3 (ST)", "missing_segment", "W17"),
        ("944", [W17, "W07*5*EA**VN*A", "W14*6"], "segment 3 (ST)", "totals_disagree", "W1401"),
        ("944", [W17, "W07*5*CA**VN*A", "W13*1*EA*01"], "segment 5 (W07)", "units_differ", "W1302"),
        ("944", [W17, "W07*-5*EA**VN*A"], "segment 5 (W07)", "negative_quantity", "W0701"),
        ("944", [W17, "W07*5*EA*VN*ITEM-1"], "segment 5 (W07)", "no_item", "W07"),
        ("944", ["W17*P*20260114*R", "W07*5*EA**VN*A"], "segment 3 (ST)", "not_a_receipt", "W1701"),
        ("944", [W17], "segment 3 (ST)", "no_lines", "W07"),
        ("947", [W15, "W19*06*4*EA**VN*A"], "segment 5 (W19)", "sign_disagrees", "W1902"),
        ("947", [W15, "W19*AU*4*EA**VN*A"], "segment 5 (W19)", "sign_disagrees", "W1902"),
        ("947", [W15, "W19*51*-4*EA**VN*A"], "segment 5 (W19)", "sign_disagrees", "W1902"),
        ("947", [f"{W15}**01", "W19*AA*4*EA**VN*A"], "segment 3 (ST)", "cancellation", "W1504"),
        ("947", [W15, "W19**4*EA**VN*A"], "segment 5 (W19)", "missing_field", "W1901"),
        ("947", [W15, "W19*AA*0*EA**VN*A"], "segment 5 (W19)", "invalid_event", "delta"),
        ("947", [W15, "W19*AA*1.0000000001*EA**VN*A"], "segment 5 (W19)", "invalid_event", "delta"),
        ("945", [W06, "W12*CC*5*5*0*EA**VN*A", "W03*6"], "segment 3 (ST)", "totals_disagree", "W0301"),
        ("861", ["BRA*RA-1*20260115*01*2", "RCD**5*EA"], "segment 3 (ST)", "cancellation", "BRA03"),
        ("861", ["BRA*RA-1*20260115*03*2", "RCD**5*EA"], "segment 3 (ST)", "cancellation", "BRA03"),
        ("861", [f"{BRA}**01", "RCD**5*EA", "LIN**VN*A"], "segment 3 (ST)", "in_question", "BRA06"),
        ("861", ["BRA*00*RA-1*20260115", "DTM*050*20260115", "RCD**5*EA"], "segment 3 (ST)", "bad_date", "BRA02"),
        ("861", [BRA, "LIN*1*VN*A", "SN1**5*EA"], "segment 3 (ST)", "no_lines", "RCD"),
        ("861", [BRA, "RCD**5*EA"], "segment 5 (RCD)", "no_item", "RCD"),
        ("846", ["BIA*03*SI*INV-1*20260115", "LIN**VN*A", "QTY*17*1"], "segment 3 (ST)", "cancellation", "BIA01"),
        ("846", [BIA, "LIN**VN*A", "QTY*17*1", "QTY*17*2"], "segment 5 (LIN)", "several_quantities", "QTY01"),
        ("846", [BIA, "LIN**VN*A", "QTY*17*-1"], "segment 5 (LIN)", "invalid_event", "counted"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_field_and_reason(
    kind: str, body: list[str], where: str, reason: str, field: str | None
) -> None:
    found = pieces(read_x12, x12(X12.groups[kind], kind, *body))
    (refusal,) = refusals(found)
    assert (refusal.where, refusal.reason, refusal.field) == (where, reason, field)
    assert data_of(found) == []


def test_an_element_is_whole_though_it_holds_the_sign_of_components() -> None:
    (receipt,) = shown(pieces(read_x12, x12("RE", "944", W17, "W07*5*CA>1**VN*A>RED")))
    assert (receipt["lines"][0]["item"], receipt["lines"][0]["unit"]) == ("A>RED", "CA")


def test_an_interchange_without_a_component_separator_is_read() -> None:
    raw = x12("RE", "944", W17, "W07*5*EA**VN*A").replace(b"*P*>~", b"*P* ~")
    assert len(data_of(pieces(read_x12, raw))) == 1


def test_a_part_number_is_an_item_where_nothing_better_is_there() -> None:
    (receipt,) = shown(pieces(read_x12, x12("RE", "944", W17, "W07*5*EA**PN*P-1", "W07*5*EA**PN*P-2*UP*012345678905")))
    assert [line["item"] for line in receipt["lines"]] == ["P-1", "012345678905"]


def test_lines_of_two_orders_are_two_receipts_and_a_bad_line_does_not_rename_them() -> None:
    lines = ["W07*4*EA**VN*A", "N9*PO*PO-1", "W07*5*EA**VN*B", "N9*PO*PO-2"]
    whole = shown(pieces(read_x12, x12("RE", "944", W17, *lines, "W14*9")))
    assert [(row["fact"], row["order"]) for row in whole] == [
        ("x12:3PLWEST:944:RCV-1:PO-1", "PO-1"),
        ("x12:3PLWEST:944:RCV-1:PO-2", "PO-2"),
    ]
    lines[2] = "W07*x*EA**VN*B"
    assert shown(pieces(read_x12, x12("RE", "944", W17, *lines), bad_lines="rest")) == whole[:1]
    advice = ["RCD*1*4*EA", "LIN**VN*A*PO*PO-1", "RCD*2*x*EA", "LIN**VN*B*PO*PO-2"]
    (receipt,) = shown(pieces(read_x12, x12("RC", "861", BRA, *advice), bad_lines="rest"))
    assert receipt["fact"].endswith(":RA-1:PO-1")


def test_what_a_customer_returned_is_no_receipt_and_what_of_it_is_damaged_stays_sold() -> None:
    lines = ["W07*3*EA**SK*A", "W07*2*EA**SK*B", "W13*1*EA*01", "W07*1*EA**SK*C", "W13*1*EA*01"]
    found = pieces(read_x12, x12("RE", "944", "W17*C*20260114*RMA-5", *lines))
    assert [(row["fact"], row["item"], row["delta"], row["reason"]) for row in shown(found)] == [
        ("x12:3PLWEST:944:RMA-5:1", "A", "3", "customer_return"),
        ("x12:3PLWEST:944:RMA-5:2", "B", "1", "customer_return"),
    ]
    assert ignored(found) == [("segment 4 (W17)", "nothing_returned_good")]


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("944", ["W17*K*20260114*R", "W07*5*EA**VN*A"], "simulation"),
        ("945", ["W06*K*SO-1*20260115", "W12*CC*5*5*0*EA**VN*A"], "simulation"),
        ("945", [W06, "N1*CA*Carrier"], "no_lines"),
        ("947", [W15], "no_lines"),
        ("846", [BIA], "no_lines"),
        ("947", [f"{W15}**24", "W19*AA*1*EA**VN*A"], "purpose:24"),
        ("861", ["BRA*RA-1*20260115*22*2", "RCD**5*EA"], "purpose:22"),
        ("846", ["BIA*28*SI*INV-1*20260115", "LIN**VN*A", "QTY*17*1"], "purpose:28"),
    ],
)
def test_what_did_not_happen_posts_nothing_and_says_why(kind: str, body: list[str], reason: str) -> None:
    found = pieces(read_x12, x12(X12.groups[kind], kind, *body))
    assert ignored(found) == [(f"segment 4 ({body[0][:3]})", reason)]


def test_of_a_substitution_the_item_that_was_shipped_leaves_the_stock() -> None:
    lines = ["W12*IS*5*5*0*EA**UP*NEW*********VN*OLD", "W12*CC*5*5*0*EA**UP*012345678905*********VN*B"]
    assert [row["item"] for row in shown(pieces(read_x12, x12("SW", "945", W06, *lines)))] == ["NEW", "B"]


def test_a_level_belongs_to_the_place_of_its_line_and_one_told_twice_is_none() -> None:
    lines = ["LIN**VN*A", "QTY*17*5", "N1*WH*East*92*E", "LIN**VN*A", "QTY*17*6", "N1*WH*West*92*W"]
    twice = ["LIN**VN*B", "QTY*17*1", "LIN**VN*B", "QTY*17*2"]
    found = pieces(read_x12, x12("IB", "846", BIA, *lines, *twice))
    assert [(row["item"], row["place"], row["counted"]) for row in shown(found)] == [("A", "E", "5"), ("A", "W", "6")]
    assert [(piece.where, piece.reason) for piece in refusals(found)] == [
        ("segment 11 (LIN)", "counted_twice"),
        ("segment 13 (LIN)", "counted_twice"),
    ]


def test_a_bad_line_does_not_stop_the_good_ones_where_that_is_set() -> None:
    raw = x12("RE", "944", W17, "W07*x*EA**VN*A", "W07*2*EA**VN*B", "W14*99")
    found = pieces(read_x12, raw, bad_lines="rest")
    assert isinstance(found[0], Refused)
    assert [line["item"] for line in shown(found)[0]["lines"]] == ["B"]


def test_what_is_no_stock_is_ignored_by_its_number_and_a_test_by_its_mark() -> None:
    assert ignored(pieces(read_x12, x12("PO", "850", "BEG*00*SA*1"))) == [("segment 3 (ST)", "transaction_set:850")]
    trial = x12("RE", "944", W17, "W07*5*EA**VN*A", test="T")
    assert ignored(pieces(read_x12, trial)) == [("segment 3 (ST)", "test_interchange")]
    assert len(data_of(pieces(read_x12, trial, post_tests=True))) == 1


def test_dates_of_six_digits_and_of_eight_are_the_same_day() -> None:
    long, short = (x12("AW", "947", f"W15*{day}*N", "W19*AA*1*EA**VN*A") for day in ("20260114", "260114"))
    assert shown(pieces(read_x12, long)) == shown(pieces(read_x12, short))


def test_an_advice_over_several_orders_is_a_receipt_an_order() -> None:
    lines = ["RCD*1*4*EA", "LIN**VN*A", "REF*PO*PO-1", "RCD*2*5*EA", "LIN**VN*B", "REF*PO*PO-2"]
    found = shown(pieces(read_x12, x12("RC", "861", BRA, *lines)))
    assert [(row["fact"], row["order"], len(row["lines"])) for row in found] == [
        ("x12:3PLWEST:861:RA-1:PO-1", "PO-1", 1),
        ("x12:3PLWEST:861:RA-1:PO-2", "PO-2", 1),
    ]


def test_what_our_customer_received_from_us_is_no_receipt_of_ours() -> None:
    raw = x12("RC", "861", BRA, "N1*SU*Acme*92*ACME", "RCD*1*4*EA", "LIN**VN*A")
    assert ignored(pieces(read_x12, raw, ours=["ACME"])) == [("segment 4 (BRA)", "received_by_others")]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"senders": ["3PLWEST"], "receivers": ["ACME", "OTHER"]}, None),
        ({"senders": ["3PLEAST"]}, "sender_not_allowed"),
        ({"receivers": ["OTHER"]}, "receiver_not_allowed"),
    ],
)
def test_only_senders_and_receivers_that_are_named_are_taken(options: dict[str, list[str]], reason: str | None) -> None:
    raw = x12("AW", "947", W15, "W19*AJ*-1*EA**VN*A")
    if reason is None:
        assert len(events_of(pieces(read_x12, raw, **options))) == 1
        return
    with pytest.raises(Rejected, match="does not name") as caught:
        pieces(read_x12, raw, **options)
    assert caught.value.reason == reason


@pytest.mark.parametrize("element", [b"*3PLWEST        *", b"GS*AW*3PLWEST*"])
def test_neither_the_interchange_nor_the_group_may_be_of_a_stranger(element: bytes) -> None:
    raw = x12("AW", "947", W15, "W19*AJ*-1*EA**VN*A")
    with pytest.raises(Rejected, match="STRANGR"):
        pieces(read_x12, raw.replace(element, element.replace(b"3PLWEST", b"STRANGR")), senders=["3PLWEST"])
