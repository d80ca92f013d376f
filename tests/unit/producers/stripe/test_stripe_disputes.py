import pytest

from producers.normalising import Rejected
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import BalanceMoved, DisputeLost, DisputeOpened, DisputeWon
from tests.unit.producers.made import dispute, ignored, normalised, only_event, stripe_event, transaction

WITHDRAWN = "charge.dispute.funds_withdrawn"
REINSTATED = "charge.dispute.funds_reinstated"
CLOSED = "charge.dispute.closed"
USD_250 = Money.of("250", "USD")


def told(payload: bytes) -> list[EventData]:
    return [event.data for event in normalised(payload).events]


def facts(payload: bytes) -> list[str]:
    return [data.fact.removeprefix("stripe:dispute:dp_1:") for data in told(payload)]


def test_withdrawn_funds_are_the_amount_the_fee_and_its_tax() -> None:
    data = only_event(stripe_event(WITHDRAWN, dispute(transaction(-25000, 1800, tax=300)))).data
    assert data == DisputeOpened(
        fact="stripe:dispute:dp_1:withdrawn",
        dispute="dp_1",
        charge="ch_1",
        amount=USD_250,
        fee=Money.of("15", "USD"),
        fee_tax=Money.of("3", "USD"),
    )


@pytest.mark.parametrize("listed", [[], None])
def test_without_balance_transactions_the_disputes_amount_counts_and_there_is_no_fee(listed: object) -> None:
    data = only_event(stripe_event(WITHDRAWN, dispute(balance_transactions=listed))).data
    assert isinstance(data, DisputeOpened)
    assert (data.amount, data.fee) == (USD_250, Money.zero("USD"))


def test_the_amount_that_left_the_balance_counts_in_its_own_currency() -> None:
    taken = transaction(-23000, 1500, currency="eur", fee_details=[])
    data = only_event(stripe_event(WITHDRAWN, dispute(taken))).data
    assert isinstance(data, DisputeOpened)
    assert (data.amount, data.fee) == (Money.of("230", "EUR"), Money.of("15", "EUR"))


def test_reinstated_funds_come_without_the_fee() -> None:
    payload = stripe_event(REINSTATED, dispute(transaction(-25000, 1500), transaction(25000)))
    assert told(payload)[-1] == DisputeWon(
        fact="stripe:dispute:dp_1:reinstated",
        of="stripe:dispute:dp_1:withdrawn",
        dispute="dp_1",
        charge="ch_1",
        amount=USD_250,
        fee=Money.zero("USD"),
        fee_tax=Money.zero("USD"),
    )


def test_a_fee_comes_back_only_where_a_transaction_says_so() -> None:
    data = only_event(stripe_event(REINSTATED, dispute(transaction(25000, -1500)))).data
    assert isinstance(data, DisputeWon)
    assert (data.amount, data.fee) == (USD_250, Money.of("15", "USD"))


def test_a_new_fee_on_reinstatement_is_refused() -> None:
    with pytest.raises(Rejected) as caught:
        normalised(stripe_event(REINSTATED, dispute(transaction(25000, 1500))))
    assert caught.value.reason == "does_not_add_up"


def test_a_lost_dispute_is_the_loss_of_what_is_still_withdrawn() -> None:
    payload = stripe_event(CLOSED, dispute(transaction(-25000, 1500), status="lost"))
    assert told(payload)[-1] == DisputeLost(
        fact="stripe:dispute:dp_1:lost",
        of="stripe:dispute:dp_1:withdrawn",
        dispute="dp_1",
        charge="ch_1",
        amount=USD_250,
        taken=USD_250,
    )
    assert only_event(stripe_event(CLOSED, dispute(status="lost"))).data.fact == "stripe:dispute:dp_1:lost"


@pytest.mark.parametrize("status", ["won", "warning_closed", None])
def test_a_dispute_closed_without_loss_posts_nothing(status: str | None) -> None:
    assert ignored(stripe_event(CLOSED, dispute(status=status))) == "dispute_not_lost"


def test_a_loss_that_was_given_back_is_none() -> None:
    back = dispute(transaction(-25000), transaction(25000), status="lost")
    assert facts(stripe_event(CLOSED, back)) == ["withdrawn", "reinstated"]


def test_whatever_an_event_of_a_dispute_lists_is_told_under_an_id_of_its_own() -> None:
    """So it does not matter which of them are subscribed."""
    lost = stripe_event("charge.dispute.created", dispute(transaction(-25000, 1500), status="lost"))
    assert facts(lost) == ["withdrawn", "lost"]
    assert len({event.id for event in normalised(lost).events}) == 2
    assert ignored(stripe_event("charge.dispute.created", dispute())) == "nothing_withdrawn"


def test_of_a_dispute_that_is_won_in_part_the_rest_is_lost() -> None:
    part = [transaction(-25000, 1500), transaction(10000)]
    assert facts(stripe_event(CLOSED, dispute(*part, status="won"))) == ["withdrawn", "reinstated", "lost"]
    lost = told(stripe_event(CLOSED, dispute(*part, status="won")))[-1]
    assert isinstance(lost, DisputeLost)
    assert (lost.amount, lost.taken) == (Money.of("150", "USD"), USD_250)
    assert facts(stripe_event(CLOSED, dispute(part[0], status="won"))) == ["withdrawn"], "the money is on its way"


def test_each_withdrawal_and_each_return_is_a_fact_of_its_own_in_the_order_of_time() -> None:
    listed = [
        transaction(25000, id="txn_4", created=4),
        transaction(-25000, id="txn_3", created=3),
        transaction(25000, id="txn_2", created=2),
        transaction(-25000, id="txn_1", created=1),
    ]
    payload = stripe_event(REINSTATED, dispute(*listed, status="won"))
    assert facts(payload) == ["withdrawn", "withdrawn:txn_3", "reinstated", "reinstated:txn_4"]


@pytest.mark.parametrize(
    ("back", "rate", "share"),
    [(10850, 1.085, None), (10790, 1.079, "108.50"), (10910, 1.091, "108.50"), (5395, 1.079, "54.25")],
)
def test_what_is_given_back_at_another_rate_is_the_share_of_what_was_taken(
    back: int, rate: float, share: str | None
) -> None:
    moves = (
        transaction(-10850, created=1, exchange_rate=1.085),
        transaction(back, created=2, exchange_rate=rate, id="txn_2"),
    )
    won = told(stripe_event(REINSTATED, dispute(*moves, amount=10000, currency="eur", status="needs_response")))[-1]
    assert isinstance(won, DisputeWon)
    assert won.taken == (None if share is None else Money.of(share, "USD"))


def test_a_fee_that_stands_alone_is_told_too() -> None:
    moved = told(stripe_event(REINSTATED, dispute(transaction(25000), transaction(0, 1500, id="txn_2"))))[-1]
    assert isinstance(moved, BalanceMoved)
    assert (moved.fact, moved.kind, moved.category) == ("stripe:balance:txn_2", "dispute_fee", "fee")
    assert (moved.settlement.gross, moved.settlement.net) == (Money.of("-15", "USD"), Money.of("-15", "USD"))


def test_transactions_in_two_currencies_are_refused() -> None:
    with pytest.raises(Rejected) as caught:
        normalised(stripe_event(WITHDRAWN, dispute(transaction(-100), transaction(-100, currency="eur"))))
    assert caught.value.reason == "mixed_currencies"


def test_a_transaction_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(Rejected, match=r"-265\.00 USD") as caught:
        normalised(stripe_event(WITHDRAWN, dispute(transaction(-25000, 1500, net=-25000))))
    assert caught.value.field == "data.object.balance_transactions[0].net"


def test_a_dispute_is_ordered_with_its_charge() -> None:
    event = only_event(stripe_event(WITHDRAWN, dispute()))
    assert (event.subject, event.partitionkey) == ("dp_1", "ch_1")
    assert only_event(stripe_event(WITHDRAWN, dispute(charge=None))).partitionkey == "dp_1"
