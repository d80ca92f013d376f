"""Shopify as a source: its webhooks and answers, by what a body holds; levels of stock are the warehouse's to read.

Whose a body is stands in `producers.warehouse.shopify`: the shop's name in a header is not signed.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from producers.drafts import rejecting, wrap_sale
from producers.normalising import NormaliseContext, Normalised
from producers.reading.fields import Fields, open_object
from producers.shopify import balance, disputes, orders, payouts, transactions
from producers.shopify.content import Content
from producers.source import NoOptions, Signature, Source, Webhook
from producers.warehouse import shopify as stock
from runtime.secret_files import Shape

if TYPE_CHECKING:
    from schemas.envelope import Event

TOPICS: Final = frozenset(
    {
        *(stock.SHOPIFY_TOPIC, "orders/paid", "order_transactions/create", "refunds/create"),
        *("disputes/create", "disputes/update"),
    }
)
"""The webhooks that count; every other topic is acknowledged and ignored."""

_Reader = Callable[[Fields, NormaliseContext], Content]

_READERS: Final[Mapping[str, _Reader]] = {
    "order": orders.order,
    "transaction": transactions.transaction,
    "balance_transaction": balance.balance_transaction,
    "refund": transactions.refund,
    "dispute": disputes.dispute,
    "payout": payouts.payout,
}
_MARKS: Final[Mapping[str, tuple[str, ...]]] = {
    "balance_transaction": ("net", "fee", "type"),
    "payout": ("date", "amount", "status"),
    "dispute": ("network_reason_code", "status"),
    "refund": ("refund_line_items", "transactions"),
    "transaction": ("kind", "gateway"),
    "order": ("financial_status", "total_price"),
}
"""What a body is, by fields that only its kind has all of."""


def normalise(document: bytes, context: NormaliseContext) -> Normalised:
    """Turn a body into events. Raises Rejected; the same body always gives the same result."""
    body = open_object(document, reason="unknown_document", message="a Shopify body is a JSON object")
    objects = _objects(body)
    if objects is None:
        return stock.normalise(document, context)
    events: list[Event] = []
    ignored = "nothing_listed"
    for name, found in objects:
        with rejecting():
            content = _READERS[name](found, context)
        if isinstance(content, str):
            ignored = content
        else:
            events += [wrap_sale(told.data, source="shopify", company=context.company, at=told.at) for told in content]
    return Normalised(tuple(events)) if events else Normalised((), ignored=ignored)


def _objects(body: Fields) -> list[tuple[str, Fields]] | None:
    """The objects of a body, bare or in a wrapper; None where it tells of no money."""
    for name in ("order", "transaction", "refund", "dispute", "payout"):
        if len(body.values) == 1 and isinstance(body.get(name), dict):
            inner = body.section(name)
            return [(_kind(inner) or name, inner)] if inner else None
        if len(body.values) == 1 and isinstance(body.get(f"{name}s"), list):
            return [(_kind(inner) or name, inner) for inner in body.sections(f"{name}s") or ()]
    kind = _kind(body)
    return None if kind is None else [(kind, body)]


def _kind(found: Fields) -> str | None:
    return next((kind for kind, names in _MARKS.items() if found.values.keys() >= set(names)), None)


SHOPIFY: Final = Source(
    name="shopify",
    document=normalise,
    options=NoOptions,
    people=False,
    lists=frozenset({"orders", "transactions", "refunds", "disputes", "payouts"}),
    webhook=Webhook(
        signature=Signature(header="X-Shopify-Hmac-SHA256", encoding="base64"),
        secret=Shape(re.compile(r"(?:[a-z]{2,8}_)?[A-Za-z0-9]{24,250}"), "at least 24 letters or digits"),
        identify=lambda _, headers: (headers.get("x-shopify-webhook-id"), headers.get("x-shopify-topic")),
        takes=frozenset({"shops", "locations", "oldest_hours", "test_mode", "outside"}),
        whose=lambda table, company: stock.Shops(
            company, table.shops, table.locations, timedelta(hours=table.oldest_hours), topics=TOPICS
        ),
    ),
)
