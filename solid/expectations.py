"""What the client is going to use of Solid's API in a given dialect, compared with Solid's own OpenAPI document.

One line a field that `solid.bodies` sends: the two change together, and a test keeps them alike.
"""

from collections.abc import Mapping
from typing import Final

from solid.dialect import Dialect, Resource
from solid.models import RecordKind
from solid.openapi import BodyFields, Expectation, adjustment_paths, lists_paths, problems

_MONEY_TYPES: Final = {"decimal_string": "string", "decimal_number": "number", "cents": "integer"}


_WITHOUT: Mapping[Resource, str] = {
    "items": "facts about stock come before a person",
    "bills": "vendors' bills come before a person",
}
"""What becomes of whom where Solid lacks a resource that not everybody needs."""


def check(dialect: Dialect, openapi: Mapping[str, object]) -> list[str]:
    """Compare with Solid's OpenAPI document: what is missing or otherwise, in plain words; empty is well.

    Checked are the paths, methods, body fields, money types, query parameters and payload keys that the client uses,
    as far as the document speaks of them. Items and bills are not missed where Solid has none: see `notes`.
    """
    absent = _absent(dialect, openapi)
    paths = dialect.paths.model_copy(update={"bills": None}) if "bills" in absent else dialect.paths
    without = [dialect.path(resource) for resource in absent]
    wanted = expectations(dialect.model_copy(update={"paths": paths}))
    return problems(openapi, tuple(expectation for expectation in wanted if expectation.path not in without))


def notes(dialect: Dialect, openapi: Mapping[str, object]) -> list[str]:
    """Name what is no problem, but worth knowing: what Solid offers and is not used, and what it has not."""
    offered = () if dialect.offers("adjustments") else adjustment_paths(openapi)
    absent = [f"Solid has no {dialect.path(resource)}: {_WITHOUT[resource]}" for resource in _absent(dialect, openapi)]
    return absent + [
        f"Solid offers {path}: with solid.dialect.paths.adjustments (without {dialect.prefix}) its quantities move too"
        for path in offered
    ]


def _absent(dialect: Dialect, openapi: Mapping[str, object]) -> list[Resource]:
    """Resources that only some need, and that the document does not list though it lists others."""
    return [
        resource
        for resource in _WITHOUT
        if dialect.offers(resource) and lists_paths(openapi) and not lists_paths(openapi, dialect.path(resource))
    ]


def expectations(dialect: Dialect) -> tuple[Expectation, ...]:
    """List every operation the client uses."""
    bodies = {name: body for name, body in _body_fields(dialect).items() if dialect.offers(name)}
    reads: tuple[Resource, ...] = ("accounts", "items", "balances", *bodies)
    return (
        *(_read(dialect, resource) for resource in reads),
        *(_write(dialect, resource, body) for resource, body in bodies.items()),
    )


def _body_fields(dialect: Dialect) -> dict[Resource, BodyFields]:
    money = _MONEY_TYPES[dialect.money]

    def head(kind: RecordKind) -> BodyFields:
        return dict.fromkeys((*dialect.key_fields(kind), "date", "currency", "memo"))

    return {
        "contacts": {
            **dict.fromkeys(("external_id", "display_name", "email")),
            **({"contact_type": None} if dialect.offers("bills") else {}),
        },
        "invoices": {
            **head("invoice"),
            "customer_id": None,
            "lines": {"account_id": None, "description": None, "amount": money},
        },
        "payments": {
            **head("payment"),
            "customer_id": None,
            "amount": money,
            "deposit_account_id": None,
            "applications": {"invoice_id": None, "amount": money},
        },
        "entries": {
            **head("entry"),
            "lines": {"account_id": None, "debit": money, "credit": money, "memo": None},
        },
        "bills": {
            **head("bill"),
            **dict.fromkeys(("reference_number", "vendor_id", "due_date")),
            **({} if dialect.bill_number is None else {dialect.bill_number: None}),
            "lines": {"account_id": None, "description": None, "amount": money},
        },
        "adjustments": {
            **head("adjustment"),
            **dict.fromkeys(("item_id", "account_id", "reason")),
            "quantity": "string",
            "unit_cost": money,
        },
    }


def _read(dialect: Dialect, resource: Resource) -> Expectation:
    return Expectation(
        method="GET",
        path=dialect.path(resource),
        payload_keys=dialect.payload_keys(resource),
        query=dialect.lookup_parameters(resource),
    )


def _write(dialect: Dialect, resource: Resource, body: BodyFields) -> Expectation:
    return Expectation(
        method="POST",
        path=dialect.path(resource),
        payload_keys=dialect.payload_keys(resource),
        body={**body, **dict.fromkeys(dialect.constants.get(resource, {}))},
    )
