"""The store of sales: what was told is found by any name, two sales that are one become one, and nothing is lost."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.engine import connect
from store.sales.told import Body, SalesStore
from tests.fakes import FakeClock


@pytest.fixture
def sales(engine: AsyncEngine, clock: FakeClock) -> SalesStore:
    return SalesStore(engine, clock)


async def note(sales: SalesStore, word: str, *names: str, company: str = "main", held: bool = False) -> list[str]:
    """Note a word under names; give all that is noted there, sorted."""

    def work(bodies: Sequence[Body]) -> Body:
        words = [each for body in bodies for each in body["words"]]
        return {"words": sorted({*words, word}), "held": held}

    return list((await sales.change(company, names, work))["words"])


async def test_what_was_told_is_found_by_any_of_its_names(sales: SalesStore) -> None:
    assert await note(sales, "charge", "ch_1", "pi_1") == ["charge"]
    assert await note(sales, "invoice", "in_1", "pi_1") == ["charge", "invoice"]
    assert await note(sales, "refund", "in_1") == ["charge", "invoice", "refund"]
    assert await note(sales, "other", "in_2") == ["other"]


async def test_two_sales_that_one_event_names_become_one(sales: SalesStore) -> None:
    await note(sales, "charge", "ch_1", "pi_1")
    await note(sales, "invoice", "in_1")
    assert await note(sales, "link", "in_1", "pi_1") == ["charge", "invoice", "link"]
    for name in ("ch_1", "pi_1", "in_1"):
        assert await note(sales, "link", name) == ["charge", "invoice", "link"]


async def test_each_company_has_its_own_sales(sales: SalesStore) -> None:
    await note(sales, "charge", "ch_1")
    assert await note(sales, "invoice", "ch_1", company="second") == ["invoice"]


async def test_what_a_change_raises_leaves_everything_as_it_was(sales: SalesStore) -> None:
    await note(sales, "charge", "ch_1")

    def fail(bodies: Sequence[Body]) -> Body:
        raise ZeroDivisionError(bodies)

    with pytest.raises(ZeroDivisionError):
        await sales.change("main", ["ch_1", "pi_1"], fail)
    assert await note(sales, "invoice", "pi_1") == ["invoice"]


async def test_a_very_long_name_is_a_name(sales: SalesStore) -> None:
    await note(sales, "charge", "x" * 9000)
    assert await note(sales, "invoice", "x" * 9000) == ["charge", "invoice"]


async def test_whether_a_charge_was_ever_held_is_known(sales: SalesStore) -> None:
    await note(sales, "charge", "ch_1")
    assert not await sales.any_held("main")
    await note(sales, "charge", "ch_2", held=True)
    assert await sales.any_held("main")
    assert not await sales.any_held("second")


async def test_what_several_processes_tell_at_once_of_one_sale_is_all_kept(database_url: str, clock: FakeClock) -> None:
    engines = [connect(database_url) for _ in range(3)]
    stores = [SalesStore(engine, clock) for engine in engines]
    names = [("ch_1",), ("in_1",), ("ch_1", "in_1"), ("pi_1", "ch_1"), ("pi_1",), ("in_1", "pi_1")]
    try:
        await asyncio.gather(*(note(stores[n % 3], f"{n}", *each) for n, each in enumerate(names)))
        assert await note(stores[0], "end", "ch_1", "in_1", "pi_1") == ["0", "1", "2", "3", "4", "5", "end"]
    finally:
        for engine in engines:
            await engine.dispose()


async def test_who_only_looks_changes_nothing_and_sees_whether_all_names_are_of_one_sale(sales: SalesStore) -> None:
    await note(sales, "charge", "ch_1", "pi_1")
    await note(sales, "invoice", "in_1")
    one = await sales.look("main", ["ch_1", "pi_1"])
    assert ([each["words"] for each in one.bodies], one.is_one) == ([["charge"]], True)
    for names in (["ch_1", "in_1"], ["ch_1", "in_2"], ["in_2"]):
        assert not (await sales.look("main", names)).is_one
    assert (await sales.look("second", ["ch_1"])).bodies == ()
    assert await note(sales, "link", "in_1") == ["invoice", "link"]
