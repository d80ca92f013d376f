"""The webhooks that are built in: Stripe's and Shopify's, each as a `Source` of the receiver.

What a body means is the normaliser's affair; here stands where it comes in, how it is signed, and whose it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from pydantic import SecretStr

from producers.normalising import NormaliseContext, Rejected
from producers.sources import SOURCES
from producers.webhooks import stripe
from producers.webhooks.intake import Sort, Source

SHOPIFY_PATH: Final = "/webhooks/shopify"
SHOPIFY_TOPIC: Final = "inventory_levels/update"
UNMAPPED_SHOP: Final = "unmapped:shopify_shop:"
"""How the reason begins when a shop is nobody's; the shop follows."""

_UNTIMED: Final = timedelta(seconds=1)  # Shopify signs no time


def stripe_webhook(
    *, secrets: Sequence[SecretStr], tolerance_seconds: int, accounts: Mapping[str, str], company: str, test_mode: bool
) -> Source:
    """Stripe's events. `secrets` are the signing secrets in use, several during a rotation.

    `accounts` maps Connect account ids to companies, events without an account go to `company`.
    `test_mode`: these are trial books, which take tests and no real money; all others the other way round.
    """
    return Source(
        name="stripe",
        path=stripe.SOURCE,
        scheme="stripe",
        secrets=tuple(secrets),
        tolerance=timedelta(seconds=tolerance_seconds),
        normalise=SOURCES["stripe"],
        context=NormaliseContext(company=company, accounts=dict(accounts), mode="test" if test_mode else "live"),
        identify=lambda body, _: stripe.identify(body),
    )


def shopify_webhook(
    *, secrets: Sequence[SecretStr], shops: Mapping[str, str], company: str, options: Mapping[str, Any] | None = None
) -> Source:
    """Shopify's inventory levels. `secrets` are the app's client secrets.

    `shops` maps domains (lower case) to companies: a shop that is not in it is kept for a person; where it is empty,
    every shop is `company`'s.
    """
    return Source(
        name="shopify",
        path=SHOPIFY_PATH,
        scheme="shopify",
        secrets=tuple(secrets),
        tolerance=_UNTIMED,
        normalise=SOURCES["shopify"],
        context=NormaliseContext(company=company, options=dict(options or {})),
        identify=lambda _, headers: (headers.get("x-shopify-webhook-id"), headers.get("x-shopify-topic")),
        sort=_sort_by_shop(dict(shops)),
    )


def _sort_by_shop(shops: Mapping[str, str]) -> Sort:
    def sort(headers: Mapping[str, str], context: NormaliseContext) -> NormaliseContext | str:
        topic = headers.get("x-shopify-topic", "").strip()
        if not topic:
            raise Rejected(reason="no_topic", message="Shopify names the topic here", field="X-Shopify-Topic")
        if topic != SHOPIFY_TOPIC:
            return f"type_not_used:{topic}"
        if headers.get("x-shopify-test", "").strip().lower() == "true":
            return "test_mode"
        if not shops:
            return context
        shop = headers.get("x-shopify-shop-domain", "").strip().lower()
        if shop not in shops:
            message = f"no company is set for the shop {shop or '(none named)'}: add it to [shopify].shops"
            raise Rejected(reason=f"{UNMAPPED_SHOP}{shop}", message=message, field="X-Shopify-Shop-Domain")
        return replace(context, company=shops[shop])

    return sort
