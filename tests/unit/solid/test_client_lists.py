"""The client's lists: accounts, items, contacts and balances, over all pages, and what is refused of them."""

from collections.abc import Mapping
from decimal import Decimal

import httpx2
import pytest

from solid.dialect import Dialect
from solid.errors import DialectMismatch, Refused
from solid.models import Account, Contact, Item
from tests.unit.solid.support import DAY, ScriptedSolid, ok


async def test_accounts_are_read_over_all_pages() -> None:
    pages = [
        ok(
            [{"id": "1", "name": "Bank", "type": "CASH", "number": "1000"}],
            pagination={"page": 1, "pages": 2},
        ),
        ok([{"id": "2", "name": "Sales", "account_type": "INCOME"}], pagination={"page": 2, "pages": 2}),
    ]
    async with ScriptedSolid(pages).client() as client:
        assert await client.accounts() == [
            Account(id="1", name="Bank", type="CASH"),
            Account(id="2", name="Sales", type="INCOME"),
        ]


async def test_fifty_accounts_without_hints_are_taken_as_all() -> None:
    accounts = [{"id": str(number), "name": f"Account {number}"} for number in range(50)]
    async with ScriptedSolid([ok(accounts)]).client() as client:
        assert len(await client.accounts()) == 50


async def test_accounts_that_solid_promises_but_does_not_give_are_a_mismatch() -> None:
    answer = ok([{"id": "1", "name": "Bank"}], has_more=True)
    async with ScriptedSolid([answer]).client() as client:
        with pytest.raises(DialectMismatch, match="accounts"):
            await client.accounts()


@pytest.mark.parametrize("payload", ["text", {"a": 1}, [1], [{"id": "1"}], [{"id": "1", "name": None}]])
async def test_accounts_of_another_shape_are_a_mismatch(payload: object) -> None:
    async with ScriptedSolid([ok(payload)]).client() as client:
        with pytest.raises(DialectMismatch):
            await client.accounts()


async def test_items_are_read_over_all_pages_and_what_is_not_known_is_ignored() -> None:
    first = {"id": "1", "name": "Mug", "sku": "MUG-1", "type": "inventory", "average_cost": "2.10", "shelf": None}
    pages = [
        ok(
            [first, {"id": "2", "name": "Care", "sku": None, "item_type": "service"}],
            pagination={"page": 1, "pages": 2},
        ),
        ok([{"id": 3, "name": "Mug, old", "sku": "MUG-1"}, {"id": "4", "name": "x", "sku": 7}], pagination={"page": 2}),
    ]
    async with ScriptedSolid(pages).client() as client:
        assert await client.items() == [
            Item(id="1", sku="MUG-1", name="Mug", type="inventory"),
            Item(id="2", sku=None, name="Care", type="service"),
            Item(id="3", sku="MUG-1", name="Mug, old", type=""),
            Item(id="4", sku="7", name="x", type=""),
        ]


async def test_fifty_items_without_hints_may_lack_one_of_the_same_sku() -> None:
    items = [{"id": str(number), "name": f"Item {number}"} for number in range(50)]
    async with ScriptedSolid([ok(items)]).client() as client:
        with pytest.raises(Refused) as caught:
            await client.items()
    assert caught.value.code == "list_may_be_cut"


@pytest.mark.parametrize("answer", [ok([{"id": "1", "name": "A"}], has_more=True), ok([{"id": "1"}]), ok("none")])
async def test_items_of_another_shape_are_a_mismatch(answer: httpx2.Response) -> None:
    async with ScriptedSolid([answer]).client() as client:
        with pytest.raises(DialectMismatch, match="items"):
            await client.items()


def contact(number: int, name: str) -> Mapping[str, object]:
    return {"id": f"c-{number}", "display_name": name, "email": None, "phone": "555", "external_id": None}


async def test_contacts_are_matched_exactly_whatever_solid_gives() -> None:
    found = [contact(1, "Ann"), contact(2, "ann"), contact(3, "Ann Lee"), contact(4, "Ann")]
    solid = ScriptedSolid([ok(found)])
    async with solid.client() as client:
        contacts = await client.contacts_named("Ann")
    assert contacts == [Contact(id="c-1", display_name="Ann"), Contact(id="c-4", display_name="Ann")]
    assert dict(solid.requests[0].url.params) == {"display_name": "Ann"}


async def test_a_name_with_special_characters_is_asked_for_as_it_is() -> None:
    solid = ScriptedSolid([ok([])])
    async with solid.client() as client:
        assert await client.contacts_named("Ann & Söhne = 100% +1") == []
    assert solid.requests[0].url.params["display_name"] == "Ann & Söhne = 100% +1"


async def test_too_many_similar_names_concern_this_contact_only() -> None:
    answer = ok([contact(number, f"Ann {number}") for number in range(50)])
    async with ScriptedSolid([answer]).client() as client:
        with pytest.raises(Refused) as caught:
            await client.contacts_named("Ann")
    assert caught.value.code == "list_may_be_cut"


async def test_an_ignored_filter_with_a_full_page_is_a_mismatch() -> None:
    answer = ok([contact(number, f"Customer {number}") for number in range(50)])
    async with ScriptedSolid([answer]).client() as client:
        with pytest.raises(DialectMismatch, match="ignores the filter"):
            await client.contacts_named("Ann")


@pytest.mark.parametrize(
    ("dialect", "wire"),
    [
        (Dialect(money="decimal_string"), '"-1234.56"'),
        (Dialect(money="decimal_number"), "-1234.56"),
        (Dialect(money="cents"), "-123456"),
    ],
)
async def test_balances_are_exact_decimals_by_account(dialect: Dialect, wire: str) -> None:
    text = f'{{"success": true, "data": [{{"account_id": "a-1", "balance": {wire}}}]}}'
    solid = ScriptedSolid([httpx2.Response(200, text=text)])
    async with solid.client(dialect) as client:
        balances = await client.balances(DAY)
    assert balances == {"a-1": Decimal("-1234.56")}
    assert dict(solid.requests[0].url.params) == {"as_of": "2026-04-26"}


@pytest.mark.parametrize(
    "listed",
    [
        [{"account_id": "a", "balance": 1}],
        [{"account_id": "a"}],
        [{"balance": "1.00"}],
        [{"account_id": "a", "balance": "1.00"}, {"account_id": "a", "balance": "2.00"}],
    ],
)
async def test_balances_of_another_shape_are_a_mismatch(listed: object) -> None:
    async with ScriptedSolid([ok(listed)]).client() as client:
        with pytest.raises(DialectMismatch):
            await client.balances()
