"""Records as Solid's JSON bodies: which field is called what, amounts written in the dialect's way.

Fields without a value are left out. No float is made on the way: a Decimal becomes a JSON number digit by
digit.
"""

from collections.abc import Mapping
from decimal import Decimal

from solid.dialect import RESOURCES, Dialect
from solid.json_text import write_json
from solid.models import NewContact, NewEntry, NewInvoice, NewPayment, NewRecord

Json = Mapping[str, "Json | list[Json] | str | int | bool | Decimal | None"]
"""A body before it is written; a Decimal in it is a JSON number."""


def encode(record: NewRecord, dialect: Dialect) -> bytes:
    """Write the body that creates the record, UTF-8. The same record always gives the same bytes."""
    body = _body(record, dialect)
    return write_json(_present({**body, **dialect.constants.get(RESOURCES[record.kind], {})})).encode()


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
        }
        for line in record.lines
    ]
    return {**_head(record, dialect), "lines": [_present(line) for line in lines]}


def _head(record: NewInvoice | NewPayment | NewEntry, dialect: Dialect) -> Json:
    """What dated records share; our key is in every field that look-ups compare."""
    return {
        **dict.fromkeys(dialect.key_fields(record.kind), record.external_id),
        "date": record.date.isoformat(),
        "currency": record.currency,
        "memo": record.memo,
    }


def _present(body: Json) -> Json:
    return {name: value for name, value in body.items() if value is not None}
