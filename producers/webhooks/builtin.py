"""The webhooks that are built in: Stripe's and Shopify's, each as a `Source` of the receiver.

What a body means is the normaliser's affair; here stands where it comes in, how it is signed, and whose it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from pydantic import SecretStr

from producers.normalising import Mode, NormaliseContext, Rejected
from producers.sources import SOURCES
from producers.stripe import stripe
from producers.webhooks.intake import Arrived, Sort, Source
from producers.webhooks.shopify_shops import Shops, refuse_old

SHOPIFY_PATH: Final = "/webhooks/shopify"
SHOPIFY_TOPIC: Final = "inventory_levels/update"

_UNTIMED: Final = timedelta(seconds=1)  # Shopify signs no time


def stripe_webhook(
    *, secrets: Sequence[SecretStr], tolerance_seconds: int, accounts: Mapping[str, str], company: str, mode: Mode
) -> Source:
    """Stripe's events. `secrets` are the signing secrets in use, several during a rotation.

    `accounts` maps Connect account ids to companies, events without an account go to `company`.
    `mode`: trial books (`test`) take tests and no real money, all others (`live`) the other way round.
    """
    return Source(
        name="stripe",
        path=stripe.SOURCE,
        scheme="stripe",
        secrets=tuple(secrets),
        tolerance=timedelta(seconds=tolerance_seconds),
        normalise=SOURCES["stripe"],
        context=NormaliseContext(company=company, accounts=dict(accounts), mode=mode),
        identify=lambda body, _: stripe.identify(body),
    )


def shopify_webhook(
    *, secrets: Sequence[SecretStr], shops: Shops, oldest: timedelta, options: Mapping[str, Any] | None = None
) -> Source:
    """Shopify's inventory levels. `secrets` are the app's client secrets; a level older than `oldest` is kept."""
    return Source(
        name="shopify",
        path=SHOPIFY_PATH,
        scheme="shopify",
        secrets=tuple(secrets),
        tolerance=_UNTIMED,
        normalise=SOURCES["shopify"],
        context=NormaliseContext(company=shops.company, options=dict(options or {})),
        identify=lambda _, headers: (headers.get("x-shopify-webhook-id"), headers.get("x-shopify-topic")),
        sort=_sort_by_shop(shops, oldest),
    )


def _sort_by_shop(shops: Shops, oldest: timedelta) -> Sort:
    def sort(arrived: Arrived, context: NormaliseContext) -> NormaliseContext | str:
        headers = arrived.headers
        topic = headers.get("x-shopify-topic", "").strip()
        if not topic:
            raise Rejected(reason="no_topic", message="Shopify names the topic here", field="X-Shopify-Topic")
        if topic != SHOPIFY_TOPIC:
            return f"type_not_used:{topic}"
        if headers.get("x-shopify-test", "").strip().lower() == "true":
            return "test_mode"
        company = shops.company_of(arrived.body, headers.get("x-shopify-shop-domain", "").strip().lower())
        refuse_old(arrived.body, now=arrived.at, oldest=oldest)
        return replace(context, company=company)

    return sort
