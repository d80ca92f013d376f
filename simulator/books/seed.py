"""Puts the opening chart of accounts and its opening balances into empty books, marked as seed.

Nothing else.
"""

import uuid
from collections.abc import Sequence

from simulator.books.books import Books, Draft, Leg, Record
from simulator.books.chart import OPENING_DATE, OPENING_EQUITY, ChartAccount, check
from simulator.books.documents import CURRENCY
from simulator.books.money import Cents

_CREATED: str = f"{OPENING_DATE}T00:00:00Z"


def plant(books: Books, chart: Sequence[ChartAccount]) -> None:
    """Add the accounts, then one entry for all opening balances.

    Raises SwitchError for an impossible chart.
    """
    check(chart)
    for account in chart:
        fields = {
            "name": account.name,
            "type": account.type,
            "number": account.number or None,
            "is_active": True,
            "external_id": None,
        }
        _add(books, account.id, Draft("account", fields))
    opening = _opening(chart)
    if opening.legs:
        _add(books, str(uuid.uuid5(uuid.UUID(chart[0].id), "opening")), opening)


def _add(books: Books, record_id: str, draft: Draft) -> None:
    books.add(Record(record_id, len(books.log), _CREATED, seed=True, draft=draft))


def _opening(chart: Sequence[ChartAccount]) -> Draft:
    legs = [_leg(account.id, account.opening) for account in chart if account.opening]
    rest = -sum(account.opening for account in chart)
    if rest:
        equity = next(account.id for account in chart if account.name == OPENING_EQUITY)
        legs.append(_leg(equity, rest))
    lines = [
        {"account_id": leg.account_id, "debit": leg.debit or None, "credit": leg.credit or None, "memo": None}
        for leg in legs
    ]
    total = Cents(sum(leg.debit for leg in legs))
    fields = {
        "date": OPENING_DATE,
        "currency": CURRENCY,
        "external_id": None,
        "reference_number": "OPENING",
        "memo": "Opening balances",
        "lines": lines,
        "total": total,
        "status": "posted",
    }
    return Draft("entry", fields, None, OPENING_DATE, total, tuple(legs))


def _leg(account_id: str, cents: int) -> Leg:
    if cents < 0:
        return Leg(account_id, credit=Cents(-cents))
    return Leg(account_id, debit=Cents(cents))
