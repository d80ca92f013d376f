"""Shopify inventory levels into counts of stock (`shopify`): webhook bodies, and lists of the REST API.

Pure. Signatures are checked elsewhere, on the raw body. A level is no change and gives no reason: it counts what is
there, as of `updated_at`. Ids are above 2^53 and are never floats.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from producers.drafts import wrap
from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.reading.fields import Fields, open_object
from schemas.envelope import Event
from schemas.inventory import StockCounted

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


def levels_in(document: bytes) -> tuple[tuple[str, datetime], ...]:
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
