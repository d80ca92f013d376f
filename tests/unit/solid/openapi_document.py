"""An OpenAPI document of a Solid that has all that the relay uses."""

from typing import Any

TEXT, MONEY = {"type": "string"}, {"type": "string", "format": "decimal"}
HEAD = dict.fromkeys(("external_id", "reference_number", "date", "currency", "memo"), TEXT)


def listing(*names: str) -> dict[str, Any]:
    return {"parameters": [{"name": name, "in": "query"} for name in names], "responses": {"200": {}}}


def creating(properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    answer = {"properties": {"success": {"type": "boolean"}, "data": {"type": "object"}}}
    return {
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {"201": {"content": {"application/json": {"schema": answer}}}, "422": {}},
    }


def lines(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON Schema
    return {"type": "array", "items": {"type": "object", "properties": properties}}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/api/v1/accounts": {"get": listing("page")},
        "/api/v1/balances": {"get": listing("as_of")},
        "/api/v1/items": {"get": listing("page")},
        "/api/v1/contacts": {
            "get": listing("page", "display_name"),
            "post": creating(dict.fromkeys(("external_id", "display_name", "email", "contact_type"), TEXT)),
        },
        "/api/v1/invoices": {
            "get": listing("page", "external_id", "from"),
            "post": creating(
                HEAD | {"customer_id": TEXT, "lines": lines(account_id=TEXT, description=TEXT, amount=MONEY)}
            ),
        },
        "/api/v1/payments": {
            "get": listing("page", "from"),
            "post": creating(
                HEAD
                | dict.fromkeys(("customer_id", "deposit_account_id"), TEXT)
                | {"amount": MONEY, "applications": lines(invoice_id=TEXT, amount=MONEY)}
            ),
        },
        "/api/v1/entries": {
            "get": listing("page", "from"),
            "post": creating(HEAD | {"lines": lines(account_id=TEXT, debit=MONEY, credit=MONEY, memo=TEXT)}),
        },
        "/api/v1/bills": {
            "get": listing("page", "from"),
            "post": creating(
                HEAD
                | dict.fromkeys(("vendor_id", "due_date"), TEXT)
                | {"lines": lines(account_id=TEXT, description=TEXT, amount=MONEY)}
            ),
        },
    },
}
