"""Which SKUs Solid knows: read once, and again when one is missing."""

import pytest

from solid.models import Item
from tests.fakes import FakeClock
from workers.plans.writes import Parked
from workers.stock.items import GOOD_FOR_SECONDS, Items


class FakeSolid:
    """Its items, and how often it was asked."""

    def __init__(self, *skus: str) -> None:
        self.items = [Item(id=f"id-{number}", sku=sku, name=sku) for number, sku in enumerate(skus)]
        self.asked = 0

    async def read(self) -> list[Item]:
        self.asked += 1
        return list(self.items)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_the_items_are_read_once_for_many_facts(clock: FakeClock) -> None:
    solid = FakeSolid("MUG", "CUP")
    items = Items(solid.read, overrides={}, clock=clock)
    for _ in range(5):
        await items.ids_of(["MUG", "CUP"])
    assert await items.ids_of(["CUP"]) == {"CUP": "id-1"}
    assert solid.asked == 1


async def test_an_unknown_sku_is_parked_and_asked_for_again_once_a_while(clock: FakeClock) -> None:
    solid = FakeSolid("MUG")
    items = Items(solid.read, overrides={}, clock=clock)
    for _ in range(3):
        with pytest.raises(Parked) as parked:
            await items.ids_of(["CUP"])
        assert parked.value.reason == "unmapped:item:CUP"
    assert solid.asked == 1
    solid.items.append(Item(id="new", sku="CUP", name="Cup"))
    clock.advance(GOOD_FOR_SECONDS)
    await items.ids_of(["CUP"])
    assert solid.asked == 2


async def test_an_sku_that_stands_twice_is_parked_unless_the_books_say_which_is_meant(clock: FakeClock) -> None:
    solid = FakeSolid("MUG", "MUG")
    with pytest.raises(Parked, match="2 items in Solid have this SKU"):
        await Items(solid.read, overrides={}, clock=clock).ids_of(["MUG"])
    assert await Items(solid.read, overrides={"MUG": "id-1"}, clock=clock).ids_of(["MUG"]) == {"MUG": "id-1"}
