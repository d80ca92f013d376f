"""Shopify's webhooks through the receiver: who signed, which topic, whose shop; and receivers with one source alone."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from ops.composing.webhooks import hook_of, webhooks_of, webhooks_wanted
from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.webhooks.intake import Hook
from producers.webhooks.measures import Measures, own_word
from producers.webhooks.receiver import create_app
from producers.webhooks.signatures import BadSignature, verify
from runtime.sections_webhooks import WebhookSettings
from runtime.settings import ConfigurationError, Settings
from schemas.envelope import Event
from schemas.inventory import StockCounted
from tests.fakes import NOON, FakeClock
from tests.unit.producers.made import DATA
from tests.unit.producers.receiving import FakePublisher, app_with, stripe_hook
from tests.unit.producers.sourcing import put, signature_of

VECTORS = [
    vector
    for vector in json.loads((DATA / "webhook-signatures" / "vectors.json").read_text())["vectors"]
    if vector["scheme"] == "shopify"
]
BODY = b'{"inventory_item_id": 1, "available": 5}'
NEW, OLD = "0123456789abcdef01234new", "0123456789abcdef01234old"
LEVELS = "inventory_levels/update"


def normalise(document: bytes, context: NormaliseContext) -> Normalised:
    """Stands in for Shopify's own: what it makes of a level is tested with it."""
    if document == b"bad":
        raise Rejected("not_json", "no JSON")
    data = StockCounted(fact="shopify:level:1", item="1", counted="5", reason="level")
    event = Event.of(
        data, id="1", source="/warehouse/shopify", time=NOON, subject="1", partitionkey="1", company=context.company
    )
    return Normalised((event,))


@pytest.fixture(autouse=True)
def _normaliser(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, "shopify", document=normalise)


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


def shopify_hook(**said: object) -> Hook:
    own = {"secrets": [NEW, OLD], "shops": {"x.myshopify.com": "north"}, **said}
    return hook_of("shopify", Settings.model_validate({"shopify": own}))


def app(publisher: FakePublisher, measures: Measures | None = None, **changed: object) -> Starlette:
    return app_with(
        publisher, FakeClock(), shopify_hook(**changed), measures=measures or Measures(), max_body_bytes=1000
    )


async def post(app: Starlette, body: bytes = BODY, *, secret: str = NEW, **headers: str) -> httpx2.Response:
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    usual = {"topic": LEVELS, "shop_domain": "x.myshopify.com", "hmac_sha256": signature, "webhook_id": "w1"} | headers
    said = {f"X-Shopify-{name.replace('_', '-')}": value for name, value in usual.items() if value}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://receiver") as client:
        return await client.post("/webhooks/shopify", content=body, headers=said)


def verified(headers: Mapping[str, str], body: bytes, *secrets: str) -> int:
    return verify(
        signature_of("shopify"),
        headers={name.lower(): value for name, value in headers.items()},
        body=body,
        url="",
        secrets=[SecretStr(secret) for secret in secrets],
        now=datetime(2020, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_the_public_vectors(vector: dict[str, Any]) -> None:
    body = vector["body"].encode()
    if vector["expect"].startswith("valid"):
        assert verified(vector["headers"], body, "another", vector["secret"]) == 1
    else:
        with pytest.raises(BadSignature, match="mismatch"):
            verified(vector["headers"], body, vector["secret"])


def test_both_vectors_are_there() -> None:
    assert len(VECTORS) == 2


@pytest.mark.parametrize(
    ("header", "reason"), [("", "missing"), ("é", "malformed"), ("A" * 5000, "malformed"), ("AAAA", "mismatch")]
)
def test_what_is_no_signature_is_refused(header: str, reason: str) -> None:
    with pytest.raises(BadSignature, match=reason):
        verified({"x-shopify-hmac-sha256": header}, b"", "s")


async def test_a_level_is_published_for_the_company_of_its_shop(publisher: FakePublisher) -> None:
    answer = await post(app(publisher), shop_domain="X.MyShopify.com")
    assert (answer.status_code, answer.json()) == (200, {"outcome": "published"})
    assert [(event.company, event.subject) for event in publisher.events] == [("north", "1")]


async def test_the_old_secret_is_good_during_a_rotation_and_a_third_is_not(publisher: FakePublisher) -> None:
    assert (await post(app(publisher), secret=OLD)).status_code == 200
    answer = await post(app(publisher), secret="stolen")
    assert (answer.status_code, answer.json()) == (401, {"error": "signature"})
    assert (len(publisher.events), publisher.kept) == (1, [])


@pytest.mark.parametrize("topic", ["inventory_levels/connect", "inventory_levels/disconnect", "orders/edited"])
async def test_another_topic_is_acknowledged_and_ignored(publisher: FakePublisher, topic: str) -> None:
    measures = Measures()
    assert (await post(app(publisher, measures), topic=topic)).json() == {"outcome": "ignored"}
    assert 'reason="type_not_used",source="shopify"' in (await measures.text()).decode()
    assert (publisher.events, publisher.kept) == ([], [])


async def test_a_header_that_nobody_signed_makes_no_series(publisher: FakePublisher) -> None:
    measures = Measures()
    receiver = app(publisher, measures)
    await post(receiver, topic="orders/edited")
    before = len(await measures.text())
    for number in range(20):
        await post(receiver, topic=f"t{number}" + "x" * 5_000, shop_domain=f"s{number}.example", webhook_id=f"{number}")
        await post(receiver, topic=LEVELS, shop_domain=f"s{number}.example")
    assert len(await measures.text()) < 1.5 * before


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("unmapped:stripe_account:acct_1", "unmapped"),
        ("too_old", "too_old"),
        ("orders/edited", "other"),
        (None, "other"),
    ],
)
def test_a_label_is_a_word_of_the_relay(reason: str | None, word: str) -> None:
    assert own_word(reason) == word


@pytest.mark.parametrize("shop", ["y.myshopify.com", ""])
async def test_an_unknown_shop_is_kept_for_a_person_and_is_nobodys(publisher: FakePublisher, shop: str) -> None:
    assert (await post(app(publisher), shop_domain=shop)).json() == {"outcome": "kept"}
    [kept] = publisher.kept
    assert (kept["company"], kept["reason"], kept["body"]) == ("", f"unmapped:shopify_shop:{shop}", BODY)
    assert publisher.events == []


async def test_where_no_shops_are_set_every_shop_is_the_companys(publisher: FakePublisher) -> None:
    await post(app(publisher, shops={}), shop_domain="y.myshopify.com")
    assert [event.company for event in publisher.events] == ["main"]


async def test_what_cannot_be_normalised_is_kept_for_the_company_of_its_shop(publisher: FakePublisher) -> None:
    assert (await post(app(publisher), b"bad")).json() == {"outcome": "kept"}
    assert [(kept["company"], kept["source"]) for kept in publisher.kept] == [("north", "/webhooks/shopify")]


async def test_a_body_without_a_topic_is_kept(publisher: FakePublisher) -> None:
    assert (await post(app(publisher), topic="")).json() == {"outcome": "kept"}


async def test_a_receiver_has_routes_for_those_with_secrets_only(publisher: FakePublisher) -> None:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app(publisher)), base_url="http://receiver") as client:
        assert (await client.post("/webhooks/stripe")).status_code == 404
        assert (await client.post("/webhooks/shopify")).status_code == 401


def test_a_receiver_needs_a_webhook() -> None:
    with pytest.raises(ValueError, match="at least one webhook"):
        create_app(
            measures=Measures(),
            publisher=FakePublisher(),
            clock=FakeClock(),
            hooks=[],
            max_body_bytes=1,
            retry_after_seconds=1,
        )


def test_the_settings_say_which_webhooks_are_received() -> None:
    shopify = {"secrets": [NEW], "shops": {"X.myshopify.com": "north"}}
    only_shopify = Settings.model_validate({"shopify": shopify})
    assert [source.name for source in webhooks_of(only_shopify)] == ["shopify"]
    both = Settings.model_validate({"shopify": shopify, "stripe": {"secrets": ["whsec_0123456789abcdef"]}})
    assert [source.name for source in webhooks_of(both)] == ["stripe", "shopify"]
    with pytest.raises(ConfigurationError, match="no signing secret"):
        webhooks_of(Settings())


def test_feeds_alone_need_no_receiver_but_nothing_at_all_does() -> None:
    feeds = {"north": {"source": "warehouse-csv", "folder": "in"}}
    assert not webhooks_wanted(Settings(feeds=feeds))
    assert webhooks_wanted(Settings())


def test_stripe_and_shopify_go_side_by_side(publisher: FakePublisher) -> None:
    made = app_with(publisher, FakeClock(), stripe_hook(), shopify_hook())
    assert {"/webhooks/stripe", "/webhooks/shopify"} <= {getattr(route, "path", "") for route in made.routes}


@pytest.mark.parametrize("told", ["true", "True"])
async def test_a_test_notification_posts_nothing_and_is_counted(publisher: FakePublisher, told: str) -> None:
    measures = Measures()
    assert (await post(app(publisher, measures), test=told)).json() == {"outcome": "ignored"}
    assert 'reason="test_mode",source="shopify"' in (await measures.text()).decode()
    assert (publisher.events, publisher.kept) == ([], [])


SHOPS = {"x.myshopify.com": "north", "y.myshopify.com": "south", "z.myshopify.com": "north"}
LOCATIONS = {"1": "x.myshopify.com", "2": "y.myshopify.com", "3": "z.myshopify.com"}


def level(location: int, *, hours_ago: float = 1) -> bytes:
    at = NOON - timedelta(hours=hours_ago)
    told = {"inventory_item_id": 7, "location_id": location, "available": 5, "updated_at": at.isoformat()}
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    ("location", "shop", "company", "reason"),
    [
        (1, "x.myshopify.com", "north", None),
        (2, "y.myshopify.com", "south", None),
        (1, "y.myshopify.com", "", "shop_disagrees"),
        (1, "z.myshopify.com", "", "shop_disagrees"),
        (9, "y.myshopify.com", "", "unmapped:shopify_location:9"),
        (1, "w.myshopify.com", "", "unmapped:shopify_shop:w.myshopify.com"),
    ],
)
async def test_a_signed_level_is_its_own_shops_whatever_the_header_says(
    publisher: FakePublisher, location: int, shop: str, company: str, reason: str | None
) -> None:
    await post(app(publisher, shops=SHOPS, locations=LOCATIONS), level(location), shop_domain=shop)
    assert [event.company for event in publisher.events] == ([company] if reason is None else [])
    assert [(kept["company"], kept["reason"]) for kept in publisher.kept] == ([] if reason is None else [("", reason)])


async def test_levels_of_two_shops_in_one_body_are_kept(publisher: FakePublisher) -> None:
    both = json.dumps({"inventory_levels": [json.loads(level(1)), json.loads(level(2))]}).encode()
    await post(app(publisher, shops=SHOPS, locations=LOCATIONS), both)
    assert [kept["reason"] for kept in publisher.kept] == ["shop_disagrees"]


@pytest.mark.parametrize(("hours_ago", "outcome"), [(71, "published"), (73, "kept"), (9000, "kept")])
async def test_a_level_that_was_signed_long_ago_waits_for_a_person(
    publisher: FakePublisher, hours_ago: float, outcome: str
) -> None:
    assert (await post(app(publisher), level(1, hours_ago=hours_ago))).json() == {"outcome": outcome}
    assert [kept["reason"] for kept in publisher.kept] == (["too_old"] if outcome == "kept" else [])


def test_shops_of_several_companies_need_to_be_told_by_what_is_signed() -> None:
    def shops(**said: object) -> WebhookSettings:
        return WebhookSettings.model_validate({"source": "shopify", **said})

    with pytest.raises(ValueError, match="need locations"):
        shops(shops=SHOPS)
    with pytest.raises(ValueError, match=r"locations name w\.myshopify\.com"):
        shops(shops=SHOPS, locations={"1": "W.myshopify.com"})
    assert shops(shops={**SHOPS, "y.myshopify.com": "north"}).locations == {}
    assert shops(shops=SHOPS, locations={"1": "X.myshopify.com"}).locations == {"1": "x.myshopify.com"}
