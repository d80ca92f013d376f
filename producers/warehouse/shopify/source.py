"""Shopify as a source: whose a level is, by what is signed, and whether it is too old.

The header that names the shop is not signed: whoever has one signed body can send it again under any shop's name. Where
all shops are one company's, the header decides nothing. Where they are not, a level belongs to the shop that its
location is of, and the header must say the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from producers.normalising import NormaliseContext, Rejected
from producers.source import Arrived, NoOptions, Signature, Source, Webhook, one_piece
from producers.warehouse.shopify.shopify import levels_in, normalise
from runtime.secret_files import Shape

SHOPIFY_TOPIC: Final = "inventory_levels/update"
UNMAPPED_SHOP: Final = "unmapped:shopify_shop:"
"""How the reason begins when a shop is nobody's; the shop follows."""

_HEADER: Final = "X-Shopify-Shop-Domain"


@dataclass(frozen=True, slots=True)
class Shops:
    """`companies` by shop (none: every shop is `company`'s), and shops by the id of a location.

    Satisfies `Whose`: another topic and a test post nothing, and a level older than `oldest` waits for a person.
    """

    company: str
    companies: Mapping[str, str]
    locations: Mapping[str, str]
    oldest: timedelta

    @property
    def told(self) -> str:
        """See `Whose`."""
        return f"{len(self.companies)} shops" if self.companies else f"every shop is {self.company}'s"

    def arrived(self, arrived: Arrived, context: NormaliseContext) -> NormaliseContext | str:
        """See `Whose`."""
        headers = arrived.headers
        topic = headers.get("x-shopify-topic", "").strip()
        if not topic:
            raise Rejected("no_topic", "Shopify names the topic here", field="X-Shopify-Topic")
        if topic != SHOPIFY_TOPIC:
            return f"type_not_used:{topic}"
        if headers.get("x-shopify-test", "").strip().lower() == "true":
            return "test_mode"
        company = self.company_of(arrived.body, headers.get("x-shopify-shop-domain", "").strip().lower())
        self._refuse_old(arrived)
        return replace(context, company=company)

    def again(self, body: bytes, reason: str, context: NormaliseContext) -> NormaliseContext:
        """See `Whose`: a shop that was nobody's must be somebody's now."""
        named = reason.removeprefix(UNMAPPED_SHOP) if reason.startswith(UNMAPPED_SHOP) else None
        if named is not None and not self.companies:
            raise _unmapped(named)
        return replace(context, company=self.company_of(body, named))

    def company_of(self, body: bytes, named: str | None) -> str:
        """Whose books a body is for; `named` is what the header says, None where a person sends it again.

        Raises Rejected: a shop or location that is not known, or one that the header contradicts.
        """
        if not self.companies:
            return self.company
        if named is not None and named not in self.companies:
            raise _unmapped(named)
        shops = {self._shop_of(place) for place, _ in levels_in(body)} if self.locations else set()
        if named is not None and shops - {named}:
            message = "the location is another shop's than the header says, and only the location is signed"
            raise Rejected("shop_disagrees", message, field=_HEADER)
        found = {self.companies[shop] for shop in shops or self.companies}
        if len(found) != 1:
            message = "it does not say by its locations which one shop it is of"
            raise Rejected("shop_not_told", message, field="location_id")
        return found.pop()

    def _refuse_old(self, arrived: Arrived) -> None:
        """Shopify signs no time, so that a body is as good as new for ever: an old level waits for a person."""
        if any(arrived.at - time > self.oldest for _, time in levels_in(arrived.body)):
            hours = f"{self.oldest.total_seconds() / 3600:g}"
            message = f"the level is older than {hours} hours (shopify.oldest_hours); Shopify gives up sooner"
            raise Rejected("too_old", message, field="updated_at")

    def _shop_of(self, place: str) -> str:
        if place not in self.locations:
            message = f"no shop is set for the location {place}: add it to [shopify].locations"
            raise Rejected(f"unmapped:shopify_location:{place}", message, field="location_id")
        return self.locations[place]


def _unmapped(shop: str) -> Rejected:
    message = f"no company is set for the shop {shop or '(none named)'}: add it to [shopify].shops"
    return Rejected(f"{UNMAPPED_SHOP}{shop}", message, field=_HEADER)


SHOPIFY: Final = Source(
    name="shopify",
    read=one_piece(normalise),
    options=NoOptions,
    people=False,
    documents=True,
    webhook=Webhook(
        signature=Signature(header="X-Shopify-Hmac-SHA256", encoding="base64"),
        secret=Shape(re.compile(r"(?:[a-z]{2,8}_)?[A-Za-z0-9]{24,250}"), "at least 24 letters or digits"),
        identify=lambda _, headers: (headers.get("x-shopify-webhook-id"), headers.get("x-shopify-topic")),
        takes=frozenset({"shops", "locations", "oldest_hours"}),
        whose=lambda table, company: Shops(company, table.shops, table.locations, timedelta(hours=table.oldest_hours)),
    ),
)
