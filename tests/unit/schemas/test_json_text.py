from decimal import Decimal

import pytest

from schemas.errors import InvalidJson
from schemas.json_text import parse_json


def test_no_number_becomes_a_float() -> None:
    parsed = parse_json(b'{"a": 10.50, "b": 1e2, "c": 7, "d": 0.1000000000000000055511151231257827}')
    assert parsed == {
        "a": Decimal("10.50"),
        "b": Decimal("1e2"),
        "c": 7,
        "d": Decimal("0.1000000000000000055511151231257827"),
    }


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"name": "Jenny Rosen"',
        b"NaN",
        b'{"a": Infinity}',
        b"\xff\xfe",
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b"1" * 5000,
        b"1e99999999999999999999",
        b"{} {}",
        b"-Infinity",
        b'{"a": 1, "a": 2}',
    ],
)
def test_what_is_not_one_json_document_is_refused_without_showing_it(raw: bytes) -> None:
    with pytest.raises(InvalidJson) as caught:
        parse_json(raw)
    assert "Rosen" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__cause__ is None


def test_a_byte_order_mark_is_no_reason_to_refuse() -> None:
    assert parse_json(b"\xef\xbb\xbf{}") == {}
