"""Bad input: each kind has a clear answer, nothing of it reaches the books, and nothing authentic is lost."""

import secrets
from collections.abc import Iterator

import httpx2
import pytest

from staging.processes import PLAIN, STRIPE_SECRET
from tests.e2e.driving import (
    Relay,
    await_said,
    charge_event,
    invoice_of,
    payment_of,
    signature,
)
from tests.unit.producers.made import stripe_event

pytestmark = pytest.mark.e2e

LIMIT_BYTES = 1_048_576


@pytest.fixture(scope="module", autouse=True)
def worker(relay: Relay) -> Iterator[None]:
    """Let a worker run, so that whatever slipped through would be booked."""
    with relay.worker("bad-input") as process:
        await_said(process, "worker.consuming")
        yield


def assert_nothing_was_booked(relay: Relay, *names: str) -> None:
    """A good event sent afterwards overtakes nothing: when it is booked, a bad one would be."""
    sentinel = f"sentinel_{secrets.token_hex(4)}"
    relay.deliver([charge_event(sentinel)])
    relay.await_records(payment_of(sentinel))
    booked = relay.judge()["by_external_id"]
    assert [name for name in names if invoice_of(name) in booked or payment_of(name) in booked] == []


def metric(relay: Relay, name: str) -> float:
    """Read one sum over all labels that hold the text."""
    lines = [line for line in relay.measured().splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_a_forged_an_expired_and_a_missing_signature_are_refused(relay: Relay) -> None:
    names = [f"unsigned_{number}" for number in range(5)]
    bodies = [charge_event(name) for name in names]
    headers = [
        signature(bodies[0], secret="whsec_" + "0" * 32),
        signature(bodies[1], age_seconds=360),
        signature(bodies[2], age_seconds=-360),
        "",
        signature(bodies[0]),
    ]
    answers = [relay.send(body, header) for body, header in zip(bodies, headers, strict=True)]
    answers.append(httpx2.post(f"{relay.webhooks}/webhooks/stripe", content=bodies[3], timeout=10, verify=PLAIN))
    assert [answer.status_code for answer in answers] == [401] * 6
    assert {answer.text for answer in answers} == {'{"error":"signature"}'}, "the reason is for the log only"
    assert_nothing_was_booked(relay, *names)


def test_a_body_altered_on_its_way_is_refused(relay: Relay) -> None:
    body = charge_event("altered")
    assert relay.send(body.replace(b"2000", b"9000"), signature(body)).status_code == 401
    assert_nothing_was_booked(relay, "altered")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_past_the_limit_is_refused_whether_its_length_is_announced_or_not(
    relay: Relay, *, announced: bool
) -> None:
    body = charge_event(f"large_{announced}", description="x" * LIMIT_BYTES)
    content = body if announced else iter([body[:LIMIT_BYTES], body[LIMIT_BYTES:]])
    answer = httpx2.post(
        f"{relay.webhooks}/webhooks/stripe",
        content=content,
        headers={"Stripe-Signature": signature(body)},
        timeout=30,
        verify=PLAIN,
    )
    assert (answer.status_code, answer.json()) == (413, {"error": "too_large"})
    assert_nothing_was_booked(relay, f"large_{announced}")


REJECTED: dict[str, tuple[dict[str, object], str, str]] = {
    "currency": ({"currency": "zzz"}, "unknown_currency", "data.object.currency"),
    "negative": ({"amount": -5, "amount_captured": -5}, "amount_negative", "data.object.amount"),
    "absurd": ({"amount": 10**18, "amount_captured": 10**18}, "amount_too_large", "data.object.amount"),
    "fractional": ({"amount": 20.5, "amount_captured": 20.5}, "amount_not_integer", "data.object.amount"),
    "text": ({"amount": "2000", "amount_captured": "2000"}, "amount_not_integer", "data.object.amount"),
}


def test_authentic_input_that_cannot_be_booked_is_accepted_kept_whole_and_named_by_its_field(
    relay: Relay,
) -> None:
    bodies = {name: charge_event(f"kept_{name}", **fields) for name, (fields, _, _) in REJECTED.items()}
    bodies["json"] = b'{"id": "evt_kept_json", "type": "charge.succ'
    answers = {name: relay.send(body) for name, body in bodies.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(bodies, 200)
    assert {answer.json()["outcome"] for answer in answers.values()} == {"kept"}
    raw = [letter for letter in relay.asked("dead", "list") if letter["event_source"] == "/webhooks/stripe"]
    letters = {letter["reason"]: letter for letter in raw if letter["reason"] != "amount_not_integer"}
    for fields, reason, field in (REJECTED[name] for name in ("currency", "negative", "absurd")):
        assert letters[reason]["error"].startswith(f"{field}: "), fields
    not_whole = [letter["error"] for letter in raw if letter["reason"] == "amount_not_integer"]
    assert [error.startswith("data.object.amount: ") for error in not_whole] == [True, True]
    for reason, name in (("not_json", "json"), ("unknown_currency", "currency")):
        shown = relay.asked("dead", "show", letters[reason]["id"])
        assert shown["body"] == bodies[name].decode(), "the bytes are kept as they came"
    assert_nothing_was_booked(relay, *(f"kept_{name}" for name in bodies))


def test_an_event_type_that_is_not_used_is_acknowledged_and_counted(relay: Relay) -> None:
    before = metric(relay, "relay_webhook_ignored_total")
    answer = relay.send(stripe_event("balance.available", {"object": "balance"}, id="evt_unused"))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "ignored"})
    assert metric(relay, "relay_webhook_ignored_total") == before + 1
    assert 'reason="type_not_used"' in relay.measured()


def test_two_secrets_are_good_during_a_rotation_and_a_header_may_carry_several_signatures(relay: Relay) -> None:
    body = charge_event("rotated")
    old = signature(body, secret="whsec_old")
    header = f"{signature(body, secret=STRIPE_SECRET)},{old.partition(',')[2]}"
    assert relay.send(body, header).status_code == 200
    relay.await_records(payment_of("rotated"))
