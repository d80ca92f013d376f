"""A currency that was withdrawn is read in events of its time, and refused in later ones."""

import json
from datetime import UTC, datetime

import iso4217
import pytest

from producers.normalising import NormaliseContext, Refused, Rejected
from producers.sources import SOURCES
from schemas.minor_units import minor_units
from schemas.money import EXPONENTS, Money
from schemas.withdrawn import WITHDRAWN, gone
from tests.unit.producers.made import charge, stripe_event

STRIPE = SOURCES["stripe"]


def sold(currency: str, year: int, month: int, day: int) -> bytes:
    made = charge(currency=currency, amount=4890, amount_captured=4890)
    return stripe_event("charge.succeeded", made, created=int(datetime(year, month, day, tzinfo=UTC).timestamp()))


def test_a_sale_of_its_time_is_booked_in_a_currency_that_is_no_more() -> None:
    (event,) = STRIPE.normalise(sold("bgn", 2025, 11, 12), NormaliseContext()).events
    assert getattr(event.data, "amount", None) == Money.of("48.90", "BGN")


@pytest.mark.parametrize(("currency", "year"), [("bgn", 2026), ("hrk", 2023), ("sll", 2024), ("ang", 2025)])
def test_a_sale_after_its_last_day_is_refused_and_says_what_came_instead(currency: str, year: int) -> None:
    with pytest.raises(Rejected, match=rf"{currency.upper()} was withdrawn, and its last day was {year}-") as caught:
        STRIPE.normalise(sold(currency, year, 9, 1), NormaliseContext())
    assert caught.value.reason == "unknown_currency"
    assert WITHDRAWN[currency.upper()].successor in str(caught.value)


def test_it_is_the_same_for_documents_in_a_file() -> None:
    from io import BytesIO  # noqa: PLC0415

    [piece] = STRIPE.pieces(BytesIO(sold("bgn", 2026, 9, 1)), NormaliseContext())
    assert isinstance(piece, Refused)
    assert piece.reason == "unknown_currency"


def test_the_table_names_nothing_that_is_current_and_every_successor_exists() -> None:
    current = {currency.code for currency in iso4217.Currency}
    assert not current & WITHDRAWN.keys()
    assert {each.successor for each in WITHDRAWN.values()} <= EXPONENTS.keys()
    assert all(EXPONENTS[code] == each.decimals for code, each in WITHDRAWN.items())


@pytest.mark.parametrize("code", ["BGN", "HRK", "ANG", "SLL", "STD", "EEK", "LTL", "LVL", "MRO", "VEF", "ZWL"])
def test_what_stripe_took_is_counted_in_hundredths(code: str) -> None:
    assert minor_units("stripe", code) == 2


def test_the_last_day_itself_is_of_its_time() -> None:
    last = WITHDRAWN["BGN"].last_day
    assert gone("BGN", last) is None
    assert gone("BGN", last.replace(year=last.year + 1)) is WITHDRAWN["BGN"]
    assert gone("USD", last) is None


def test_a_published_event_in_it_decodes_for_ever() -> None:
    assert json.loads(Money.of("48.90", "BGN").model_dump_json()) == {"amount": "48.90", "currency": "BGN"}
