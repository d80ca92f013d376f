"""Lists, filters, pages, keys and the dialects."""

import pytest

from simulator.books.chart import sample
from simulator.books.dialect import CHOICES
from tests.unit.simulator.client import Client


@pytest.mark.parametrize("size", [3, 7])
async def test_every_list_is_read_to_its_end_by_following_next(solid: Client, size: int) -> None:
    for number in range(7):
        await solid.made("/contacts", {"display_name": f"c{number}"})
    path, seen, body = f"/api/v1/contacts?per_page={size}", [], {}
    while path:
        body = (await solid.http.get(path)).json()
        seen += [row["display_name"] for row in body["data"]]
        path = body["pagination"]["next"]
    assert seen == [f"c{number}" for number in range(7)]
    assert len(solid.simulation.calls) == 7 + -(-7 // size)
    assert body["pagination"]["total"] == 7
    assert body["api_version"] == "v1"


async def test_a_page_has_fifty_rows_unless_asked_and_never_more_than_a_hundred(solid: Client) -> None:
    for number in range(101):
        await solid.made("/contacts", {"display_name": f"c{number}"})
    assert len(await solid.data("/contacts")) == 50
    assert len(await solid.data("/contacts", per_page=1000)) == 100
    assert (await solid.get("/contacts", page=0)).status_code == 422


async def test_a_display_name_matches_when_it_contains_the_text_in_any_case(solid: Client) -> None:
    for name in ("Ada Byron", "ada", "Bob"):
        await solid.made("/contacts", {"display_name": name})

    async def found() -> list[str]:
        return [row["display_name"] for row in await solid.data("/contacts", display_name="Ada")]

    assert await found() == ["Ada Byron", "ada"]
    await solid.switch(dialect={"contact_match": "icase"})
    assert await found() == ["ada"]
    await solid.switch(dialect={"contact_match": "exact"})
    assert await found() == []


async def test_the_external_id_filter_works_on_invoices_and_is_ignored_elsewhere(solid: Client) -> None:
    customer = await solid.customer()
    await solid.made("/invoices", await solid.invoice(customer_id=customer))
    await solid.made("/entries", await solid.entry())
    assert await solid.data("/invoices", external_id="nothing") == []
    assert len(await solid.data("/invoices", external_id="i-1")) == 1
    assert len(await solid.data("/entries", external_id="nothing", **{"from": "2026-01-01"})) == 2
    await solid.switch(dialect={"entries_external_id_filter": "supported"})
    assert await solid.data("/entries", external_id="nothing") == []
    await solid.switch(dialect={"entries_external_id_filter": "400"})
    assert (await solid.get("/entries", external_id="e-1")).status_code == 400


async def test_entries_show_every_documents_posting_between_two_dates_inclusive(solid: Client) -> None:
    customer = await solid.customer()
    await solid.made("/invoices", await solid.invoice(customer_id=customer, date="2026-03-07"))
    for day in ("2026-03-08", "2026-03-05", "2026-03-09"):
        await solid.made("/entries", await solid.entry(date=day))
    rows = await solid.data("/entries", **{"from": "2026-03-05", "to": "2026-03-08"})
    assert [(row["date"], row["transaction_type"]) for row in rows] == [
        ("2026-03-05", "journal"),
        ("2026-03-07", "invoice"),
        ("2026-03-08", "journal"),
    ]
    assert rows[1]["lines"][0]["debit"] == "100.00"
    assert (await solid.data(f"/entries/{rows[1]['id']}"))["external_id"] == "i-1"
    assert await solid.data("/entries", **{"from": "2027-01-01", "to": "2026-01-01"}) == []


@pytest.mark.parametrize("key", [None, "short", "x" * 64])
async def test_a_missing_or_wrong_key_is_a_401_and_still_a_call(solid: Client, key: str | None) -> None:
    del solid.http.headers["X-API-Key"]
    if key:
        solid.http.headers["x-api-KEY"] = key
    for path in ("/accounts", "/nothing"):
        reply = await solid.get(path)
        assert (reply.status_code, reply.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert (await solid.http.get("/openapi.json")).status_code == 401
    assert (await solid.judge())["calls"] == 3


async def test_a_revoked_key_is_refused_until_a_new_one_is_set(solid: Client) -> None:
    await solid.switch(revoke_key=True)
    assert (await solid.get("/accounts")).status_code == 401
    await solid.switch(key="n" * 64)
    assert (await solid.get("/accounts")).status_code == 401
    solid.http.headers["X-API-Key"] = "n" * 64
    assert (await solid.get("/accounts")).status_code == 200
    await solid.switch(key="o" * 64, keep_old_key=True)
    assert (await solid.get("/accounts")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/invoices/7", 404),
        ("GET", "/api/v1/invoices/7/lines", 404),
        ("GET", "/accounts", 404),
        ("PUT", "/api/v1/invoices", 405),
        ("DELETE", "/api/v1/entries/7", 405),
        ("POST", "/api/v1/balances", 405),
    ],
)
async def test_what_does_not_exist_is_answered_in_the_envelope(
    solid: Client, method: str, path: str, status: int
) -> None:
    reply = await solid.http.request(method, path)
    assert (reply.status_code, reply.json()["success"]) == (status, False)


@pytest.mark.parametrize(
    ("money", "given", "shown"),
    [("decimal_string", '"1.50"', '"1.50"'), ("decimal_number", "1.5", "1.50"), ("cents", "150", "150")],
)
async def test_amounts_go_both_ways_in_the_dialects_encoding(solid: Client, money: str, given: str, shown: str) -> None:
    entry = await solid.entry(lines=[])
    await solid.switch(dialect={"money": money})
    sides = [("Stripe Fees", "debit"), ("Checking", "credit")]
    lines = [f'{{"account_id": "{await solid.account(name)}", "{side}": {given}}}' for name, side in sides]
    body = f'{{"date": "{entry["date"]}", "lines": [{",".join(lines)}]}}'
    reply = await solid.http.post("/api/v1/entries", content=body)
    assert reply.status_code == 201, reply.text
    assert f'"total":{shown},' in reply.text
    assert (await solid.judge())["balances"]["Stripe Fees"] == "1.50"


@pytest.mark.parametrize("key", CHOICES["payload_key"])
async def test_the_payload_is_under_the_dialects_key(solid: Client, key: str) -> None:
    await solid.switch(dialect={"payload_key": key})
    body = (await solid.get("/accounts")).json()
    assert len(body["accounts" if key == "resource" else key]) == len(sample())


async def test_the_other_paginations_cut_the_list_too(solid: Client) -> None:
    for number in range(60):
        await solid.made("/contacts", {"display_name": f"c{number}"})
    await solid.switch(dialect={"pagination": "offset"})
    assert [c["display_name"] for c in await solid.data("/contacts", limit=2, offset=58)] == ["c58", "c59"]
    await solid.switch(dialect={"pagination": "none"})
    assert len(await solid.data("/contacts")) == 60
    await solid.switch(dialect={"pagination": "silent_cap"})
    assert "pagination" not in (reply := (await solid.get("/contacts")).json())
    assert len(reply["data"]) == 50
    await solid.switch(dialect={"pagination": "cursor"})
    first = (await solid.get("/contacts", limit=40)).json()
    second = (await solid.get("/contacts", limit=40, cursor=first["pagination"]["next_cursor"])).json()
    assert [len(page["data"]) for page in (first, second)] == [40, 20]
    assert second["pagination"] == {"has_more": False, "next_cursor": None}


async def test_a_dialect_may_refuse_or_forget_external_ids(solid: Client) -> None:
    await solid.made("/contacts", {"display_name": "A", "external_id": "x"})
    await solid.switch(dialect={"external_id": "unique_409"})
    assert await solid.error("/contacts", {"display_name": "A", "external_id": "x"}) == (
        409,
        "DUPLICATE_EXTERNAL_ID",
    )
    await solid.switch(dialect={"external_id": "dropped"})
    made = await solid.made("/contacts", {"display_name": "A", "external_id": "x"})
    assert made["external_id"] is None
    assert (await solid.judge())["duplicated"] == ["x"]


async def test_the_openapi_document_names_paths_methods_and_fields(solid: Client) -> None:
    document = (await solid.http.get("/openapi.json")).json()
    post = document["paths"]["/api/v1/entries"]["post"]
    fields = post["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert {"date", "memo", "reference_number", "external_id", "lines"} <= fields.keys()
    assert fields["lines"]["items"]["properties"]["debit"]["type"] == "string"
    for name in ("accounts", "contacts", "items", "invoices", "payments", "bills"):
        assert document["paths"][f"/api/v1/{name}"].keys() == {"get", "post"}
    assert "/api/v1/balances" in document["paths"]
