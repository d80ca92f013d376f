"""A store that was lost begins anew, and what an earlier one sent is not sent again."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from solid.client import Inconclusive
from solid.models import NewRecord
from store.earlier import EarlierRecords
from tests.fakes import NOON
from tests.unit.workers.bench import CHART, COMPANY, DAY, NEWS, TIMING, Bench, contact, entry, event, fact, one, sale
from workers.errors import Conflicting, HeldForPerson, NotYet
from workers.occasion import Occasion
from workers.plans.writes import EntryWrite, Plan
from workers.records import record_of

FEE = "fact:fee"
OLD = NOON - timedelta(days=3)
READ = f"everything entry since {DAY - timedelta(days=90)}"


@pytest.fixture(autouse=True)
async def settled(bench: Bench) -> None:
    """Let the inbox have begun at noon, and everything have settled since."""
    bench.watch.saw(("inbox", COMPANY, await EarlierRecords(bench.engine, bench.clock).began(COMPANY)))
    bench.clock.advance(TIMING.settle + TIMING.unasked)


async def test_a_fact_that_an_earlier_inbox_posted_is_adopted_and_not_sent(bench: Bench) -> None:
    bench.solid.add(_record(FEE))
    await bench.applier().apply(fact(happened=OLD), one())
    assert bench.solid.sent() == [READ]
    row = await bench.row(FEE)
    assert (row.state, row.solid_id, row.adopted) == ("applied", "solid-1", True)


async def test_one_reading_answers_for_all_old_facts_of_a_kind_and_for_every_process(bench: Bench) -> None:
    applier = bench.applier()
    for name in ("one", "two", "three"):
        await applier.apply(fact(happened=OLD), one(name))
    await bench.applier("b").apply(fact(happened=OLD), one("four"))
    assert bench.solid.sent() == [READ, "create one", "create two", "create three", "create four"]


async def test_a_sale_that_is_older_than_the_inbox_is_found_record_by_record(bench: Bench, young: Bench) -> None:
    await bench.applier().apply(fact(happened=NEWS), sale())
    ids = [solid_id for solid_id, _ in bench.solid.records]
    bench.solid.sent()
    young.clock.advance(TIMING.settle + TIMING.unasked)
    await young.applier().apply(fact(happened=OLD), sale())
    assert [solid_id for solid_id, _ in young.solid.records] == ids
    assert not [call for call in young.solid.sent() if call.startswith("create")]


async def test_a_fact_that_happened_since_costs_no_reading(bench: Bench) -> None:
    await bench.applier().apply(fact(happened=NEWS), one())
    assert bench.solid.sent() == [f"create {FEE}"]


async def test_a_fact_is_old_by_its_time_though_it_is_booked_on_a_later_day(bench: Bench) -> None:
    plan = Plan(writes=(entry().model_copy(update={"date": date(2026, 2, 1)}),))
    await bench.applier().apply(fact(happened=OLD), plan)
    assert bench.solid.sent()[0] == f"everything entry since {date(2026, 2, 1) - timedelta(days=90)}"


async def test_a_fact_is_old_by_its_day_though_its_event_is_made_today(bench: Bench) -> None:
    plan = Plan(writes=(entry().model_copy(update={"date": OLD.date()}),))
    await bench.applier().apply(fact(happened=NEWS), plan)
    assert bench.solid.sent()[0].startswith("everything entry since")


async def test_an_older_fact_than_any_before_has_the_list_read_further_back(bench: Bench) -> None:
    applier = bench.applier()
    await applier.apply(fact(happened=OLD), one("one"))
    early = entry("two").model_copy(update={"date": DAY - timedelta(days=91)})
    await applier.apply(fact(happened=OLD), Plan(writes=(early,)))
    calls = bench.solid.sent()
    assert calls == [READ, "create one", f"everything entry since {DAY - timedelta(days=181)}", "create two"]


async def test_where_the_list_cannot_be_read_each_write_is_looked_up_on_its_own(bench: Bench) -> None:
    bench.solid.add(_record("one"))
    bench.solid.unreadable = Inconclusive("the list has more than 50 pages")
    applier = bench.applier()
    await applier.apply(fact(happened=OLD), one("one"))
    await applier.apply(fact(happened=OLD), one("two"))
    assert bench.solid.sent() == [READ, "find one", "find two", "create two"]


async def test_where_no_look_up_tells_a_person_decides_and_nothing_is_sent(bench: Bench) -> None:
    bench.solid.inconclusive = Inconclusive("a page looks full")
    applier = bench.applier()
    for _ in range(2):
        with pytest.raises(HeldForPerson, match="may be in Solid already"):
            await applier.apply(fact(happened=OLD), one())
    assert bench.solid.records == []


async def test_a_record_that_the_inbox_knows_nothing_of_tells_of_a_call_that_may_still_land(young: Bench) -> None:
    """The store was lost and began anew within the settle time, and a call of before is under way."""
    young.solid.add(_record("another"))
    with pytest.raises(NotYet, match="settling") as early:
        await young.applier().apply(fact(happened=OLD), one())
    young.solid.add(_record(FEE))
    young.clock.advance(early.value.after_seconds)
    await young.applier().apply(fact(happened=OLD), one())
    assert young.solid.counts == {"another": 1, FEE: 1}


async def test_records_of_its_own_do_not_make_a_young_inbox_wait(young: Bench) -> None:
    await young.applier().apply(fact(happened=NEWS), one("mine"))
    await young.applier().apply(fact(happened=OLD), one("old"))
    assert young.solid.counts == {"mine": 1, "old": 1}


async def test_what_solid_refused_is_not_looked_for_again(bench: Bench) -> None:
    bench.solid.unreadable = Inconclusive("the list has more than 50 pages")
    bench.solid.faults.append("refused")
    applier = bench.applier()
    with pytest.raises(Exception, match="VALIDATION"):
        await applier.apply(fact(happened=OLD), one())
    bench.solid.sent()
    await applier.apply(fact(happened=OLD), one())
    assert bench.solid.sent() == [f"create {FEE}"]


def _record(name: str) -> NewRecord:
    """An entry as an earlier inbox would have sent it."""
    return record_of(entry(name), {}, CHART)


def _run(amount: str = "1.50") -> EntryWrite:
    """A write of a pay run: what it was made from is known."""
    return entry(FEE, amount).model_copy(update={"totals": {"wages": Decimal(amount)}})


@pytest.mark.parametrize("listed", [True, False])
async def test_a_pay_run_that_an_earlier_inbox_posted_with_another_amount_comes_before_a_person(
    bench: Bench, *, listed: bool
) -> None:
    bench.solid.add(_record(FEE))
    bench.solid.unreadable = None if listed else Inconclusive("too long")
    with pytest.raises(Conflicting, match=r"solid-1 with 1\.50, -1\.50 USD, and would now be 2\.75"):
        await bench.applier().apply(fact(happened=OLD), Plan(writes=(_run("2.75"),)))
    assert len(bench.solid.records) == 1
    await bench.applier().apply(fact(happened=OLD), Plan(writes=(_run(),)))
    assert (await bench.row(FEE)).adopted


async def test_a_pay_run_that_an_earlier_inbox_posted_with_other_taxes_comes_before_a_person(bench: Bench) -> None:
    run = _run()
    wages, owed = run.lines
    shares = [owed.model_copy(update={"credit": Decimal(share)}) for share in ("0.50", "1")]
    bench.solid.add(_record(FEE))
    with pytest.raises(Conflicting, match=r"would now be 1\.50, -0\.50, -1 of"):
        await bench.applier().apply(
            fact(happened=OLD), Plan(writes=(run.model_copy(update={"lines": (wages, *shares)}),))
        )
    assert len(bench.solid.records) == 1


async def test_a_pay_run_that_an_earlier_inbox_took_back_is_not_taken_for_posted(bench: Bench) -> None:
    bench.solid.add(_record(FEE))
    bench.solid.add(_record(f"{FEE}:reversal"))
    with pytest.raises(Conflicting, match="and its reversal too"):
        await bench.applier().apply(fact(happened=OLD), Plan(writes=(_run(),)))


async def test_a_pay_run_whose_lines_cannot_be_looked_up_is_not_taken_for_the_same(bench: Bench) -> None:
    bench.solid.add(_record(FEE))
    await bench.applier().apply(fact(happened=OLD), one("another"))
    bench.solid.inconclusive = Inconclusive("the list has more than 50 pages")
    with pytest.raises(HeldForPerson, match="a look-up cannot tell"):
        await bench.applier().apply(fact(2, happened=OLD), Plan(writes=(_run(),)))


async def test_a_pay_run_that_is_in_solid_on_another_day_comes_before_a_person(bench: Bench) -> None:
    bench.solid.add(_record(FEE))
    bench.solid.hidden = True
    with pytest.raises(Conflicting, match="on another day"):
        await bench.applier().apply(fact(happened=OLD), Plan(writes=(_run(),)))


async def test_adjustments_that_an_earlier_store_merged_are_known_by_their_entry(bench: Bench) -> None:
    assert not await bench.earlier().merged_stock(OLD, DAY), "a first install has none"
    began, _ = await EarlierRecords(bench.engine, bench.clock).begin_anew(COMPANY, by="me")
    bench.watch.saw(("inbox", COMPANY, began))
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    bench.solid.add(_record("stock:merged:0f"))
    assert await bench.earlier().merged_stock(OLD, DAY)
    end_of_the_day = datetime.combine(bench.clock.now(), time(23, 59, 59), UTC)
    assert await bench.earlier().merged_stock(end_of_the_day, DAY + timedelta(days=9)), "a count bears its day's end"
    assert not await bench.earlier().merged_stock(bench.clock.now() + timedelta(days=2), DAY + timedelta(days=9))


async def test_adjustments_that_this_store_merged_are_no_doubt(bench: Bench) -> None:
    await bench.applier().apply(fact(happened=NEWS), one("stock:merged:0f"))
    assert not await bench.earlier().merged_stock(OLD, DAY)


async def test_a_fact_whose_source_has_a_clock_that_is_ahead_is_old_all_the_same(bench: Bench) -> None:
    """It seems to have happened after the inbox began, and an earlier one has posted it."""
    bench.solid.add(_record(FEE))
    later = entry().model_copy(update={"date": NEWS.date()})
    await bench.applier().apply(fact(happened=NOON + timedelta(minutes=50)), Plan(writes=(later,)))
    assert bench.solid.counts == {FEE: 1}


@pytest.mark.parametrize(
    ("kind", "sends"),
    [("payroll.run.paid.v1", 0), ("inventory.bill.received.v1", 0), ("sales.payment.succeeded.v1", 1)],
)
async def test_what_bears_a_day_may_have_been_told_long_before_it(bench: Bench, kind: str, sends: int) -> None:
    """A pay run is told days before it is paid; a payment is told when it has happened."""
    bench.solid.add(_record(FEE))
    ahead = NEWS + timedelta(days=30)
    told = Occasion(replace(event(), type=kind), ahead, CHART)
    await bench.applier().apply(told, Plan(writes=(entry().model_copy(update={"date": ahead.date()}),)))
    assert bench.solid.counts == {FEE: 1 + sends}


async def test_a_customer_of_a_lost_inbox_who_has_another_name_by_now_is_not_made_again(bench: Bench) -> None:
    bench.solid.add(record_of(contact(), {}, CHART))
    renamed = contact(display_name="Ada Lovelace")
    await bench.applier().apply(fact(), Plan(writes=(renamed,)))
    assert bench.solid.counts == {renamed.external_id: 1}
