"""One table of texts goes through every reader of a number: what is lenient is decided once, for all formats."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from producers.normalising import NormaliseContext, Refused, Rejected
from producers.payroll.amounts import amount_or_none
from producers.reading.fields import Fields
from producers.reading.numbers import NumberForm
from producers.sources import SOURCES
from schemas.event_data import EventData
from schemas.inventory import ReceiptPosted, StockAdjusted
from schemas.payroll import RunPaid
from tests.unit.producers.warehouse.cin7.test_cin7 import EXISTING, _adjustment
from tests.unit.producers.warehouse.epcis.test_epcis import CLASS, event
from tests.unit.producers.warehouse.reading_files import data_of, edifact, made, x12

NONE = None
TEXTS: dict[str, str | None] = {
    "5": "5",
    "+5": "5",
    "-5": "-5",
    "\u22125": "-5",
    "5-": "-5",
    "5\u2212": "-5",
    "(5)": "-5",
    "- 5": "-5",
    "5.": "5",
    ".5": "0.5",
    "0.25": "0.25",
    " 5 ": "5",
    "\u00a05": "5",
    "00123": "123",
    '="00123"': "123",
    "=\u201d00123\u201d": "123",
    '"00123"': NONE,
    "1e3": NONE,
    "1E+03": NONE,
    "0x10": NONE,
    "\uff15": NONE,
    "\u0665": NONE,
    "$5": NONE,
    "5 $": NONE,
    "\u20ac5": NONE,
    "USD 5": NONE,
    "5 EUR": NONE,
    "5%": NONE,
    "1,5": NONE,
    "1.234,56": NONE,
    "1'234.56": NONE,
    "1 234": NONE,
    "1,234.56": NONE,
    "1_000": NONE,
    "(5": NONE,
    "-5-": NONE,
    "(-5)": NONE,
    "--5": NONE,
    ".": NONE,
    "NaN": NONE,
    "Infinity": NONE,
    "five": NONE,
    "99999999999999999": NONE,
    "0.1234567890123": NONE,
}
NO_NUMBER = {"bad_number", "bad_quantity", "bad_amount", "shifted_columns"}
ADJUSTED = {"kind": "adjusted", "reason": "found"}
PAYROLL = {
    "provider": "acme",
    "thousands": "",
    "pay_date": "Paid",
    "run": "Run",
    "people": "Name",
    "amounts": {"Net": {"kind": "net_pay", "category": "Net"}, "Gross": {"kind": "wages", "category": "Gross"}},
}


def table(*rows: tuple[str, ...]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def of_file(source: str, raw: bytes, **options: object) -> list[EventData]:
    pieces = list(SOURCES[source].pieces(io.BytesIO(raw), NormaliseContext(company="acme", options=options)))
    for piece in pieces:
        if isinstance(piece, Refused) and not piece.is_warning:
            raise Rejected(piece.reason, piece.message, field=piece.field)
    return data_of(pieces)


def warehouse_csv(text: str) -> Decimal:
    rows = table(("item", "quantity", "day"), ("A", text, "2026-01-15"))
    return delta(of_file("warehouse-csv", rows, **ADJUSTED))


def warehouse_json(text: str) -> Decimal:
    rows = json.dumps([{"item": "A", "quantity": text, "day": "2026-01-15"}]).encode()
    return delta(of_file("warehouse-json", rows, **ADJUSTED))


def x12_947(text: str) -> Decimal:
    return delta(of_file("x12", x12("AW", "947", "W15*20260114", f"W19*AA*{text}*EA**VN*A")))


def edifact_recadv(text: str) -> Decimal:
    body = ("BGM+632+R1+9", "DTM+50:20260115:102", "RFF+ON:PO1", "LIN+1++A:SA")
    raw = edifact("RECADV", *body, "QTY+48:0005", charset="UNOY:4").decode("latin-1")
    escaped = "".join(f"?{sign}" if sign in "+:?'" else sign for sign in text)
    return received(of_file("edifact", raw.replace("0005", escaped).encode()))


def ubl(text: str) -> Decimal:
    raw = made("ubl-receipt-advice.xml").decode().replace(">1,5<", ">1<").replace(">12.25<", f">{text}<")
    receipts = [data for data in of_file("ubl", raw.encode()) if isinstance(data, ReceiptPosted)]
    return next(line.quantity for receipt in receipts for line in receipt.lines if line.item == "S-2")


def epcis(text: str) -> Decimal:
    found = of_file("epcis", json.dumps(event(quantityList=[{"epcClass": CLASS, "quantity": text}])).encode())
    return received(found)


def cin7(text: str) -> Decimal:
    document = _adjustment(EXISTING | {"QuantityOnHand": 0, "Adjustment": text})
    found = of_file("cin7", json.dumps(document).encode(), adjustment="change")
    return next(data.delta for data in found if isinstance(data, StockAdjusted) and data.item == "B1")


def payroll_csv(text: str) -> Decimal:
    rows = table(("Run", "Paid", "Name", "Gross", "Net"), ("r1", "2026-01-15", "Ann", text, text))
    (run,) = of_file("payroll-csv", rows, mapping=PAYROLL)
    assert isinstance(run, RunPaid)
    return next(line.amount.amount for line in run.lines if line.kind == "net_pay")


def payroll_json(text: str) -> Decimal:
    amount = amount_or_none(Fields({"net": text}), "net", currency="USD")
    assert amount is not None
    return amount


def delta(found: list[EventData]) -> Decimal:
    (data,) = found
    assert isinstance(data, StockAdjusted)
    return data.delta


def received(found: list[EventData]) -> Decimal:
    (data,) = found
    assert isinstance(data, ReceiptPosted)
    return data.lines[0].quantity


READERS: list[Callable[[str], Decimal]] = [
    warehouse_csv,
    warehouse_json,
    x12_947,
    edifact_recadv,
    ubl,
    epcis,
    cin7,
    payroll_csv,
    payroll_json,
]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize(("text", "number"), TEXTS.items(), ids=ascii)
def test_every_reader_says_the_same_of_a_text(read: Callable[[str], Decimal], text: str, number: str | None) -> None:
    try:
        found: Decimal | str = read(text)
    except Rejected as error:
        found = error.reason
    if number is None:
        assert found in NO_NUMBER
    elif Decimal(number) < 0:
        assert found not in NO_NUMBER  # not all formats have a place for less than nothing
        assert isinstance(found, str) or found == Decimal(number)
    elif number == "0.25" or Decimal(number) == Decimal(number).to_integral_value() or found != "bad_amount":
        assert found == Decimal(number)


@pytest.mark.parametrize(
    ("text", "form", "number"),
    [
        ("1.234,56", NumberForm(",", "."), "1234.56"),
        ("1'234.56", NumberForm(".", "'"), "1234.56"),
        ("1\u2019234.56", NumberForm(".", "'"), "1234.56"),
        ("1 234", NumberForm(",", " "), "1234"),
        ("1\u202f234,5", NumberForm(",", " "), "1234.5"),
        ("1,234", NumberForm(".", ","), "1234"),
        ("12,34", NumberForm(".", ","), None),
        ("5,", NumberForm(",", "."), "5"),
        ("5.", NumberForm(",", "."), None),
        ("$5", NumberForm(signs=("$",)), "5"),
        ("-$5", NumberForm(signs=("$",)), "-5"),
        ("$-5", NumberForm(signs=("$",)), "-5"),
        ("($5)", NumberForm(signs=("$",)), "-5"),
        ("5 $", NumberForm(signs=("$",)), "5"),
        ("USD 5", NumberForm(signs=("$", "USD")), "5"),
        ("US$5", NumberForm(signs=("$", "US$")), "5"),
        ("$5$", NumberForm(signs=("$",)), None),
        ("5$5", NumberForm(signs=("$",)), None),
        ("$", NumberForm(signs=("$",)), None),
    ],
    ids=ascii,
)
def test_separators_and_signs_are_those_that_are_declared(text: str, form: NumberForm, number: str | None) -> None:
    assert form.read(text) == (None if number is None else Decimal(number))


@pytest.mark.parametrize("cell", ['="00123"', "00123", "5-"])
def test_a_text_stays_as_it_is_written_so_that_a_row_keeps_its_name(cell: str) -> None:
    rows = table(("id", "item", "quantity", "day"), (cell, cell, "1", "2026-01-15"))
    [data] = of_file("warehouse-csv", rows, **ADJUSTED)
    assert isinstance(data, StockAdjusted)
    assert (data.fact, data.item) == (f"csv:adjusted:{cell}", cell)
