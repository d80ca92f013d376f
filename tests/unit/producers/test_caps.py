"""What one document may hold at most: past that it is refused, and the refusal says what is too much of what."""

from io import BytesIO

import pytest

from producers.normalising import NormaliseContext, Refused, Rejected
from producers.reading.documents import elements_at, split_documents
from producers.sources import SOURCES
from schemas.errors import InvalidJson
from schemas.json_text import MOST_VALUES, parse_json
from tests.unit.producers.growing import GROWING


@pytest.mark.parametrize(
    ("name", "fits", "reason", "said"),
    [
        ("x12: elements of one LIN", 249, "too_large", "more than 500 elements"),
        ("ubl: attributes", 100, "too_large", "more than 100 attributes"),
        ("ubl: namespaces", 97, "too_large", "more than 100 namespaces"),
        ("csv: columns", 16_379, "too_many_columns", "16385 columns, and at most 16384"),
        ("payroll-csv: columns", 1995, "too_many_columns", "2001 columns, and at most 2000"),
        ("payroll-csv: runs", 500, "too_many_runs", "more than 500 pay runs"),
        ("epcis: goods of one receipt", 5000, "too_many_lines", "5001 lines, and it has at most 5000"),
    ],
)
def test_a_document_holds_so_much_and_no_more(name: str, fits: int, reason: str, said: str) -> None:
    kind = GROWING[name]

    context = NormaliseContext(options=kind.options)

    def refusals(size: int) -> list[tuple[str, str]]:
        try:
            pieces = list(SOURCES[kind.source].pieces(BytesIO(kind.made(size).encode()), context))
        except Rejected as rejected:
            return [(rejected.reason, str(rejected))]
        return [(piece.reason, piece.message) for piece in pieces if isinstance(piece, Refused)]

    assert reason not in {each for each, _ in refusals(fits)}
    [(told, message)] = [each for each in refusals(fits + 1) if each[0] == reason]
    assert told == reason
    assert said in message


def test_a_json_document_has_a_million_values_at_most() -> None:
    with pytest.raises(InvalidJson, match="more than 1,000,000 values"):
        parse_json(b"[" + b"0," * MOST_VALUES + b"0]")
    with pytest.raises(ValueError, match="more than 1,000,000 values"):
        elements_at(b"[" + b"0," * MOST_VALUES + b"0]", "")
    assert len(str(parse_json(b"[" + b"0," * 1000 + b"0]", most_values=1001))) > 1000
    with pytest.raises(InvalidJson):
        parse_json(b"[" + b"0," * 1000 + b"0]", most_values=1000)


@pytest.mark.parametrize("line", [b"[{},\n", b'{"a": [1,\n', b"[" * 1500 + b"\n"])
def test_documents_that_are_never_closed_are_not_read_over_and_over_again(line: bytes) -> None:
    few = list(split_documents(line * 3))
    many = list(split_documents(line * 2000))
    assert b"".join(few).replace(b"\n", b"") == (line * 3).replace(b"\n", b"")
    assert len(many) < 20
    assert b"".join(many).replace(b"\n", b"") == (line * 2000).replace(b"\n", b"")


def test_a_document_that_does_not_parse_still_stops_no_other_one() -> None:
    lines = [b'{"a": 1}', b'{"b": [1,', b'{"c": 2}'] * 500
    assert list(split_documents(b"\n".join(lines)))[:3] == lines[:3]
    assert list(split_documents(b"\n".join(lines))).count(b'{"c": 2}') == 500
