"""Solid's items as the worker knows them: from a SKU to the item's UUID in Solid. It must not guess: it parks."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from solid.models import Item
from workers.plans.writes import Parked

HOLDS_STOCK: Final = frozenset({"inventory", ""})
"""Types of items that have a quantity; empty where Solid shows no type."""

NEAREST: Final = 3


class Catalogue:
    """Items by exact SKU; `overrides` (SKU -> Solid's item id, from `books.toml`) win over what Solid says."""

    def __init__(self, items: Iterable[Item], overrides: Mapping[str, str] | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._by_id: dict[str, Item] = {}
        self._by_sku: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            self._by_id[item.id] = item
            if item.sku:
                self._by_sku[item.sku].append(item)

    def id_of(self, sku: str) -> str:
        """The UUID of the item. Case and blanks count.

        Raises:
            Parked: Solid has no item of that SKU, or several, or one that holds no stock. The reason names the SKU.
        """
        item = self._item(sku)
        if item.type.lower() not in HOLDS_STOCK:
            raise _parked(sku, f'the item is of type "{item.type}", which holds no stock; make it an inventory item')
        return item.id

    def known_as(self, sku: str) -> str:
        """The UUID of the item, whether it holds stock or not. Raises Parked as `id_of` does."""
        return self._item(sku).id

    def problems(self) -> list[str]:
        """One sentence for each override whose item is not in Solid."""
        return [
            f'[items]."{sku}": {self._missing(item_id)}'
            for sku, item_id in sorted(self._overrides.items())
            if item_id not in self._by_id
        ]

    def _item(self, sku: str) -> Item:
        return self._overridden(sku) if sku in self._overrides else self._only(sku)

    def _overridden(self, sku: str) -> Item:
        item_id = self._overrides[sku]
        if item_id not in self._by_id:
            raise _parked(sku, self._missing(item_id))
        return self._by_id[item_id]

    def _only(self, sku: str) -> Item:
        items = self._by_sku.get(sku, [])
        if len(items) == 1:
            return items[0]
        if items:
            raise _parked(sku, f"{len(items)} items in Solid have this SKU; say in books.toml which one is meant")
        near = difflib.get_close_matches(sku, self._by_sku, n=NEAREST, cutoff=0)
        hint = "nearest: " + ", ".join(f'"{name}"' for name in near) if near else "no item there has a SKU"
        raise _parked(sku, f"no item in Solid has this SKU; {hint}. Create it, or say in books.toml which one is meant")

    @staticmethod
    def _missing(item_id: str) -> str:
        return f'the item "{item_id}" that books.toml names is not in Solid; correct books.toml'


def _parked(sku: str, problem: str) -> Parked:
    return Parked(f"unmapped:item:{sku}", f'SKU "{sku}": {problem}.')
