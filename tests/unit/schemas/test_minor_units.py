import re
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.errors import AmountRefused, UnknownCurrency
from schemas.minor_units import MAX_MINOR, from_minor, minor_units
from schemas.money import Money
from tests.event_strategies import currencies


@pytest.mark.parametrize(
    ("amount", "currency", "money"),
    [
        (2000, "usd", "20.00"),
        (500, "jpy", "500"),
        (500, "mga", "500.00"),
        (1500, "isk", "15"),
        (700, "ugx", "7"),
        (12345, "huf", "123.45"),
        (12345, "twd", "123.45"),
        (1230, "kwd", "1.230"),
        (-26500, "usd", "-265.00"),
        (0, "eur", "0.00"),
    ],
)
def test_stripes_whole_numbers_become_money(amount: int, currency: str, money: str) -> None:
    found = from_minor("stripe", amount, currency)
    assert found == Money.of(money, currency.upper())
    assert f"{found.amount:f}" == money


@pytest.mark.parametrize("currency", re.findall(r"\w+", "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"))
def test_zero_decimal_currencies_of_stripe_are_whole_units(currency: str) -> None:
    assert from_minor("stripe", 500, currency).amount == 500


def test_iso_and_stripe_disagree_where_documented() -> None:
    assert (minor_units("stripe", "ISK"), minor_units("iso", "ISK")) == (2, 0)
    assert (minor_units("stripe", "MGA"), minor_units("iso", "MGA")) == (0, 2)
    assert minor_units("stripe", "KWD") == minor_units("iso", "KWD") == 3


@pytest.mark.parametrize("amount", [True, 10.5, "2000", Decimal(2000), None, [2000]])
def test_only_whole_numbers_are_amounts(amount: object) -> None:
    with pytest.raises(AmountRefused) as caught:
        from_minor("stripe", amount, "usd")
    assert caught.value.reason == "amount_not_integer"


@pytest.mark.parametrize(("amount", "currency"), [(150, "isk"), (701, "ugx"), (1231, "kwd"), (-1, "tnd")])
def test_amounts_stripe_cannot_send_are_refused(amount: int, currency: str) -> None:
    with pytest.raises(AmountRefused, match="steps of") as caught:
        from_minor("stripe", amount, currency)
    assert caught.value.reason == "amount_not_possible"


@pytest.mark.parametrize("amount", [MAX_MINOR + 1, -MAX_MINOR - 1, 10**40])
def test_absurd_amounts_are_refused(amount: int) -> None:
    with pytest.raises(AmountRefused) as caught:
        from_minor("stripe", amount, "usd")
    assert caught.value.reason == "amount_too_large"


@pytest.mark.parametrize("currency", ["zzz", "lyd", "iqd", "clf", "xau", "", "us", "Jenny Rosen", "ß"])
def test_currencies_stripe_does_not_document_are_refused(currency: str) -> None:
    with pytest.raises(UnknownCurrency) as caught:
        from_minor("stripe", 100, currency)
    assert "Rosen" not in str(caught.value)


@given(st.integers(-MAX_MINOR, MAX_MINOR), currencies, st.sampled_from(["stripe", "iso"]))
def test_money_times_its_minor_units_is_what_was_sent(amount: int, currency: str, provider: str) -> None:
    try:
        money = from_minor(provider, amount, currency)  # type: ignore[arg-type]  # any provider, by name
    except (AmountRefused, UnknownCurrency):
        assume(False)  # noqa: FBT003
    assert money.amount.scaleb(minor_units(provider, currency)) == amount  # type: ignore[arg-type]  # any provider, by name
