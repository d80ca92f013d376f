import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.normalising import Rejected
from schemas.money import Money
from schemas.sales import Customer, PaymentFailed, PaymentSucceeded
from tests.unit.producers.made import charge, ignored, normalised, only_event, stripe_event, transaction


def _payment(**fields: object) -> PaymentSucceeded:
    data = only_event(stripe_event("charge.succeeded", charge(**fields))).data
    assert isinstance(data, PaymentSucceeded)
    return data


def test_a_charge_and_its_capture_are_one_fact() -> None:
    at_once = only_event(stripe_event("charge.succeeded", charge(), id="evt_1"))
    later = only_event(stripe_event("charge.captured", charge(), id="evt_2"))
    assert isinstance(later.data, PaymentSucceeded)
    assert at_once.data == later.data.model_copy(update={"capture": None})
    assert at_once.data.fact == "stripe:charge:ch_1"
    assert (at_once.id, later.id) == ("evt_1", "evt_2")


def test_an_authorisation_posts_nothing() -> None:
    assert ignored(stripe_event("charge.succeeded", charge(captured=False))) == "charge_not_captured"


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_a_charge_that_has_not_succeeded_posts_nothing(status: str) -> None:
    assert ignored(stripe_event("charge.succeeded", charge(status=status))) == "charge_not_succeeded"


@pytest.mark.parametrize("absent", ["status", "captured", "amount_captured", "balance_transaction"])
def test_old_charges_without_newer_fields_are_booked(absent: str) -> None:
    old = charge()
    del old[absent]
    assert isinstance(only_event(stripe_event("charge.succeeded", old)).data, PaymentSucceeded)


def test_an_old_charge_with_null_status_is_booked() -> None:
    assert _payment(status=None, amount_captured=0).amount == Money.of("20", "USD")


def test_a_partial_capture_books_what_was_captured() -> None:
    assert _payment(amount_captured=1500).amount == Money.of("15", "USD")


def test_a_charge_of_nothing_posts_nothing() -> None:
    assert ignored(stripe_event("charge.succeeded", charge(amount=0, amount_captured=0))) == "amount_zero"


@pytest.mark.parametrize(
    ("currency", "amount", "money"),
    [
        ("jpy", 500, Money.of("500", "JPY")),
        ("kwd", 1230, Money.of("1.230", "KWD")),
        ("isk", 1500, Money.of("15", "ISK")),
        ("ugx", 700, Money.of("7", "UGX")),
        ("huf", 12345, Money.of("123.45", "HUF")),
        ("USD", 1, Money.of("0.01", "USD")),
    ],
)
def test_each_currency_is_counted_stripes_way(currency: str, amount: int, money: Money) -> None:
    assert _payment(currency=currency, amount=amount, amount_captured=amount).amount == money


def test_the_customer_is_named_as_the_customer_then_as_on_the_bill() -> None:
    bill = {"name": "Bill Name", "email": "bill@example.org"}
    assert _payment(customer="cus_1", billing_details=bill).customer == Customer(
        id="cus_1", name="Bill Name", email="bill@example.org"
    )
    expanded = {"id": "cus_1", "object": "customer", "name": "Real Name", "email": None}
    assert _payment(customer=expanded, billing_details=bill).customer == Customer(
        id="cus_1", name="Real Name", email="bill@example.org"
    )
    assert _payment(customer="cus_1", receipt_email="r@example.org").customer == Customer(
        id="cus_1", email="r@example.org"
    )


def test_a_guest_has_no_customer() -> None:
    assert _payment(customer=None, billing_details={"name": "Guest"}).customer is None


@pytest.mark.parametrize("name", ["", "  ", 7, ["x"], None, "\x00\x1f"])
def test_a_useless_name_does_not_hold_a_payment_up(name: object) -> None:
    assert _payment(customer="cus_1", billing_details={"name": name}).customer == Customer(id="cus_1")


def test_a_name_is_made_fit_for_any_database() -> None:
    customer = _payment(customer="cus_1", billing_details={"name": " Ann\x00\nLee\ud800 " + "x" * 600}).customer
    assert customer is not None
    assert customer.name is not None
    assert customer.name.startswith("Ann Lee?")
    assert len(customer.name) == 500


def test_payment_intent_and_invoice_are_ids_even_when_expanded() -> None:
    data = _payment(payment_intent={"id": "pi_1", "object": "payment_intent"}, invoice="in_1")
    assert (data.payment_intent, data.invoice) == ("pi_1", "in_1")


def test_a_settlement_in_another_currency_keeps_both() -> None:
    """Made up: no public file has an exchange rate."""
    reached = transaction(1840, 80, currency="eur", exchange_rate=0.92, fee_details=[])
    data = _payment(balance_transaction=reached)
    assert data.amount == Money.of("20", "USD")
    assert data.settlement is not None
    assert data.settlement.gross == Money.of("18.40", "EUR")
    assert data.settlement.fee == Money.of("0.80", "EUR")
    assert data.settlement.net == Money.of("17.60", "EUR")


def test_tax_on_the_fee_stays_apart() -> None:
    settlement = _payment(balance_transaction=transaction(2000, 106, tax=18)).settlement
    assert settlement is not None
    assert (settlement.fee, settlement.fee_tax) == (Money.of("0.88", "USD"), Money.of("0.18", "USD"))


@pytest.mark.parametrize(
    ("reached", "figures"),
    [
        (transaction(2000, 88, net=1900), "gross 20.00 USD"),
        (transaction(1900, 88), "19.00 USD reached"),
        (
            transaction(2000, 88, fee_details=[{"amount": 80, "currency": "usd", "type": "stripe_fee"}]),
            "0.80 USD",
        ),
    ],
)
def test_a_balance_transaction_that_does_not_add_up_is_refused_with_its_figures(
    reached: dict[str, object], figures: str
) -> None:
    with pytest.raises(Rejected, match=figures) as caught:
        normalised(stripe_event("charge.succeeded", charge(balance_transaction=reached)))
    assert caught.value.reason == "does_not_add_up"
    assert str(caught.value.field).startswith("data.object.balance_transaction")


def test_a_fee_in_another_currency_is_refused() -> None:
    reached = transaction(2000, 88, fee_details=[{"amount": 88, "currency": "eur", "type": "stripe_fee"}])
    with pytest.raises(Rejected, match="EUR and USD") as caught:
        normalised(stripe_event("charge.succeeded", charge(balance_transaction=reached)))
    assert caught.value.reason == "mixed_currencies"


@given(amount=st.integers(1, 10**12), fee=st.integers(0, 10**6), tax=st.integers(0, 10**5))
def test_any_settlement_adds_up_to_the_cent(amount: int, fee: int, tax: int) -> None:
    reached = transaction(amount, fee + tax, tax=tax)
    settlement = _payment(amount=amount, amount_captured=amount, balance_transaction=reached).settlement
    assert settlement is not None
    assert settlement.gross - settlement.fee - settlement.fee_tax == settlement.net
    assert settlement.fee_tax.amount * 100 == tax


def test_a_charge_that_failed_after_it_reached_the_balance_is_taken_back() -> None:
    back = charge(status="failed", failure_balance_transaction=transaction(-2000, 0))
    data = only_event(stripe_event("charge.failed", back)).data
    assert isinstance(data, PaymentFailed)
    assert (data.fact, data.of) == ("stripe:charge:ch_1:failed", "stripe:charge:ch_1")
    assert data.settlement is not None
    assert data.settlement.gross == Money.of("-20", "USD")


@pytest.mark.parametrize(
    ("fields", "previous", "why"),
    [
        ({}, None, "charge_not_succeeded"),
        ({"failure_balance_transaction": "txn_2"}, {"status": "pending"}, "charge_never_succeeded"),
    ],
)
def test_a_charge_that_failed_at_once_posts_nothing(
    fields: dict[str, object], previous: dict[str, object] | None, why: str
) -> None:
    assert ignored(stripe_event("charge.failed", charge(status="failed", **fields), previous)) == why
