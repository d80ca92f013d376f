"""Partial refunds, and the many ways the same refund arrives.

Made up from the rules: no public file has a partial refund.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.normalising import Rejected
from schemas.money import Money
from schemas.sales import PaymentRefunded, RefundFailed, RefundPending
from tests.unit.producers.made import (
    charge,
    ignored,
    normalised,
    only_event,
    refund,
    refund_list,
    stripe_event,
    transaction,
)


def _second_partial_refund() -> bytes:
    """The second event holds both refunds."""
    return stripe_event(
        "charge.refunded",
        charge(amount_refunded=1200, refunds=refund_list(refund(2, amount=700), refund(1))),
        {"amount_refunded": 500, "refunds": {"data": [refund(1)], "total_count": 1}},
    )


def test_the_second_partial_refund_is_one_event() -> None:
    event = only_event(_second_partial_refund())
    assert isinstance(event.data, PaymentRefunded)
    assert event.data.fact == "stripe:refund:re_2"
    assert event.data.amount == Money.of("7", "USD")
    assert (event.id, event.subject, event.partitionkey) == ("evt_1", "re_2", "ch_1")


def test_two_new_refunds_in_one_event_are_two_events_with_ids_of_their_own() -> None:
    found = normalised(
        stripe_event(
            "charge.refunded",
            charge(amount_refunded=1200, refunds=refund_list(refund(2, amount=700), refund(1))),
            {"amount_refunded": 0, "refunds": {"data": []}},
        )
    )
    assert [event.id for event in found.events] == ["evt_1:re_2", "evt_1:re_1"]
    assert [event.data.fact for event in found.events] == ["stripe:refund:re_2", "stripe:refund:re_1"]


def test_the_same_refund_by_its_charge_and_by_itself_is_the_same_fact() -> None:
    by_charge = only_event(_second_partial_refund())
    by_itself = only_event(stripe_event("refund.created", refund(2, amount=700), id="evt_2"))
    assert by_charge.data == by_itself.data
    assert by_charge.partitionkey == by_itself.partitionkey


def test_without_previous_attributes_every_listed_refund_counts() -> None:
    refunds = refund_list(refund(2, amount=700), refund(1))
    found = normalised(stripe_event("charge.refunded", charge(amount_refunded=1200, refunds=refunds)))
    assert len(found.events) == 2


def test_a_very_old_plain_list_of_refunds_is_read() -> None:
    event = only_event(stripe_event("charge.refunded", charge(amount_refunded=500, refunds=[refund(1)])))
    assert event.data.fact == "stripe:refund:re_1"


def test_a_cut_off_list_of_refunds_is_refused_with_its_figures() -> None:
    payload = stripe_event(
        "charge.refunded",
        charge(amount_refunded=1200, refunds=refund_list(refund(2, amount=600))),
        {"amount_refunded": 500, "refunds": {"data": [refund(1)]}},
    )
    with pytest.raises(Rejected, match=r"6\.00 USD.*7\.00 USD") as caught:
        normalised(payload)
    assert (caught.value.reason, caught.value.field) == ("does_not_add_up", "data.object.refunds")


def test_a_failed_or_waiting_refund_in_the_list_is_not_booked() -> None:
    failed, waiting = refund(1, status="failed"), refund(2, status="pending", amount=100)
    payload = stripe_event(
        "charge.refunded",
        charge(amount_refunded=400, refunds=refund_list(failed, waiting, refund(3, amount=300))),
        {"amount_refunded": 0, "refunds": {"data": []}},
    )
    assert only_event(payload).data.fact == "stripe:refund:re_3"


@pytest.mark.parametrize("refunds", [None, {}, refund_list(), []])
def test_newer_api_versions_tell_only_the_sum(refunds: object) -> None:
    payload = stripe_event("charge.refunded", charge(amount_refunded=1200, refunds=refunds), {"amount_refunded": 500})
    event = only_event(payload)
    assert event.data == PaymentRefunded(
        fact="stripe:refunded:ch_1:1200",
        charge="ch_1",
        amount=Money.of("7", "USD"),
        refunded_total=Money.of("12", "USD"),
    )
    assert (event.subject, event.partitionkey) == ("ch_1", "ch_1")


@pytest.mark.parametrize(
    ("previous", "reason"),
    [(None, "missing_field"), ({}, "missing_field"), ({"amount_refunded": 900}, "does_not_add_up")],
)
def test_a_sum_without_a_sound_start_is_refused(previous: dict[str, object] | None, reason: str) -> None:
    with pytest.raises(Rejected) as caught:
        normalised(stripe_event("charge.refunded", charge(amount_refunded=500), previous))
    assert caught.value.reason == reason
    assert caught.value.field == "data.previous_attributes.amount_refunded"


def test_a_sum_that_did_not_rise_posts_nothing() -> None:
    payload = stripe_event("charge.refunded", charge(amount_refunded=500), {"amount_refunded": 500})
    assert ignored(payload) == "no_new_refund"


def test_the_release_of_an_authorisation_is_no_refund() -> None:
    released = charge(captured=False, amount_refunded=2000, refunds=refund_list(refund(1, amount=2000)))
    assert ignored(stripe_event("charge.refunded", released, {"amount_refunded": 0})) == "authorisation_released"


def test_the_release_of_a_part_never_captured_is_no_refund() -> None:
    released = refund(1, amount=500, balance_transaction=None)
    partly = charge(amount_captured=1500, amount_refunded=500, refunds=refund_list(released))
    assert ignored(stripe_event("charge.refunded", partly, {"amount_refunded": 0})) == "no_new_refund"
    at_capture = stripe_event(
        "charge.refunded", charge(amount_captured=1500, amount_refunded=500), {"amount_refunded": 0, "captured": False}
    )
    assert ignored(at_capture) == "authorisation_released"


def test_before_amounts_captured_were_told_a_refund_without_a_transaction_is_a_release() -> None:
    old = charge(amount_refunded=700, refunds=refund_list(refund(2, amount=200), refund(1, balance_transaction=None)))
    del old["amount_captured"]
    assert only_event(stripe_event("charge.refunded", old)).data.fact == "stripe:refund:re_2"


@pytest.mark.parametrize(
    ("captured", "total", "released"),
    [
        (2000, 500, None),
        (1500, 500, None),  # a refund, or the release: the capture has told which
        (1500, 1500, None),
        (1500, 1600, "5.00"),
        (900, 1200, "11.00"),
    ],
)
def test_a_sum_of_more_than_was_captured_counts_what_never_was(captured: int, total: int, released: str | None) -> None:
    told = charge(amount_captured=captured, amount_refunded=total)
    data = only_event(stripe_event("charge.refunded", told, {"amount_refunded": total - 100})).data
    assert isinstance(data, PaymentRefunded)
    assert data.refunded_total == Money.of(f"{total / 100:.2f}", "USD")
    assert data.released == (Money.of(released, "USD") if released else None)


def test_a_sum_that_is_nothing_but_what_was_never_captured_posts_nothing() -> None:
    told = charge(amount_captured=900, amount_refunded=1100)
    assert ignored(stripe_event("charge.refunded", told, {"amount_refunded": 0})) == "authorisation_released"


def test_a_sum_between_what_was_captured_and_what_was_not_is_refused_with_its_figures() -> None:
    told = charge(amount_captured=900, amount_refunded=1000)
    with pytest.raises(Rejected, match=r"10\.00 USD.*11\.00 USD") as caught:
        normalised(stripe_event("charge.refunded", told, {"amount_refunded": 0}))
    assert caught.value.reason == "refund_or_release"


@pytest.mark.parametrize("kind", ["refund.updated", "charge.refund.updated"])
@pytest.mark.parametrize("status", ["pending", "requires_action"])
def test_a_waiting_refund_posts_nothing_yet(kind: str, status: str) -> None:
    assert ignored(stripe_event(kind, refund(status=status))) == "refund_waiting"


@pytest.mark.parametrize("status", ["pending", "requires_action"])
def test_a_new_refund_that_waits_is_told_as_pending(status: str) -> None:
    event = only_event(stripe_event("refund.created", refund(status=status)))
    assert event.data == RefundPending(
        fact="stripe:refund:re_1:pending",
        of="stripe:charge:ch_1",
        becomes="stripe:refund:re_1",
        charge="ch_1",
        refund="re_1",
        amount=Money.of("5", "USD"),
    )
    assert event.partitionkey == "ch_1"
    assert ignored(stripe_event("refund.created", refund(status=status, charge=None))) == "refund_waiting"


@pytest.mark.parametrize("kind", ["refund.updated", "charge.refund.updated"])
def test_a_waiting_refund_is_booked_once_it_succeeds(kind: str) -> None:
    event = only_event(stripe_event(kind, refund(), {"status": "pending"}))
    assert event.data == only_event(stripe_event("refund.created", refund())).data


@pytest.mark.parametrize("kind", ["refund.updated", "charge.refund.updated"])
@pytest.mark.parametrize("previous", [{}, {"metadata": {"a": "b"}}])
@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_a_change_of_anything_else_posts_nothing(kind: str, previous: dict[str, object], status: str) -> None:
    assert ignored(stripe_event(kind, refund(status=status), previous)) == "refund_status_unchanged"


@pytest.mark.parametrize(
    ("kind", "status", "previous"),
    [
        ("refund.failed", "failed", None),
        ("refund.updated", "failed", {"status": "succeeded"}),
        ("charge.refund.updated", "canceled", {"status": "succeeded"}),
        ("charge.refund.updated", "failed", None),
    ],
)
def test_a_refund_that_fails_later_is_taken_back(kind: str, status: str, previous: dict[str, object] | None) -> None:
    event = only_event(stripe_event(kind, refund(status=status), previous))
    assert event.data == RefundFailed(
        fact="stripe:refund:re_1:failed",
        of="stripe:refund:re_1",
        charge="ch_1",
        refund="re_1",
        amount=Money.of("5", "USD"),
    )


@pytest.mark.parametrize("kind", ["refund.failed", "refund.updated"])
def test_a_refund_that_never_moved_is_not_taken_back(kind: str) -> None:
    payload = stripe_event(kind, refund(status="failed"), {"status": "pending"})
    assert ignored(payload) == "refund_never_moved"


def test_a_refund_that_starts_as_failed_posts_nothing() -> None:
    assert ignored(stripe_event("refund.created", refund(status="failed"))) == "refund_undone"


def test_a_refund_without_a_status_counts() -> None:
    assert only_event(stripe_event("refund.created", refund(status=None))).data.fact == "stripe:refund:re_1"


@pytest.mark.parametrize("status", ["lost in thought", 5, ["succeeded"]])
def test_an_unknown_status_is_refused(status: object) -> None:
    with pytest.raises(Rejected) as caught:
        normalised(stripe_event("refund.created", refund(status=status)))
    assert (caught.value.reason, caught.value.field) == ("unknown_status", "data.object.status")


def test_a_refund_without_a_charge_is_ordered_by_itself() -> None:
    event = only_event(stripe_event("refund.created", refund(charge=None)))
    assert event.partitionkey == "re_1"


def test_settlements_of_refunds_carry_stripes_sign() -> None:
    data = only_event(stripe_event("refund.created", refund(balance_transaction=transaction(-500)))).data
    assert isinstance(data, PaymentRefunded)
    assert data.settlement is not None
    assert data.settlement.gross == Money.of("-5", "USD")
    back = refund(status="failed", failure_balance_transaction=transaction(500))
    undone = only_event(stripe_event("refund.failed", back)).data
    assert isinstance(undone, RefundFailed)
    assert undone.settlement is not None
    assert undone.settlement.gross == Money.of("5", "USD")


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=6))
def test_any_series_of_partial_refunds_is_booked_once_each(amounts: list[int]) -> None:
    done: list[dict[str, object]] = []
    facts: list[str] = []
    booked = Money.zero("USD")
    for number, amount in enumerate(amounts):
        total = sum(amounts[:number])
        previous = {"amount_refunded": total, "refunds": {"data": list(done)}}
        done.insert(0, refund(number, amount=amount))
        after = charge(amount=10**7, amount_captured=10**7, amount_refunded=total + amount, refunds=refund_list(*done))
        data = only_event(stripe_event("charge.refunded", after, previous)).data
        assert isinstance(data, PaymentRefunded)
        facts.append(data.fact)
        booked += data.amount
    assert len(set(facts)) == len(amounts)
    assert booked.amount * 100 == sum(amounts)
