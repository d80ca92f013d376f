"""Records as Solid's JSON bodies: which field is called what, amounts written in the dialect's way.

Fields without a value are left out. No float is made on the way: a Decimal becomes a JSON number digit by
digit.
"""

from collections.abc import Mapping
from decimal import Decimal

from schemas.json_text import write_json
from solid.dialect import RESOURCES, Dialect
from solid.models import NewAdjustment, NewBill, NewContact, NewEntry, NewInvoice, NewPayment, NewRecord

Json = Mapping[str, "Json | list[Json] | str | int | bool | Decimal | None"]
"""A body before it is written; a Decimal in it is a JSON number."""


def encode(record: NewRecord, dialect: Dialect) -> bytes:
    """Write the body that creates the record, UTF-8. The same record always gives the same bytes.

    Raises ValueError for a unit cost finer than a dialect of whole minor units can write.
    """
    body = {**_body(record, dialect), **dialect.constants.get(RESOURCES[record.kind], {}), **_own(record)}
    return write_json(_present(body)).encode()


def _body(record: NewRecord, dialect: Dialect) -> Json:
    match record:
        case NewContact():
            return _contact(record)
        case NewInvoice():
            return _invoice(record, dialect)
        case NewPayment():
            return _payment(record, dialect)
        case NewEntry():
            return _entry(record, dialect)
        case NewBill():
            return _bill(record, dialect)
        case NewAdjustment():
            return _adjustment(record, dialect)


def _own(record: NewRecord) -> Json:
    """What no constant of the dialect may replace: constants speak of customers, a vendor says that it is one."""
    is_vendor = isinstance(record, NewContact) and record.contact_type == "vendor"
    return {"contact_type": "vendor"} if is_vendor else {}


def _contact(record: NewContact) -> Json:
    return {"external_id": record.external_id, "display_name": record.display_name, "email": record.email}


def _invoice(record: NewInvoice, dialect: Dialect) -> Json:
    return {
        **_head(record, dialect),
        "customer_id": record.customer_id,
        "lines": [
            {
                "account_id": line.account_id,
                "description": line.description,
                "amount": dialect.encode_money(line.amount, record.currency),
                **({} if line.item_id is None else {"item_id": line.item_id}),
            }
            for line in record.lines
        ],
    }


def _payment(record: NewPayment, dialect: Dialect) -> Json:
    return {
        **_head(record, dialect),
        "customer_id": record.customer_id,
        "amount": dialect.encode_money(record.amount, record.currency),
        "deposit_account_id": record.deposit_account_id,
        "applications": [
            {"invoice_id": part.invoice_id, "amount": dialect.encode_money(part.amount, record.currency)}
            for part in record.applications
        ],
    }


def _entry(record: NewEntry, dialect: Dialect) -> Json:
    def side(amount: Decimal | None) -> str | int | Decimal | None:
        return None if amount is None else dialect.encode_money(amount, record.currency)

    lines = [
        {
            "account_id": line.account_id,
            "debit": side(line.debit),
            "credit": side(line.credit),
            "memo": line.memo,
            "class_id": line.class_id,
            "location_id": line.location_id,
        }
        for line in record.lines
    ]
    return {**_head(record, dialect), "lines": [_present(line) for line in lines]}


def _bill(record: NewBill, dialect: Dialect) -> Json:
    """The vendor's number stands in the dialect's field for it, and in `reference_number` where our key does not."""
    field = dialect.bill_number
    return {
        "reference_number": record.number,
        **({} if field is None else {field: record.number}),
        **_head(record, dialect),
        "vendor_id": record.vendor_id,
        "due_date": None if record.due_date is None else record.due_date.isoformat(),
        "lines": [
            {
                "account_id": line.account_id,
                "description": line.description,
                "amount": dialect.encode_money(line.amount, record.currency),
            }
            for line in record.lines
        ],
    }


def _adjustment(record: NewAdjustment, dialect: Dialect) -> Json:
    """A quantity is a decimal text however money is written: it is no money."""
    cost = record.unit_cost
    return {
        **_head(record, dialect),
        "item_id": record.item_id,
        "quantity": f"{record.quantity_delta.normalize():f}",
        "account_id": record.account_id,
        "unit_cost": None if cost is None else dialect.encode_unit_cost(cost, record.currency),
        "reason": record.reason,
    }


def _head(record: NewInvoice | NewPayment | NewEntry | NewBill | NewAdjustment, dialect: Dialect) -> Json:
    """What dated records share; our key is in every field that look-ups compare."""
    return {
        **dict.fromkeys(dialect.key_fields(record.kind), record.external_id),
        "date": record.date.isoformat(),
        "currency": record.currency,
        "memo": record.memo,
    }


def _present(body: Json) -> Json:
    return {name: value for name, value in body.items() if value is not None}
