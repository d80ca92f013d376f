"""What sales events post: who is debited, who is credited. Pure; the postings are explained in `docs/postings.md`.

Fees are booked with the fact whose balance transaction told them (an entry of their own), never assumed.
"""

from datetime import date

from schemas.envelope import Event
from schemas.money import Money
from schemas.sales import (
    PaymentFailed,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutFailed,
    PayoutPaid,
    RefundFailed,
    RefundPending,
    Settlement,
    SubscriptionUpdated,
)
from workers.books.books import Books
from workers.plans.connect import kept_of_sale, refund_of_sellers, sale_group, sale_role
from workers.plans.fees import fees
from workers.plans.ledger import Posting, account_of, book
from workers.plans.writes import (
    AnyWrite,
    ContactWrite,
    Group,
    InvoiceWrite,
    PaymentWrite,
    Plan,
    Prerequisite,
    RefundsReach,
    Undone,
)


def payment_succeeded(event: Event, data: PaymentSucceeded, books: Books) -> Plan:
    """Contact if missing, invoice, payment into the processor's clearing; the fee, where its transaction tells it.

    What a platform keeps of it stands before the payment, so that whoever finds that finds all of the sale.

    Booked in the currency that reached the balance where that is known, else in the customer's.
    """
    day = books.day_of(event.time)
    amount = _settled(data.amount, data.settlement)
    contact = _contact(data, day=day, currency=amount.currency, books=books)
    processor = books.processor_of(data.fact)
    invoice_id, memo = f"{data.fact}:invoice", f"{processor.name} charge {data.charge}"
    if amount != data.amount:
        memo += f" ({data.amount} paid)"
    common = {"date": day, "currency": amount.currency, "memo": memo, "total": amount.amount}
    writes: list[AnyWrite] = [
        contact,
        InvoiceWrite(
            external_id=invoice_id,
            contact=contact.external_id,
            role=(sold := sale_role(data)),
            account=account_of(books, sold, amount),
            **common,
        ),
        *kept_of_sale(data, amount, day=day, books=books),
        PaymentWrite(
            external_id=f"{data.fact}:payment",
            contact=contact.external_id,
            invoice=invoice_id,
            role=processor.clearing,
            account=account_of(books, processor.clearing, amount),
            paid=data.amount if data.amount.currency != amount.currency else None,
            **common,
        ),
    ]
    writes += fees(data.fact, data.settlement, day, books)
    intent = f"{processor.key}:payment_intent:{data.payment_intent}"
    paid = Group(key=intent, amount=amount) if data.payment_intent else None
    return Plan(writes=tuple(writes), group=sale_group(data, books), paid=paid)


def payment_failed(event: Event, data: PaymentFailed, books: Books) -> Plan:
    """DR Sales Returns / CR clearing, after the payment itself; nothing where that was never booked."""
    day = books.day_of(event.time)
    amount, processor = _settled(data.amount, data.settlement), books.processor_of(data.fact)
    memo = f"{processor.name} charge {data.charge} failed"
    back = Posting(debit={"sales_returns": amount}, credit={processor.clearing: amount})
    writes = book(data.fact, back, day=day, memo=memo, books=books)
    invoice = InvoiceWrite(
        external_id=f"{data.of}:invoice",
        date=day,
        currency=amount.currency,
        memo=memo,
        total=amount.amount,
        contact=f"{processor.key}:walk-in",
        role="income",
        account=account_of(books, "income", amount),
    )
    return Plan(
        writes=(*writes, *fees(data.fact, data.settlement, day, books)),
        requires=(Prerequisite(external_id=invoice.external_id, kind="invoice", always=True),),
        undoes=Undone(write=invoice, by=data.fact),
    )


def payment_refunded(event: Event, data: PaymentRefunded, books: Books) -> Plan:
    """DR Sales Returns / CR clearing, after the charge itself.

    A message that names no refund posts nothing: it waits until the
    refunds that were named add up to its total, and comes before a person when they do not. One that has not moved the
    balance is void where its charge was never captured.
    """
    refunds = _refunds_of(data.fact, data.charge, books)
    if data.refund is None:
        total = data.refunded_total or data.amount
        return Plan(requires=(RefundsReach(group=refunds, total=total, payment=data.of, released=data.released),))
    day = books.day_of(event.time)
    amount, processor = _settled(data.amount, data.settlement), books.processor_of(data.fact)
    writes = book(
        data.fact,
        Posting(debit={"sales_returns": amount}, credit={processor.clearing: amount}),
        day=day,
        memo=f"{processor.name} refund {data.refund}",
        books=books,
    )
    needs = (Prerequisite(external_id=f"{data.of}:invoice", kind="invoice"),) if data.of else ()
    group = Group(key=refunds, amount=data.amount) if data.charge else None
    undoes = _undone(writes, by=data.fact, group=group) if data.unmoved else None
    sellers = refund_of_sellers(data, amount, day=day, books=books)
    writes += fees(data.fact, data.settlement, day, books)
    return Plan(writes=writes, requires=needs, group=group, afterwards=sellers, undoes=undoes)


def refund_pending(event: Event, data: RefundPending, books: Books) -> Plan:
    """Posts nothing: it may still fail."""
    del event, data, books
    return Plan()


def refund_failed(event: Event, data: RefundFailed, books: Books) -> Plan:
    """The reverse of the refund: DR clearing / CR Sales Returns, after the refund itself."""
    day = books.day_of(event.time)
    amount, processor = _settled(data.amount, data.settlement), books.processor_of(data.fact)
    writes = book(
        data.fact,
        Posting(debit={processor.clearing: amount}, credit={"sales_returns": amount}),
        day=day,
        memo=f"{processor.name} refund {data.refund} failed",
        books=books,
    )
    refund = Posting(debit={"sales_returns": amount}, credit={processor.clearing: amount})
    undone = book(data.of, refund, day=day, memo=f"{processor.name} refund {data.refund}", books=books)
    group = Group(key=_refunds_of(data.fact, data.charge, books), amount=data.amount) if data.charge else None
    writes += fees(data.fact, data.settlement, day, books)
    sellers = refund_of_sellers(data, -amount, day=day, books=books)
    return Plan(
        writes=writes,
        requires=_taken_back(data.of),
        undoes=_undone(undone, by=data.fact, group=group),
        afterwards=sellers,
    )


def payout_paid(event: Event, data: PayoutPaid, books: Books) -> Plan:
    """DR Bank / CR clearing; the other way round when the processor debits the bank. Dated by arrival."""
    del event
    memo = f"{books.processor_of(data.fact).name} payout {data.payout}"
    writes = _payout(data.fact, data.amount, day=data.arrival_date, memo=memo, books=books)
    return Plan(writes=(*writes, *fees(data.fact, data.settlement, data.arrival_date, books)))


def payout_failed(event: Event, data: PayoutFailed, books: Books) -> Plan:
    """Takes back the amount of the payout, after it; a fee only as far as the balance transaction gives it back."""
    day, memo = books.day_of(event.time), f"{books.processor_of(data.fact).name} payout {data.payout}"
    writes = _payout(data.fact, -data.amount, day=day, memo=f"{memo} failed", books=books)
    undone = _payout(data.of, data.amount, day=day, memo=memo, books=books)
    writes += fees(data.fact, data.settlement, day, books)
    return Plan(writes=writes, requires=_taken_back(data.of), undoes=_undone(undone, by=data.fact))


def subscription_updated(event: Event, data: SubscriptionUpdated, books: Books) -> Plan:
    """Posts nothing: a subscription is no money until it is charged."""
    del event, data, books
    return Plan()


def _refunds_of(fact: str, charge: str | None, books: Books) -> str:
    """The group of a charge's refunds."""
    return f"{books.processor_of(fact).key}:refunds:{charge}"


def _payout(fact: str, amount: Money, *, day: date, memo: str, books: Books) -> tuple[AnyWrite, ...]:
    size, clearing = abs(amount), books.processor_of(fact).clearing
    into_bank = Posting(debit={"bank": size}, credit={clearing: size})
    from_bank = Posting(debit={clearing: size}, credit={"bank": size})
    return book(fact, into_bank if amount.amount > 0 else from_bank, day=day, memo=memo, books=books)


def _taken_back(of: str) -> tuple[Prerequisite, ...]:
    """What takes something back is posted after it, and never without it."""
    return (Prerequisite(external_id=of, kind="entry", always=True),)


def _undone(entry: tuple[AnyWrite, ...], *, by: str, group: Group | None = None) -> Undone | None:
    """What is taken back, where it is anything."""
    return Undone(write=entry[0], by=by, group=group) if entry else None


def _settled(amount: Money, settlement: Settlement | None) -> Money:
    return amount if settlement is None else abs(settlement.gross)


def _contact(data: PaymentSucceeded, *, day: date, currency: str, books: Books) -> ContactWrite:
    processor, customer = books.processor_of(data.fact), data.customer
    if customer is None:
        return ContactWrite(
            external_id=f"{processor.key}:walk-in",
            date=day,
            currency=currency,
            memo=f"{processor.name} walk-in customer",
            display_name=books.walk_in_customer or f"{processor.name} sales",
        )
    return ContactWrite(
        external_id=f"{processor.key}:customer:{customer.id}",
        date=day,
        currency=currency,
        memo=f"{processor.name} customer {customer.id}",
        display_name=customer.name or customer.email or customer.id,
        email=customer.email,
    )
