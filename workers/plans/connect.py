"""Sales that a platform makes for connected accounts: what is owed to the sellers, and what is the platform's. Pure."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from schemas.money import Money, iso_exponent
from schemas.sales import PaymentRefunded, PaymentSucceeded, RefundFailed
from workers.books.books import Books
from workers.plans.ledger import Posting, book
from workers.plans.writes import AnyWrite, EntryWrite, Group, IfPosted


def sale_role(data: PaymentSucceeded) -> str:
    """What a sale is credited to: a platform earns its fee, and owes the rest to the account it sold for."""
    return "due_to_sellers" if data.destination else "income"


def sale_group(data: PaymentSucceeded, books: Books) -> Group | None:
    """By what a refund knows that the sale was made for a connected account."""
    return Group(key=_group(data.charge, data.fact, books), amount=data.amount) if data.destination else None


def kept_of_sale(data: PaymentSucceeded, amount: Money, *, day: date, books: Books) -> tuple[AnyWrite, ...]:
    """DR Due to Sellers / CR Sales Income: what the platform does not transfer on. `amount` is what was booked."""
    if data.destination is None or data.for_destination is None:
        return ()
    kept = data.amount - data.for_destination
    if amount.currency != kept.currency:
        share = amount.amount * kept.amount / data.amount.amount
        minor_unit = Decimal(1).scaleb(-iso_exponent(amount.currency))
        kept = Money.of(share.quantize(minor_unit, rounding=ROUND_HALF_UP), amount.currency)
    memo = f"{books.processor_of(data.fact).name} charge {data.charge}: kept of it"
    posting = Posting(debit={"due_to_sellers": kept}, credit={"income": kept})
    return book(f"{data.fact}:kept", posting, day=day, memo=memo, books=books)


def refund_of_sellers(
    data: PaymentRefunded | RefundFailed, amount: Money, *, day: date, books: Books
) -> tuple[IfPosted, ...]:
    """DR Due to Sellers / CR Sales Returns, where the sale was one for a connected account; the other way back."""
    if data.charge is None or books.account("due_to_sellers") is None:
        return ()
    memo = f"{books.processor_of(data.fact).name} refund {data.refund}: of a sale for a connected account"
    posting = Posting(debit={"due_to_sellers": amount}, credit={"sales_returns": amount})
    found = book(f"{data.fact}:sellers", posting, day=day, memo=memo, books=books)
    group, of = _group(data.charge, data.fact, books), f"{books.processor_of(data.fact).key}:charge:{data.charge}"
    return tuple(IfPosted(group=group, write=write, of=of) for write in found if isinstance(write, EntryWrite))


def of_sellers(write: EntryWrite, *, kept: Money, whole: Money) -> tuple[EntryWrite, ...]:
    """The entry of a refund for the sellers' share of the sale alone, as some of that was kept; nothing for none."""
    share = write.amount * (whole - kept).amount / whole.amount
    amount = share.quantize(Decimal(1).scaleb(-iso_exponent(write.currency)), rounding=ROUND_HALF_UP)
    sides = [(line, "debit" if line.debit is not None else "credit") for line in write.lines]
    lines = tuple(line.model_copy(update={side: amount}) for line, side in sides)
    return (write.model_copy(update={"lines": lines}),) if amount else ()


def _group(charge: str, fact: str, books: Books) -> str:
    return f"{books.processor_of(fact).key}:sold_for:{charge}"
