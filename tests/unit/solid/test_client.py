"""The client's calls: what is sent, what is given back, and that the key shows nowhere."""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx2
import pytest
import structlog

from runtime.settings import ConfigurationError
from solid.client import Inconclusive
from solid.dialect import Dialect, LookupRule, Lookups, Parameters, Paths
from solid.errors import OutcomeUnknown, Refused, RefusedInDoubt, Unavailable
from solid.models import EntryLine, NewEntry, NewRecord
from tests.unit.solid.support import (
    ADJUSTING,
    ADJUSTMENT,
    BILL,
    CONTACT,
    DAY,
    DIALECT,
    ENTRY,
    INVOICE,
    KEY,
    PAYMENT,
    RECORDS,
    VENDOR,
    ScriptedSolid,
    body_of,
    ok,
    refusal,
    rows,
)

CREATED = ok({"id": "new-1", "surprise": {"of": "v26.3"}}, status=201)


async def sent(record: NewRecord, dialect: Dialect = DIALECT) -> httpx2.Request:
    solid = ScriptedSolid([CREATED])
    async with solid.client(dialect) as client:
        assert await client.create(record) == "new-1"
    (request,) = solid.requests
    return request


async def test_an_invoice_is_one_post_with_every_field() -> None:
    request = await sent(INVOICE)
    assert (request.method, request.url.path) == ("POST", "/api/v1/invoices")
    assert request.headers["X-API-Key"] == KEY
    assert request.headers["Content-Type"] == "application/json"
    assert body_of(request) == {
        "external_id": "stripe:charge:ch_1",
        "customer_id": "c-1",
        "date": "2026-04-26",
        "currency": "USD",
        "lines": [{"account_id": "a-income", "description": "Plan", "amount": "20.00"}],
    }


async def test_a_payment_carries_its_key_twice() -> None:
    assert body_of(await sent(PAYMENT)) == {
        "external_id": PAYMENT.external_id,
        "reference_number": PAYMENT.external_id,
        "customer_id": "c-1",
        "date": "2026-04-26",
        "currency": "USD",
        "amount": "20.00",
        "deposit_account_id": "a-clearing",
        "applications": [{"invoice_id": "i-1", "amount": "20.00"}],
    }


async def test_an_entry_carries_its_key_twice_and_one_side_a_line() -> None:
    assert body_of(await sent(ENTRY)) == {
        "external_id": ENTRY.external_id,
        "reference_number": ENTRY.external_id,
        "date": "2026-04-26",
        "currency": "USD",
        "memo": "Payout",
        "lines": [
            {"account_id": "a-bank", "debit": "96.80"},
            {"account_id": "a-fees", "debit": "3.20", "memo": "Fees"},
            {"account_id": "a-clearing", "credit": "100.00"},
        ],
    }


async def test_a_contact_has_the_dialects_constants() -> None:
    dialect = Dialect(money="cents", constants={"contacts": {"contact_type": "customer"}})
    assert body_of(await sent(CONTACT, dialect)) == {
        "external_id": "stripe:customer:cus_1",
        "display_name": "Ann & Sons",
        "email": "ann@example.com",
        "contact_type": "customer",
    }


@pytest.mark.parametrize("constants", [{}, {"contacts": {"contact_type": "customer", "vip": True}}])
async def test_a_vendor_says_so_whatever_the_constants_of_contacts_are(constants: Any) -> None:  # noqa: ANN401
    body = body_of(await sent(VENDOR, Dialect(money="cents", constants=constants)))
    assert body["contact_type"] == "vendor"
    assert body.get("vip") is (True if constants else None)


async def test_a_customer_does_not_say_what_it_is_by_default() -> None:
    assert "contact_type" not in body_of(await sent(CONTACT))


BILL_BODY: Mapping[str, object] = {
    "external_id": BILL.external_id,
    "vendor_id": "c-2",
    "date": "2026-04-26",
    "due_date": "2026-05-26",
    "currency": "USD",
    "memo": "Bill INV-4711",
    "lines": [
        {"account_id": "a-grni", "description": "Order 7", "amount": "90.00"},
        {"account_id": "a-ppv", "description": "Order 7", "amount": "1.50"},
    ],
}


async def test_a_bill_carries_its_key_twice_and_the_vendors_number_where_the_dialect_has_a_field_for_it() -> None:
    request = await sent(BILL)
    assert (request.method, request.url.path) == ("POST", "/api/v1/bills")
    assert body_of(request) == {**BILL_BODY, "reference_number": BILL.external_id}
    numbered = await sent(BILL, Dialect(money="decimal_string", bill_number="bill_number"))
    assert body_of(numbered) == {**BILL_BODY, "reference_number": BILL.external_id, "bill_number": "INV-4711"}


async def test_the_reference_number_of_a_bill_is_the_vendors_where_look_ups_do_not_need_it() -> None:
    lookups = Lookups(bills=LookupRule(by="external_id_filter", compare=("external_id",)))
    request = await sent(BILL, Dialect(money="decimal_string", lookups=lookups))
    assert body_of(request) == {**BILL_BODY, "reference_number": "INV-4711"}


@pytest.mark.parametrize(
    ("money", "cost", "written"),
    [
        ("decimal_string", "10.00", "10.00"),
        ("decimal_string", "10", "10.00"),
        ("decimal_string", "0.03125", "0.03125"),
        ("decimal_number", "10.00", Decimal("10.00")),
        ("decimal_number", "0.03125", Decimal("0.03125")),
        ("cents", "10.00", 1000),
    ],
)
async def test_an_adjustment_has_a_quantity_as_text_and_a_unit_cost_like_money(
    money: str, cost: str, written: object
) -> None:
    dialect = ADJUSTING.model_copy(update={"money": money})
    request = await sent(ADJUSTMENT.model_copy(update={"unit_cost": Decimal(cost)}), dialect)
    assert (request.method, request.url.path) == ("POST", "/api/v1/inventory-adjustments")
    body = body_of(request)
    assert repr(body.pop("unit_cost")) == repr(written)
    assert body == {
        "external_id": ADJUSTMENT.external_id,
        "reference_number": ADJUSTMENT.external_id,
        "date": "2026-04-26",
        "currency": "USD",
        "memo": "Damage",
        "item_id": "i-1",
        "quantity": "-2.5",
        "account_id": "a-shrinkage",
        "reason": "damage",
    }


async def test_without_a_unit_cost_solid_values_the_adjustment() -> None:
    assert "unit_cost" not in body_of(await sent(ADJUSTMENT.model_copy(update={"unit_cost": None}), ADJUSTING))


@pytest.mark.parametrize(
    ("record", "dialect", "code"),
    [
        (ADJUSTMENT, DIALECT, "no_endpoint"),
        (BILL, Dialect.model_validate({"money": "cents", "paths": {"bills": ""}}), "no_endpoint"),
        (
            ADJUSTMENT.model_copy(update={"unit_cost": Decimal("0.005")}),
            ADJUSTING.model_copy(update={"money": "cents"}),
            "cannot_be_written",
        ),
    ],
)
async def test_what_the_dialect_cannot_say_is_refused_and_nothing_is_sent(
    record: NewRecord, dialect: Dialect, code: str
) -> None:
    solid = ScriptedSolid([CREATED])
    async with solid.client(dialect) as client:
        with pytest.raises(Refused, match="was not sent") as caught:
            await client.create(record)
    assert caught.value.code == code
    assert solid.requests == []


async def test_a_kind_without_an_endpoint_is_never_called_absent() -> None:
    solid = ScriptedSolid([ok([])])
    async with solid.client() as client:
        assert isinstance(await client.find(ADJUSTMENT), Inconclusive)
        assert isinstance(await client.everything("adjustment", since=DAY), Inconclusive)
    assert solid.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(302, headers={"Location": "/maintenance"}),
        httpx2.Response(404, json={"message": "no route"}),
        httpx2.Response(400, json={"success": False, "error": {"code": "BUSY", "message": "later"}}),
        httpx2.Response(200, json={"success": False, "error": {"code": "BUSY", "message": "later"}}),
    ],
)
async def test_a_no_to_the_reading_of_a_list_is_believed_only_with_a_code_that_the_dialect_knows(
    answer: httpx2.Response,
) -> None:
    async with ScriptedSolid([answer]).client() as client:
        with pytest.raises(RefusedInDoubt):
            await client.everything("entry", since=DAY)


async def test_a_list_that_solid_refuses_with_a_code_that_the_dialect_knows_cannot_be_read() -> None:
    refused = httpx2.Response(400, json={"success": False, "error": {"code": "No_List", "message": "none"}})
    knowing = Dialect(money="decimal_string", refusal_codes=frozenset({"NO_LIST"}))
    async with ScriptedSolid([refused]).client(knowing) as client:
        assert isinstance(await client.everything("entry", since=DAY), Inconclusive)


async def test_an_entry_of_hundreds_of_lines_is_one_post_with_a_memo_for_each_line() -> None:
    lines = [EntryLine(account_id="a-1", debit=Decimal("1.01"), memo=f"line {number}") for number in range(600)]
    lines.append(EntryLine(account_id="a-2", credit=Decimal("606.00")))
    entry = NewEntry(external_id="x", date=DAY, currency="USD", memo="m", lines=tuple(lines))
    body = body_of(await sent(entry))
    assert isinstance(body["lines"], list)
    assert [line.get("memo") for line in body["lines"]] == [*(f"line {number}" for number in range(600)), None]


async def test_an_invoice_carries_a_reference_number_where_it_is_looked_up_by_it() -> None:
    dialect = Dialect(money="cents", lookups=Lookups(invoices=LookupRule(by="date_range")))
    assert body_of(await sent(INVOICE, dialect))["reference_number"] == INVOICE.external_id


@pytest.mark.parametrize(
    ("dialect", "amount"),
    [
        (Dialect(money="decimal_string"), "20.00"),
        (Dialect(money="decimal_number"), Decimal("20.00")),
        (Dialect(money="cents"), 2000),
    ],
)
async def test_amounts_are_written_as_the_dialect_says(dialect: Dialect, amount: object) -> None:
    request = await sent(PAYMENT, dialect)
    assert repr(body_of(request)["amount"]) == repr(amount)


@pytest.mark.parametrize("record", RECORDS)
async def test_the_same_record_gives_the_same_bytes(record: NewRecord) -> None:
    assert (await sent(record)).content == (await sent(record)).content


@pytest.mark.parametrize(
    ("key", "named"), [("result", "result"), ("{resource}", "invoices"), ("{resource}", "invoice")]
)
async def test_the_payload_is_where_the_dialect_says(key: str, named: str) -> None:
    answer = httpx2.Response(200, json={"success": True, named: {"id": "new-1"}})
    dialect = Dialect(money="cents", payload_key=key)
    async with ScriptedSolid([answer]).client(dialect) as client:
        assert await client.create(INVOICE) == "new-1"


async def test_a_number_as_id_is_an_id() -> None:
    async with ScriptedSolid([ok({"id": 17})]).client() as client:
        assert await client.create(INVOICE) == "17"


@pytest.mark.parametrize(
    "base_url",
    ["https://books.example/solid", "https://books.example/solid/", "https://books.example/solid/api/v1"],
)
async def test_a_proxys_path_comes_first_and_the_prefix_may_be_given_with_it(base_url: str) -> None:
    solid = ScriptedSolid([ok([]), httpx2.Response(200, json={"openapi": "3.1.0"})])
    async with solid.client(base_url=base_url) as client:
        await client.probe()
        await client.openapi()
    assert [str(request.url) for request in solid.requests] == [
        "https://books.example/solid/api/v1/accounts",
        "https://books.example/solid/openapi.json",
    ]


@pytest.mark.parametrize(
    "base_url",
    ["", "solid", "ftp://x/", "http://", "http://u:p@h", "http://h/?a=1", "http://h/#a", "http://h:x"],
)
def test_a_base_url_that_is_none_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        ScriptedSolid([]).client(base_url=base_url)


async def test_a_new_key_is_used_at_the_next_call() -> None:
    keys = iter(["old-key", "new-key"])
    solid = ScriptedSolid([httpx2.Response(401), CREATED])
    async with solid.client(api_key=lambda: next(keys)) as client:
        with pytest.raises(Unavailable):
            await client.create(INVOICE)
        await client.create(INVOICE)
    assert [request.headers["X-API-Key"] for request in solid.requests] == ["old-key", "new-key"]


async def test_a_cookie_of_a_proxy_is_not_kept() -> None:
    solid = ScriptedSolid([httpx2.Response(500, headers={"Set-Cookie": "session=1; Path=/"}), CREATED])
    async with solid.client() as client:
        with pytest.raises(OutcomeUnknown):
            await client.create(INVOICE)
        await client.create(INVOICE)
    assert "Cookie" not in solid.requests[1].headers


async def test_the_key_is_read_after_the_wait_for_a_token() -> None:
    solid = ScriptedSolid([CREATED])
    async with solid.client(api_key=lambda: f"key-after-{solid.limiter.taken}-token") as client:
        await client.create(INVOICE)
    assert solid.requests[0].headers["X-API-Key"] == "key-after-1-token"


async def test_a_missing_key_file_is_systemic_and_named() -> None:
    def no_key() -> str:
        msg = "solid.api_key_file: /run/key: No such file."
        raise ConfigurationError(msg)

    async with ScriptedSolid([CREATED]).client(api_key=no_key) as client:
        with pytest.raises(Unavailable, match="/run/key") as caught:
            await client.create(INVOICE)
    assert caught.value.cause == "unauthorised"


async def test_neither_key_nor_body_is_in_a_repr_or_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    solid = ScriptedSolid([CREATED, refusal("NO", status=422), httpx2.Response(500)])
    with structlog.testing.capture_logs() as logs:
        async with solid.client() as client:
            await client.create(INVOICE)
            for failure in (Refused, OutcomeUnknown):
                with pytest.raises(failure) as caught:
                    await client.create(INVOICE)
                assert KEY not in repr(caught.value)
            shown = f"{client!r} {client} {logs} {caplog.text}"
    assert "127.0.0.1:21384" in repr(client)
    assert KEY not in shown
    assert "a-income" not in shown


async def test_the_probe_is_one_call_and_raises_what_is_wrong() -> None:
    solid = ScriptedSolid([ok(rows(1), has_more=True), httpx2.Response(503), httpx2.ReadTimeout("slow")])
    async with solid.client() as client:
        await client.probe()
        assert len(solid.requests) == 1
        with pytest.raises(Unavailable):
            await client.probe()
        with pytest.raises(OutcomeUnknown):
            await client.probe()


async def test_openapi_is_read_without_an_envelope() -> None:
    solid = ScriptedSolid([httpx2.Response(200, json={"openapi": "3.1.0", "paths": {}})])
    async with solid.client() as client:
        assert await client.openapi() == {"openapi": "3.1.0", "paths": {}}
    assert solid.requests[0].headers["X-API-Key"] == KEY


@pytest.mark.parametrize("answer", [httpx2.Response(200, text="<html>"), httpx2.Response(200, json=[])])
async def test_an_openapi_document_that_is_none_is_unknown(answer: httpx2.Response) -> None:
    async with ScriptedSolid([answer]).client() as client:
        with pytest.raises(OutcomeUnknown):
            await client.openapi()


async def test_paths_and_parameters_are_the_dialects() -> None:
    dialect = Dialect(
        money="cents", prefix="", paths=Paths(balances="/reports/balances"), parameters=Parameters(as_of="at")
    )
    solid = ScriptedSolid([ok([])])
    async with solid.client(dialect) as client:
        await client.balances(DAY)
    assert str(solid.requests[0].url).endswith(":21384/reports/balances?at=2026-04-26")
