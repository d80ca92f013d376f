"""What the client is going to use of Solid's API in a given dialect, for `Dialect.check` to compare.

One line a field that `solid.bodies` sends: the two change together, and a test keeps them alike.
"""

from typing import TYPE_CHECKING, Final

from solid.openapi import Expectation, Fields

if TYPE_CHECKING:
    from solid.dialect import Dialect, Resource
    from solid.models import Kind

_MONEY_TYPES: Final = {"decimal_string": "string", "decimal_number": "number", "cents": "integer"}


def expectations(dialect: "Dialect") -> tuple[Expectation, ...]:
    """List every operation the client uses."""
    bodies = {name: body for name, body in _body_fields(dialect).items() if dialect.offers(name)}
    reads: tuple[Resource, ...] = ("accounts", "items", "balances", *bodies)
    return (
        *(_read(dialect, resource) for resource in reads),
        *(_write(dialect, resource, body) for resource, body in bodies.items()),
    )


def _body_fields(dialect: "Dialect") -> "dict[Resource, Fields]":
    money = _MONEY_TYPES[dialect.money]

    def head(kind: "Kind") -> Fields:
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


def _read(dialect: "Dialect", resource: "Resource") -> Expectation:
    return Expectation(
        method="GET",
        path=dialect.path(resource),
        payload_keys=dialect.payload_keys(resource),
        query=dialect.lookup_parameters(resource),
    )


def _write(dialect: "Dialect", resource: "Resource", body: Fields) -> Expectation:
    return Expectation(
        method="POST",
        path=dialect.path(resource),
        payload_keys=dialect.payload_keys(resource),
        body={**body, **dict.fromkeys(dialect.constants.get(resource, {}))},
    )
