"""The document served at `/openapi.json`: paths, methods and request fields, in the dialect in force."""

from typing import Any, Final

from simulator.books.dialect import PREFIX, Dialect
from simulator.http.render import API_VERSION

Schema = dict[str, Any]

DOCS_PAGE: Final = (
    b"<!doctype html><title>Simulated Solid</title><h1>Simulated Solid</h1>"
    b'<p>A stand-in for the REST API of Solid Accounting. See <a href="/openapi.json">/openapi.json</a>.</p>'
)

ADJUSTMENTS: Final = "inventory-adjustments"
_TEXT: Final[Schema] = {"type": "string"}
_DATE: Final[Schema] = {"type": "string", "format": "date"}
_ID: Final[Schema] = {"type": "string", "format": "uuid"}
_NUMBER: Final[Schema] = {"type": "string", "format": "decimal"}
_MONEY: Final[dict[str, Schema]] = {
    "decimal_string": {"type": "string", "format": "decimal", "example": "108.00"},
    "decimal_number": {"type": "number", "multipleOf": 0.01},
    "cents": {"type": "integer", "description": "hundredths of the currency's unit"},
}
_HEAD: Final = {
    "date": _DATE,
    "currency": _TEXT,
    "external_id": _TEXT,
    "reference_number": _TEXT,
    "memo": _TEXT,
}
_DIMENSIONS: Final = {"class_id": _TEXT, "location_id": _TEXT, "project_id": _TEXT, "contact_id": _TEXT}
_ERRORS: Final = {
    "401": "key missing, wrong or revoked",
    "404": "no such path or record",
    "422": "refused: error.code says why",
    "429": "too many calls",
}


def document(dialect: Dialect) -> Schema:
    """The OpenAPI 3.1 document."""
    paths = {f"{PREFIX}{path}": operations for path, operations in _paths(dialect).items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Simulated Solid Accounting API", "version": API_VERSION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}},
        "security": [{"key": []}],
    }


def _paths(dialect: Dialect) -> dict[str, Schema]:
    paths: dict[str, Schema] = {}
    bodies = _bodies(_MONEY[dialect.money])
    if dialect.adjustments == "absent":
        del bodies[ADJUSTMENTS]
    for name, (required, properties) in bodies.items():
        paths[f"/{name}"] = {
            "get": _reading(_list_parameters(name, dialect), f"List {name}"),
            "post": _creating(_object(properties, required), f"Create one of {name}"),
        }
        paths[f"/{name}/{{id}}"] = {"get": _reading([_parameter("id", "path", _ID)], f"One of {name}")}
    as_of = [_parameter("as_of", "query", _DATE)]
    for path in ("/balances", "/reports/balances", "/reports/ar-aging", "/reports/ap-aging"):
        paths[path] = {"get": _reading(as_of, path.rpartition("/")[2])}
    return paths


def _bodies(money: Schema) -> dict[str, tuple[list[str], Schema]]:
    """The required and the known request fields of every resource."""
    sale_line = _object(
        {
            "account_id": _ID,
            "item_id": _ID,
            "description": _TEXT,
            "quantity": _NUMBER,
            "unit_price": _NUMBER,
            "amount": money,
            "tax_amount": money,
        },
        ["amount"],
    )
    entry_line = _object(
        {"account_id": _ID, "debit": money, "credit": money, "memo": _TEXT, **_DIMENSIONS}, ["account_id"]
    )
    bill_line = _object({"account_id": _ID, "description": _TEXT, "amount": money}, ["account_id", "amount"])
    application = _object({"invoice_id": _ID, "amount": money}, ["invoice_id", "amount"])
    return {
        "accounts": (["name", "type"], {"name": _TEXT, "type": _TEXT, "number": _TEXT, "external_id": _TEXT}),
        "contacts": (
            ["display_name"],
            {
                "display_name": _TEXT,
                "email": _TEXT,
                "phone": _TEXT,
                "external_id": _TEXT,
                "contact_type": {"type": ["string", "array"], "items": _TEXT},
            },
        ),
        "items": (
            ["name", "type"],
            {
                **dict.fromkeys(("name", "type", "sku", "description", "external_id"), _TEXT),
                **dict.fromkeys(("income_account_id", "expense_account_id", "asset_account_id"), _ID),
                "sales_price": money,
                "cost": money,
            },
        ),
        "invoices": (
            ["customer_id", "date", "lines"],
            {**_HEAD, "customer_id": _ID, "due_date": _DATE, "lines": _list(sale_line)},
        ),
        "payments": (
            ["customer_id", "date", "amount", "deposit_account_id"],
            {
                **_HEAD,
                "customer_id": _ID,
                "amount": money,
                "deposit_account_id": _ID,
                "applications": _list(application),
            },
        ),
        "entries": (["date", "lines"], {**_HEAD, "lines": _list(entry_line)}),
        "bills": (
            ["vendor_id", "date", "lines"],
            {**_HEAD, "vendor_id": _ID, "due_date": _DATE, "bill_number": _TEXT, "lines": _list(bill_line)},
        ),
        ADJUSTMENTS: (
            ["item_id", "date", "quantity", "account_id"],
            {
                **_HEAD,
                "item_id": _ID,
                "account_id": _ID,
                "quantity": _NUMBER,
                "unit_cost": money,
                "reason": _TEXT,
            },
        ),
    }


def _list_parameters(name: str, dialect: Dialect) -> list[Schema]:
    paging = {"page": ("page", "per_page"), "offset": ("limit", "offset"), "cursor": ("limit", "cursor")}
    names = [*paging.get(dialect.pagination, ())]
    if name == "invoices" or dialect.entries_external_id_filter == "supported":
        names.append("external_id")
    if name == "contacts":
        names.append("display_name")
    found = [_parameter(each, "query", _TEXT) for each in names]
    if name in {"invoices", "payments", "entries", "bills", ADJUSTMENTS}:
        found += [_parameter(each, "query", _DATE) for each in ("from", "to")]
    return found


def _object(properties: Schema, required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _parameter(name: str, place: str, schema: Schema) -> Schema:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _reading(parameters: list[Schema], summary: str) -> Schema:
    return {"summary": summary, "parameters": parameters, "responses": _responses("200")}


def _creating(body: Schema, summary: str) -> Schema:
    content = {"application/json": {"schema": body}}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": content},
        "responses": _responses("201"),
    }


def _responses(success: str) -> Schema:
    return {success: {"description": "done"}} | {code: {"description": text} for code, text in _ERRORS.items()}
