"""From a request body to a draft: what each kind of record must say, and what it posts.

Reads the books (accounts, contacts, open invoices) and never changes them. Raises ApiError with the field's
name.
"""

from collections.abc import Callable
from typing import Final

from simulator.books.books import Books, Draft, Leg
from simulator.books.chart import SALES_TAX, TYPES
from simulator.books.dialect import Dialect
from simulator.books.fields import Fields
from simulator.books.lines import application, cents, credit, existing_id, leg_of, sale_line
from simulator.books.money import Cents, text
from simulator.errors import ApiError

CURRENCY: Final = "USD"
CONTACT_TYPES: Final = ("customer", "vendor", "employee", "other")
ITEM_TYPES: Final = ("service", "inventory", "non_inventory")

Builder = Callable[[Fields, Books, Dialect], Draft]


def account(body: Fields, _books: Books, _dialect: Dialect) -> Draft:
    """An account of one of Solid's types."""
    code = body.text("type")
    if code not in TYPES:
        raise body.wrong(field="type", problem=f"must be one of {', '.join(TYPES)}")
    external_id = body.text_or_none("external_id")
    fields = {
        "name": body.text("name"),
        "type": code,
        "number": body.text_or_none("number"),
        "is_active": True,
        "external_id": external_id,
    }
    return Draft("account", fields, external_id)


def contact(body: Fields, _books: Books, _dialect: Dialect) -> Draft:
    """A customer, vendor, employee or other; several may have one name."""
    kinds = body.raw("contact_type") or "customer"
    if any(kind not in CONTACT_TYPES for kind in (kinds if isinstance(kinds, list) else [kinds])):
        raise body.wrong(field="contact_type", problem=f"must be one of {', '.join(CONTACT_TYPES)}, or a list of them")
    external_id = body.text_or_none("external_id")
    fields = {
        "display_name": body.text("display_name"),
        "email": body.text_or_none("email"),
        "phone": body.text_or_none("phone"),
        "contact_type": kinds,
        "external_id": external_id,
    }
    return Draft("contact", fields, external_id)


def item(body: Fields, books: Books, _dialect: Dialect) -> Draft:
    """Something sold or bought. Its SKU need not be unique; only adjustments move its stock, sales do not."""
    kind = body.text("type")
    if kind not in ITEM_TYPES:
        raise body.wrong(field="type", problem=f"must be one of {', '.join(ITEM_TYPES)}")
    accounts = ("income_account_id", "expense_account_id", "asset_account_id")
    external_id = body.text_or_none("external_id")
    fields: dict[str, object] = {
        "name": body.text("name"),
        "type": kind,
        "sku": body.text_or_none("sku"),
        "description": body.text_or_none("description"),
        "sales_price": body.money_or_none("sales_price"),
        "cost": body.money_or_none("cost"),
        "external_id": external_id,
    }
    fields |= {name: existing_id(body, name, "account", books) if body.has(name) else None for name in accounts}
    return Draft("item", fields, external_id)


def invoice(body: Fields, books: Books, _dialect: Dialect) -> Draft:
    """DR the receivable with the total / CR income per line / CR sales tax."""
    fields = head(body) | {
        "customer_id": existing_id(body, "customer_id", "contact", books),
        "due_date": body.date_or_none("due_date"),
    }
    lines = [sale_line(line, books) for line in body.objects("lines", at_least=1)]
    subtotal, tax = (
        sum(cents(line, "amount") for line in lines),
        sum(cents(line, "tax_amount") for line in lines),
    )
    total = Cents(subtotal + tax)
    if total <= 0:
        raise body.wrong(field="lines", problem=f"add up to {text(total)}; an invoice must be above zero")
    legs = [Leg(_account_of(books, "RECEIVABLE"), debit=total)]
    legs += [credit(str(line["account_id"]), cents(line, "amount"), line["description"]) for line in lines]
    if tax:
        legs.append(credit(_sales_tax(body, books), tax, None))
    fields |= {
        "lines": lines,
        "subtotal": Cents(subtotal),
        "tax_total": Cents(tax),
        "total": total,
        "status": "posted",
    }
    return dated("invoice", fields, total, legs)


def payment(body: Fields, books: Books, dialect: Dialect) -> Draft:
    """DR the deposit account / CR the receivable; applied to invoices of the same customer."""
    fields = head(body) | {
        "customer_id": existing_id(body, "customer_id", "contact", books),
        "deposit_account_id": existing_id(body, "deposit_account_id", "account", books),
        "amount": (amount := body.positive("amount")),
    }
    rows: list[dict[str, object]] = []
    for row in body.objects("applications"):
        rows.append(application(row, books, dialect, customer_id=fields["customer_id"], before=rows))
    applied = sum(cents(row, "amount") for row in rows)
    if applied > amount:
        raise body.wrong(
            field="applications", problem=f"add up to {text(applied)}, more than the amount {text(amount)}"
        )
    legs = [
        Leg(str(fields["deposit_account_id"]), debit=amount),
        Leg(_account_of(books, "RECEIVABLE"), credit=amount),
    ]
    fields |= {"applications": rows, "unapplied": Cents(amount - applied), "status": "posted"}
    return dated("payment", fields, amount, legs)


def entry(body: Fields, books: Books, _dialect: Dialect) -> Draft:
    """A journal entry as it is given; whether it balances is for the books to say."""
    fields = head(body)
    lines, legs = [], []
    for line in body.objects("lines", at_least=2):
        leg = leg_of(line, books)
        legs.append(leg)
        lines.append(
            {
                "account_id": leg.account_id,
                "debit": leg.debit or None,
                "credit": leg.credit or None,
                "memo": leg.memo,
                **{name: line.text_or_none(name) for name in ("class_id", "location_id", "project_id", "contact_id")},
            }
        )
    total = Cents(sum(leg.debit for leg in legs))
    fields |= {"lines": lines, "total": total, "status": "posted"}
    return dated("entry", fields, total, legs)


def bill(body: Fields, books: Books, _dialect: Dialect) -> Draft:
    """DR each line's account / CR the payable once."""
    fields = head(body) | {
        "vendor_id": existing_id(body, "vendor_id", "contact", books),
        "due_date": body.date_or_none("due_date"),
        "bill_number": body.text_or_none("bill_number"),
    }
    lines = [
        {
            "account_id": existing_id(line, "account_id", "account", books),
            "description": line.text_or_none("description"),
            "amount": line.money("amount"),
        }
        for line in body.objects("lines", at_least=1)
    ]
    total = Cents(sum(cents(line, "amount") for line in lines))
    if total <= 0:
        raise body.wrong(field="lines", problem=f"add up to {text(total)}; a bill must be above zero")
    legs = [credit(str(line["account_id"]), -cents(line, "amount"), line["description"]) for line in lines]
    legs.append(Leg(_account_of(books, "PAYABLE"), credit=total))
    fields |= {"lines": lines, "total": total, "status": "posted"}
    return dated("bill", fields, total, legs)


def head(body: Fields) -> dict[str, object]:
    """What every dated record says."""
    currency = body.text_or_none("currency") or CURRENCY
    if currency != CURRENCY:
        message = f"currency: {currency} is not the company's currency, {CURRENCY}"
        raise ApiError(422, "CURRENCY_NOT_SUPPORTED", message)
    return {
        "date": body.date("date"),
        "currency": currency,
        "external_id": body.text_or_none("external_id"),
        "reference_number": body.text_or_none("reference_number"),
        "memo": body.text_or_none("memo"),
    }


def dated(kind: str, fields: dict[str, object], total: Cents, legs: list[Leg]) -> Draft:
    """The draft of a dated record; legs of nothing are left out."""
    external_id, date = fields["external_id"], fields["date"]
    kept = tuple(leg for leg in legs if leg.debit or leg.credit)
    return Draft(kind, fields, None if external_id is None else str(external_id), str(date), total, kept)


def _account_of(books: Books, code: str) -> str:
    """The first account of a type: where Solid posts receivables and payables by itself."""
    return next(a.id for a in books.undated("account") if a.draft.fields["type"] == code)


def _sales_tax(body: Fields, books: Books) -> str:
    for candidate in books.undated("account"):
        if candidate.draft.fields["name"] == SALES_TAX:
            return candidate.id
    raise body.wrong(field="lines", problem=f"there is no account {SALES_TAX} for the tax")
