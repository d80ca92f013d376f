"""Balance transactions as events: the same facts that webhooks tell, and everything else that moves the balance."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.reading.fields import Fields
from producers.stripe.balance import transaction as read
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import (
    BalanceMoved,
    DisputeOpened,
    DisputeWon,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutFailed,
    PayoutPaid,
    RefundFailed,
)
from tests.unit.producers.made import (
    CREATED,
    charge,
    dispute,
    normalised,
    only_event,
    payout,
    refund,
    stripe_event,
    transaction,
)

AVAILABLE = CREATED + 2 * 86_400


def told(kind: str, amount: int, source: object, fee: int = 0, **fields: object) -> Normalised:
    said = {"source": source, "type": kind, "created": CREATED, "available_on": AVAILABLE, **fields}
    return read(Fields(transaction(amount, fee) | said), NormaliseContext(company="second"))


def data(kind: str, amount: int, source: object, fee: int = 0, **fields: object) -> EventData:
    (event,) = told(kind, amount, source, fee, **fields).events
    assert (event.company, event.time) == ("second", datetime.fromtimestamp(CREATED, UTC))
    return event.data


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


@pytest.mark.parametrize("kind", ["charge", "payment"])
def test_a_charge_read_with_a_key_says_what_its_webhook_with_the_transaction_would(kind: str) -> None:
    settled = transaction(2000, 88, tax=8)
    by_webhook = only_event(stripe_event("charge.succeeded", charge(balance_transaction=settled)))
    assert data(kind, 2000, charge(), 88, fee_details=settled["fee_details"]) == by_webhook.data


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_a_charge_that_moved_the_balance_is_told_whatever_became_of_it(status: str) -> None:
    """A bank debit that fails later: its return is a transaction of its own."""
    assert isinstance(data("payment", 2000, charge(status=status)), PaymentSucceeded)


def test_a_charge_of_which_only_the_id_is_known_is_worth_what_reached_the_balance() -> None:
    found = data("charge", 2000, "ch_9", 80)
    assert isinstance(found, PaymentSucceeded)
    assert (found.fact, found.amount, found.settlement and found.settlement.net) == (
        "stripe:charge:ch_9",
        usd("20"),
        usd("19.20"),
    )


def test_a_foreign_charge_keeps_both_amounts() -> None:
    found = data("charge", 3172, charge(amount=5000, amount_captured=5000), 112, currency="gbp", fee_details=[])
    assert isinstance(found, PaymentSucceeded)
    assert (found.amount, found.settlement and found.settlement.gross) == (usd("50"), Money.of("31.72", "GBP"))


def test_what_was_never_captured_is_left_out_of_the_sale_and_its_release_posts_nothing() -> None:
    """Stripe lists the whole authorisation, and the part that was released apart."""
    captured = charge(amount=10_000, amount_captured=6_000)
    sale = data("charge", 10_000, captured, 200)
    assert isinstance(sale, PaymentSucceeded)
    assert (sale.amount, sale.settlement and sale.settlement.net) == (usd("60"), usd("58"))
    release = refund(amount=4_000)
    assert told("refund", -4_000, release, reporting_category="partial_capture_reversal").ignored == (
        "authorisation_released"
    )
    fee = data("refund", -4_000, release, -20, reporting_category="partial_capture_reversal")
    assert isinstance(fee, BalanceMoved)
    assert (fee.settlement.gross, fee.settlement.net) == (usd("0"), usd("0.20"))


def test_a_charge_that_contradicts_its_transaction_is_refused_with_both_figures() -> None:
    with pytest.raises(Rejected, match=r"19\.00 USD reached the balance, the object says 20\.00 USD") as caught:
        told("charge", 1900, charge())
    assert caught.value.reason == "does_not_add_up"


@pytest.mark.parametrize("kind", ["refund", "payment_refund", "payment_failure_refund", "payment_reversal"])
def test_a_refund_read_with_a_key_says_what_its_webhook_with_the_transaction_would(kind: str) -> None:
    by_webhook = only_event(stripe_event("refund.created", refund(balance_transaction=transaction(-500))))
    assert data(kind, -500, refund(status="pending")) == by_webhook.data


def test_a_failed_debit_without_a_refund_of_its_own_takes_its_charge_back() -> None:
    found = data("payment_failure_refund", -2000, "py_1")
    assert isinstance(found, PaymentRefunded)
    assert (found.fact, found.of, found.amount) == ("stripe:balance:txn_1", "stripe:charge:py_1", usd("20"))


def test_a_refund_of_which_only_the_id_is_known_is_its_own_fact() -> None:
    found = data("refund", -500, "re_9")
    assert isinstance(found, PaymentRefunded)
    assert (found.fact, found.of, found.charge) == ("stripe:refund:re_9", None, None)


@pytest.mark.parametrize("kind", ["refund_failure", "adjustment"])
def test_a_refund_that_came_back_says_what_its_webhook_would(kind: str) -> None:
    failed = refund(status="failed", failure_balance_transaction=transaction(500))
    by_webhook = only_event(stripe_event("refund.failed", failed))
    found = data(kind, 500, refund(status="failed"))
    assert isinstance(found, RefundFailed)
    assert found == by_webhook.data


def test_what_a_dispute_took_is_what_its_webhook_told_though_more_has_moved_since() -> None:
    taken = transaction(-25_000, 1_500, id="txn_1", created=CREATED)
    given = transaction(25_000, 0, id="txn_2", created=CREATED + 60)
    again = transaction(-25_000, 0, id="txn_3", created=CREATED + 120)
    by_webhook = only_event(stripe_event("charge.dispute.funds_withdrawn", dispute(taken)))
    found = data("adjustment", -25_000, dispute(taken, given, again), 1_500)
    assert isinstance(found, DisputeOpened)
    assert found == by_webhook.data


def test_what_a_dispute_gave_back_is_what_its_webhook_told() -> None:
    taken = transaction(-25_000, 1_500, id="txn_0", created=CREATED - 60)
    given = transaction(25_000, -1_500, id="txn_1", created=CREATED)
    by_webhook = normalised(stripe_event("charge.dispute.funds_reinstated", dispute(taken, given))).events
    found = data("adjustment", 25_000, dispute(taken, given), -1_500)
    assert isinstance(found, DisputeWon)
    assert found in [event.data for event in by_webhook]


def test_what_a_dispute_took_again_is_a_fact_of_its_own() -> None:
    """Lost, won, and lost again."""
    taken = transaction(-25_000, 0, id="txn_0", created=CREATED - 60)
    given = transaction(25_000, 0, id="txn_2", created=CREATED - 30)
    again = transaction(-25_000, 0, id="txn_1", created=CREATED)
    by_webhook = normalised(stripe_event("charge.dispute.funds_withdrawn", dispute(taken, given, again))).events
    found = data("adjustment", -25_000, dispute(taken, given, again, status="lost"))
    assert isinstance(found, DisputeOpened)
    assert found in [event.data for event in by_webhook]
    assert found.fact == "stripe:dispute:dp_1:withdrawn:txn_1"


def test_a_payout_read_with_a_key_says_what_its_webhook_with_the_transaction_would() -> None:
    by_webhook = only_event(stripe_event("payout.paid", payout(balance_transaction=transaction(-1100, 11))))
    assert data("payout", -1100, payout(), 11) == by_webhook.data
    assert data("transfer", -1100, payout(), 11) == by_webhook.data, "before 2017"


@pytest.mark.parametrize("status", ["pending", "in_transit"])
def test_a_payout_on_its_way_is_told_when_it_has_arrived(status: str) -> None:
    assert told("payout", -1100, payout(status=status)).ignored == "payout_on_its_way"


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_payout_that_was_undone_is_not_told_and_what_undoes_it_is(status: str) -> None:
    assert told("payout", -1100, payout(status=status)).ignored == "payout_undone"
    for kind in ("payout_failure", "payout_cancel"):
        found = data(kind, 1100, payout(status=status))
        assert isinstance(found, PayoutFailed)
        assert (found.fact, found.of, found.amount) == (
            "stripe:payout:po_1:failed",
            "stripe:payout:po_1",
            usd("11"),
        )


def test_the_fee_of_a_payout_that_was_undone_is_not_lost() -> None:
    assert isinstance(data("payout", -1100, payout(status="canceled"), 11), PayoutPaid)


def test_a_payout_of_which_only_the_id_is_known_arrives_when_its_money_is_available() -> None:
    found = data("payout", -1100, "po_9")
    assert isinstance(found, PayoutPaid)
    assert (found.amount, found.arrival_date) == (usd("11"), date(2026, 1, 17))


MOVES = [
    ("topup", 5000, "tu_1", "topup", "stripe:topup:tu_1"),
    ("topup_reversal", -5000, "tu_1", "topup", "stripe:topup_reversal:tu_1"),
    ("application_fee", 200, "fee_1", "application_fee", "stripe:application_fee:fee_1"),
    ("application_fee_refund", -200, "fr_1", "application_fee_refund", "stripe:application_fee_refund:fr_1"),
    ("transfer", -900, "tr_1", "transfer", "stripe:transfer:tr_1"),
    ("transfer_refund", 900, "trr_1", "transfer_reversal", "stripe:transfer_reversal:trr_1"),
    ("transfer_cancel", 900, "tr_1", "transfer_reversal", "stripe:balance:txn_1"),
    ("transfer_failure", 900, "tr_1", "transfer_reversal", "stripe:balance:txn_1"),
    ("reserve_transaction", -300, "rsv_1", "reserve", "stripe:balance:txn_1"),
    ("reserved_funds", 300, None, "reserve", "stripe:balance:txn_1"),
    ("payout_minimum_balance_hold", -300, None, "reserve", "stripe:balance:txn_1"),
    ("stripe_fee", -700, None, "fee", "stripe:balance:txn_1"),
    ("stripe_fx_fee", -10, None, "fee", "stripe:balance:txn_1"),
    ("tax_fee", -133, None, "fee", "stripe:balance:txn_1"),
    ("network_cost", -12, "ch_1", "fee", "stripe:balance:txn_1"),
    ("adjustment", -45, None, "adjustment", "stripe:balance:txn_1"),
    ("contribution", -5, None, "other", "stripe:balance:txn_1"),
    ("issuing_transaction", -1250, "ipi_1", "other", "stripe:balance:txn_1"),
    ("of_the_year_2031", 1, "x_1", "other", "stripe:balance:txn_1"),
]


@pytest.mark.parametrize(("kind", "amount", "source", "category", "fact"), MOVES, ids=[each[0] for each in MOVES])
def test_every_other_type_is_a_move_of_its_category(
    kind: str, amount: int, source: str | None, category: str, fact: str
) -> None:
    found = data(kind, amount, source)
    assert isinstance(found, BalanceMoved)
    assert (found.kind, found.category, found.fact, found.transaction) == (kind, category, fact, "txn_1")
    assert found.settlement.gross == Money.of(Decimal(amount).scaleb(-2), "USD")


UNLIKELY = [
    ("charge", -2000, "ch_1"),
    ("refund", 500, "re_1"),
    ("refund_failure", -500, refund()),
    ("payout_failure", 1100, "po_1"),
]


@pytest.mark.parametrize(("kind", "amount", "source"), UNLIKELY, ids=[each[0] for each in UNLIKELY])
def test_what_does_not_fit_its_type_is_never_silent(kind: str, amount: int, source: object) -> None:
    assert isinstance(data(kind, amount, source), BalanceMoved)


def test_a_transaction_of_nothing_posts_nothing() -> None:
    assert told("adjustment", 0, None).ignored == "amount_zero"


def test_what_is_no_balance_transaction_is_refused() -> None:
    for values in (charge(), transaction(100)):
        with pytest.raises(Rejected) as caught:
            read(Fields(values), NormaliseContext())
        assert caught.value.reason == "not_a_balance_transaction"


def test_a_currency_that_was_gone_by_then_is_refused_as_in_a_webhook() -> None:
    with pytest.raises(Rejected, match="HRK was withdrawn") as caught:
        told("charge", 2000, charge(currency="hrk"), currency="hrk")
    assert caught.value.reason == "unknown_currency"
