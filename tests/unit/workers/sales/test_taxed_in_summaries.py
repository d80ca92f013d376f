"""Sales with tax that share an entry: what is told of them is the same, and so is the trial balance."""

from collections import deque
from decimal import Decimal

import pytest

from schemas.envelope import Event
from tests.unit.producers.told import credit_note, invoice, invoice_payment, money_of_sale, refund_of_sale
from tests.unit.workers.bench import Bench
from tests.unit.workers.sales.stage import Mode, Stage
from tests.unit.workers.sales.till import told
from tests.unit.workers.sales.told import payout
from workers.outcomes import Applied, Defer

SALE = [
    *told("charge.succeeded", money_of_sale()),
    *told("invoice.paid", invoice()),
    *told("invoice_payment.paid", invoice_payment()),
]
BACK = [
    *told("refund.created", refund_of_sale(amount=1210)),
    *told("credit_note.created", credit_note(amount=2420, tax=420)),
]


async def settled(stage: Stage, events: list[Event]) -> None:
    """Hand them over until none waits."""
    waiting, rounds = deque(events), 0
    while waiting:
        event = waiting.popleft()
        [outcome] = await stage.tell(event)
        if not isinstance(outcome, Applied):
            assert isinstance(outcome, Defer), (event.type, outcome)
            assert (rounds := rounds + 1) < 20, event.type
            stage.bench.clock.advance(outcome.after_seconds)
            waiting.append(event)


async def booked(bench: Bench, mode: Mode, events: list[Event], *, taxed: bool) -> dict[str, Decimal]:
    stage = await Stage(bench, mode=mode, taxed=taxed).open()
    await settled(stage, events)
    await stage.close()
    await settled(stage, events)
    await stage.close()
    assert not stage.twice()
    if mode == "day":
        assert not [name for name in bench.solid.counts if name.endswith((":invoice", ":payment"))]
    return stage.balances()


@pytest.mark.parametrize("taxed", [False, True])
@pytest.mark.parametrize("events", [[*SALE, *BACK], [*reversed(SALE), *BACK], [SALE[0], *BACK, *SALE[1:]]])
async def test_whatever_comes_first_a_taxed_sale_and_what_takes_it_back_are_the_same_in_one_entry_a_day(
    bench: Bench, events: list[Event], *, taxed: bool
) -> None:
    found = await booked(bench, "day", [*events, payout(1, amount="108.90")], taxed=taxed)
    assert {name: f"{amount:f}" for name, amount in found.items()} == {
        "Sales Income": "-100.00",
        "Sales Returns": "30.00",
        "Sales Tax Payable": "-14.70",
        "Customer Credit": "-24.20",
        "Checking": "108.90",
    }, "Stripe Clearing is at nothing once it is paid out"
