"""Where a proof looks for a fact is where its plan puts it."""

from decimal import Decimal

from hypothesis import given

from schemas.envelope import Event
from schemas.sales import PayoutFailed, PayoutPaid
from tests.event_strategies import events
from workers.books.books import sample_books
from workers.plans import plan
from workers.plans.in_clearing import ids_in_clearing
from workers.plans.writes import EntryWrite, Parked, PaymentWrite

BOOKS = sample_books()


@given(events())
def test_the_external_ids_of_a_fact_are_those_of_what_moves_clearing_for_it(event: Event) -> None:
    settlement = getattr(event.data, "settlement", None)
    if settlement is None or not event.type.startswith("sales.") or getattr(event.data, "refund", "") is None:
        return
    try:
        writes = plan(event, BOOKS).writes
    except Parked:
        return
    moving = {
        write.external_id
        for write in writes
        if isinstance(write, PaymentWrite)
        or (isinstance(write, EntryWrite) and any(line.role.endswith("_clearing") for line in write.lines))
    }
    gross = event.data.amount if isinstance(event.data, PayoutPaid | PayoutFailed) else settlement.gross
    fee = settlement.fee.amount + settlement.fee_tax.amount != Decimal(0)
    assert set(ids_in_clearing(event.type, event.data.fact, gross=bool(gross), fee=fee)) == moving
