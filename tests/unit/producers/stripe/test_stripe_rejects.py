"""Authentic input that cannot be booked: each with a clear reason and the field."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.normalising import NormaliseContext, Rejected
from producers.stripe.stripe import KINDS, identify, normalise
from schemas.envelope import decode, encode
from tests.searching import examples, search
from tests.unit.producers.made import charge, normalised, only_event, payout, stripe_event


def _rejected(payload: bytes) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as caught:
        normalised(payload)
    return caught.value.reason, caught.value.field


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (10.5, "amount_not_integer"),
        (2000.0, "amount_not_integer"),
        ("2000", "amount_not_integer"),
        (True, "amount_not_integer"),
        ([2000], "amount_not_integer"),
        (-2000, "amount_negative"),
        (10**15 + 1, "amount_too_large"),
        (10**40, "amount_too_large"),
        (None, "missing_field"),
    ],
)
@pytest.mark.parametrize("name", ["amount", "amount_captured"])
def test_amounts_that_cannot_be_are_refused(amount: object, reason: str, name: str) -> None:
    if amount is None and name == "amount_captured":
        return
    payload = stripe_event("charge.succeeded", charge(**{name: amount}))
    assert _rejected(payload) == (reason, f"data.object.{name}")


@pytest.mark.parametrize(
    ("currency", "reason"),
    [
        ("zzz", "unknown_currency"),
        ("", "unknown_currency"),
        (840, "unknown_currency"),
        (None, "missing_field"),
    ],
)
def test_currencies_that_cannot_be_are_refused(currency: object, reason: str) -> None:
    payload = stripe_event("charge.succeeded", charge(currency=currency))
    assert _rejected(payload) == (reason, "data.object.currency")


def test_an_amount_stripe_cannot_send_in_a_currency_is_refused() -> None:
    payload = stripe_event("charge.succeeded", charge(currency="isk", amount=150, amount_captured=150))
    assert _rejected(payload) == ("amount_not_possible", "data.object.amount")


@pytest.mark.parametrize("created", [None, "now", 1.5, True, 0, -5, 946_684_799, 1_768_478_400_000, 10**30])
def test_a_missing_or_absurd_time_is_refused(created: object) -> None:
    reason, field = _rejected(stripe_event("payout.paid", payout(), created=created))
    assert (reason in {"bad_time", "missing_field"}, field) == (True, "created")


def test_created_is_seconds_in_utc() -> None:
    assert only_event(stripe_event("payout.paid", payout())).time == datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not_json"),
        (b"not json", "not_json"),
        (b'{"id": NaN}', "not_json"),
        (b"\xff\xff", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_an_event"),
        (b"null", "not_an_event"),
        (b'"text"', "not_an_event"),
        (b"{}", "not_an_event"),
        (b'{"object": "charge", "type": "card_present"}', "not_an_event"),
        (b'{"object": "event", "type": 5}', "not_an_event"),
        (b'{"object": "event", "type": "payout.paid"}', "not_an_event"),
        (b'{"object": "event", "type": "payout.paid", "data": {}}', "not_an_event"),
        (b'{"object": "event", "type": "payout.paid", "data": []}', "wrong_type"),
        (b'{"object": "event", "type": "payout.paid", "data": {"object": []}}', "wrong_type"),
    ],
)
def test_what_is_no_stripe_event_is_refused(payload: bytes, reason: str) -> None:
    assert _rejected(payload)[0] == reason


def test_an_event_with_another_object_inside_is_refused() -> None:
    assert _rejected(stripe_event("charge.succeeded", payout())) == ("wrong_object", "data.object.object")


@pytest.mark.parametrize("identifier", [None, "", True, "a b", "x" * 256, "é"])
def test_ids_are_needed_and_sane(identifier: object) -> None:
    reason, field = _rejected(stripe_event("charge.succeeded", charge(id=identifier)))
    assert (reason in {"missing_field", "bad_id"}, field) == (True, "data.object.id")
    reason, field = _rejected(stripe_event("charge.succeeded", charge(), id=identifier))
    assert (reason in {"missing_field", "bad_id"}, field) == (True, "id")


def test_an_event_without_the_word_event_is_trivially_one() -> None:
    document = json.loads(stripe_event("payout.paid", payout()))
    del document["object"]
    assert only_event(json.dumps(document).encode()).data.fact == "stripe:payout:po_1"


@pytest.mark.parametrize("kind", ["customer.created", "charge.expired", "a.type.of.the.future", "v2.billing.meter"])
def test_other_types_are_ignored_by_name(kind: str) -> None:
    found = normalised(stripe_event(kind, {}))
    assert (found.events, found.ignored) == ((), f"type_not_used:{kind}")
    assert normalised(stripe_event("v1.billing.meter", {})).ignored == "type_not_used:billing.meter"


def test_a_connected_account_gets_its_own_company() -> None:
    assert only_event(stripe_event("payout.paid", payout(), account="acct_1")).company == "second"
    assert only_event(stripe_event("payout.paid", payout(), account=None)).company == "main"
    (event,) = normalise(stripe_event("payout.paid", payout()), NormaliseContext(company="mine")).events
    assert event.company == "mine"


def test_an_unknown_account_never_gets_the_default_company() -> None:
    payload = stripe_event("payout.paid", payout(), account="acct_9")
    assert _rejected(payload) == ("unmapped:stripe_account:acct_9", "account")


def test_the_same_payload_always_gives_the_same_events() -> None:
    payload = stripe_event("payout.paid", payout())
    assert normalised(payload) == normalised(payload)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "id", "object", "amount", "amount_captured", "amount_refunded", "captured", "currency", "status", "refunds",
    "balance_transaction", "balance_transactions", "customer", "charge", "arrival_date", "billing_details",
]  # fmt: skip


@search
@settings(max_examples=examples(25))
@given(
    kind=st.sampled_from(sorted(KINDS)),
    fields=st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=5),
    previous=st.none() | st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=3),
)
def test_any_shape_is_normalised_ignored_or_rejected_and_never_breaks(
    kind: str, fields: dict[str, object], previous: dict[str, object] | None
) -> None:
    obj = charge(object=KINDS[kind].holds, arrival_date=1_768_478_400) | fields
    try:
        found = normalised(stripe_event(kind, obj, previous))
    except Rejected as rejected:
        assert rejected.reason  # noqa: PT017  (a rejection is one of the two good ends)
        return
    assert bool(found.events) != bool(found.ignored)
    for event in found.events:
        assert decode(encode(event)) == event


@given(st.binary(max_size=200))
def test_any_bytes_are_rejected_or_ignored_and_identified_without_an_error(body: bytes) -> None:
    identify(body)
    with pytest.raises(Rejected):
        normalised(body)
