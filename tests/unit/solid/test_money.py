"""Money on the wire: three encodings, exact both ways, and no guess about which one it is."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.json_text import parse_json, write_json
from schemas.money import MAX_AMOUNT, iso_exponent
from solid.amounts import from_minor_units, in_minor_units
from solid.dialect import Dialect, MoneyEncoding
from solid.errors import DialectMismatch

ENCODINGS: tuple[MoneyEncoding, ...] = ("decimal_string", "decimal_number", "cents")
CURRENCIES = ("USD", "EUR", "JPY", "KWD", "CLF")

currencies = st.sampled_from(CURRENCIES)
encodings = st.sampled_from(ENCODINGS)
minor_amounts = st.integers(min_value=-(10**15), max_value=10**15)


@settings(deadline=None)  # the machine may be busy
@given(minor=minor_amounts, currency=currencies, encoding=encodings)
def test_an_amount_comes_back_as_it_went(minor: int, currency: str, encoding: MoneyEncoding) -> None:
    amount = Decimal(minor).scaleb(-iso_exponent(currency))
    dialect = Dialect(money=encoding)
    on_the_wire = write_json(dialect.encode_money(amount, currency)).encode()
    assert dialect.decode_money(parse_json(on_the_wire), currency) == amount


@settings(deadline=None)  # the machine may be busy
@given(minor=minor_amounts, currency=currencies)
def test_minor_units_and_back_is_the_same(minor: int, currency: str) -> None:
    assert in_minor_units(from_minor_units(minor, currency), currency) == minor


@settings(deadline=None)  # the machine may be busy
@given(minor=st.integers(-(10**14), 10**14), currency=currencies, more=st.integers(min_value=1, max_value=9))
def test_a_fraction_below_the_minor_unit_is_never_rounded(minor: int, currency: str, more: int) -> None:
    amount = Decimal(minor * 10 + more).scaleb(-iso_exponent(currency) - 1)
    for encoding in ENCODINGS:
        with pytest.raises(ValueError, match="fraction"):
            Dialect(money=encoding).encode_money(amount, currency)


@pytest.mark.parametrize(
    ("encoding", "currency", "text"),
    [
        ("decimal_string", "USD", '"1234.50"'),
        ("decimal_number", "USD", "1234.50"),
        ("cents", "USD", "123450"),
        ("decimal_string", "KWD", '"1234.500"'),
        ("cents", "KWD", "1234500"),
    ],
)
def test_each_encoding_writes_all_digits(encoding: MoneyEncoding, currency: str, text: str) -> None:
    assert write_json(Dialect(money=encoding).encode_money(Decimal("1234.5"), currency)) == text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_yen_has_no_decimals_in_any_encoding(encoding: MoneyEncoding) -> None:
    assert write_json(Dialect(money=encoding).encode_money(Decimal("20.00"), "JPY")).strip('"') == "20"


def test_minus_nothing_is_nothing() -> None:
    assert Dialect(money="decimal_string").encode_money(Decimal("-0.00"), "USD") == "0.00"


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", str(MAX_AMOUNT + 1), "1E+400", "0E-99"])
def test_what_is_no_amount_is_not_sent(amount: str) -> None:
    for encoding in ENCODINGS:
        with pytest.raises(ValueError, match="amount"):
            Dialect(money=encoding).encode_money(Decimal(amount), "USD")


def test_a_very_long_fraction_is_not_rounded_away() -> None:
    with pytest.raises(ValueError, match="amount"):
        Dialect(money="cents").encode_money(Decimal("1." + "0" * 40 + "1"), "USD")


@pytest.mark.parametrize(
    ("encoding", "value"),
    [
        ("decimal_string", 20),
        ("decimal_string", Decimal("20.00")),
        ("decimal_string", "1_000"),
        ("decimal_string", " 20.00"),
        ("decimal_string", "20,00"),
        ("decimal_string", "NaN"),
        ("decimal_string", "1e3"),
        ("decimal_string", "9" * 17),
        ("decimal_number", "20.00"),
        ("decimal_number", Decimal("1e999999")),
        ("cents", "2000"),
        ("cents", Decimal("20.00")),
        ("cents", 10**30),
        ("cents", True),
        ("decimal_number", False),
        ("decimal_number", None),
        ("cents", None),
        ("cents", [1]),
    ],
)
def test_an_amount_in_another_encoding_is_a_mismatch(encoding: MoneyEncoding, value: object) -> None:
    with pytest.raises(DialectMismatch, match=r"dialect\.money"):
        Dialect(money=encoding).decode_money(value, "USD")


def test_the_encoding_must_be_said() -> None:
    with pytest.raises(ValidationError, match="money"):
        Dialect.model_validate({})


scalars = st.none() | st.booleans() | st.integers() | st.text()
documents = st.recursive(scalars, lambda s: st.lists(s) | st.dictionaries(st.text(), s), max_leaves=8)


@settings(max_examples=50, deadline=None)
@given(documents)
def test_json_written_is_json_read(value: object) -> None:
    assert parse_json(write_json(value).encode()) == value
