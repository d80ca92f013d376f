"""What the books need because of what is known of a sale, beside the money. Pure.

All of it is given each time something more is told: each unit is posted once, whoever tells.
"""

from schemas.money import Money
from schemas.told import SaleTold
from workers.books.books import Books
from workers.plans.ledger import Posting, book
from workers.plans.periods import place_in_open_period
from workers.plans.tax import CREDIT, INCOME, RETURNS, share_of, sold_lines, tax_alone, tax_back
from workers.plans.writes import AnyWrite, InvoiceWrite, Plan
from workers.sales.deciding import missing
from workers.sales.sale import Charge, Credit, Refund, Sale


def postings_of(sale: Sale, books: Books, *, stream: str) -> tuple[AnyWrite, ...]:
    """The tax of the sale, and the tax that its refunds and credit notes take back.

    Raises:
        Parked: as `account_of` and `place_in_open_period` do.
    """
    telling = sale.telling
    writes: list[AnyWrite] = []
    if telling is not None:
        if telling.alone is not None and sale.waiting is None and not rate_missing(sale, books):
            writes += tax_alone(telling.data, sale.in_books(telling.alone), day=telling.day, books=books)
        for refund in sale.refunds:
            writes += _refund(refund, sale, telling.data, books)
        for credit in sale.credits:
            writes += _credit(credit, sale, telling.data, books)
    for credit in sale.credits:
        writes += _taken_back(credit, books)
    return place_in_open_period(Plan(writes=tuple(writes)), books, stream=stream).writes


def rate_missing(sale: Sale, books: Books) -> bool:
    """Whether the sale is told in another currency, and what reached the balance is not known of all its money."""
    telling = sale.telling
    if telling is None or books.base_currency in {None, telling.data.total.currency} or not telling.data.tax:
        return False
    known = all(charge.booked.currency == books.base_currency for charge in sale.charges)
    return not (sale.charges and known) or bool(missing(sale, telling))


def with_lines(plan: Plan, charge: Charge, data: SaleTold, books: Books) -> Plan:
    """The plan of a payment with its invoice in lines: what was sold, and the tax."""
    return plan.model_copy(
        update={
            "writes": tuple(
                _in_lines(write, charge, data, books) if isinstance(write, InvoiceWrite) else write
                for write in plan.writes
            )
        }
    )


def _in_lines(write: InvoiceWrite, charge: Charge, data: SaleTold, books: Books) -> InvoiceWrite:
    booked = Money.of(write.total, write.currency)
    tax = charge.tax or Money.zero(charge.amount.currency)
    tax = tax if tax.currency == booked.currency else share_of(booked, tax, charge.amount)
    return write.model_copy(update={"lines": sold_lines(data, booked, tax, books=books)})


def _refund(refund: Refund, sale: Sale, data: SaleTold, books: Books) -> tuple[AnyWrite, ...]:
    if refund.tax is None or not refund.tax:
        return ()
    tax = sale.in_books(refund.tax, like=_at_its_rate(refund))
    writes = tax_back(f"{refund.fact}:tax", data, tax, against=RETURNS, day=refund.day, books=books)
    if refund.failed is not None:
        again = f"{refund.fact}:failed:tax"
        writes += tax_back(again, data, -tax, against=RETURNS, day=refund.failed, books=books)
    return writes


def _credit(credit: Credit, sale: Sale, data: SaleTold, books: Books) -> tuple[AnyWrite, ...]:
    if credit.rest is None or not credit.rest:
        return ()
    rest = sale.in_books(credit.rest)
    against = INCOME if credit.unpaid else RETURNS
    writes = tax_back(f"{credit.fact}:tax", data, rest, against=against, day=credit.day, books=books)
    if credit.voided is not None:
        again = f"{credit.fact}:voided:tax"
        writes += tax_back(again, data, -rest, against=against, day=credit.voided, books=books)
    return writes


def _taken_back(credit: Credit, books: Books) -> tuple[AnyWrite, ...]:
    """The reverse of what a credit note owed the customer."""
    if credit.voided is None:
        return ()
    posting = Posting(debit={CREDIT: credit.owed}, credit={RETURNS: credit.owed})
    memo = f"{books.processor_of(credit.fact).name} credit note {credit.name} voided"
    return book(f"{credit.fact}:voided", posting, day=credit.voided, memo=memo, books=books)


def _at_its_rate(refund: Refund) -> Money | None:
    if refund.tax is None or refund.booked.currency == refund.tax.currency:
        return refund.tax
    return share_of(refund.booked, refund.tax, refund.amount)
