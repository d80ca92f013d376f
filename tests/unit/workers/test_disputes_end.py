"""Every dispute ends at zero in Disputes Receivable, and at the same books, in whatever order its events come."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from ops.dry.offline import plan_lines
from schemas.envelope import Event, encode
from solid.models import NewEntry
from store.claims import EventRef
from tests.unit.producers.made import dispute, normalised, stripe_event, transaction
from tests.unit.workers.bench import COMPANY, Bench
from tests.unit.workers.test_pipeline import BOOKS, CHART, FakeHand, pipeline
from workers.occasion import Occasion
from workers.outcomes import Applied, Defer
from workers.plans import plan
from workers.sales.afterwards import InboxGroups

Json = dict[str, Any]
Net = dict[str, Decimal]

TAKEN = transaction(-25000, 1500, created=1)
BACK = transaction(25000, created=3, id="txn_2")
FEE_BACK = transaction(25000, -1500, created=3, id="txn_2")
PART = transaction(10000, created=3, id="txn_2")
AGAIN = transaction(-25000, created=5, id="txn_3")
AGAIN_BACK = transaction(25000, created=7, id="txn_4")
ABROAD = transaction(-10850, 1500, created=1, exchange_rate=1.085)
ABROAD_BACK = transaction(10790, created=3, id="txn_2", exchange_rate=1.079)


def told(kind: str, *listed: Json, status: str, **fields: object) -> bytes:
    """One event of the dispute, as it stood then."""
    name = f"evt_{kind}_{len(listed)}_{status}"
    return stripe_event(f"charge.dispute.{kind}", dispute(*listed, status=status, **fields), id=name)


HISTORIES: dict[str, tuple[list[bytes], Net]] = {
    "won": (
        [
            told("funds_withdrawn", TAKEN, status="needs_response"),
            told("funds_reinstated", TAKEN, BACK, status="won"),
            told("closed", TAKEN, BACK, status="won"),
        ],
        {"stripe_clearing": Decimal(-15), "dispute_fees": Decimal(15)},
    ),
    "won with its fee": (
        [
            told("funds_withdrawn", TAKEN, status="needs_response"),
            told("closed", TAKEN, status="won"),
            told("funds_reinstated", TAKEN, FEE_BACK, status="won"),
        ],
        {},
    ),
    "lost": (
        [
            told("created", TAKEN, status="needs_response"),
            told("funds_withdrawn", TAKEN, status="needs_response"),
            told("closed", TAKEN, status="lost"),
        ],
        {"stripe_clearing": Decimal(-265), "dispute_fees": Decimal(15), "chargeback_loss": Decimal(250)},
    ),
    "lost, then won": (
        [
            told("funds_withdrawn", TAKEN, status="needs_response"),
            told("closed", TAKEN, status="lost"),
            told("funds_reinstated", TAKEN, BACK, status="won"),
            told("closed", TAKEN, BACK, status="won"),
        ],
        {"stripe_clearing": Decimal(-15), "dispute_fees": Decimal(15)},
    ),
    "won in part": (
        [
            told("funds_withdrawn", TAKEN, status="needs_response"),
            told("funds_reinstated", TAKEN, PART, status="needs_response"),
            told("closed", TAKEN, PART, status="won"),
        ],
        {"stripe_clearing": Decimal(-165), "dispute_fees": Decimal(15), "chargeback_loss": Decimal(150)},
    ),
    "lost, then won in part": (
        [
            told("funds_withdrawn", TAKEN, status="needs_response"),
            told("closed", TAKEN, status="lost"),
            told("funds_reinstated", TAKEN, PART, status="lost"),
        ],
        {"stripe_clearing": Decimal(-165), "dispute_fees": Decimal(15), "chargeback_loss": Decimal(150)},
    ),
    "lost, won, taken again and lost": (
        [
            told("funds_withdrawn", TAKEN, status="needs_response"),
            told("closed", TAKEN, status="lost"),
            told("funds_reinstated", TAKEN, BACK, status="won"),
            told("funds_withdrawn", TAKEN, BACK, AGAIN, status="needs_response"),
        ],
        {"stripe_clearing": Decimal(-265), "dispute_fees": Decimal(15), "chargeback_loss": Decimal(250)},
    ),
    "won, taken again and won again": (
        [
            told("funds_withdrawn", TAKEN, status="needs_response"),
            told("funds_reinstated", TAKEN, BACK, status="won"),
            told("funds_withdrawn", TAKEN, BACK, AGAIN, status="needs_response"),
            told("funds_reinstated", TAKEN, BACK, AGAIN, AGAIN_BACK, status="won"),
        ],
        {"stripe_clearing": Decimal(-15), "dispute_fees": Decimal(15)},
    ),
    "won at another rate": (
        [
            told("funds_withdrawn", ABROAD, status="needs_response", amount=10000, currency="eur"),
            told("funds_reinstated", ABROAD, ABROAD_BACK, status="won", amount=10000, currency="eur"),
            told("closed", ABROAD, ABROAD_BACK, status="won", amount=10000, currency="eur"),
        ],
        {
            "stripe_clearing": Decimal("-15.60"),
            "dispute_fees": Decimal(15),
            "exchange_gain_loss": Decimal("0.60"),
        },
    ),
    "a returned debit, closed at once": (
        [told("created", TAKEN, status="lost"), told("closed", TAKEN, status="lost")],
        {"stripe_clearing": Decimal(-265), "dispute_fees": Decimal(15), "chargeback_loss": Decimal(250)},
    ),
    "an inquiry that comes to nothing": (
        [told("created", status="warning_needs_response"), told("closed", status="warning_closed")],
        {},
    ),
    "an inquiry that becomes a dispute": (
        [
            told("created", status="warning_needs_response"),
            told("funds_withdrawn", TAKEN, status="needs_response"),
            told("closed", TAKEN, status="lost"),
        ],
        {"stripe_clearing": Decimal(-265), "dispute_fees": Decimal(15), "chargeback_loss": Decimal(250)},
    ),
}


def events_of(payloads: Sequence[bytes]) -> list[Event]:
    return [event for payload in payloads for event in normalised(payload).events]


def net_of(lines: Sequence[tuple[str, object, object]]) -> Net:
    net = defaultdict[str, Decimal](Decimal)
    for role, debit, credit in lines:
        net[role] += Decimal(str(debit or 0)) - Decimal(str(credit or 0))
    return {role: amount for role, amount in net.items() if amount}


def planned(events: Sequence[Event]) -> Net:
    """What `relay plan` makes of them, each external id once."""
    writes: dict[str, Json] = {}
    for line in plan_lines([encode(event) for event in events], BOOKS):
        assert isinstance(line, dict), line
        assert line["kind"] == "entry", line
        writes.setdefault(line["external_id"], line)
        assert writes[line["external_id"]]["lines"] == line["lines"], "one fact has the same economics"
    lines = [line for write in writes.values() for line in write["lines"]]
    return net_of([(line["role"], line.get("debit"), line.get("credit")) for line in lines])


@pytest.mark.parametrize(("payloads", "net"), HISTORIES.values(), ids=HISTORIES)
def test_all_orders_of_a_disputes_events_end_at_the_same_books_and_at_zero(payloads: list[bytes], net: Net) -> None:
    for order in itertools.permutations(payloads):
        found = planned(events_of(order))
        assert found == net
        assert "disputes_receivable" not in found


@pytest.mark.parametrize(("payloads", "net"), HISTORIES.values(), ids=HISTORIES)
def test_the_same_dispute_told_twice_is_booked_once(payloads: list[bytes], net: Net) -> None:
    assert planned(events_of([*payloads, *payloads])) == net


async def played(bench: Bench, events: Sequence[Event]) -> Net:
    """Each event through the pipeline, those that wait again once all were there."""
    worker, waiting = pipeline(bench), list(events)
    for _ in range(3):
        left = []
        for event in waiting:
            outcome = await worker.handle(FakeHand(encode(event), bench))
            assert isinstance(outcome, Applied | Defer), outcome
            left += [event] if isinstance(outcome, Defer) else []
        waiting = left
    assert not waiting
    names = {f"id of {name}": role for role, name in BOOKS.accounts.items()}
    entries = [record for _, record in bench.solid.records if isinstance(record, NewEntry)]
    lines = [line for entry in entries for line in entry.lines]
    return net_of([(names[line.account_id], line.debit, line.credit) for line in lines])


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", ["lost, then won", "won in part", "lost, won, taken again and lost"])
async def test_the_worker_ends_a_dispute_at_zero_whichever_of_its_events_comes_last(
    bench: Bench, name: str, *, backwards: bool
) -> None:
    payloads, net = HISTORIES[name]
    events = events_of(payloads[::-1] if backwards else payloads)
    events = events[::-1] if backwards else events
    assert await played(bench, events) == net
    calls = len(bench.solid.calls)
    assert await played(bench, events) == net
    assert len(bench.solid.calls) == calls, "told again it costs nothing"


async def test_a_loss_from_before_it_had_a_group_is_known_by_its_name(bench: Bench) -> None:
    opened, lost = events_of(HISTORIES["a returned debit, closed at once"][0])[:2]
    worker, groups = pipeline(bench), InboxGroups(bench.inbox(), COMPANY)
    for event in (opened, lost):
        write = plan(event, BOOKS).model_copy(update={"group": None})
        await worker.applier.apply(Occasion(EventRef.of(event), event.time, CHART), write)
    assert list(await groups.posted(lost.data.fact)) == [lost.data.fact]
    back = events_of([told("funds_reinstated", TAKEN, BACK, status="won")])
    assert "chargeback_loss" not in await played(bench, back)
