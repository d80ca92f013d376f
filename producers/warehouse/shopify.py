"""Shopify's inventory levels into counts of stock; whose a body is, and whether it is too old.

A level, of a webhook or a list of the REST API, is no change and gives no reason: it counts what is there, as of
`updated_at`. Ids are above 2^53 and are never floats.

Signatures are checked elsewhere, on the raw body. The header that names the shop is not signed: whoever has one signed
body can send it again under any shop's name. Where all shops are one company's, the header decides nothing. Where they
are not, a level belongs to the shop that its location is of, and the header must say the same.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from producers.drafts import wrap
from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.reading.fields import Fields, open_object
from producers.source import Arrived
from schemas.envelope import Event
from schemas.inventory import StockCounted

SHOPIFY_TOPIC: Final = "inventory_levels/update"
UNMAPPED_SHOP: Final = "unmapped:shopify_shop:"
"""How the reason begins when a shop is nobody's; the shop follows."""

_HEADER: Final = "X-Shopify-Shop-Domain"
_GLOBAL_ID: Final = re.compile(r"gid://shopify/InventoryLevel/\d+\?inventory_item_id=(\d+)", re.ASCII)
_LARGEST: Final = 1 << 63
_MARKS: Final = {
    "financial_status": "order",
    "refund_line_items": "refund",
    "tracking_number": "fulfillment",
    "variants": "product",
    "sku": "inventory_item",
    "address1": "location",
}
"""What else a body is, by a field that its kind has."""


def normalise(document: bytes, context: NormaliseContext) -> Normalised:
    """Turn a body into the counts that it holds. Raises Rejected; the same body always gives the same result."""
    body = _open(document)
    if _is_test(body):
        return Normalised((), ignored="test_mode")
    levels = _levels(body)
    if levels is None:
        return Normalised((), ignored=f"type_not_used:{_guess(body)}")
    found = [_counted(level, context) for level in levels]
    events = tuple(event for event in found if event is not None)
    return Normalised(events) if events else Normalised((), ignored="not_tracked" if found else "no_levels")


def _levels_in(document: bytes) -> tuple[tuple[str, datetime], ...]:
    """The location and time of each level, as far as they can be read; what cannot is `normalise`'s to refuse."""
    with suppress(Rejected):
        return tuple(
            (_id(level, "location_id"), level.instant("updated_at")) for level in _levels(_open(document)) or ()
        )
    return ()


def _open(document: bytes) -> Fields:
    return open_object(document, reason="unknown_document", message="a Shopify body is a JSON object")


def _is_test(body: Fields) -> bool:
    """Whether a body, or what its wrapper holds, is marked as a test, as test orders are."""
    inner = next(iter(body.values.values()), None) if len(body.values) == 1 else None
    return True in (body.get("test"), inner.get("test") if isinstance(inner, dict) else None)


def _levels(body: Fields) -> Sequence[Fields] | None:
    """The levels of a body, bare or in a wrapper; None where it is something else."""
    name = next((name for name in ("inventory_levels", "inventory_level") if name in body.values), None)
    if name is None:
        return (body,) if "inventory_item_id" in body.values or "available" in body.values else None
    if body.get(name) is None:
        raise body.missing(name)
    inner = body.section(name) if name == "inventory_level" else None
    return (inner,) if inner is not None else body.sections(name)


def _guess(body: Fields) -> str:
    """What else a body is: the name of its wrapper, else by a field that its kind has. Raises Rejected."""
    if len(body.values) == 1:
        name, inner = next(iter(body.values.items()))
        if re.fullmatch(r"[a-z_]{1,40}", name) and isinstance(inner, dict | list):
            return name
    if "id" in body.values:
        return next((kind for name, kind in _MARKS.items() if name in body.values), "unknown")
    message = "no Shopify body that is known: an inventory level has inventory_item_id, location_id and available"
    raise Rejected("unknown_document", message)


def _counted(level: Fields, context: NormaliseContext) -> Event | None:
    item, place, time = _id(level, "inventory_item_id"), _id(level, "location_id"), level.instant("updated_at")
    _check_global_id(level, item)
    if "available" not in level.values:
        raise level.missing("available")
    available = level.get("available")
    if available is None:
        return None
    if isinstance(available, bool) or not isinstance(available, int):
        raise level.wrong_type("available", "a whole number or null")
    if available < 0:
        message = "the level is below zero: sold and not there; a count cannot say that"
        raise Rejected("negative_level", message, field=level.at("available"))
    fact = f"shopify:level:{item}:{place}:{time.replace(tzinfo=None).isoformat()}Z"
    try:
        data = StockCounted(fact=fact, item=item, place=place, counted=Decimal(available), reason="level")
    except ValidationError:
        raise Rejected("invalid_event", "the level is too large to be one", field=level.at("available")) from None
    return wrap(data, source="shopify", company=context.company, at=time, name=f"{fact}:v{available}")


def _id(level: Fields, name: str) -> str:
    value = level.get(name)
    if value is None:
        raise level.missing(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _LARGEST:
        raise Rejected("bad_id", "an id of Shopify is a whole number", field=level.at(name))
    return str(value)


def _check_global_id(level: Fields, item: str) -> None:
    """Make sure that no reader on the way has rounded the id: the text of the global id has all its digits."""
    name = "admin_graphql_api_id"
    value = level.get(name)
    if value is None:
        return
    told = _GLOBAL_ID.fullmatch(value) if isinstance(value, str) else None
    if told is None:
        raise Rejected("bad_id", "not the global id of an inventory level", field=level.at(name))
    if told[1] != item:
        message = f"the global id is of item {told[1]}, and inventory_item_id is {item}"
        raise Rejected("ids_disagree", message, field=level.at(name))


@dataclass(frozen=True, slots=True)
class Shops:
    """`companies` by shop (none: every shop is `company`'s), and shops by the id of a location.

    Satisfies `Whose`: a topic that is not one of `topics` and a test post nothing, and a level older than `oldest`
    waits for a person.
    """

    company: str
    companies: Mapping[str, str]
    locations: Mapping[str, str]
    oldest: timedelta
    topics: frozenset[str] = frozenset({SHOPIFY_TOPIC})

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
        if topic not in self.topics:
            return f"type_not_used:{topic}"
        is_test = headers.get("x-shopify-test", "").strip().lower() == "true"
        if is_test and (topic == SHOPIFY_TOPIC or context.mode != "test"):
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
        shops = {self._shop_of(place) for place, _ in _levels_in(body)} if self.locations else set()
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
        if any(arrived.at - time > self.oldest for _, time in _levels_in(arrived.body)):
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
