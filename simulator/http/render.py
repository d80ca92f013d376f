"""From records to the JSON of an answer, in the dialect's way of writing amounts. Changes nothing."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from simulator.books.books import Books, Record
from simulator.books.dialect import Dialect
from simulator.books.money import Cents, MoneyDialect, text

API_VERSION: Final = "v1"
_MARK: Final = uuid.uuid4().hex
_MARKED: Final = re.compile(rf'"{_MARK}(-?[0-9]+\.[0-9][0-9])"')
_TRANSACTION_TYPES: Final = {
    "entry": "journal",
    "invoice": "invoice",
    "payment": "payment",
    "bill": "bill",
    "adjustment": "adjustment",
}


def resource(record: Record, books: Books, dialect: Dialect) -> dict[str, object]:
    """A record as its own resource shows it."""
    shown: dict[str, object] = {"id": record.id, **record.draft.fields, "created_at": record.created_at}
    if record.draft.kind == "invoice":
        shown["balance_due"] = books.open_balance(record)
    if record.draft.fields.get("type") == "inventory":
        stock = books.stock_of(record.id)
        shown["quantity_on_hand"] = f"{stock.quantity:f}"
        shown["average_cost"] = None if stock.average is None else f"{stock.average:f}"
    if record.draft.kind in _TRANSACTION_TYPES:
        shown["transaction_type"] = _TRANSACTION_TYPES[record.draft.kind]
    if dialect.external_id == "dropped":
        shown["external_id"] = None
    return shown


def as_entry(record: Record, books: Books, dialect: Dialect) -> dict[str, object]:
    """Any dated record as `GET /entries` shows it: a journal entry with the document's own id."""
    if record.draft.kind == "entry":
        return resource(record, books, dialect)
    heads = ("date", "currency", "external_id", "reference_number", "memo")
    shown: dict[str, object] = {"id": record.id, **{name: record.draft.fields[name] for name in heads}}
    shown |= {
        "lines": legs(record),
        "total": Cents(sum(leg.debit for leg in record.draft.legs)),
        "status": "posted",
        "created_at": record.created_at,
        "transaction_type": _TRANSACTION_TYPES[record.draft.kind],
    }
    if dialect.external_id == "dropped":
        shown["external_id"] = None
    return shown


def legs(record: Record) -> list[dict[str, object]]:
    """What the record posts."""
    return [
        {
            "account_id": leg.account_id,
            "debit": leg.debit or None,
            "credit": leg.credit or None,
            "memo": leg.memo,
        }
        for leg in record.draft.legs
    ]


def envelope(data: object, name: str, dialect: Dialect, extra: Mapping[str, object] | None = None) -> bytes:
    """The answer of a success. `name` is the resource's, for the dialect that uses it as the key."""
    key = name if dialect.payload_key == "resource" else dialect.payload_key
    return dump({"success": True, key: data, **(extra or {}), "api_version": API_VERSION}, dialect.money)


def refusal(code: str, message: str) -> bytes:
    """The answer of a failure."""
    body = {"success": False, "error": {"code": code, "message": message}, "api_version": API_VERSION}
    return dump(body, "decimal_string")


def dump(value: object, money: MoneyDialect) -> bytes:
    """JSON with its amounts as the dialect writes them; a decimal number keeps both its decimals (108.00)."""
    body = json.dumps(_plain(value, money), separators=(",", ":"))
    if money == "decimal_number":
        body = _MARKED.sub(r"\1", body)
    return body.encode()


def _plain(value: object, money: MoneyDialect) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, Cents):
        return _amount(value, money)
    if isinstance(value, dict):
        return {name: _plain(item, money) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, money) for item in value]
    return value


def _amount(cents: Cents, money: MoneyDialect) -> str | int:
    match money:
        case "cents":
            return int(cents)
        case "decimal_number":
            return f"{_MARK}{text(cents)}"
        case "decimal_string":
            return text(cents)
