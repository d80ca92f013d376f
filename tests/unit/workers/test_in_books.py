"""What is in the books: by a write of its own or as a line of a summary, as if there were no difference."""

from decimal import Decimal

from tests.unit.workers.bench import COMPANY, Bench
from tests.unit.workers.sales.stage import Stage
from tests.unit.workers.sales.told import charge, disputed, foreign_charge, refund
from workers.in_books import InBooks

BY_ITSELF, AS_A_LINE, OF_NOBODY = (f"stripe:charge:ch_{number}:payment" for number in (1, 2, 3))


async def opened(bench: Bench) -> tuple[Stage, InBooks]:
    stage = await Stage(bench, "each").open()
    await stage.tell(charge(1), refund(1, of=1, amount="5.00"))
    stage.mode = "day"
    await stage.tell(charge(2), refund(2, of=1, amount="3.00"), foreign_charge(4), disputed(2))
    return stage, InBooks(bench.inbox(), stage.store)


async def test_both_are_applied_and_what_nobody_told_is_not_known(bench: Bench) -> None:
    _, in_books = await opened(bench)
    assert await in_books.state_of(COMPANY, [BY_ITSELF, AS_A_LINE, OF_NOBODY]) == {
        BY_ITSELF: "applied",
        AS_A_LINE: "applied",
    }
    assert await in_books.group_total(COMPANY, "stripe:refunds:ch_1", "USD") == Decimal("8.00")


async def test_a_line_is_told_as_a_write_that_was_applied(bench: Bench) -> None:
    stage, in_books = await opened(bench)
    [row] = [row for row in await in_books.trace("stripe:charge:ch_4:payment") if row.company == COMPANY]
    assert (row.state, row.amount, row.currency, dict(row.about)) == (
        "applied",
        Decimal("27.50"),
        "USD",
        {"paid": "25.00 EUR"},
    )
    [first, second] = [row for row in await in_books.trace("stripe:refunds:ch_1") if row.group_key]
    assert [(row.amount, row.currency) for row in (first, second)] == [
        (Decimal("5.00"), "USD"),
        (Decimal("3.00"), "USD"),
    ]
    await stage.close()
    [row] = await in_books.trace("stripe:charge:ch_4:payment")
    assert row.solid_id == "stripe:summary:2026-01-15:1"


async def test_whether_anything_of_a_kind_is_booked_asks_both(bench: Bench) -> None:
    _, in_books = await opened(bench)
    for beginning, known in (("stripe:charge:ch_1", True), ("stripe:dispute:", True), ("square:", False)):
        assert await in_books.knows_any(COMPANY, beginning) is known
