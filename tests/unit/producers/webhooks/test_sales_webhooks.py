"""Square's and Shopify's webhooks of sales through the real receiver: who signed, whose it is, what is kept."""

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx2
import pytest

from ops.composing.webhooks import hook_of
from runtime.settings import ConfigurationError, Settings
from tests.fakes import FakeClock
from tests.unit.producers.made import DATA
from tests.unit.producers.receiving import FakePublisher, app_with

KEY = "0123456789abcdef0123456789abcdef"
URL = "https://hooks.example.com/webhooks/square-sales"
PAID = (DATA / "square-made" / "payment.updated.fee.json").read_bytes()
MADE = DATA / "shopify-made"


def made(name: str) -> bytes:
    return (MADE / f"{name}.json").read_bytes()


def square(**said: object) -> Settings:
    table = {"source": "square", "secrets": [KEY], "url": URL, **said}
    return Settings.model_validate({"webhooks": {"square-sales": {k: v for k, v in table.items() if v is not None}}})


def shopify(**said: object) -> Settings:
    return Settings.model_validate({"shopify": {"secrets": [KEY], **said}})


async def post(  # noqa: PLR0913 - all that a delivery has
    settings: Settings, name: str, body: bytes, *, publisher: FakePublisher, signed: bytes, headers: dict[str, str]
) -> dict[str, Any]:
    app = app_with(publisher, FakeClock(), hook_of(name, settings))
    digest = base64.b64encode(hmac.new(KEY.encode(), signed, hashlib.sha256).digest()).decode()
    header = {"square-sales": "x-square-hmacsha256-signature", "shopify": "X-Shopify-Hmac-SHA256"}[name]
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://receiver") as client:
        answer = await client.post(f"/webhooks/{name}", content=body, headers={header: digest, **headers})
    said: dict[str, Any] = answer.json()
    return said


async def to_square(publisher: FakePublisher, body: bytes = PAID, *, url: str = URL, **said: object) -> dict[str, Any]:
    headers = {"Square-Environment": str(said.pop("environment", "Production"))}
    signed = url.encode() + body
    return await post(square(**said), "square-sales", body, publisher=publisher, signed=signed, headers=headers)


async def to_shopify(publisher: FakePublisher, topic: str, body: bytes, **said: object) -> dict[str, Any]:
    headers = {"X-Shopify-Topic": topic, "X-Shopify-Shop-Domain": "x.myshopify.com"}
    return await post(shopify(**said), "shopify", body, publisher=publisher, signed=body, headers=headers)


async def test_a_payment_of_square_is_published_for_its_merchants_company() -> None:
    publisher = FakePublisher()
    assert await to_square(publisher, accounts={"MERCHANT1": "north"}) == {"outcome": "published"}
    assert [(event.company, event.data.fact) for event in publisher.events] == [("north", "square:charge:PAYmade1")]


async def test_what_another_address_was_told_is_refused() -> None:
    publisher = FakePublisher()
    assert "outcome" not in await to_square(publisher, url="https://elsewhere.example/")
    assert (publisher.events, publisher.kept) == ([], [])


def test_without_its_address_a_webhook_of_square_cannot_be_made() -> None:
    with pytest.raises(ConfigurationError, match="url"):
        hook_of("square-sales", square(url=None))


async def test_the_sandbox_is_answered_and_posts_nothing() -> None:
    publisher = FakePublisher()
    assert await to_square(publisher, environment="Sandbox") == {"outcome": "ignored"}
    assert (publisher.events, publisher.kept) == ([], [])


async def test_cash_is_kept_with_its_reason_or_ignored_by_setting() -> None:
    body = json.loads(PAID)
    body["data"]["object"]["payment"]["source_type"] = "CASH"
    raw, publisher = json.dumps(body).encode(), FakePublisher()
    assert await to_square(publisher, raw, outside="ignore") == {"outcome": "ignored"}
    assert publisher.kept == []
    await to_square(publisher, raw)
    assert [kept["reason"] for kept in publisher.kept] == ["unmapped:square_type:CASH"]


@pytest.mark.parametrize(
    ("topic", "name", "fact"),
    [
        ("orders/paid", "order.paid", "shopify:order:5600000000000000101"),
        ("order_transactions/create", "transaction.sale", "shopify:charge:6700000000000000201"),
        ("refunds/create", "refund", "shopify:refund:6700000000000000202"),
        ("disputes/create", "dispute", "shopify:dispute:1052608616:withdrawn"),
    ],
)
async def test_a_topic_of_sales_is_published(topic: str, name: str, fact: str) -> None:
    publisher = FakePublisher()
    assert await to_shopify(publisher, topic, made(name)) == {"outcome": "published"}
    assert publisher.events[0].data.fact == fact


async def test_where_shops_are_several_companies_money_that_names_no_shop_is_kept() -> None:
    publisher, shops = FakePublisher(), {"x.myshopify.com": "north", "y.myshopify.com": "south"}
    said = {"shops": shops, "locations": {"1": "x.myshopify.com", "2": "y.myshopify.com"}}
    await to_shopify(publisher, "orders/paid", made("order.paid"), **said)
    assert [kept["reason"] for kept in publisher.kept] == ["shop_not_told"]
    assert publisher.events == []
