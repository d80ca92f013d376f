"""A fact that is told again with other content: more lines of a receipt are posted, all else comes before a person."""

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.envelope import Event
from schemas.inventory import OrderLine, OrderPlaced, ReceiptLine, ReceiptPosted
from store.stock import StockStore
from tests.fakes import FakeClock
from tests.unit.workers.stock.facts import BOOKS, Telling, adjusted, billed, received, told, usd
from workers.errors import Conflicting
from workers.plans import plan
from workers.plans.writes import EntryWrite
from workers.stock.book import StockBook

LINES = tuple(
    ReceiptLine(item=item, quantity=Decimal(quantity), unit_cost=usd(cost))
    for item, quantity, cost in (("MUG", "10", "2.00"), ("CUP", "3", "1.50"), ("MUG", "10", "2.00"), ("JAR", "1", "7"))
)


def receipt(*lines: ReceiptLine, day: int = 2) -> Event:
    return told(ReceiptPosted(fact="r", receipt="r", lines=lines, day=date(2026, 3, day)))


async def ids(telling: Telling, event: Event) -> list[str]:
    """The external ids of what the event posts, told as a delivery of its own."""
    planned = await telling.book.complete(plan(event, BOOKS), event)
    return [write.external_id for write in planned.writes]


async def balances_of(events: list[Event]) -> tuple[dict[str, Decimal], int]:
    """What the deliveries make, one entry for each external id; and how many entries that is."""
    telling = Telling()
    entries: dict[str, EntryWrite] = {}
    for event in events:
        for write in (await telling.book.complete(plan(event, BOOKS), event)).writes:
            assert isinstance(write, EntryWrite)
            known = entries.setdefault(write.external_id, write)
            assert known == write, "told again, it has the entry that it had"
    found: dict[str, Decimal] = {}
    for entry in entries.values():
        for line in entry.lines:
            found[line.role] = (
                found.get(line.role, Decimal(0)) + (line.debit or Decimal(0)) - (line.credit or Decimal(0))
            )
    return found, len(entries)


async def test_what_a_whole_receipt_says_more_than_its_first_part_is_posted_once() -> None:
    part, whole = receipt(*LINES[:2]), receipt(*LINES)
    balances, entries = await balances_of([part, whole, whole, part, whole])
    assert balances == {"inventory": Decimal("51.50"), "received_not_billed": Decimal("-51.50")}
    assert entries == 2


async def test_parts_of_a_receipt_in_any_order_end_in_the_same_books() -> None:
    parts = [receipt(*LINES[:1]), receipt(*LINES[:3]), receipt(*LINES), receipt(*LINES[:2])]
    for order in permutations(parts):
        assert (await balances_of(list(order)))[0]["inventory"] == Decimal("51.50")


async def test_a_part_of_what_is_known_posts_nothing() -> None:
    telling = Telling()
    assert await ids(telling, receipt(*LINES)) == ["r"]
    assert await ids(telling, receipt(*LINES[:2])) == []


@pytest.mark.parametrize(
    ("other", "figures"),
    [
        (
            receipt(LINES[0].model_copy(update={"quantity": Decimal(11)}), *LINES[1:2]),
            r"Recorded: receipt of MUG \+10 at 2\.00 USD \(.*\)\. Told now: receipt of MUG \+11 at 2\.00 USD \(",
        ),
        (receipt(LINES[0], LINES[3]), r"Recorded: receipt of CUP .* Told now: receipt of JAR"),
        (receipt(LINES[1]), r"Recorded: receipt of MUG .* Told now: nothing"),
        (receipt(*LINES[:2], day=3), "The day is another"),
        (receipt(*LINES, day=3), r"Recorded: nothing\. Told now: receipt of MUG .*; receipt of JAR"),
        (receipt(LINES[0], *LINES[2:] * 4), "and 3 more. If the new"),
    ],
)
async def test_other_figures_for_what_is_recorded_are_a_conflict_that_shows_both(other: Event, figures: str) -> None:
    telling = Telling()
    await ids(telling, receipt(*LINES[:2]))
    with pytest.raises(Conflicting, match=figures):
        await ids(telling, other)


async def test_two_parts_that_each_say_what_the_other_does_not_are_a_conflict() -> None:
    telling = Telling()
    await ids(telling, receipt(LINES[0]))
    await ids(telling, receipt(LINES[0], LINES[1]))
    with pytest.raises(Conflicting):
        await ids(telling, receipt(LINES[0], LINES[3]))


@pytest.mark.parametrize("first", [LINES[1:], LINES[::2], (LINES[3], LINES[0])])
async def test_a_line_that_was_refused_at_first_is_posted_when_it_is_mended_wherever_it_stands(
    first: tuple[ReceiptLine, ...],
) -> None:
    part, whole = receipt(*first), receipt(*LINES)
    balances, entries = await balances_of([part, whole, part, whole])
    assert (balances["inventory"], entries) == (Decimal("51.50"), 2)


async def test_the_same_lines_in_another_order_post_nothing() -> None:
    assert (await balances_of([receipt(*LINES), receipt(*LINES[::-1])]))[1] == 1


async def test_an_order_that_was_cut_tells_the_costs_of_the_rest_later() -> None:
    lines = tuple(OrderLine(item=item, unit_cost=usd(cost)) for item, cost in (("MUG", "2.00"), ("CUP", "1.50")))
    telling = Telling()
    for part in (lines[:1], lines, lines[:1]):
        assert await ids(telling, told(OrderPlaced(fact="o", order="PO-1", lines=part))) == []
    cups = ReceiptLine(item="CUP", quantity=Decimal(2))
    await telling.tell(told(ReceiptPosted(fact="r", order="PO-1", receipt="r", lines=(cups,)), hour=1))
    assert telling.shown() == {"inventory": 3, "received_not_billed": -3}


async def test_an_adjustment_and_a_bill_never_grow() -> None:
    telling = Telling()
    await telling.tell_all(
        [adjusted("a", "3", cost="2.00"), received("r", "10", cost="2.00"), billed("b", "1", "2.00")]
    )
    for other in (adjusted("a", "4", cost="2.00"), billed("b", "2", "4.00")):
        with pytest.raises(Conflicting, match="tell the difference as a fact of its own"):
            await ids(telling, other)


async def test_more_of_a_receipt_is_kept_in_the_database_as_in_memory(engine: AsyncEngine) -> None:
    telling = Telling()
    telling.book = StockBook(records=StockStore(engine, FakeClock()), books=BOOKS, company="main")
    assert await ids(telling, receipt(*LINES[:2])) == ["r"]
    [more] = await ids(telling, receipt(*LINES))
    assert await ids(telling, receipt(*LINES)) == [more]
    assert await ids(telling, receipt(*LINES[:3])) == []
    with pytest.raises(Conflicting, match="CUP"):
        await ids(telling, receipt(LINES[0], LINES[3]))
