from decimal import Decimal

import pytest

from producers.normalising import Rejected
from producers.warehouse.edi.edifact import read_edifact
from schemas.inventory import ReceiptPosted
from tests.unit.producers.warehouse.reading_files import (
    OUR_GLN,
    data_of,
    edifact,
    events_of,
    ignored,
    made,
    pieces,
    refusals,
    shown,
)

HEAD = ("BGM+632+RA-1+9", "DTM+50:20260114:102", "RFF+ON:PO-1")
LINE = ("LIN+1++9506000134352:EN", "PIA+1+A:IN")


def test_a_receipt_counts_what_was_accepted() -> None:
    found = pieces(read_edifact, made("edifact-recadv.edi"), bad_lines="rest")
    (receipt,) = data_of(found)
    assert isinstance(receipt, ReceiptPosted)
    assert receipt.fact == "edifact:9501101020016:recadv:RA-4711"
    assert (receipt.order, receipt.supplier, str(receipt.day)) == ("PO-4502", "9501101020016", "2026-01-14")
    first, second = receipt.lines
    assert (first.item, first.quantity, first.rejected, first.short, first.lot) == (
        *("BEAN-A", Decimal(95), Decimal(3), Decimal(2)),
        "LOT-5",
    )
    assert (str(first.expires), first.place, first.unit) == ("2027-06-30", "9501101530010", "PCE")
    assert (second.item, str(second.quantity), second.unit, second.rejected) == ("CAF'E-1", "7.5", "KGM", None)
    assert [(piece.where, piece.reason) for piece in refusals(found)] == [("segment 24 (LIN)", "no_received_quantity")]


def test_levels_are_counts_at_the_end_of_their_day_and_a_decimal_comma_is_that_of_una() -> None:
    found = pieces(read_edifact, made("edifact-invrpt.edi"))
    assert [(row["item"], row["counted"], row["reason"], row["place"]) for row in shown(found)] == [
        ("BEAN-A", "97", "level", "9501101530010"),
        ("9506000134369", "12.5", "level", "9501101530010"),
    ]
    assert [piece.reason for piece in refusals(found)] == ["no_on_hand_quantity"]
    assert events_of(found)[0].time.isoformat() == "2026-01-14T23:59:59+00:00"


@pytest.mark.parametrize(
    ("quantities", "quantity", "rejected", "short", "over"),
    [
        (["QTY+48:10"], "10", None, None, None),
        (["QTY+194:9"], "9", None, None, None),
        (["QTY+48:10", "QTY+194:9"], "9", "1", None, None),
        (["QTY+46:8", "QTY+12:10"], "8", None, "2", None),
        (["QTY+21:12", "QTY+12:10", "QTY+48:10"], "10", None, "2", None),
        (["QTY+21:8", "QTY+48:10"], "10", None, None, "2"),
        (["QTY+48:10", "QVR+-3:21"], "10", None, "3", None),
        (["QTY+48:10", "QVR+4:21"], "10", None, None, "4"),
        (["QTY+48:10", "QVR+7300"], "10", None, None, None),
        (["QTY+48:100", "QVR+40:195+AC"], "60", "40", None, None),
        (["QTY+48:100", "QVR+-40:124++BN"], "60", "40", None, None),
        (["QTY+46:100", "QTY+195:5", "QTY+196:3"], "92", "8", None, None),
        (["QTY+48:100", "QTY+195:5", "QVR+-5:195"], "95", "5", None, None),
        (["QTY+194:95", "QTY+195:5"], "95", "5", None, None),
        (["QTY+194:95", "QTY+12:100", "QVR+-5:12+AF"], "95", "5", None, None),
        (["QTY+48:10", "QVR+2:119"], "10", None, "2", None),
        (["QTY+48:10", "QVR+2:121"], "10", None, None, "2"),
    ],
)
def test_received_accepted_despatched_and_ordered_make_one_line(
    quantities: list[str], quantity: str, rejected: str | None, short: str | None, over: str | None
) -> None:
    (receipt,) = shown(pieces(read_edifact, edifact("RECADV", *HEAD, *LINE, *quantities)))
    (line,) = receipt["lines"]
    assert [line["quantity"], *map(line.get, ("rejected", "short", "over"))] == [quantity, rejected, short, over]


@pytest.mark.parametrize("quantity", ["1.5", "1.000,5", "1,000,5"])
def test_only_the_decimal_mark_that_is_declared_is_read(quantity: str) -> None:
    raw = edifact("RECADV", *HEAD, *LINE, f"QTY+48:{quantity}")
    assert [piece.reason for piece in refusals(pieces(read_edifact, raw, decimal_mark=","))] == ["bad_quantity"]
    comma = edifact("RECADV", *HEAD, *LINE, "QTY+48:1,5")
    assert shown(pieces(read_edifact, comma, decimal_mark=","))[0]["lines"][0]["quantity"] == "1.5"


def test_the_release_character_keeps_separators_in_texts() -> None:
    body = ("BGM+632+R?+A??1?'x+9", *HEAD[1:], "LIN+1", "PIA+1+A?:B:IN", "QTY+48:1")
    (receipt,) = shown(pieces(read_edifact, edifact("RECADV", *body)))
    assert (receipt["receipt"], receipt["lines"][0]["item"]) == ("R+A?1'x", "A:B")


def test_other_signs_of_una_are_used_and_one_without_release_character() -> None:
    raw = edifact("RECADV", *HEAD, *LINE, "QTY+48:1").decode()
    table = str.maketrans({"+": "*", ":": ">", "'": "~"})
    other = "UNA>*. ~" + "~" + raw.split("'", 1)[1].translate(table)
    assert shown(pieces(read_edifact, other.replace("UNA>*. ~~", "UNA>*.  ~").encode())) == shown(
        pieces(read_edifact, raw.encode())
    )


def test_without_una_the_usual_signs_hold() -> None:
    raw = edifact("RECADV", *HEAD, *LINE, "QTY+48:1", una="")
    assert len(data_of(pieces(read_edifact, raw))) == 1


def test_the_character_set_is_that_of_unb_or_the_one_that_is_set() -> None:
    body = (*HEAD, "LIN+1", "PIA+1+BÉ:IN", "QTY+48:1")
    (receipt,) = shown(pieces(read_edifact, edifact("RECADV", *body)))
    assert receipt["lines"][0]["item"] == "BÉ"
    with pytest.raises(Rejected) as caught:
        pieces(read_edifact, edifact("RECADV", *body, charset="UNOA:2"))
    assert (caught.value.reason, caught.value.field) == ("encoding", "segment 7")
    assert shown(pieces(read_edifact, edifact("RECADV", *body, charset="UNOA:2"), encoding="latin-1")) == [receipt]


def test_several_interchanges_each_with_its_una_are_read() -> None:
    found = pieces(read_edifact, made("edifact-recadv.edi") + made("edifact-invrpt.edi"), bad_lines="rest")
    assert len(data_of(found)) == 3


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("UNZ+1+", "UNZ+2+", "control_count"),
        ("UNZ+1+REF77", "UNZ+1+REF78", "control_number"),
    ],
)
def test_wrong_control_counts_reject_the_file_or_warn(old: str, new: str, reason: str) -> None:
    raw = made("edifact-recadv.edi").replace(old.encode(), new.encode())
    with pytest.raises(Rejected) as caught:
        pieces(read_edifact, raw)
    assert caught.value.reason == reason
    lenient = pieces(read_edifact, raw, control_counts="warn")
    assert refusals(lenient)[0].reason == f"warning:{reason}"
    assert shown(lenient) == shown(pieces(read_edifact, made("edifact-recadv.edi")))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"UNH+1+RECADV:D:01B:UN'BGM+632+1'UNT+3+1'", "no_envelope"),
        (made("edifact-recadv.edi").replace(b"UNZ+1+REF77'", b""), "unclosed"),
        (made("edifact-recadv.edi").replace(b"UNT+26+1'", b""), "bad_envelope"),
        (made("edifact-recadv.edi").replace(b"UNH+1+", b"XYZ+1+"), "bad_envelope"),
        (made("edifact-recadv.edi").replace(b"UNA:+.? '", b"UNA::.? '"), "bad_una"),
        (made("edifact-recadv.edi").replace(b"UNA:+.? '", b"UNA:+;? '"), "bad_una"),
        (made("edifact-recadv.edi").replace(b"UNOC:3", b"UNOX:3").replace(b"RA-4711", b"RA-\xe9"), "encoding"),
        (made("edifact-recadv.edi").replace(b"UNOC:3", b"UNOX:3").replace(b"RA-4711", b"RA-\x1b$B"), "encoding"),
        (made("edifact-recadv.edi").replace(b"CPS+1", b"cps+1"), "bad_segment"),
        (b"UNB'", "encoding"),
        (b"UNA", "bad_una"),
        (made("edifact-recadv.edi").decode("latin-1").encode("utf-16"), "encoding"),
        (b"\n", "empty_file"),
        (b"BZh91AY", "compressed"),
    ],
)
def test_a_file_that_is_no_whole_interchange_is_rejected(raw: bytes, reason: str) -> None:
    with pytest.raises(Rejected) as caught:
        pieces(read_edifact, raw)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("body", "where", "reason"),
    [
        ((*HEAD, *LINE, "QTY+48:1,5"), "segment 6 (LIN)", "bad_quantity"),
        ((*HEAD, *LINE, "QTY+48:1", "QTY+48:2"), "segment 6 (LIN)", "several_quantities"),
        ((*HEAD, *LINE, "QTY+48:1", "QTY+194:2"), "segment 6 (LIN)", "accepted_exceeds_received"),
        ((*HEAD, *LINE, "QTY+48:9", "QTY+194:5", "QTY+195:2"), "segment 6 (LIN)", "quantities_disagree"),
        ((*HEAD, *LINE, "QTY+48:9", "QVR+10:195"), "segment 6 (LIN)", "rejected_exceeds_received"),
        ((*HEAD, *LINE, "QTY+48:9", "QVR+-1:12+AF"), "segment 6 (LIN)", "in_question"),
        ((*HEAD, *LINE, "QTY+48:9:PCE", "QTY+194:1:CT"), "segment 6 (LIN)", "units_differ"),
        ((*HEAD, *LINE, "QTY+48:-9"), "segment 6 (LIN)", "negative_quantity"),
        (HEAD, "segment 2 (UNH)", "no_lines"),
        (("BGM+632+RA-1+3", *HEAD[1:], *LINE, "QTY+48:1"), "segment 2 (UNH)", "cancellation"),
        ((*HEAD, "LIN+1", "QTY+48:1"), "segment 6 (LIN)", "no_item"),
        ((*HEAD, *LINE, "QTY+48:1", "CNT+2:2"), "segment 2 (UNH)", "totals_disagree"),
        (("BGM+632+RA-1+1", *HEAD[1:], *LINE, "QTY+48:1"), "segment 2 (UNH)", "cancellation"),
        ((HEAD[0], "DTM+50:20260231:102", *LINE, "QTY+48:1"), "segment 2 (UNH)", "bad_date"),
        ((HEAD[0], "DTM+50:202603:616", *LINE, "QTY+48:1"), "segment 2 (UNH)", "bad_date"),
        ((HEAD[0], *LINE, "QTY+48:1"), "segment 2 (UNH)", "missing_date"),
        ((HEAD[1], *LINE, "QTY+48:1"), "segment 2 (UNH)", "missing_segment"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_reason(body: tuple[str, ...], where: str, reason: str) -> None:
    found = pieces(read_edifact, edifact("RECADV", *body))
    assert [(piece.where, piece.reason) for piece in refusals(found)] == [(where, reason)]
    assert data_of(found) == []


@pytest.mark.parametrize(("trailer", "reason"), [(b"UNT+26+1'", "control_count"), (b"UNT+8+9'", "control_number")])
def test_a_message_whose_own_count_is_wrong_is_refused_and_the_others_are_read(trailer: bytes, reason: str) -> None:
    raw = edifact("RECADV", *HEAD, *LINE, "QTY+48:1")
    second = raw[raw.index(b"UNH") : raw.index(b"UNZ")].replace(b"UNH+1+", b"UNH+2+").replace(b"UNT+8+1", b"UNT+8+2")
    raw = raw.replace(b"UNT+8+1'", trailer).replace(b"UNZ+1+", second.replace(b"RA-1", b"RA-2") + b"UNZ+2+")
    found = pieces(read_edifact, raw)
    assert [(piece.where, piece.reason) for piece in refusals(found)] == [("segment 9 (UNT)", reason)]
    assert [row["receipt"] for row in shown(found)] == ["RA-2"]
    lenient = pieces(read_edifact, raw, control_counts="warn")
    assert refusals(lenient)[0].reason == f"warning:{reason}"
    assert [row["receipt"] for row in shown(lenient)] == ["RA-1", "RA-2"]


def test_a_bad_line_does_not_rename_the_receipts_of_two_orders() -> None:
    lines = ("LIN+1++A:IN", "QTY+48:1", "RFF+ON:PO-1", "LIN+2++B:IN", "QTY+48:x", "RFF+ON:PO-2")
    (receipt,) = shown(pieces(read_edifact, edifact("RECADV", *HEAD[:2], *lines), bad_lines="rest"))
    assert receipt["fact"].endswith(":RA-1:PO-1")


def test_a_level_belongs_to_the_place_of_its_line_and_one_told_twice_is_none() -> None:
    body = ["BGM+35+I-1+9", "DTM+137:20260114:102", "LIN+1++A:IN", "QTY+145:5", "LOC+18+W1", "LIN+2++A:IN"]
    body += ("QTY+145:6", "LOC+18+W2", "LIN+3++B:IN", "QTY+145:1", "LIN+4++B:IN", "QTY+145:1")
    found = pieces(read_edifact, edifact("INVRPT", *body))
    assert [(row["item"], row["place"], row["counted"]) for row in shown(found)] == [("A", "W1", "5"), ("A", "W2", "6")]
    assert [piece.reason for piece in refusals(found)] == ["counted_twice", "counted_twice"]


def test_a_month_is_no_expiry_date_and_no_reason_to_refuse_goods() -> None:
    (receipt,) = shown(pieces(read_edifact, edifact("RECADV", *HEAD, *LINE, "QTY+48:1", "DTM+361:202703:610")))
    assert "expires" not in receipt["lines"][0]


def test_a_character_set_that_is_not_known_matters_only_past_ascii() -> None:
    raw = edifact("RECADV", *HEAD, *LINE, "QTY+48:1", charset="IATB:1")
    assert len(data_of(pieces(read_edifact, raw))) == 1


def test_copies_other_messages_and_what_others_received_are_ignored_by_name() -> None:
    copy = edifact("RECADV", "BGM+632+RA-1+7", *HEAD[1:], *LINE, "QTY+48:1")
    theirs = edifact("RECADV", *HEAD, f"NAD+SU+{OUR_GLN}::9", *LINE, "QTY+48:1")
    assert ignored(pieces(read_edifact, copy)) == [("segment 3 (BGM)", "copy")]
    assert ignored(pieces(read_edifact, theirs, ours=[OUR_GLN])) == [("segment 3 (BGM)", "received_by_others")]
    assert ignored(pieces(read_edifact, edifact("ORDERS", "BGM+220+1"))) == [("segment 2 (UNH)", "message:ORDERS")]


def test_a_test_interchange_posts_only_where_that_is_set() -> None:
    raw = edifact("RECADV", *HEAD, *LINE, "QTY+48:1").replace(b"+REF77'\nUNH", b"+REF77++++++1'\nUNH")
    assert ignored(pieces(read_edifact, raw)) == [("segment 2 (UNH)", "test_interchange")]
    assert len(data_of(pieces(read_edifact, raw, post_tests=True))) == 1


def test_only_senders_and_receivers_that_are_named_are_taken() -> None:
    raw = edifact("RECADV", *HEAD, *LINE, "QTY+194:5")
    assert len(events_of(pieces(read_edifact, raw, senders=[OUR_GLN], receivers=["9501101020016"]))) == 1
    with pytest.raises(Rejected, match=f"says {OUR_GLN}, which the option senders does not name") as caught:
        pieces(read_edifact, raw, senders=["9501101020016"])
    assert caught.value.reason == "sender_not_allowed"
    with pytest.raises(Rejected) as caught:
        pieces(read_edifact, raw, receivers=[OUR_GLN])
    assert caught.value.reason == "receiver_not_allowed"
