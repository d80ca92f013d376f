"""The dialect against an OpenAPI document: what is missing is said in plain words, silence is no problem."""

import copy
from typing import Any

import pytest

from schemas.json_text import parse_json
from solid.bodies import encode
from solid.dialect import RESOURCES, Dialect, LookupRule, Lookups, Parameters, Paths
from solid.expectations import check, expectations, notes
from solid.models import NewRecord
from tests.unit.solid.openapi_document import DOCUMENT, HEAD, MONEY, TEXT, creating, listing
from tests.unit.solid.support import ADJUSTING, ADJUSTMENT, DIALECT, RECORDS


def changed() -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT)


def test_a_document_that_fits_has_no_problems() -> None:
    assert check(DIALECT, DOCUMENT) == []


def test_a_missing_path_is_named_with_the_nearest() -> None:
    document = changed()
    document["paths"]["/api/v1/journal-entries"] = document["paths"].pop("/api/v1/entries")
    assert check(DIALECT, document) == ["no path /api/v1/entries; nearest: /api/v1/journal-entries"]
    assert check(Dialect(money="decimal_string", paths=Paths(entries="/journal-entries")), document) == []


def test_a_missing_method_is_named() -> None:
    document = changed()
    del document["paths"]["/api/v1/payments"]["post"]
    assert check(DIALECT, document) == ["/api/v1/payments has no POST"]


def test_a_missing_field_is_named_with_the_nearest() -> None:
    document = changed()
    schema = document["paths"]["/api/v1/payments"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema["properties"]["deposit_account"] = schema["properties"].pop("deposit_account_id")
    (problem,) = check(DIALECT, document)
    assert problem.startswith("POST /api/v1/payments takes no field deposit_account_id; nearest: deposit_account")


def test_a_missing_field_of_a_line_is_named() -> None:
    document = changed()
    schema = document["paths"]["/api/v1/entries"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    del schema["properties"]["lines"]["items"]["properties"]["credit"]
    (problem,) = check(DIALECT, document)
    assert problem.startswith("POST /api/v1/entries (lines) takes no field credit")


@pytest.mark.parametrize(("money", "wrong"), [("decimal_number", "number"), ("cents", "integer")])
def test_another_money_encoding_is_named_wherever_it_shows(money: Any, wrong: str) -> None:  # noqa: ANN401
    problems = check(Dialect(money=money), DOCUMENT)
    assert len(problems) == 6
    assert all(f"the dialect sends {wrong}: see solid.dialect.money" in problem for problem in problems)


def test_a_missing_filter_is_named() -> None:
    document = changed()
    document["paths"]["/api/v1/invoices"]["get"] = listing("page", "externalId")
    assert check(DIALECT, document) == ["GET /api/v1/invoices has no query parameter external_id; nearest: externalId"]


def test_the_look_ups_of_the_dialect_are_what_is_checked() -> None:
    held = LookupRule(by="hold")
    document = changed()
    for path in ("payments", "entries", "invoices", "bills"):
        document["paths"][f"/api/v1/{path}"]["get"] = listing("page")
    lookups = Lookups(invoices=held, payments=held, entries=held, bills=held)
    assert check(Dialect(money="decimal_string", lookups=lookups), document) == []
    problems = check(Dialect(money="decimal_string", parameters=Parameters(until="to")), DOCUMENT)
    assert problems == [
        "GET /api/v1/payments has no query parameter to",
        "GET /api/v1/entries has no query parameter to",
        "GET /api/v1/bills has no query parameter to",
    ]


def test_constants_are_checked_too() -> None:
    dialect = Dialect(money="decimal_string", constants={"contacts": {"contact_type": "customer", "vip": True}})
    assert check(dialect, DOCUMENT) == ["POST /api/v1/contacts takes no field vip"]


def test_another_payload_key_is_named() -> None:
    problems = check(Dialect(money="decimal_string", payload_key="result"), DOCUMENT)
    assert len(problems) == 5
    assert "POST /api/v1/invoices answers without result: see solid.dialect.payload_key" in problems


def test_references_and_alternatives_are_followed() -> None:
    document = changed()
    content = document["paths"]["/api/v1/entries"]["post"]["requestBody"]["content"]["application/json"]
    whole = content["schema"]
    half = {"properties": {"memo": whole["properties"].pop("memo")}}
    document["components"] = {
        "schemas": {"Entry/In": {"allOf": [whole, half]}, "Loop": {"$ref": "#/components/schemas/Loop"}}
    }
    content["schema"] = {"$ref": "#/components/schemas/Entry~1In"}
    assert check(DIALECT, document) == []
    content["schema"] = {"$ref": "#/components/schemas/Loop"}
    assert check(DIALECT, document) == []


def test_nullable_money_is_money() -> None:
    document = changed()
    schema = document["paths"]["/api/v1/entries"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema["properties"]["lines"]["items"]["properties"] |= {
        "debit": {"anyOf": [MONEY, {"type": "null"}]},
        "credit": {"type": ["string", "null"]},
    }
    assert check(DIALECT, document) == []


def test_a_prefix_given_as_server_counts() -> None:
    document = changed()
    document["paths"] = {path.removeprefix("/api/v1"): item for path, item in document["paths"].items()}
    assert check(DIALECT, document | {"servers": [{"url": "http://localhost:21384/api/v1/"}]}) == []
    assert check(DIALECT, document)[0] == "no path /api/v1/accounts; nearest: /accounts"


@pytest.mark.parametrize("document", [{}, {"paths": {}}, {"paths": []}, {"success": True}])
def test_what_is_no_openapi_document_is_said(document: dict[str, object]) -> None:
    (problem,) = check(DIALECT, document)
    assert "lists no paths" in problem


def test_silence_is_no_problem() -> None:
    paths: dict[str, object] = {path: {"get": {}, "post": {}} for path in DOCUMENT["paths"]}
    assert check(DIALECT, {"paths": paths}) == []


@pytest.mark.parametrize(
    "document",
    [
        {"paths": {"/api/v1/entries": None}},
        {"paths": {"/api/v1/entries": {"get": {"parameters": [None, 3]}, "post": {"requestBody": []}}}},
        {
            "paths": {"/api/v1/entries": {"post": {"responses": {"200": {"content": {"application/json": 1}}}}}},
            "servers": [1],
        },
    ],
)
def test_a_broken_document_is_no_crash(document: dict[str, object]) -> None:
    assert "no path /api/v1/accounts" in check(DIALECT, document)


@pytest.mark.parametrize("record", [*RECORDS, ADJUSTMENT])
@pytest.mark.parametrize("compare", [("external_id",), ("reference_number",)])
def test_every_field_that_is_sent_is_checked(record: NewRecord, compare: Any) -> None:  # noqa: ANN401 - two literals
    dialect = ADJUSTING.model_copy(
        update={"bill_number": "vendor_number", "lookups": Lookups(bills=LookupRule(by="hold", compare=compare))}
    )
    checked = {(e.method, e.path): set(e.body) for e in expectations(dialect)}
    body = parse_json(encode(record, dialect))
    assert isinstance(body, dict)
    assert set(body) <= checked["POST", dialect.path(RESOURCES[record.kind])]


def test_a_solid_without_items_and_bills_takes_sales_all_the_same_and_that_is_said() -> None:
    document = changed()
    for path in ("bills", "items"):
        del document["paths"][f"/api/v1/{path}"]
    del document["paths"]["/api/v1/contacts"]["post"]["requestBody"]
    assert check(DIALECT, document) == []
    assert notes(DIALECT, document) == [
        "Solid has no /api/v1/items: facts about stock come before a person",
        "Solid has no /api/v1/bills: vendors' bills come before a person",
    ]


def test_a_dialect_without_bills_asks_for_none() -> None:
    document = changed()
    del document["paths"]["/api/v1/bills"]
    del document["paths"]["/api/v1/contacts"]["post"]["requestBody"]
    without = Dialect.model_validate({"money": "decimal_string", "paths": {"bills": ""}})
    assert check(without, document) == []
    assert notes(without, document) == []


def adjustable(path: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON Schema
    document = changed()
    fields = HEAD | dict.fromkeys(("item_id", "account_id", "reason", "quantity"), TEXT) | {"unit_cost": MONEY}
    document["paths"][path] = {"get": listing("from"), "post": creating(fields | properties)}
    return document


def test_an_endpoint_for_adjustments_is_checked_where_the_dialect_names_one() -> None:
    assert check(ADJUSTING, DOCUMENT) == ["no path /api/v1/inventory-adjustments"]
    assert check(ADJUSTING, adjustable("/api/v1/inventory-adjustments")) == []
    numbers = adjustable("/api/v1/inventory-adjustments", quantity={"type": "number"}, unit_cost={"type": "integer"})
    where = "POST /api/v1/inventory-adjustments takes"
    assert check(ADJUSTING, numbers) == [
        f"{where} quantity as number, the dialect sends string",
        f"{where} unit_cost as integer, the dialect sends string: see solid.dialect.money",
    ]


@pytest.mark.parametrize(
    "path", ["/inventory-adjustments", "/inventory/adjustments", "/stock-adjustments", "/inventoryAdjustments"]
)
def test_an_endpoint_for_adjustments_that_is_not_used_is_pointed_out(path: str) -> None:
    document = adjustable(f"/api/v1{path}")
    assert check(DIALECT, document) == []
    (note,) = notes(DIALECT, document)
    assert f"Solid offers /api/v1{path}" in note
    assert "solid.dialect.paths.adjustments" in note
    assert notes(ADJUSTING, document) == []


def test_what_is_no_endpoint_for_adjustments_is_not_pointed_out() -> None:
    reading = adjustable("/api/v1/inventory-adjustments")
    del reading["paths"]["/api/v1/inventory-adjustments"]["post"]
    others = [reading, adjustable("/api/v1/items/{id}/stock-adjustments"), adjustable("/api/v1/tax-adjustments"), {}]
    assert [notes(DIALECT, document) for document in others] == [[], [], [], []]


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="monye"):
        Dialect.model_validate({"money": "cents", "monye": "cents"})
