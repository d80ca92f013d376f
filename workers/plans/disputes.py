"""What disputes post, so that each ends at zero in Disputes Receivable, in whatever order its events come. Pure.

What was withdrawn is a claim. Once a dispute was lost, all that it took is a loss, and all that it gave back takes back
as much of the loss: each withdrawal and each return has an entry of its own for that, made by the event that comes
last.
"""

from collections.abc import Mapping
from typing import Final

from schemas.envelope import Event
from schemas.money import Money
from schemas.sales import DisputeLost, DisputeOpened, DisputeWon
from workers.books.books import Books
from workers.plans.ledger import Posting, book
from workers.plans.writes import AnyWrite, DisputeEnds, Group, Plan, Prerequisite

TAKEN: Final = "taken"
GIVEN_BACK: Final = "given_back"
LOST: Final = "lost"


def dispute_opened(event: Event, data: DisputeOpened, books: Books) -> Plan:
    """DR Disputes Receivable, DR Dispute Fees, DR Input VAT / CR clearing for the sum."""
    total, processor = data.amount + data.fee + data.fee_tax, books.processor_of(data.fact)
    ends = _ends(event, data, books)
    writes = book(
        data.fact,
        Posting(
            debit={"disputes_receivable": data.amount, "dispute_fees": data.fee, "input_vat": data.fee_tax},
            credit={processor.clearing: total},
        ),
        day=ends.day,
        memo=f"{ends.memo}: funds withdrawn",
        books=books,
    )
    return Plan(writes=writes, group=group_of(ends.key, TAKEN, data.amount), afterwards=(ends,))


def dispute_won(event: Event, data: DisputeWon, books: Books) -> Plan:
    """The reverse; the fee only as far as it was given back. What a rate has changed is a gain or loss of exchange."""
    total, processor = data.amount + data.fee + data.fee_tax, books.processor_of(data.fact)
    taken, ends = data.taken or data.amount, _ends(event, data, books)
    writes = book(
        data.fact,
        Posting(
            debit={processor.clearing: total, "exchange_gain_loss": taken - data.amount},
            credit={"disputes_receivable": taken, "dispute_fees": data.fee, "input_vat": data.fee_tax},
        ),
        day=ends.day,
        memo=f"{ends.memo}: funds reinstated",
        books=books,
    )
    needs = (Prerequisite(external_id=data.of, kind="entry"),)
    return Plan(writes=writes, requires=needs, group=group_of(ends.key, GIVEN_BACK, taken), afterwards=(ends,))


def dispute_lost(event: Event, data: DisputeLost, books: Books) -> Plan:
    """DR Chargeback Losses / CR Disputes Receivable: no money moves any more.

    It is all that the withdrawal took; what of it is given back has an entry of its own. An event of before tells only
    what was left, which is final.
    """
    amount, ends = data.taken or data.amount, _ends(event, data, books)
    writes = book(
        data.fact,
        Posting(debit={"chargeback_loss": amount}, credit={"disputes_receivable": amount}),
        day=ends.day,
        memo=f"{ends.memo} lost",
        books=books,
    )
    needs = (Prerequisite(external_id=data.of, kind="entry"),)
    if data.taken is None:
        return Plan(writes=writes, requires=needs)
    return Plan(writes=writes, requires=needs, group=group_of(ends.key, LOST, amount), afterwards=(ends,))


def ended(
    ends: DisputeEnds, *, taken: Mapping[str, Money], given_back: Mapping[str, Money], books: Books
) -> tuple[AnyWrite, ...]:
    """The entries of a dispute that was lost, for what it took and what it gave back, by the external ids of those."""
    writes: list[AnyWrite] = []
    for name, amount in taken.items():
        posting = Posting(debit={"chargeback_loss": amount}, credit={"disputes_receivable": amount})
        external_id = name.replace(":withdrawn", ":lost", 1)
        writes += book(external_id, posting, day=ends.day, memo=f"{ends.memo} lost", books=books)
    for name, amount in given_back.items():
        posting = Posting(debit={"disputes_receivable": amount}, credit={"chargeback_loss": amount})
        memo = f"{ends.memo}: given back after all"
        writes += book(f"{name}:regained", posting, day=ends.day, memo=memo, books=books)
    return tuple(writes)


def group_of(key: str, kind: str, amount: Money) -> Group:
    """The group of what a dispute took, gave back or lost."""
    return Group(key=f"{key}:{kind}", amount=amount)


def _ends(event: Event, data: DisputeOpened | DisputeWon | DisputeLost, books: Books) -> DisputeEnds:
    processor = books.processor_of(data.fact)
    memo = f"{processor.name} dispute {data.dispute}"
    return DisputeEnds(key=f"{processor.key}:dispute:{data.dispute}", day=books.day_of(event.time), memo=memo)
