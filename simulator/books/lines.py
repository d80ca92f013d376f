"""Reads the lines of documents: what is sold, what is paid, what is debited or credited. Changes nothing."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from simulator.books.books import Books, Leg, Record
from simulator.books.dialect import Dialect
from simulator.books.fields import Fields
from simulator.books.money import ZERO, Cents, rounded, text
from simulator.errors import ApiError

CENT: Final = 1


def record_at(body: Fields, name: str, kind: str, books: Books) -> Record:
    """The record of this kind that a field names by its id."""
    record = books.get(kind, body.uuid(name))
    if record is None:
        raise body.wrong(field=name, problem=f"there is no {kind} with this id")
    return record


def existing_id(body: Fields, name: str, kind: str, books: Books) -> str:
    """The id in a field, once it is known that there is such a record."""
    return record_at(body, name, kind, books).id


def sale_line(line: Fields, books: Books) -> dict[str, object]:
    """A line of an invoice, by account or by item; its amount may be off quantity times price by a cent."""
    sold = record_at(line, "item_id", "item", books) if line.has("item_id") else None
    quantity, price = line.number_or_none("quantity"), line.number_or_none("unit_price")
    amount = line.money("amount")
    if quantity is not None and price is not None and abs(rounded(quantity * price) - amount) > CENT:
        raise line.wrong(field="amount", problem=f"{text(amount)} is not quantity times unit_price")
    return {
        "account_id": _income_account(line, sold, books),
        "item_id": sold.id if sold else None,
        "description": line.text_or_none("description"),
        "quantity": _plain(quantity),
        "unit_price": _plain(price),
        "amount": amount,
        "tax_amount": line.money_or_none("tax_amount") or ZERO,
    }


def _income_account(line: Fields, sold: Record | None, books: Books) -> str:
    of_item = sold.draft.fields["income_account_id"] if sold else None
    if line.has("account_id") or sold is None:
        return existing_id(line, "account_id", "account", books)
    if of_item is None:
        raise line.wrong(field="item_id", problem="this item has no income account; give an account_id")
    return str(of_item)


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def application(
    row: Fields, books: Books, dialect: Dialect, *, customer_id: object, before: list[dict[str, object]]
) -> dict[str, object]:
    """What a payment pays of one invoice, `before` being the rows read already."""
    paid = record_at(row, "invoice_id", "invoice", books)
    amount = row.positive("amount")
    if paid.draft.fields["customer_id"] != customer_id:
        raise row.wrong(field="invoice_id", problem="this invoice belongs to another customer")
    taken = sum(cents(earlier, "amount") for earlier in before if earlier["invoice_id"] == paid.id)
    open_balance = books.open_balance(paid) - taken
    if amount > open_balance and dialect.overpayment == "refused":
        message = f"the invoice has {text(open_balance)} open; {text(amount)} is more"
        raise ApiError(422, "OVERPAYMENT", message)
    return {"invoice_id": paid.id, "amount": amount}


def leg_of(line: Fields, books: Books) -> Leg:
    """A line of a journal entry."""
    account_id = existing_id(line, "account_id", "account", books)
    if line.has("debit") == line.has("credit"):
        raise line.wrong(field="debit", problem="a line has a debit or a credit, never both, never neither")
    memo = line.text_or_none("memo")
    if line.has("debit"):
        return Leg(account_id, debit=line.positive("debit"), memo=memo)
    return Leg(account_id, credit=line.positive("credit"), memo=memo)


def credit(account_id: str, amount: int, memo: object) -> Leg:
    """A credit, or for a negative amount the debit that it is."""
    note = None if memo is None else str(memo)
    if amount < 0:
        return Leg(account_id, debit=Cents(-amount), memo=note)
    return Leg(account_id, credit=Cents(amount), memo=note)


def cents(row: Mapping[str, object], name: str) -> int:
    """An amount that was read before; a missing one is zero."""
    value = row[name]
    return value if isinstance(value, int) else 0
