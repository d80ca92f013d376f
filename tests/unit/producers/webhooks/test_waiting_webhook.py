"""A webhook whose secrets cannot be read is told to come again, the others are taken, and a mended file is enough."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from ops.checks.findings import Checklist
from ops.checks.webhooks import check_webhooks
from ops.composing.webhooks import webhooks_of
from ops.standing.stopped import stopped
from producers.webhooks.measures import Measures
from producers.webhooks.receiver import create_app
from runtime.clock import SystemClock
from runtime.settings import Settings
from tests.fakes import NOON, FakeClock
from tests.unit.producers.receiving import FakePublisher, signed

STRIPE_SECRET, SHOPIFY_SECRET = "whsec_0123456789abcdef", "0123456789abcdef" * 2
CHARGE = Path("demo/data/charge.succeeded.json").read_bytes()
LEVEL = json.dumps({"inventory_item_id": 1, "location_id": 2, "available": 3, "updated_at": NOON.isoformat()}).encode()


def level_headers() -> dict[str, str]:
    digest = hmac.new(SHOPIFY_SECRET.encode(), LEVEL, hashlib.sha256).digest()
    return {
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        "X-Shopify-Topic": "inventory_levels/update",
        "X-Shopify-Shop-Domain": "x.myshopify.com",
        "X-Shopify-Webhook-Id": "1",
    }


@pytest.mark.parametrize("wrong", [None, "two words\n", "", "whsec_short\n"])
async def test_it_answers_503_until_its_file_is_mended_and_the_other_is_taken_all_the_time(
    tmp_path: Path, wrong: str | None
) -> None:
    secrets = tmp_path / "stripe_secrets"
    if wrong is not None:
        secrets.write_text(wrong)
    settings = Settings.model_validate(
        {"stripe": {"secrets_file": str(secrets)}, "shopify": {"secrets": [SHOPIFY_SECRET]}}
    )
    publisher, measures, charge = FakePublisher(), Measures(), CHARGE
    with capture_logs() as logs:
        app = create_app(
            publisher=publisher,
            clock=FakeClock(),
            hooks=webhooks_of(settings),
            max_body_bytes=100_000,
            retry_after_seconds=30,
            measures=measures,
        )
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://receiver") as client:
            for _ in range(2):
                refused = await client.post(
                    "/webhooks/stripe", content=charge, headers=signed(charge, secret=STRIPE_SECRET)
                )
                assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
                taken = await client.post("/webhooks/shopify", content=LEVEL, headers=level_headers())
                assert taken.status_code == 200
            assert not any(event.type.startswith("sales.") for event in publisher.events)
            assert [*(await stopped(settings, SystemClock()))] == ["webhook stripe"]
            secrets.write_text(f"{STRIPE_SECRET}\n")
            forged = await client.post("/webhooks/stripe", content=charge, headers=signed(charge, secret="whsec_x"))
            assert forged.status_code == 401
            mended = await client.post("/webhooks/stripe", content=charge, headers=signed(charge, secret=STRIPE_SECRET))
            assert mended.status_code == 200
    assert [log["source"] for log in logs if log["event"] == "webhook.source_stopped"] == ["stripe"], "told once"
    assert [log["source"] for log in logs if log["event"] == "webhook.source_started"] == ["stripe"]
    assert await stopped(settings, SystemClock()) == {}
    assert 'outcome="unavailable",source="stripe",status="503"' in (await measures.text()).decode()
    assert not any("two words" in str(log) for log in logs), "no word of the file is told"


async def test_the_check_names_it_too(tmp_path: Path) -> None:
    settings = Settings.model_validate({"stripe": {"secrets_file": str(tmp_path / "nowhere")}})
    checklist = Checklist()
    await check_webhooks(checklist, settings)
    assert [(each.what, each.ok) for each in checklist.findings] == [("stripe", False)]
    assert "stripe.secrets_file" in checklist.findings[0].text
