"""The real files: what each becomes. They span ten years of API versions."""

import json
from pathlib import Path

import pytest

from producers.normalising import Rejected
from schemas.money import Money
from schemas.sales import DisputeOpened, PaymentRefunded, PaymentSucceeded, PayoutPaid
from tests.unit.producers.made import DATA, RUBY_MOCK, normalised, only_event, stripe_event

BECOMES = {
    "charge.dispute.created": (),
    "charge.dispute.funds_withdrawn": ("sales.dispute.opened.v1",),
    "charge.dispute.updated": (),
    "charge.refunded": ("sales.payment.refunded.v1",),
    "charge.succeeded": ("sales.payment.succeeded.v1",),
    "charge.updated": (),
    "checkout.session.completed": ("sales.sale.told.v1",),
    "checkout.session.completed.payment_mode": ("sales.sale.told.v1",),
    "checkout.session.completed.setup_mode": (),
    "customer.created": (),
    "customer.deleted": (),
    "customer.subscription.created": (),
    "customer.subscription.trial_will_end": (),
    "customer.subscription.updated": ("sales.subscription.updated.v1",),
    "customer.updated": (),
    "invoice.created": (),
    "invoice.finalized": (),
    "invoice.paid": ("sales.sale.told.v1",),
    "invoice.payment_action_required": (),
    "invoice.payment_succeeded": ("sales.sale.told.v1",),
    "invoice.upcoming": (),
    "invoice.updated": (),
    "invoiceitem.created": (),
    "invoiceitem.deleted": (),
    "invoiceitem.updated": (),
    "payment_intent.canceled": (),
    "payment_intent.created": (),
    "payment_intent.payment_failed": (),
    "payment_intent.processing": (),
    "payment_intent.requires_action": (),
    "payment_intent.succeeded": ("sales.payment.succeeded.v1",),
    "payout.created": (),
    "payout.paid": ("sales.payout.paid.v1",),
}


def test_the_table_names_every_file() -> None:
    assert {path.stem for path in RUBY_MOCK.glob("*.json")} == BECOMES.keys()


@pytest.mark.parametrize(("name", "types"), BECOMES.items())
def test_a_real_file_becomes_the_expected_events(name: str, types: tuple[str, ...]) -> None:
    found = normalised((RUBY_MOCK / f"{name}.json").read_bytes())
    assert tuple(event.type for event in found.events) == types
    assert (found.ignored is None) == bool(types)
    for event in found.events:
        assert event.source == "/webhooks/stripe"
        assert event.company == "main"
        assert event.data.fact.startswith("stripe:")


def test_the_real_charge_is_twenty_dollars() -> None:
    event = only_event((RUBY_MOCK / "charge.succeeded.json").read_bytes())
    assert isinstance(event.data, PaymentSucceeded)
    assert event.data.amount == Money.of("20", "USD")
    assert event.data.customer is None
    assert event.time.isoformat() == "2022-03-26T18:40:32+00:00"
    assert event.subject == event.partitionkey == event.data.charge


def test_the_real_refund_is_named_by_its_refund() -> None:
    event = only_event((RUBY_MOCK / "charge.refunded.json").read_bytes())
    assert isinstance(event.data, PaymentRefunded)
    assert event.data.fact == f"stripe:refund:{event.data.refund}"
    assert event.data.amount == Money.of("1", "USD")
    assert event.subject == event.data.refund
    assert event.partitionkey == event.data.charge


def test_the_real_dispute_took_250_and_a_fee_of_15() -> None:
    data = only_event((RUBY_MOCK / "charge.dispute.funds_withdrawn.json").read_bytes()).data
    assert isinstance(data, DisputeOpened)
    assert (data.amount, data.fee) == (Money.of("250", "USD"), Money.of("15", "USD"))
    assert data.fee_tax == Money.zero("USD")


def test_the_real_payout_arrives_on_a_day() -> None:
    data = only_event((RUBY_MOCK / "payout.paid.json").read_bytes()).data
    assert isinstance(data, PayoutPaid)
    assert (data.amount, data.arrival_date.isoformat()) == (Money.of("11", "USD"), "2022-03-28")


def test_an_old_charge_with_its_balance_transaction_is_booked_with_its_fee() -> None:
    """`captured` with `amount_captured` 0, and the customer's e-mail where a name should be."""
    charge = _dj_stripe("charge_ch")
    event = only_event(stripe_event("charge.succeeded", charge | {"balance_transaction": _dj_stripe("balance")}))
    assert isinstance(event.data, PaymentSucceeded)
    assert event.data.amount == Money.of("20", "USD")
    assert event.data.customer is not None
    assert event.data.customer.id == "cus_6lsBvm5rJ0zyHc"
    assert event.data.invoice == "in_fakefakefakefakefake0001"
    assert event.data.settlement is not None
    assert event.data.settlement.fee == Money.of("0.88", "USD")
    assert event.data.settlement.net == Money.of("19.12", "USD")


def test_the_same_charge_without_expansion_has_no_settlement() -> None:
    event = only_event(stripe_event("charge.succeeded", _dj_stripe("charge_ch")))
    assert isinstance(event.data, PaymentSucceeded)
    assert event.data.settlement is None


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((DATA / "dj-stripe").glob("*.json")) if not path.name.startswith("balance_transaction")],
    ids=lambda path: path.stem,
)
def test_a_bare_object_is_refused_clearly(path: Path) -> None:
    with pytest.raises(Rejected, match='"object": "event"') as caught:
        normalised(path.read_bytes())
    assert caught.value.reason == "not_an_event"


@pytest.mark.parametrize(
    ("kind", "name", "becomes"),
    [
        ("charge.succeeded", "charge", None),
        ("charge.captured", "charge", None),
        ("refund.created", "refund", "sales.payment.refunded.v1"),
        ("refund.failed", "refund", "sales.payment.refund_failed.v1"),
        ("payout.paid", "payout", "sales.payout.paid.v1"),
        ("payout.failed", "payout", "sales.payout.failed.v1"),
        ("charge.dispute.funds_withdrawn", "dispute", "sales.dispute.opened.v1"),
        ("charge.dispute.funds_reinstated", "dispute", "sales.dispute.won.v1"),
        ("charge.dispute.closed", "dispute", None),
        ("customer.subscription.updated", "subscription", "sales.subscription.updated.v1"),
    ],
)
def test_stripes_own_example_objects_are_understood(kind: str, name: str, becomes: str | None) -> None:
    resources = json.loads((DATA / "stripe-openapi" / "fixtures3.json").read_text())["resources"]
    found = normalised(stripe_event(kind, resources[name]))
    assert [event.type for event in found.events] == ([becomes] if becomes else [])


def _dj_stripe(prefix: str) -> dict[str, object]:
    (path,) = (DATA / "dj-stripe").glob(f"{prefix}*.json")
    found: dict[str, object] = json.loads(path.read_text())
    return found
