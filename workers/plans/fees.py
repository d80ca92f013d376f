"""What a processor kept of a movement: an entry of its own, under a key of its own, never assumed. Pure."""

from datetime import date

from schemas.sales import Settlement
from workers.books.books import Books
from workers.plans.ledger import Posting, book
from workers.plans.writes import AnyWrite


def fees(fact: str, settlement: Settlement | None, day: date, books: Books) -> tuple[AnyWrite, ...]:
    """The entry of the fees a balance transaction tells; none when it tells none."""
    if settlement is None:
        return ()
    fee, tax, processor = settlement.fee, settlement.fee_tax, books.processor_of(fact)
    memo = f"{processor.name} fee of {settlement.balance_transaction}"
    posting = Posting(debit={"processing_fees": fee, "input_vat": tax}, credit={processor.clearing: fee + tax})
    return book(f"{fact}:fee", posting, day=day, memo=memo, books=books)
