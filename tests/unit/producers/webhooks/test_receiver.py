"""The receiver over its own app: no socket, a broker that is a fake of our own port, a clock that stands still."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest
import structlog
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.types import Message, Receive

from messaging.errors import BrokerUnreachable, MessagingError, PublishFailed, Unroutable
from producers.normalising import NormaliseContext, Normalised
from producers.source import Signature
from producers.webhooks.measures import Measures
from tests.fakes import NOON, FakeClock
from tests.unit.producers.made import charge, payout, refund, refund_list, stripe_event
from tests.unit.producers.receiving import LIMIT, OLD_SECRET, SECRET, FakePublisher, app_with, signed, stripe_hook
from tests.unit.producers.sourcing import put

PAYOUT = stripe_event("payout.paid", payout())
TWO_REFUNDS = stripe_event("charge.refunded", charge(amount_refunded=1000, refunds=refund_list(refund(1), refund(2))))


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def measures() -> Measures:
    return Measures()


@pytest.fixture
def app(publisher: FakePublisher, clock: FakeClock, measures: Measures) -> Starlette:
    return app_with(publisher, clock, measures=measures)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://receiver") as made:
        yield made


async def _post(client: httpx2.AsyncClient, body: bytes, headers: dict[str, str] | None = None) -> httpx2.Response:
    return await client.post("/webhooks/stripe", content=body, headers=signed(body) if headers is None else headers)


async def test_a_signed_event_is_published_and_then_acknowledged(
    client: httpx2.AsyncClient, publisher: FakePublisher
) -> None:
    answer = await _post(client, PAYOUT)
    assert (answer.status_code, answer.json()) == (200, {"outcome": "published"})
    assert [event.data.fact for event in publisher.events] == ["stripe:payout:po_1"]


async def test_both_secrets_are_good_during_a_rotation(client: httpx2.AsyncClient) -> None:
    assert (await _post(client, PAYOUT, signed(PAYOUT, OLD_SECRET))).status_code == 200


async def test_a_type_that_posts_nothing_is_acknowledged_and_counted(
    client: httpx2.AsyncClient, publisher: FakePublisher, measures: Measures
) -> None:
    answer = await _post(client, stripe_event("customer.created", {}))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "ignored"})
    assert publisher.events == []
    assert publisher.kept == []
    counted = (await measures.text()).decode()
    assert 'relay_webhook_ignored_total{reason="type_not_used",source="stripe"} 1.0' in counted


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Stripe-Signature": "nonsense"},
        signed(PAYOUT, "whsec_forged"),
        signed(PAYOUT + b" "),
        signed(PAYOUT, seconds=int(NOON.timestamp()) - 301),
        signed(PAYOUT, seconds=int(NOON.timestamp()) + 301),
    ],
)
async def test_a_bad_signature_is_refused_and_the_answer_does_not_say_why(
    client: httpx2.AsyncClient, publisher: FakePublisher, headers: dict[str, str]
) -> None:
    answer = await _post(client, PAYOUT, headers)
    assert (answer.status_code, answer.json()) == (401, {"error": "signature"})
    assert publisher.events == []
    assert publisher.kept == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not json", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"", "not_json"),
        (stripe_event("charge.succeeded", charge(currency="zzz")), "unknown_currency"),
        (stripe_event("charge.succeeded", charge(amount=-5)), "amount_negative"),
        (stripe_event("charge.succeeded", charge(amount=10.5)), "amount_not_integer"),
        (stripe_event("charge.succeeded", charge(amount=10**16)), "amount_too_large"),
        (stripe_event("payout.paid", payout(), account="acct_9"), "unmapped:stripe_account:acct_9"),
    ],
)
async def test_authentic_input_that_cannot_be_booked_is_kept_and_acknowledged(
    client: httpx2.AsyncClient, publisher: FakePublisher, body: bytes, reason: str
) -> None:
    answer = await _post(client, body)
    assert (answer.status_code, answer.json()) == (200, {"outcome": "kept"})
    (kept,) = publisher.kept
    assert (kept["body"], kept["source"], kept["reason"]) == (body, "/webhooks/stripe", reason)
    assert kept["error"]
    assert publisher.events == []


async def test_a_mistake_of_ours_keeps_the_body_too(
    publisher: FakePublisher, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: bytes, __: NormaliseContext) -> Normalised:
        msg = "Jenny Rosen"
        raise KeyError(msg)

    put(monkeypatch, "stripe", document=broken)
    transport = httpx2.ASGITransport(app_with(publisher, clock))
    async with httpx2.AsyncClient(transport=transport, base_url="http://receiver") as made:
        assert (await _post(made, PAYOUT)).status_code == 200
    (kept,) = publisher.kept
    assert (kept["body"], kept["reason"]) == (PAYOUT, "normaliser_failed")
    assert re.fullmatch(r"KeyError at broken:\d+", kept["error"])


@pytest.mark.parametrize("failure", [PublishFailed(), Unroutable(), BrokerUnreachable()])
@pytest.mark.parametrize("body", [PAYOUT, b"not json"])
async def test_without_a_confirmation_the_sender_is_told_to_send_again(
    client: httpx2.AsyncClient, publisher: FakePublisher, failure: MessagingError, body: bytes
) -> None:
    publisher.failure = failure
    answer = await _post(client, body)
    assert (answer.status_code, answer.json()) == (503, {"error": "unavailable"})
    assert answer.headers["Retry-After"] == "30"


async def test_half_published_is_not_published(client: httpx2.AsyncClient, publisher: FakePublisher) -> None:
    publisher.failure, publisher.good_calls = PublishFailed(), 1
    assert (await _post(client, TWO_REFUNDS)).status_code == 503
    assert len(publisher.events) == 1
    publisher.failure = None
    assert (await _post(client, TWO_REFUNDS)).status_code == 200
    assert [event.id for event in publisher.events] == ["evt_1:re_1", "evt_1:re_1", "evt_1:re_2"]


@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT])
async def test_a_body_up_to_the_limit_is_read(client: httpx2.AsyncClient, size: int) -> None:
    assert (await _post(client, b" " * size)).status_code == 200


async def test_a_body_past_the_limit_is_refused_unread(client: httpx2.AsyncClient, publisher: FakePublisher) -> None:
    answer = await _post(client, b" " * (LIMIT + 1))
    assert (answer.status_code, answer.json()) == (413, {"error": "too_large"})
    assert publisher.kept == []


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "5"}, {"Content-Length": "-1"}])
async def test_the_limit_holds_while_the_body_streams_in(app: Starlette, headers: dict[str, str]) -> None:
    """A sender that lies about the length, or says none, is cut off at the limit, not at its end."""
    chunks = iter([b" " * 6000] * 1000)
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": next(chunks), "more_body": True}

    assert await _status(app, receive, headers) == 413
    assert taken == 2


async def test_a_sender_that_goes_away_is_no_error(app: Starlette) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    assert await _status(app, receive, {}) == 499


async def _status(app: Starlette, receive: Receive, headers: dict[str, str]) -> int:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/webhooks/stripe",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/webhooks/stripe", 405),
        ("POST", "/webhooks/other", 404),
        ("POST", "/webhooks/stripe/", 404),
        ("POST", "/webhooks", 404),
        ("GET", "/healthz/", 404),
        ("GET", "//healthz", 404),
        ("GET", "/metrics", 404),
        ("GET", "/", 404),
        ("GET", "/healthz", 200),
    ],
)
async def test_nothing_else_is_served_and_nobody_is_led_to_the_host_that_the_caller_named(
    client: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert answer.status_code == status
    assert "evil" not in f"{answer.headers} {answer.text}"
    assert "location" not in answer.headers


async def test_after_a_body_that_is_too_large_the_connection_is_closed(client: httpx2.AsyncClient) -> None:
    answer = await _post(client, b"x" * (LIMIT + 1))
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


async def test_what_came_of_requests_is_counted(client: httpx2.AsyncClient, measures: Measures) -> None:
    await _post(client, PAYOUT)
    await _post(client, PAYOUT, {})
    await _post(client, stripe_event("payout.paid", payout(), account="acct_9"))
    text = (await measures.text()).decode()
    for line in (
        'relay_webhook_requests_total{outcome="published",source="stripe",status="200"} 1.0',
        'relay_webhook_requests_total{outcome="refused",source="stripe",status="401"} 1.0',
        'relay_webhook_events_total{source="stripe",type="sales.payout.paid.v1"} 1.0',
        'relay_webhook_bad_signatures_total{reason="missing",source="stripe"} 1.0',
        'relay_webhook_kept_total{reason="unmapped",source="stripe"} 1.0',
        'relay_webhook_seconds_count{source="stripe"} 3.0',
    ):
        assert line in text
    assert "acct_9" not in text


async def test_each_request_writes_one_line(client: httpx2.AsyncClient) -> None:
    with structlog.testing.capture_logs() as lines:
        await _post(client, PAYOUT, signed(PAYOUT, OLD_SECRET))
        await _post(client, PAYOUT, {})
    published, refused = lines
    assert published == {
        "event": "webhook.received",
        "log_level": "info",
        "status": 200,
        "source": "stripe",
        "outcome": "published",
        "duration_seconds": 0.0,
        "body_bytes": len(PAYOUT),
        "type": "payout.paid",
        "event_id": "evt_1",
        "reason": None,
        "events": 1,
        "secret_index": 1,
    }
    assert (refused["status"], refused["reason"], refused["event_id"]) == (401, "missing", None)


@pytest.mark.parametrize("secrets", [(), (SecretStr(""),), (SecretStr(SECRET), SecretStr("  "))])
def test_without_a_secret_there_is_no_receiver(secrets: tuple[SecretStr, ...]) -> None:
    with pytest.raises(ValueError, match="signing secret"):
        app_with(FakePublisher(), FakeClock(), replace(stripe_hook(), secrets=secrets))


def test_the_checks_cannot_be_switched_off() -> None:
    with pytest.raises(ValueError, match="more than zero"):
        app_with(FakePublisher(), FakeClock(), max_body_bytes=0)
    with pytest.raises(ValueError, match="greater than 0"):
        stripe_hook(tolerance_seconds=0)
    with pytest.raises(ValueError, match="greater than 0"):
        Signature(header="x", tolerance_seconds=0)


MODES = [
    (False, True, "published", None),
    (False, False, "ignored", "test_mode"),
    (False, None, "kept", "unknown_mode"),
    (False, "false", "kept", "unknown_mode"),
    (False, 0, "kept", "unknown_mode"),
    (True, False, "published", None),
    (True, True, "kept", "live_mode"),
    (True, None, "kept", "unknown_mode"),
]


@pytest.mark.parametrize(("trial_books", "livemode", "outcome", "reason"), MODES)
async def test_tests_and_real_money_never_meet_in_the_same_books(
    publisher: FakePublisher, *, trial_books: bool, livemode: object, outcome: str, reason: str | None
) -> None:
    measures = Measures()
    app = app_with(publisher, FakeClock(), stripe_hook(test_mode=trial_books), measures=measures)
    body = stripe_event("payout.paid", payout(), livemode=livemode)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://receiver") as http:
        answer = await _post(http, body)
    assert (answer.status_code, answer.json()) == (200, {"outcome": outcome})
    assert len(publisher.events) == (outcome == "published")
    assert [kept["reason"] for kept in publisher.kept] == ([reason] if outcome == "kept" else [])
    counted = (await measures.text()).decode()
    assert ('relay_webhook_ignored_total{reason="test_mode",source="stripe"} 1.0' in counted) == (reason == "test_mode")


@pytest.mark.parametrize("trial_books", [True, False])
async def test_a_type_that_posts_nothing_needs_no_mode(
    publisher: FakePublisher, clock: FakeClock, *, trial_books: bool
) -> None:
    app = app_with(publisher, clock, stripe_hook(test_mode=trial_books))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://receiver") as http:
        for livemode in (True, False, None):
            answer = await _post(http, stripe_event("customer.created", {}, livemode=livemode))
            assert answer.json() == {"outcome": "ignored"}
    assert (publisher.events, publisher.kept) == ([], [])
