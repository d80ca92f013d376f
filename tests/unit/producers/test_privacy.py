"""Names and addresses are planted in every real file, in every place that holds text; then they are looked for."""

import json
import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog

from producers.normalising import NormaliseContext, Rejected
from producers.stripe.stripe import KINDS, normalise
from producers.webhooks.measures import Measures
from schemas.envelope import encode
from schemas.errors import InvalidEvent
from tests.fakes import FakeClock
from tests.unit.producers.made import RUBY_MOCK, charge, dispute, payout, refund, stripe_event
from tests.unit.producers.receiving import FakePublisher, app_with, signed

MARK = "PLANTED"
PERSONAL = {"name": f"Jenny {MARK}", "email": f"{MARK}@example.org", "phone": f"+1 {MARK}"}
MACHINE_WORDS = {
    "id",
    "object",
    "type",
    "status",
    "currency",
    "charge",
    "customer",
    "payment_intent",
    "invoice",
    "payment_status",
    "product",
    "tax",
}
FILES = sorted(RUBY_MOCK.glob("*.json"))


def _planted(value: object, key: str = "") -> object:
    """Put a mark into every text that is not a machine word, wherever it stands."""
    match value:
        case dict():
            marked = {name: _planted(inner, name) for name, inner in value.items()}
            return marked | PERSONAL if "object" in marked else marked
        case list():
            return [_planted(inner, key) for inner in value]
        case str() | None if key not in MACHINE_WORDS and not key.endswith("balance_transaction"):
            return f"{MARK} {key}"
    return value


def _planted_file(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    document["data"] = _planted(document["data"])
    document["data"]["object"]["billing_details"] = dict(PERSONAL)
    return document


def _broken(document: dict[str, Any]) -> Iterator[bytes]:
    """The document, and the document spoilt in each field of its object by a personal text and by other shapes."""
    yield json.dumps(document).encode()
    for name in [*document["data"]["object"], "amount", "arrival_date"]:
        for bad in (f"Jenny {MARK}", [f"{MARK}"], {"id": f"{MARK} {MARK}", "amount": f"{MARK}"}, 10.5, None):
            spoilt = json.loads(json.dumps(document))
            spoilt["data"]["object"][name] = bad
            yield json.dumps(spoilt).encode()
    yield json.dumps(document).encode()[:-20]
    yield json.dumps(document | {"created": f"{MARK}"}).encode()
    yield json.dumps(document | {"account": f"{MARK} {MARK}"}).encode()


def _refusal(body: bytes) -> Rejected | None:
    try:
        normalise(body, NormaliseContext())
    except Rejected as rejected:
        return rejected
    return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_refusal_shows_personal_data(path: Path) -> None:
    for body in _broken(_planted_file(path)):
        refused = _refusal(body)
        if refused is not None:
            assert MARK not in f"{refused} {refused!r} {refused.reason} {refused.field}"
            assert refused.__context__ is None or refused.__suppress_context__


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_event_holds_personal_data_in_its_customer_only(path: Path) -> None:
    document = _planted_file(path)
    whole = document["data"]["object"]
    inside = whole["charges"]["data"] if whole["object"] == "payment_intent" else ()
    for held in (whole, *inside):
        held.update(customer="cus_1", billing_details=dict(PERSONAL))
    for event in normalise(json.dumps(document).encode(), NormaliseContext()).events:
        encoded = json.loads(encode(event))
        customer = encoded["data"].pop("customer", None)
        assert MARK not in json.dumps(encoded)
        if event.type == "sales.payment.succeeded.v1":
            assert customer == {"id": "cus_1", "name": PERSONAL["name"], "email": PERSONAL["email"]}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_neither_logs_answers_nor_kept_errors_show_personal_data(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    planted = _planted_file(path)
    most = None if planted["type"] in KINDS else 1
    publisher = FakePublisher()
    measures = Measures()
    transport = httpx2.ASGITransport(app_with(publisher, FakeClock(), measures=measures))
    async with httpx2.AsyncClient(transport=transport, base_url="http://receiver") as client:
        with structlog.testing.capture_logs() as lines:
            for body in islice(_broken(planted), most):
                answer = await client.post("/webhooks/stripe", content=body, headers=signed(body))
                assert answer.status_code == 200
                assert MARK not in answer.text
        assert MARK not in (await measures.text()).decode()
    assert lines
    assert MARK not in repr(lines)
    assert MARK not in caplog.text
    for kept in publisher.kept:
        assert MARK not in kept["error"]
        assert MARK not in kept["reason"]


@pytest.mark.parametrize(
    "payload",
    [
        stripe_event("charge.succeeded", charge(currency=f"{MARK}")),
        stripe_event("charge.succeeded", charge(id=f"{MARK} x")),
        stripe_event("refund.created", refund(status=f"{MARK} x")),
        stripe_event("payout.paid", payout(arrival_date=f"{MARK}")),
        stripe_event("charge.dispute.funds_withdrawn", dispute({"amount": f"{MARK}"})),
        stripe_event(f"{MARK} x", {}),
    ],
)
def test_a_personal_text_in_a_machines_place_is_not_shown(payload: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        normalise(payload, NormaliseContext())
    assert MARK not in str(caught.value)


def test_an_invalid_event_does_not_show_its_data() -> None:
    error = InvalidEvent("must be a string", field="data.customer.name")
    assert str(error) == "data.customer.name: must be a string"
