"""What inventory events tell of stock, and what they post by themselves. Pure; explained in `docs/postings.md`.

What a movement posts depends on what is known of the item (its average cost, its level): the plan says what is told,
and `workers.stock.recording` makes the entry of it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from schemas.envelope import Event
from schemas.inventory import BillReceived, OrderPlaced, ReceiptPosted, StockAdjusted, StockCounted, StockMerged
from schemas.money import Money, iso_exponent
from workers.books.books import Books
from workers.plans.ledger import Posting, account_of, book
from workers.plans.movement import Movement, Told
from workers.plans.writes import AnyWrite, BillLine, BillWrite, ContactWrite, EntryWrite, Line, Parked, Plan

QUANTITIES_STAY = "value only: the quantity in Solid does not move"


def stock_adjusted(event: Event, data: StockAdjusted, books: Books) -> Plan:
    """DR the reason's account / CR Inventory for less, the reverse for more, at the source's cost or the average."""
    role = _role_of(data.reason, books)
    movement = Movement(
        fact=data.fact,
        item=data.item,
        at=event.time,
        kind="change",
        quantity=data.delta,
        place=data.place,
        lot=data.lot,
        role=role,
        **_cost(data.unit_cost, books),
    )
    return Plan(stock=_told(data.fact, _day(event, data.day, books), data.reason, [movement], merges=True))


def stock_counted(event: Event, data: StockCounted, books: Books) -> Plan:
    """The difference to what the relay knows, as an adjustment; the opening level posts nothing."""
    role = _role_of(data.reason, books)
    movement = Movement(
        fact=data.fact,
        item=data.item,
        at=event.time,
        kind="opening" if data.reason == "opening" else "count",
        quantity=data.counted,
        place=data.place,
        lot=data.lot,
        role=role,
        **_cost(data.unit_cost, books),
    )
    return Plan(stock=_told(data.fact, _day(event, data.day, books), data.reason, [movement], merges=True))


def receipt_posted(event: Event, data: ReceiptPosted, books: Books) -> Plan:
    """DR Inventory / CR Received Not Billed at the order's cost; the reverse for a return to the vendor.

    What came and was not accepted is a claim: DR Supplier Claims / CR Received Not Billed.
    """
    movements = [
        Movement(
            fact=data.fact,
            number=number,
            item=line.item,
            at=event.time,
            kind="receipt",
            quantity=line.quantity,
            place=line.place,
            lot=line.lot,
            role="received_not_billed",
            order=data.order,
            line=line.line,
            rejected=line.rejected or Decimal(0),
            **_cost(line.unit_cost, books),
        )
        for number, line in enumerate(data.lines)
    ]
    of_order = f" of order {data.order}" if data.order else ""
    what = "Return" if all(line.quantity < 0 for line in data.lines) else "Receipt"
    memo = f"{what} {data.receipt}{of_order}"
    return Plan(stock=_told(data.fact, _day(event, data.day, books), memo, movements))


def order_placed(event: Event, data: OrderPlaced, books: Books) -> Plan:
    """Posts nothing: tells what the items cost on the order. A change of it, at another time, is another fact."""
    fact = f"{data.fact}:{event.time.isoformat()}"
    movements = [
        Movement(
            fact=fact,
            number=number,
            item=line.item,
            at=event.time,
            kind="order",
            order=data.order,
            line=line.line,
            **_cost(line.unit_cost, books),
        )
        for number, line in enumerate(data.lines)
    ]
    return Plan(stock=_told(fact, books.day_of(event.time), f"Order {data.order}", movements))


def bill_received(event: Event, data: BillReceived, books: Books) -> Plan:
    """A bill: DR Received Not Billed, DR Input VAT / CR payable, once the goods are known to be here.

    A credit note is the reverse, as an entry. What is charged above the order's cost, or below, is moved to Purchase
    Price Variance by an entry of its own.
    """
    day = _day(event, data.day, books)
    currency = data.total.currency
    for line in data.lines:
        must_be_whole(line.amount, what=f"bill {data.bill}")
    goods = sum((line.amount for line in data.lines), Money.zero(currency))
    amounts = {"received_not_billed": goods, "input_vat": data.tax or Money.zero(currency)}
    if all(amount.amount >= 0 for amount in amounts.values()):
        writes = _bill(data, amounts, day=day, books=books)
    else:
        memo = f"Credit note {data.bill} of {data.supplier} for order {data.order}"
        posting = Posting(debit=amounts, credit={"payable": data.total})
        writes = book(data.fact, posting, day=day, memo=memo, books=books)
    movements = [
        Movement(
            fact=data.fact,
            number=number,
            item=line.item,
            at=event.time,
            kind="bill",
            quantity=line.quantity,
            order=data.order,
            line=line.line,
            amount=line.amount.amount,
            currency=currency,
        )
        for number, line in enumerate(data.lines)
    ]
    told = _told(data.fact, day, f"Price variance of bill {data.bill}", movements, entry=f"{data.fact}:variance")
    return Plan(writes=writes, stock=told)


def _bill(data: BillReceived, amounts: Mapping[str, Money], *, day: date, books: Books) -> tuple[AnyWrite, ...]:
    """The vendor, and the bill with a line for each role."""
    currency = data.total.currency
    vendor = ContactWrite(
        external_id=f"vendor:{data.supplier}",
        date=day,
        currency=currency,
        memo=f"Vendor {data.supplier}",
        display_name=data.supplier,
        contact_type="vendor",
    )
    lines = tuple(
        BillLine(role=role, account=account_of(books, role, amount), amount=amount.amount)
        for role, amount in amounts.items()
        if amount
    )
    bill = BillWrite(
        external_id=data.fact,
        date=day,
        due_date=data.due,
        currency=currency,
        memo=f"Bill {data.bill} for order {data.order}",
        total=data.total.amount,
        contact=vendor.external_id,
        number=data.bill,
        lines=lines,
    )
    return (vendor, bill)


def stock_merged(event: Event, data: StockMerged, books: Books) -> Plan:
    """One entry of many adjustments, two lines for each item and reason."""
    del event
    lines = [
        line
        for merged in data.lines
        for line in entry_lines(
            (merged.debit, merged.credit),
            merged.value,
            memo=said_of(merged.item, merged.quantity, merged.reason),
            books=books,
        )
    ]
    facts = sum(merged.facts for merged in data.lines)
    entry = EntryWrite(
        external_id=data.fact,
        date=data.day,
        currency=data.lines[0].value.currency,
        memo=f"{facts} stock adjustments of {data.day} ({QUANTITIES_STAY})",
        lines=tuple(lines),
    )
    return Plan(writes=(entry,))


def entry_lines(pair: tuple[str, str], amount: Money, *, memo: str, books: Books) -> list[Line]:
    """The two lines of a pair of roles; a negative amount stands the other way round. Raises Parked."""
    debit, credit = pair if amount.amount > 0 else reversed(pair)
    size = abs(amount.amount)
    return [
        Line(role=debit, account=account_of(books, debit, amount), debit=size, memo=memo),
        Line(role=credit, account=account_of(books, credit, amount), credit=size, memo=memo),
    ]


def said_of(item: str, quantity: Decimal, reason: str) -> str:
    """What a line says: `SKU-1: -3 (damage)`; without a figure where the quantity stays."""
    return f"{item}: {quantity:+f} ({reason})" if quantity else f"{item} ({reason})"


def must_be_whole(amount: Money, *, what: str) -> None:
    """Return where the amount is a whole number of minor units. Raises Parked."""
    if amount.amount != amount.amount.quantize(Decimal(1).scaleb(-iso_exponent(amount.currency))):
        msg = f"{what} charges {amount}, which is finer than {amount.currency} is"
        raise Parked("fraction:bill", msg)


def _told(  # noqa: PLR0913 - one each
    fact: str, day: date, about: str, movements: Sequence[Movement], *, merges: bool = False, entry: str | None = None
) -> Told:
    return Told(
        fact=fact,
        external_id=entry or fact,
        day=day,
        memo=f"Stock: {about}" if merges else about,
        reason=about,
        merges=merges,
        movements=tuple(movements),
    )


def _role_of(reason: str, books: Books) -> str | None:
    """The role of a reason, None where it posts nothing. Raises Parked: the reason is not known."""
    role = books.inventory.role_of(reason)
    if role is None:
        msg = f'books.toml: [inventory.reasons] has no {reason!r}. Say its role, or "" for one that posts nothing.'
        raise Parked(f"unmapped:reason:{reason}", msg)
    return role or None


def _cost(cost: Money | None, books: Books) -> dict[str, object]:
    """The fields of a cost. Raises Parked: it is in another currency than the books."""
    if cost is None:
        return {"unit_cost": None, "currency": books.base_currency}
    account_of(books, "inventory", cost)
    return {"unit_cost": cost.amount, "currency": cost.currency}


def _day(event: Event, day: date | None, books: Books) -> date:
    return day or books.day_of(event.time)
