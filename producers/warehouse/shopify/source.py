"""Shopify as a source: its levels of stock, and its webhook."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from producers.source import NoOptions, Signature, Source, Webhook
from producers.warehouse.shopify import shopify
from producers.warehouse.shopify.shops import Shops
from runtime.secret_files import Shape

if TYPE_CHECKING:
    from runtime.sections_webhooks import WebhookSettings


def _whose(table: "WebhookSettings", company: str) -> Shops:
    return Shops(company, table.shops, table.locations, timedelta(hours=table.oldest_hours))


SHOPIFY: Final = Source(
    name="shopify",
    document=shopify.normalise,
    options=NoOptions,
    people=False,
    webhook=Webhook(
        signature=Signature(header="X-Shopify-Hmac-SHA256", encoding="base64"),
        secret=Shape(re.compile(r"(?:[a-z]{2,8}_)?[A-Za-z0-9]{24,250}"), "at least 24 letters or digits"),
        identify=lambda _, headers: (headers.get("x-shopify-webhook-id"), headers.get("x-shopify-topic")),
        takes=frozenset({"shops", "locations", "oldest_hours"}),
        whose=_whose,
    ),
)
