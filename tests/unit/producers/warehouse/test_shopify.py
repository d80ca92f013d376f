import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.reading.documents import split_documents
from producers.warehouse.shopify import normalise
from schemas.inventory import StockCounted
from tests.unit.producers.made import DATA

FIXTURES = DATA / "shopify-fixtures"
TEST_BODY = DATA / "shopify-webhook-inventory-level" / "inventory_levels_update.json"
LEVELS = {"inventory_level": 1, "inventory_levels": 4, "location_inventory_levels": 2}
BIG = 271878346596884015
LEVEL: dict[str, Any] = {
    "inventory_item_id": BIG,
    "location_id": 53716844710,
    "available": 7,
    "updated_at": "2020-09-03T08:44:10-04:00",
    "admin_graphql_api_id": f"gid://shopify/InventoryLevel/87892394150?inventory_item_id={BIG}",
}


def _of(document: bytes | dict[str, Any]) -> Normalised:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return normalise(raw, NormaliseContext())


def test_a_level_is_a_count_with_its_exact_ids() -> None:
    (event,) = _of(LEVEL).events
    assert event.data == StockCounted(
        fact=f"shopify:level:{BIG}:53716844710:2020-09-03T12:44:10Z",
        item=str(BIG),
        place="53716844710",
        counted=Decimal(7),
        reason="level",
    )
    assert event.time == datetime(2020, 9, 3, 12, 44, 10, tzinfo=UTC)
    assert (event.source, event.subject, event.partitionkey) == ("/warehouse/shopify", str(BIG), str(BIG))


def test_the_vendors_test_body_is_not_tracked() -> None:
    assert _of(TEST_BODY.read_bytes()) == Normalised((), ignored="not_tracked")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_every_real_body_is_levels_or_ignored(path: Path) -> None:
    found = [_of(document) for document in split_documents(path.read_bytes())]
    assert sum(len(each.events) for each in found) == LEVELS.get(path.stem, 0)
    assert all(each.events or (each.ignored or "").startswith("type_not_used:") for each in found)


def test_a_level_is_the_same_fact_in_a_webhook_and_in_a_list() -> None:
    listed = {"inventory_levels": [LEVEL | {"available": None}, LEVEL]}
    assert _of(listed).events == _of(LEVEL).events == _of({"inventory_level": LEVEL}).events


def test_another_body_is_guessed_by_its_fields() -> None:
    assert _of({"id": 1, "financial_status": "paid"}).ignored == "type_not_used:order"
    assert _of({"id": 1}).ignored == "type_not_used:unknown"


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"inventory_item_id": float(BIG)}, "bad_id", "inventory_item_id"),
        ({"inventory_item_id": str(BIG)}, "bad_id", "inventory_item_id"),
        ({"inventory_item_id": BIG - 15}, "ids_disagree", "admin_graphql_api_id"),
        ({"admin_graphql_api_id": "gid://shopify/Product/1"}, "bad_id", "admin_graphql_api_id"),
        ({"location_id": None}, "missing_field", "location_id"),
        ({"location_id": True}, "bad_id", "location_id"),
        ({"available": "7"}, "wrong_type", "available"),
        ({"available": 1.5}, "wrong_type", "available"),
        ({"available": -2}, "negative_level", "available"),
        ({"available": 10**15}, "invalid_event", "available"),
        ({"updated_at": None}, "missing_field", "updated_at"),
        ({"updated_at": "2020-09-03T08:44:10"}, "bad_time", "updated_at"),
        ({"updated_at": 1599137050}, "bad_time", "updated_at"),
    ],
)
def test_a_level_that_cannot_be_trusted_is_rejected(change: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(Rejected) as caught:
        _of(LEVEL | change)
    assert (caught.value.reason, caught.value.field) == (reason, field)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b"7", b'{"a": 1}', b'{"inventory_levels": 7}', b'{"inventory_level": null}']
)
def test_what_is_no_body_of_shopify_is_rejected(raw: bytes) -> None:
    with pytest.raises(Rejected):
        _of(raw)
