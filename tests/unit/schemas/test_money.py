from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.errors import AmountRefused, CurrencyMismatch
from schemas.money import EXPONENTS, MAX_AMOUNT, Money
from tests.event_strategies import currencies, money


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("20", "USD", "20.00"),
        ("20.000", "USD", "20.00"),
        ("20.005", "USD", "20.005"),
        ("500", "JPY", "500"),
        ("1.5", "KWD", "1.500"),
        ("15", "ISK", "15"),
        ("0.0001", "CLF", "0.0001"),
        ("-0.00", "EUR", "0.00"),
        ("1000000000000000", "USD", "1000000000000000.00"),
    ],
)
def test_an_amount_is_written_with_the_currencys_decimals(amount: str, currency: str, written: str) -> None:
    assert Money.of(amount, currency).model_dump(mode="json") == {"amount": written, "currency": currency}


@pytest.mark.parametrize(
    "amount",
    [
        20.0,
        True,
        None,
        "1e5",
        "1_000",
        " 1",
        "",
        "NaN",
        "٣",
        "1000000000000000.01",
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E+999999"),
        Decimal("1E-13"),
        -(10**15) - 1,
    ],
)
def test_what_is_no_exact_amount_is_refused(amount: object) -> None:
    with pytest.raises(ValidationError):
        Money(amount=amount, currency="USD")


def test_a_float_is_refused_by_name() -> None:
    with pytest.raises(AmountRefused, match="Decimal"):
        Money.of(20.0, "USD")  # type: ignore[arg-type]  # that it is refused is what is tested


@pytest.mark.parametrize("currency", ["usd", "US", "ZZZ", "XXX", "XTS", "XAU", "", None, 840, "Jenny Rosen"])
def test_only_iso_currencies_with_a_minor_unit_are_money(currency: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Money(amount=Decimal(1), currency=currency)
    assert "Rosen" not in str(caught.value)


def test_two_currencies_are_never_added_or_compared() -> None:
    euro, dollar = Money.of("1", "EUR"), Money.of("1", "USD")
    for attempt in (
        lambda: euro + dollar,
        lambda: euro - dollar,
        lambda: euro < dollar,
        lambda: euro >= dollar,
    ):
        with pytest.raises(CurrencyMismatch, match="EUR and USD"):
            attempt()
    assert euro != dollar


def test_money_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Money.zero("USD").amount = Decimal(1)  # type: ignore[misc]  # that it is refused is what is tested


@given(money())
def test_json_round_trip_gives_the_same_money(value: Money) -> None:
    again = Money.model_validate_json(value.model_dump_json())
    assert again == value
    assert hash(again) == hash(value)
    assert again.model_dump_json() == value.model_dump_json()


@given(st.data())
def test_sums_are_exact_and_undone_by_subtraction(data: st.DataObject) -> None:
    code = data.draw(currencies)
    one, other = (data.draw(money(currency=code)) for _ in range(2))
    total = one + other
    assert total - other == one
    assert total.amount == one.amount + other.amount
    negative = -one
    assert -negative == one
    assert one - one == Money.zero(code)
    assert (one < other) == (one.amount < other.amount)
    assert abs(one) >= Money.zero(code)


@given(money())
def test_an_amount_never_has_fewer_decimals_than_its_currency(value: Money) -> None:
    assert -int(value.amount.as_tuple().exponent) >= EXPONENTS[value.currency]
    assert abs(value.amount) <= MAX_AMOUNT
