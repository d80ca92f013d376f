"""Files that somebody made to be slow or large, each as a function of its size, by name; and how they are measured.

Each was once quadratic somewhere, or is of the kind. `python -m tests.unit.producers.growing` measures them at many
times the size that the tests have time for.
"""

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from producers.normalising import NormaliseContext, Rejected
from producers.sources import SOURCES

_ISA: Final = (
    "ISA*00*          *00*          *ZZ*3PLWEST        *ZZ*ACME           *260115*0930*U*00401*000000101*0*P*>"
)
_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_ROWS: Final = {"kind": "adjusted", "columns": {"id": "document", "item": "sku", "quantity": "qty"}}
_PAY: Final[Mapping[str, Any]] = {
    "provider": "made",
    "pay_date": "Paid",
    "period": "Period",
    "run": ["Run"],
    "people": ["Who"],
    "amounts": {
        "Gross": {"kind": "wages", "category": "Gross"},
        "Extra *": {"kind": "deduction", "category": "*"},
        "Net": {"kind": "net_pay", "category": "Net"},
    },
}
_LEVEL: Final = {"inventory_item_id": 1, "location_id": 2, "available": 3, "updated_at": "2026-01-31T12:00:00Z"}


@dataclass(frozen=True, slots=True)
class Growing:
    """A kind of file: who reads it, with which options, and its bytes at a size of so many parts."""

    source: str
    made: Callable[[int], str]
    options: Mapping[str, Any]
    size: int = 1000


def _x12(functional_id: str, kind: str, *body: str) -> str:
    lines = [_ISA, f"GS*{functional_id}*3PLWEST*ACME*20260115*0930*7*X*004010", f"ST*{kind}*0001", *body]
    return "~".join([*lines, f"SE*{len(body) + 2}*0001", "GE*1*7", "IEA*1*000000101", ""])


def _edifact(kind: str, *body: str) -> str:
    lines = ["UNB+UNOC:3+A:14+B:14+260115:0930+REF77", f"UNH+1+{kind}:D:01B:UN", *body]
    return "'".join([*lines, f"UNT+{len(body) + 2}+1", "UNZ+1+REF77", ""])


def _epcis(*events: Mapping[str, Any], **more: object) -> str:
    return json.dumps({"type": "EPCISDocument", "epcisBody": {"eventList": list(events)}, **more})


def _event(**more: object) -> dict[str, Any]:
    event = {"type": "ObjectEvent", "eventTime": "2026-01-14T11:00:00Z", "action": "OBSERVE", "bizStep": "receiving"}
    return {**event, "quantityList": [{"epcClass": "urn:x:1", "quantity": 1}], **more}


def _ubl(kind: str, body: Iterable[str], root: str = "") -> str:
    names = f'xmlns="{_UBL}{kind}-2" xmlns:a="{_UBL}CommonAggregateComponents-2"'
    names += f' xmlns:b="{_UBL}CommonBasicComponents-2"'
    return f"<{kind} {names}{root}><b:ID>1</b:ID><b:IssueDate>2026-01-16</b:IssueDate>{''.join(body)}</{kind}>"


def _ubl_line(number: int) -> str:
    item = "<a:Item><a:BuyersItemIdentification><b:ID>A</b:ID></a:BuyersItemIdentification></a:Item>"
    order = f"<a:OrderLineReference><a:OrderReference><b:ID>{number}</b:ID></a:OrderReference></a:OrderLineReference>"
    return (
        f"<a:ReceiptLine><b:ID>{number}</b:ID><b:ReceivedQuantity>1</b:ReceivedQuantity>{order}{item}</a:ReceiptLine>"
    )


def _csv(rows: Iterable[str], header: str = "day,sku,qty,reason,document") -> str:
    return "\n".join([header, *rows, ""])


def _pay(rows: Iterable[str], header: str = "Who,Run,Paid,Period,Gross,Net") -> str:
    return "\n".join([header, *rows, ""])


def _person(number: int, *, run: str = "r1", gross: str = "2.00") -> str:
    return f"P{number},{run},2026-04-17,2026-04-01 to 2026-04-15,{gross},2.00"


def _of_list(items: Iterable[object]) -> str:
    return json.dumps(list(items))


_C: Final = _ROWS
_J: Final = {"kind": "adjusted", "columns": {"item": "sku", "quantity": "qty"}}
_P: Final = {"mapping": _PAY}
GROWING: Final[Mapping[str, Growing]] = {
    "csv: rows": Growing("warehouse-csv", lambda n: _csv(f"2026-03-01,S,-1,lost,{i}" for i in range(n)), _C, 200),
    "csv: refused rows": Growing("warehouse-csv", lambda n: _csv(f"x,S,y,lost,{i}" for i in range(n)), _C),
    "csv: rows too short": Growing("warehouse-csv", lambda n: "x\n".join([_csv(()), *[""] * n]), _C, 4000),
    "csv: blanks in a number": Growing("warehouse-csv", lambda n: _csv([f"2026-03-01,S,1{' ' * n}1,lost,1"]), _C, 8000),
    "csv: digits and blanks": Growing("warehouse-csv", lambda n: _csv([f"2026-03-01,S,{'1 ' * n}x,lost,1"]), _C, 8000),
    "csv: groups of thousands": Growing(
        "warehouse-csv",
        lambda n: _csv([f"2026-03-01,S,1{'.000' * n}x,lost,1"]),
        {**_C, "thousands": ".", "decimal": ","},
        8000,
    ),
    "csv: columns": Growing(
        "warehouse-csv",
        lambda n: _csv((), f"day,sku,qty,reason,document,{','.join(f'c{i}' for i in range(n))}"),
        {**_C, "ignored": ["*"]},
    ),
    "csv: one column again and again": Growing("warehouse-csv", lambda n: _csv((), "day,sku,qty" + ",sku" * n), _C),
    "csv: quotes never closed": Growing("warehouse-csv", lambda n: _csv(['"x'] * n), _C, 8000),
    "csv: empty lines": Growing("warehouse-csv", lambda n: _csv([""] * n), _C, 8000),
    "json: empty lists": Growing("warehouse-json", lambda n: "[" + "[]," * n + "[]]", _J, 3000),
    "json: lines never closed": Growing("warehouse-json", lambda n: '{"sku": [\n' * n, _J, 800),
    "json: lists in lists": Growing(
        "warehouse-json",
        lambda n: '{"rows": ' + "[" * 600 + "0," * n + "0" + "]" * 600 + "}",
        {**_J, "rows": "rows.x"},
        100,
    ),
    "json: keys": Growing("warehouse-json", lambda n: json.dumps([{f"k{i}": i for i in range(n)}]), _J, 8000),
    "json: digits": Growing("warehouse-json", lambda n: f'[{{"qty": 1{"0" * n}.5, "sku": 1}}]', _J, 30000),
    "documents: lines never closed": Growing("shopify", lambda n: '{"a": [1,\n' * n, {}, 400),
    "documents: lists never closed": Growing("shopify", lambda n: "[{},\n" * n, {}, 400),
    "documents: deep lines": Growing("shopify", lambda n: ("[" * 1500 + "\n") * n, {}, 20),
    "documents: a list": Growing("shopify", lambda n: _of_list([{"available": 1}] * n), {}, 300),
    "shopify: levels": Growing("shopify", lambda n: json.dumps({"inventory_levels": [_LEVEL] * n}), {}, 150),
    "cin7: lines never closed": Growing("cin7", lambda n: '{"a": [1,\n' * n, {}, 400),
    "cin7: lines": Growing(
        "cin7",
        lambda n: json.dumps(
            {
                "TaskID": "t",
                "Status": "COMPLETED",
                "EffectiveDate": "2026-01-01",
                "NewStockLines": [{"SKU": f"s{i}", "Quantity": 1} for i in range(n)],
                "Transactions": [{"Debit": "1: A", "Amount": 1}] * n,
            }
        ),
        {},
        150,
    ),
    "x12: elements of one LIN": Growing(
        "x12", lambda n: _x12("IB", "846", "BIA*00*SI*1*20260115", "LIN*1" + "*VN*A" * n, "QTY*17*1*EA"), {}, 800
    ),
    "x12: items": Growing(
        "x12",
        lambda n: _x12(
            "IB", "846", "BIA*00*SI*1*20260115", *[f"LIN*{i}*VN*A{i}~QTY*17*1*EA" for i in range(n)]
        ).replace(f"SE*{n + 3}", f"SE*{2 * n + 3}"),
        {},
        150,
    ),
    "x12: segments of one line": Growing(
        "x12", lambda n: _x12("IB", "846", "BIA*00*SI*1*20260115", "LIN*1*VN*A", *["QTY*17*1*EA"] * n), {}
    ),
    "x12: orders of one receipt": Growing(
        "x12",
        lambda n: _x12("RE", "944", "W17*F*20260114*R*P", *[f"W07*1*CA**VN*A~N9*PO*{i}" for i in range(n)]).replace(
            f"SE*{n + 3}", f"SE*{2 * n + 3}"
        ),
        {},
        200,
    ),
    "x12: references above many lines": Growing(
        "x12",
        lambda n: _x12("RC", "861", "BRA*R*20260115*00*2", *["REF*XX*1"] * n, *["RCD*1*1*EA"] * n),
        {},
        300,
    ),
    "x12: parties above many lines": Growing(
        "x12", lambda n: _x12("RC", "861", "BRA*R*20260115*00*2", *["N1*XX*1"] * n, *["RCD*1*1*EA"] * n), {}, 300
    ),
    "x12: terminators": Growing("x12", lambda n: _ISA + "~" * n + _x12("RE", "944")[106:], {}, 20000),
    "x12: interchanges": Growing("x12", lambda n: _x12("RE", "999", "AK1*1") * n, {}, 100),
    "x12: never closed": Growing("x12", lambda n: (_ISA + "~GS*RE*A*B*20260115*0930*7*X*004010~") * n, {}, 4000),
    "edifact: orders above many lines": Growing(
        "edifact", lambda n: _edifact("RECADV", "BGM+632+1+9", *["RFF+XX:1"] * n, *["LIN+1++A:IN"] * n), {}, 300
    ),
    "edifact: orders of one receipt": Growing(
        "edifact",
        lambda n: _edifact(
            "RECADV",
            "BGM+632+1+9",
            "DTM+50:20260114:102",
            *[f"LIN+1++A:IN'QTY+48:1'RFF+ON:{i}" for i in range(n)],
        ),
        {},
        150,
    ),
    "edifact: components": Growing(
        "edifact", lambda n: _edifact("RECADV", "BGM+632+1+9", "PIA+1" + "+A:IN" * n), {}, 3000
    ),
    "edifact: released signs": Growing(
        "edifact", lambda n: _edifact("RECADV", "BGM+632+1+9", "PIA+" + "?'" * n), {}, 5000
    ),
    "edifact: release characters": Growing("edifact", lambda n: _edifact("RECADV", "BGM+" + "?" * n), {}, 20000),
    "edifact: lines": Growing("edifact", lambda n: _edifact("INVRPT", "BGM+35+1+9", *["LIN"] * n), {}),
    "epcis: quantities of an event without a name": Growing(
        "epcis",
        lambda n: _epcis(
            _event(bizStep="cycle_counting", quantityList=[{"epcClass": f"urn:x:{i}", "quantity": 1} for i in range(n)])
        ),
        {},
        150,
    ),
    "epcis: goods of one receipt": Growing(
        "epcis", lambda n: _epcis(_event(quantityList=[], epcList=[f"urn:x:{i}" for i in range(n)])), {}, 150
    ),
    "epcis: transactions of many goods": Growing(
        "epcis",
        lambda n: _epcis(
            _event(
                eventID="e",
                disposition="lost",
                bizStep="storing",
                epcList=[f"urn:x:{i}" for i in range(n)],
                bizTransactionList=[{"type": "x", "bizTransaction": "y"}] * n,
            )
        ),
        {},
        150,
    ),
    "epcis: an address that ends in slashes": Growing(
        "epcis",
        lambda n: _epcis(_event(bizTransactionList=[{"type": "po", "bizTransaction": "https://x/" + "a" * n + "//"}])),
        {},
        3000,
    ),
    "epcis: an address of carriers": Growing(
        "epcis", lambda n: _epcis(_event(quantityList=[], epcList=["https://x" + "/00/a" * n + "\n/\n/"])), {}, 3000
    ),
    "epcis: an address of parties": Growing(
        "epcis",
        lambda n: _epcis(
            _event(
                destinationList=[{"type": "owning_party", "destination": "https://x" + "/414/1234567890123" * n + "\n"}]
            )
        ),
        {},
        1500,
    ),
    "epcis: an address of goods": Growing(
        "epcis",
        lambda n: _epcis(_event(quantityList=[], epcList=["https://x" + "/01/12345678/22/a" * n + "\n"])),
        {},
        3000,
    ),
    "ubl: orders of one receipt": Growing("ubl", lambda n: _ubl("ReceiptAdvice", map(_ubl_line, range(n))), {}, 120),
    "ubl: attributes": Growing(
        "ubl", lambda n: _ubl("ReceiptAdvice", (), "".join(f' a{i}="1"' for i in range(n))), {}, 5000
    ),
    "ubl: namespaces": Growing(
        "ubl", lambda n: _ubl("ReceiptAdvice", (), "".join(f' xmlns:n{i}="u{i}"' for i in range(n))), {}, 5000
    ),
    "ubl: elements": Growing("ubl", lambda n: _ubl("ReceiptAdvice", ["<x/>"] * n), {}, 4000),
    "ubl: a long text": Growing(
        "ubl", lambda n: _ubl("ReceiptAdvice", ["<b:Note>", "x &lt;\n" * n, "</b:Note>"]), {}, 8000
    ),
    "payroll-csv: people": Growing("payroll-csv", lambda n: _pay(map(_person, range(n))), _P, 150),
    "payroll-csv: runs": Growing(
        "payroll-csv", lambda n: _pay(_person(i, run=f"r{i}", gross=f"{i + 5}.00") for i in range(n)), _P, 200
    ),
    "payroll-csv: totals": Growing(
        "payroll-csv",
        lambda n: _pay(
            [_person(0, gross="9.00"), _person(1), "Total,,,,2.00,2.00"]
            + [line for i in range(n) for line in (_person(2), _person(3, gross="-2.00"), "Total,,,,2.00,")]
        ),
        _P,
        100,
    ),
    "payroll-csv: blanks in an amount": Growing(
        "payroll-csv", lambda n: _pay([_person(0, gross="1" + " " * n + "1")]), _P, 2000
    ),
    "payroll-csv: blanks in a period": Growing(
        "payroll-csv", lambda n: _pay([f"A,r1,2026-04-17,x{' ' * n}x,1.00,1.00"]), _P, 2000
    ),
    "payroll-csv: dashes in a period": Growing(
        "payroll-csv", lambda n: _pay([f"A,r1,2026-04-17,{'-' * n}x,1.00,1.00"]), _P, 300
    ),
    "payroll-csv: empty cells at the end": Growing("payroll-csv", lambda n: _pay([_person(0) + "," * n]), _P, 8000),
    "payroll-csv: columns": Growing(
        "payroll-csv",
        lambda n: _pay((), "Who,Run,Paid,Period,Net," + ",".join(f"Extra {i}" for i in range(n))),
        _P,
        400,
    ),
    "payroll-csv: titles below the header": Growing(
        "payroll-csv",
        lambda n: _pay(["Paid: 2026-04-17"] * n, "Who,Run,Paid,Period,Net," + ",".join(f"Extra {i}" for i in range(n))),
        _P,
        60,
    ),
    "payroll-csv: an item without a name": Growing(
        "payroll-csv",
        lambda n: _pay(
            ["A,r1,2026-04-17,2026-04-01 to 2026-04-15,Gross,1.00,0"] + [",,,,Gross,1.00,"] * n,
            "Who,Run,Paid,Period,What,Much,Net",
        ),
        {
            "mapping": {
                **_PAY,
                "item": "What",
                "item_amount": "Much",
                "amounts": {**_PAY["amounts"], "What: Gross": {"kind": "wages", "category": "G"}},
            }
        },
        200,
    ),
}


def read(kind: Growing, raw: bytes) -> None:
    """Read a file to its end, whatever comes of it but what is said of the options."""
    context = NormaliseContext(options=kind.options)
    try:
        for _ in SOURCES[kind.source].pieces(BytesIO(raw), context):
            pass
    except Rejected as rejected:
        if rejected.reason in {"bad_options", "bad_mapping"}:
            raise


def seconds(kind: Growing, size: int, *, tries: int = 3) -> float:
    """Processor time that a file of this size takes, the best of some tries."""
    raw, best = kind.made(size).encode(), float("inf")
    for _ in range(tries):
        gc.collect()
        started = time.process_time()
        read(kind, raw)
        best = min(best, time.process_time() - started)
    return best


def peak_bytes(kind: Growing, size: int) -> int:
    """The most memory that is taken at once while a file of this size is read."""
    raw = kind.made(size).encode()
    gc.collect()
    tracemalloc.start()
    try:
        read(kind, raw)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def main() -> None:
    """Print what each kind takes, doubling it until a try takes longer than a second."""
    wanted = sys.argv[1:]
    for name, kind in GROWING.items():
        if wanted and not any(word in name for word in wanted):
            continue
        size, took = kind.size, [seconds(kind, kind.size, tries=2)]
        while took[-1] < 1 and len(took) < 12:
            size *= 2
            took.append(seconds(kind, size, tries=1))
        peak = peak_bytes(kind, size // 2) if took[-1] < 3 else 0
        raw = len(kind.made(size // 2))
        print(  # noqa: T201
            f"{name:50} {raw / 1e6:7.2f} MB {took[-2]:6.2f} s -> {took[-1]:6.2f} s "
            f"x{took[-1] / max(took[-2], 1e-9):4.1f}  memory x{peak / raw:5.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
