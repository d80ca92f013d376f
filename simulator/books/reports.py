"""Balances and reports, recomputed from the ledger at each call. Changes nothing."""

from datetime import date
from typing import Final

from simulator.books.books import Books, Record
from simulator.books.money import Cents

_BUCKETS: Final = ((0, "current"), (30, "days_1_30"), (60, "days_31_60"), (90, "days_61_90"))
_OLDEST: Final = "days_over_90"


def balances(books: Books, *, as_of: str | None) -> list[dict[str, object]]:
    """Every account with its debits, its credits and debits minus credits."""
    totals = books.totals(as_of=as_of)
    return [
        {
            "account_id": account.id,
            "name": account.draft.fields["name"],
            "type": account.draft.fields["type"],
            "debit_total": Cents(totals[account.id].debit),
            "credit_total": Cents(totals[account.id].credit),
            "balance": Cents(totals[account.id].balance),
        }
        for account in books.undated("account")
    ]


def trial_balance(books: Books, *, as_of: str | None) -> dict[str, object]:
    """The balances on their debit or credit side, and what each side adds up to."""
    rows, debits, credits_ = [], 0, 0
    for account_id, total in books.totals(as_of=as_of).items():
        debit, credit = max(total.balance, 0), max(-total.balance, 0)
        debits, credits_ = debits + debit, credits_ + credit
        account = books.get("account", account_id)
        fields = account.draft.fields if account else {}
        rows.append(
            {
                "account_id": account_id,
                "name": fields.get("name"),
                "type": fields.get("type"),
                "debit": Cents(debit),
                "credit": Cents(credit),
            }
        )
    return {
        "as_of": as_of,
        "accounts": rows,
        "debit_total": Cents(debits),
        "credit_total": Cents(credits_),
        "balanced": debits == credits_,
    }


def receivable_aging(books: Books, *, as_of: str) -> dict[str, object]:
    """What each customer owes on invoices dated up to `as_of`, by age; payments count whatever their date."""
    invoices = books.dated("invoice", until=as_of).all()
    return _aging(books, [(r, int(books.open_balance(r)), "customer_id") for r in invoices], as_of)


def payable_aging(books: Books, *, as_of: str) -> dict[str, object]:
    """What is owed to each vendor on bills dated up to `as_of`, by age.

    Bills cannot be paid here: all are open.
    """
    bills = books.dated("bill", until=as_of).all()
    return _aging(books, [(r, int(r.draft.total or 0), "vendor_id") for r in bills], as_of)


def _aging(books: Books, documents: list[tuple[Record, int, str]], as_of: str) -> dict[str, object]:
    rows: dict[str, dict[str, int]] = {}
    for record, open_cents, who in documents:
        if open_cents:
            row = rows.setdefault(str(record.draft.fields[who]), {name: 0 for _, name in _BUCKETS} | {_OLDEST: 0})
            row[_bucket(record, as_of)] += open_cents
    contacts = [
        {
            "contact_id": contact_id,
            "display_name": contact.draft.fields["display_name"] if contact else None,
            **{name: Cents(cents) for name, cents in row.items()},
            "total": Cents(sum(row.values())),
        }
        for contact_id, row in rows.items()
        for contact in [books.get("contact", contact_id)]
    ]
    return {
        "as_of": as_of,
        "contacts": contacts,
        "total": Cents(sum(sum(row.values()) for row in rows.values())),
    }


def _bucket(record: Record, as_of: str) -> str:
    due = str(record.draft.fields.get("due_date") or record.draft.date)
    days = (date.fromisoformat(as_of) - date.fromisoformat(due)).days
    return next((name for most, name in _BUCKETS if days <= most), _OLDEST)
