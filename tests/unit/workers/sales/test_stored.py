"""Sales through the real pipeline: the store on a file, the inbox, and a Solid that fails."""

import random
from collections import Counter, deque
from collections.abc import Mapping
from decimal import Decimal

import pytest
from sqlalchemy import delete, select
from sqlalchemy import event as sql_event

from schemas.envelope import Event
from solid.models import Account, NewEntry, NewInvoice, NewPayment
from store.engine import reading
from store.sales.told import SalesStore
from store.schema import METADATA, SALES_TOLD
from tests.searching import examples, search
from tests.unit.producers.made import charge
from tests.unit.producers.told import (
    credit_note,
    intent,
    invoice,
    invoice_payment,
    money_of_sale,
    refund_of_sale,
    session,
)
from tests.unit.workers.bench import COMPANY, Bench
from tests.unit.workers.sales.till import PLAIN, TAXED, told
from tests.unit.workers.solid import Crash, Fault
from tests.unit.workers.test_pipeline import hand
from workers.books.books import Books
from workers.chart import Chart
from workers.outcomes import Applied, DeadLetter, Defer, Retry
from workers.pipeline import Pipeline
from workers.retry import RetryPolicy
from workers.sales.told import SalesBook

CHART = Chart([Account(id=name, name=name) for name in PLAIN.accounts.values()])
SPLIT = {"Sales Income": "-100.00", "Sales Tax Payable": "-21.00", "Stripe Clearing": "121.00"}

ALL = [
    *told("charge.succeeded", money_of_sale()),
    *told("payment_intent.succeeded", intent()),
    *told("invoice.paid", invoice()),
    *told("invoice.payment_succeeded", invoice()),
    *told("invoice_payment.paid", invoice_payment()),
    *told("checkout.session.completed", session(invoice="in_1")),
]
BACK = [
    *told("refund.created", refund_of_sale(amount=1210)),
    *told("credit_note.created", credit_note(amount=2420, tax=420)),
]


def pipeline(bench: Bench, books: Books) -> Pipeline:
    """A process that has just started."""
    inbox = bench.inbox()
    records, earlier = SalesStore(bench.engine, bench.clock), bench.earlier()
    book = SalesBook(records=records, inbox=inbox, books=books, company=COMPANY, earlier=earlier)
    return Pipeline(
        books=books,
        chart=CHART,
        read_chart=_chart,
        inbox=inbox,
        captures=bench.captures(),
        applier=bench.applier(),
        earlier=bench.earlier(),
        completions={"sales": book},
        policy=RetryPolicy((10,), max_attempts=5, max_deferrals=20),
        settle_seconds=60,
        company=COMPANY,
        clock=bench.clock,
    )


async def _chart() -> Chart:
    return CHART


async def deliver(bench: Bench, books: Books, *events: Event) -> list[str]:
    """Deliver until everything is settled; give the reasons of what a person has to see. A crash starts anew."""
    waiting: deque[tuple[Event, int]] = deque((event, 0) for event in events)
    letters: list[str] = []
    at_work = pipeline(bench, books)
    for _ in range(2_000):
        if not waiting:
            return letters
        event, deferred = waiting.popleft()
        try:
            outcome = await at_work.handle(hand(bench, event, deferred=deferred))
        except Crash:
            at_work = pipeline(bench, books)
            waiting.append((event, deferred))
            bench.clock.advance(200)
            continue
        match outcome:
            case Applied():
                pass
            case Defer(after_seconds=after) | Retry(after_seconds=after):
                bench.clock.advance(after)
                waiting.append((event, deferred + 1))
            case DeadLetter(reason=reason):
                letters.append(reason)
            case _:
                bench.clock.advance(60)
                waiting.append((event, deferred))
    raise TimeoutError


def balance(bench: Bench) -> Mapping[str, str]:
    found: Counter[str] = Counter()
    for _, record in bench.solid.records:
        for account, amount in _legs(record):
            found[account] += amount  # type: ignore[assignment]
    return {account: f"{amount:f}" for account, amount in sorted(found.items()) if amount}


def _legs(record: object) -> list[tuple[str, Decimal]]:
    match record:
        case NewInvoice():
            return [("receivable", record.total), *((line.account_id, -line.amount) for line in record.lines)]
        case NewPayment():
            return [("receivable", -record.amount), (record.deposit_account_id, record.amount)]
        case NewEntry():
            none = Decimal(0)
            return [(line.account_id, (line.debit or none) - (line.credit or none)) for line in record.lines]
        case _:
            return []


@pytest.mark.parametrize("books", [PLAIN, TAXED], ids=["at once", "taxed"])
async def test_a_sale_told_six_times_is_in_the_books_once(bench: Bench, books: Books) -> None:
    assert await deliver(bench, books, *ALL, *reversed(ALL)) == []
    assert balance(bench) == SPLIT
    assert set(bench.solid.counts.values()) == {1}


async def test_what_tells_of_a_sale_that_a_lost_store_has_booked_waits_for_nothing(bench: Bench) -> None:
    assert await deliver(bench, PLAIN, *told("charge.succeeded", money_of_sale())) == []
    async with bench.engine.begin() as connection:
        for table in METADATA.sorted_tables:
            await connection.execute(delete(table))
    bench.clock.advance(200)
    assert await deliver(bench, PLAIN, *told("invoice.paid", invoice(charge="ch_1"))) == []


@search
@pytest.mark.parametrize("seed", range(examples(12)))
async def test_whatever_comes_in_whatever_order_with_calls_that_fail_ends_in_the_same_books(
    bench: Bench, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - makes cases, guards nothing
    order = chance.sample(ALL + BACK, k=len(ALL + BACK))
    faults: list[Fault | None] = [None, None, None, "answer_lost", "503", "crash_before", "crash_after"]
    bench.solid.faults.extend(chance.choices(faults, k=10))
    assert await deliver(bench, [PLAIN, TAXED][seed % 2], *order) == []
    assert balance(bench) == {
        "Customer Credit": "-24.20",
        "Sales Income": "-100.00",
        "Sales Returns": "30.00",
        "Sales Tax Payable": "-14.70",
        "Stripe Clearing": "108.90",
    }
    assert set(bench.solid.counts.values()) == {1}


async def test_of_the_customer_of_a_sale_not_even_the_id_is_kept_with_it(bench: Bench) -> None:
    await deliver(bench, TAXED, *ALL, *BACK)
    async with reading(bench.engine) as connection:
        rows = (await connection.execute(select(SALES_TOLD.c.body))).all()
    assert "in_1" in repr(rows)
    assert "cus_1" not in repr(rows)


async def test_a_plain_sale_asks_the_store_nothing_more_than_it_did(bench: Bench) -> None:
    said: list[str] = []
    sql_event.listen(bench.engine.sync_engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    sales = [
        event for n in range(3) for event in told("charge.succeeded", charge(id=f"ch_{n}", payment_intent=f"p{n}"))
    ]
    assert await deliver(bench, PLAIN, *sales) == []
    asked = [each for each in said if "sales_told" in each or "sale_links" in each]
    assert len(asked) == 1, "whether any charge was ever held, once a process"
