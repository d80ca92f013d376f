"""From a SKU to Solid's item: exactly, or not at all."""

from collections.abc import Mapping

import pytest

from solid.models import Item
from workers.catalogue import Catalogue
from workers.plans.writes import Parked

ITEMS = (
    Item(id="i-mug", sku="MUG-1", name="Mug", type="inventory"),
    Item(id="i-lamp", sku="LAMP", name="Lamp", type="inventory"),
    Item(id="i-lamp-old", sku="LAMP", name="Lamp, old", type="inventory"),
    Item(id="i-care", sku="CARE", name="Care", type="service"),
    Item(id="i-bag", sku="BAG", name="Bag", type="non_inventory"),
    Item(id="i-plain", sku="PLAIN", name="Plain"),
    Item(id="i-none", sku=None, name="No SKU", type="inventory"),
    Item(id="i-empty", sku="", name="Empty SKU", type="inventory"),
)


def parked(sku: str, overrides: Mapping[str, str] | None = None) -> str:
    with pytest.raises(Parked) as caught:
        Catalogue(ITEMS, overrides).id_of(sku)
    assert caught.value.reason == f"unmapped:item:{sku}"
    return str(caught.value)


def test_a_sku_that_one_item_has_is_that_item() -> None:
    assert Catalogue(ITEMS).id_of("MUG-1") == "i-mug"
    assert Catalogue(ITEMS).id_of("PLAIN") == "i-plain", "where Solid shows no type, none is refused"


@pytest.mark.parametrize("sku", ["mug-1", "MUG-1 ", " MUG-1", "MUG1", "MUG-10", "MUG", ""])
def test_a_sku_is_compared_exactly_and_the_nearest_are_named(sku: str) -> None:
    message = parked(sku)
    assert "no item in Solid has this SKU" in message
    assert '"MUG-1"' in message or not sku


def test_a_sku_of_several_items_is_nobodys() -> None:
    assert "2 items in Solid have this SKU" in parked("LAMP")


@pytest.mark.parametrize(("sku", "type_"), [("CARE", "service"), ("BAG", "non_inventory")])
def test_an_item_that_holds_no_stock_is_said_to_hold_none(sku: str, type_: str) -> None:
    assert f'of type "{type_}", which holds no stock' in parked(sku)


def test_what_books_toml_says_wins_if_solid_has_it() -> None:
    catalogue = Catalogue(ITEMS, {"LAMP": "i-lamp-old", "MUG-1": "i-lamp", "theirs": "i-none"})
    assert [catalogue.id_of(sku) for sku in ("LAMP", "MUG-1", "theirs")] == ["i-lamp-old", "i-lamp", "i-none"]
    assert catalogue.problems() == []
    overrides = {"LAMP": "i-gone", "theirs": "i-care"}
    assert '"i-gone" that books.toml names is not in Solid' in parked("LAMP", overrides)
    assert "holds no stock" in parked("theirs", overrides)
    (problem,) = Catalogue(ITEMS, overrides).problems()
    assert '"LAMP"' in problem
    assert "i-gone" in problem


def test_without_any_sku_in_solid_none_is_near() -> None:
    with pytest.raises(Parked, match="no item there has a SKU"):
        Catalogue(ITEMS[-2:]).id_of("MUG-1")
