import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from pydantic import ValidationError

from schemas.catalog import EVENT_TYPES, TYPE_OF
from schemas.envelope import Event, decode, encode
from schemas.errors import InvalidEvent, UnknownEventType
from schemas.money import Money
from schemas.sales import Customer, PaymentSucceeded, PayoutPaid, Settlement
from tests.event_strategies import events

PAYMENT = PaymentSucceeded(
    fact="stripe:charge:ch_1",
    charge="ch_1",
    customer=Customer(id="cus_1", name="Zoë Ångström", email="zoe@example.org"),
    amount=Money.of("20", "USD"),
)


def _event() -> Event:
    return Event.of(
        PAYMENT,
        id="evt_1",
        source="/webhooks/stripe",
        time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        subject="ch_1",
        partitionkey="ch_1",
    )


def _document() -> dict[str, object]:
    document: dict[str, object] = json.loads(encode(_event()))
    return document


def _decode(document: object) -> Event:
    return decode(json.dumps(document).encode())


@given(events())
def test_an_event_survives_the_wire(event: Event) -> None:
    raw = encode(event)
    again = decode(raw)
    assert again == event
    assert encode(again) == raw
    assert type(again.data) is EVENT_TYPES[event.type]


def test_an_event_on_the_wire_is_structured_cloudevents() -> None:
    assert _document() == {
        "specversion": "1.0",
        "id": "evt_1",
        "source": "/webhooks/stripe",
        "type": "sales.payment.succeeded.v1",
        "subject": "ch_1",
        "time": "2026-01-02T03:04:05Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:solid-relay:schema:sales.payment.succeeded.v1",
        "company": "main",
        "partitionkey": "ch_1",
        "data": {
            "fact": "stripe:charge:ch_1",
            "charge": "ch_1",
            "customer": {"id": "cus_1", "name": "Zoë Ångström", "email": "zoe@example.org"},
            "amount": {"amount": "20.00", "currency": "USD"},
        },
    }


def test_a_time_in_another_zone_is_written_in_utc() -> None:
    event = _event().model_copy(update={"time": datetime(2026, 1, 2, 5, tzinfo=timezone(timedelta(hours=2)))})
    assert json.loads(encode(event))["time"] == "2026-01-02T03:00:00Z"


def test_unknown_extensions_are_kept_and_unknown_data_is_ignored() -> None:
    document = _document() | {"tenant": "a", "sequence": 3, "sampled": True, "void": None}
    document["data"] = {**PAYMENT.model_dump(mode="json"), "added_in_version_2": {"x": 1}}
    event = _decode(document)
    assert event.extensions == {"tenant": "a", "sequence": 3, "sampled": True}
    assert event.data == PAYMENT
    assert json.loads(encode(event))["sequence"] == 3


@pytest.mark.parametrize("name", ["time", "subject", "partitionkey", "data"])
def test_the_profile_needs_more_than_cloudevents(name: str) -> None:
    document = _document()
    del document[name]
    with pytest.raises(InvalidEvent, match=name) as caught:
        _decode(document)
    assert caught.value.field == name


def test_company_and_traceparent_are_optional() -> None:
    document = _document()
    del document["company"], document["datacontenttype"], document["dataschema"]
    event = _decode(document)
    assert (event.company, event.traceparent) == ("main", None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"datacontenttype": "text/plain"}, "datacontenttype"),
        ({"company": 5}, "company"),
        ({"company": ""}, "company"),
        ({"data": [1]}, "data"),
        ({"data": "text"}, "data"),
        ({"data": {"fact": "x"}}, "data.charge"),
        (
            {"data": PAYMENT.model_dump(mode="json") | {"amount": {"amount": "0", "currency": "USD"}}},
            "data.amount",
        ),
        (
            {"data": PAYMENT.model_dump(mode="json") | {"amount": {"amount": 2.5, "currency": "usd"}}},
            "data.amount.currency",
        ),
        ({"data": PAYMENT.model_dump(mode="json") | {"charge": ["secret"]}}, "data.charge"),
        ({"data": PAYMENT.model_dump(mode="json") | {"customer": {"name": "Rosen"}}}, "data.customer.id"),
    ],
)
def test_a_broken_event_is_refused_with_its_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        _decode(_document() | change)
    assert caught.value.field == field
    for planted in ("Zoë", "zoe@", "secret", "Rosen"):
        assert planted not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_data_in_base64_is_not_json_data() -> None:
    document = _document()
    del document["data"]
    with pytest.raises(InvalidEvent, match="data"):
        _decode(document | {"data_base64": "e30="})


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"\xff", b"[]", b"null"])
def test_what_is_no_json_object_is_an_invalid_event(raw: bytes) -> None:
    with pytest.raises(InvalidEvent) as caught:
        decode(raw)
    assert not isinstance(caught.value, UnknownEventType)


def test_an_unknown_type_is_told_apart() -> None:
    with pytest.raises(UnknownEventType, match=r"sales\.payment\.succeeded\.v2"):
        _decode(_document() | {"type": "sales.payment.succeeded.v2"})


def test_data_must_be_of_its_type() -> None:
    payout = PayoutPaid(fact="f", payout="po_1", amount=Money.of("1", "USD"), arrival_date="2026-01-01")
    with pytest.raises(ValidationError, match="PayoutPaid"):
        Event(**{**_event().model_dump(exclude={"data"}), "data": payout})


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValidationError, match="time"):
        Event(**{**_event().model_dump(exclude={"data", "time"}), "data": PAYMENT, "time": datetime(2026, 1, 1)})  # noqa: DTZ001


@pytest.mark.parametrize("extensions", [{"id": "x"}, {"Tenant": "a"}, {"a": "b\n"}])
def test_extensions_cannot_break_the_envelope(extensions: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Event(
            **{
                **_event().model_dump(exclude={"data", "extensions"}),
                "data": PAYMENT,
                "extensions": extensions,
            }
        )


def test_a_settlement_adds_up_in_one_currency() -> None:
    gross, fee, tax = Money.of("20", "USD"), Money.of("0.80", "USD"), Money.of("0.08", "USD")
    parts = {"balance_transaction": "txn_1", "gross": gross, "fee": fee, "fee_tax": tax}
    assert Settlement(**parts, net=Money.of("19.12", "USD")).net == gross - fee - tax
    for net in (Money.of("19.13", "USD"), Money.of("19.12", "EUR")):
        with pytest.raises(ValidationError):
            Settlement(**parts, net=net)


def test_an_old_dispute_without_fee_tax_decodes_with_none() -> None:
    data = {
        "fact": "stripe:dispute:dp_1:withdrawn",
        "dispute": "dp_1",
        "amount": {"amount": "250.00", "currency": "USD"},
        "fee": {"amount": "15.00", "currency": "USD"},
    }
    event = _decode(_document() | {"type": "sales.dispute.opened.v1", "data": data})
    assert event.data.fee_tax == Money.zero("USD")  # type: ignore[attr-defined]  # the data of this event have it


def test_the_catalog_names_each_model_once() -> None:
    assert len(TYPE_OF) == len(EVENT_TYPES)
    assert all(name.endswith(".v1") for name in EVENT_TYPES)
