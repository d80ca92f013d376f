"""Summaries: sales in few entries end in the same books as sales by themselves."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from messaging.errors import PublishFailed
from schemas.envelope import encode
from schemas.sales import BalanceMoved
from store.claims import EventRef
from store.sales.lines import Recording
from tests.unit.workers.bench import COMPANY, Bench
from tests.unit.workers.sales.stage import GRACE, Mode, Stage, books_in
from tests.unit.workers.sales.told import (
    charge,
    disputed,
    foreign_charge,
    foreign_refund,
    lost,
    payout,
    refund,
    refund_failed,
    refunds_reach,
    settled,
    told,
    usd,
    won,
)
from tests.unit.workers.test_pipeline import FakeHand
from workers.outcomes import Applied, DeadLetter, Defer
from workers.plans import plan
from workers.plans.tax import tax_entry
from workers.plans.writes import Plan, SoldLine
from workers.sales.units import units_of

LATER = timedelta(minutes=61)
CODES = {"txr_1": "Tax of the State"}


@pytest.fixture
async def stage(bench: Bench) -> Stage:
    return await Stage(bench, "day").open()


async def test_the_charges_of_a_day_are_one_entry_after_its_end(stage: Stage) -> None:
    assert await stage.tell(*(charge(number) for number in range(5))) == [Applied(0)] * 5
    assert stage.bench.solid.records == []
    await stage.closer.once()
    assert stage.broker.waiting == [], "the day is not over"
    [event] = await stage.close()
    [entry] = stage.entries()
    assert (event.fact, entry.external_id, entry.date) == (*["stripe:summary:2026-01-15:1"] * 2, date(2026, 1, 15))
    assert stage.balances() == {
        "Sales Income": Decimal("-100.00"),
        "Stripe Clearing": Decimal("95.60"),
        "Stripe Fees": Decimal("4.40"),
    }
    assert len(entry.lines) == 4, "what came in and what went out of clearing are a line each"


async def test_an_entry_waits_for_the_grace_after_midnight(stage: Stage) -> None:
    await stage.tell(charge(1))
    until_midnight = timedelta(hours=24) - (stage.bench.clock.now() - stage.bench.clock.now().replace(hour=0))
    assert await stage.close(after=until_midnight + GRACE - timedelta(seconds=1)) == []
    assert len(await stage.close(after=timedelta(seconds=1))) == 1


async def test_a_late_refund_is_in_the_next_entry_of_its_day_with_the_exact_difference(stage: Stage) -> None:
    await stage.tell(charge(1), charge(2))
    await stage.close()
    before = stage.balances()
    assert await stage.tell(refund(1, of=1, amount="3.21")) == [Applied(0)]
    assert await stage.close(after=timedelta(minutes=59)) == [], "more may come"
    [event] = await stage.close(after=LATER)
    assert (event.fact, event.number) == ("stripe:summary:2026-01-15:2", 2)
    after = stage.balances()
    assert {name: after[name] - before.get(name, Decimal(0)) for name in after if after[name] != before.get(name)} == {
        "Sales Returns": Decimal("3.21"),
        "Stripe Clearing": Decimal("-3.21"),
    }


async def test_what_is_told_again_is_one_line_and_one_entry(stage: Stage) -> None:
    for _ in range(2):
        await stage.tell(charge(1), charge(1))
    await stage.close()
    await stage.tell(charge(1))
    assert await stage.close() == []
    assert stage.balances()["Sales Income"] == Decimal("-20.00")


async def test_a_line_that_says_something_else_comes_before_a_person(stage: Stage) -> None:
    await stage.tell(charge(1, fee=None))
    [outcome] = await stage.tell(charge(1, amount="21.00", fee=None))
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "conflict"
    assert "20.00" in outcome.error
    assert "21.00" in outcome.error
    stage.mode = "each"
    [outcome] = await stage.tell(charge(1, amount="21.00", fee=None))
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "conflict"


async def test_a_fee_that_is_told_later_is_a_line_of_its_own(stage: Stage) -> None:
    await stage.tell(charge(1, fee=None))
    await stage.close()
    await stage.tell(charge(1))
    await stage.close()
    assert stage.balances() == {
        "Sales Income": Decimal("-20.00"),
        "Stripe Clearing": Decimal("19.12"),
        "Stripe Fees": Decimal("0.88"),
    }


async def test_what_was_sent_by_itself_is_no_line_of_a_summary(stage: Stage) -> None:
    stage.mode = "each"
    await stage.tell(charge(1, fee=None))
    stage.mode = "day"
    await stage.tell(charge(1))
    [event] = await stage.close()
    assert [line.role for line in event.lines] == ["processing_fees", "stripe_clearing"]
    assert stage.balances()["Sales Income"] == Decimal("-20.00")


async def test_what_is_half_sent_by_itself_is_finished_by_itself(stage: Stage) -> None:
    """The invoice may be in Solid, its payment is not: both stay what they were begun as."""
    stage.mode = "each"
    stage.bench.solid.faults.extend([None, "answer_lost"])
    await stage.tell(charge(1, fee=None))
    stage.mode = "day"
    stage.bench.clock.advance(120)
    await stage.tell(charge(1, fee=None))
    assert await stage.close() == []
    assert stage.bench.solid.counts["stripe:charge:ch_1:payment"] == 1
    assert stage.twice() == {}


async def test_what_is_recorded_is_not_sent_once_the_mode_is_each_again(stage: Stage) -> None:
    await stage.tell(charge(1))
    stage.mode = "each"
    assert await stage.tell(charge(1), charge(2)) == [Applied(0), Applied(4)]
    [event] = await stage.close()
    assert event.facts == 1, "what an earlier mode has left is booked all the same"
    assert stage.balances()["Sales Income"] == Decimal("-40.00")


async def test_payouts_stay_by_themselves(stage: Stage) -> None:
    assert await stage.tell(charge(1), payout(1, amount="19.12")) == [Applied(0), Applied(1)]
    await stage.close()
    assert [entry.external_id for entry in stage.entries()] == ["stripe:payout:po_1", "stripe:summary:2026-01-15:1"]
    assert "Stripe Clearing" not in stage.balances()


async def test_what_moves_the_bank_stays_by_itself(stage: Stage) -> None:
    data = BalanceMoved(
        fact="stripe:topup:tu_1", kind="topup", category="topup", settlement=settled("txn_1", "500.00", "0")
    )
    assert await stage.tell(told(data)) == [Applied(1)]
    assert await stage.close() == []


async def test_a_refund_does_not_wait_for_a_charge_that_is_recorded(stage: Stage) -> None:
    assert isinstance((await stage.tell(refund(1, of=1)))[0], Defer)
    assert await stage.tell(charge(1), refund(1, of=1), refund_failed(1, of=1)) == [Applied(0)] * 3


async def test_refunds_that_are_recorded_count_towards_what_was_refunded_in_all(stage: Stage) -> None:
    await stage.tell(charge(1), refund(1, of=1, amount="5.00"))
    assert isinstance((await stage.tell(refunds_reach(1, total="8.00")))[0], Defer)
    stage.mode = "each"
    await stage.tell(refund(2, of=1, amount="3.00"))
    assert await stage.tell(refunds_reach(1, total="8.00")) == [Applied(0)]


async def test_a_refund_at_another_rate_knows_what_a_recorded_sale_was_booked_at(stage: Stage) -> None:
    await stage.tell(foreign_charge(1), foreign_refund(1, of=1))
    await stage.close()
    assert stage.balances() == {
        "Sales Income": Decimal("-27.50"),
        "Sales Returns": Decimal("11.00"),
        "Exchange Gain or Loss": Decimal("0.20"),
        "Stripe Clearing": Decimal("15.20"),
        "Stripe Fees": Decimal("1.10"),
    }


async def test_a_dispute_that_was_lost_and_then_won_in_part_ends_at_zero_in_whatever_modes(stage: Stage) -> None:
    modes: tuple[Mode, ...] = ("day", "each", "day")
    for mode, event in zip(modes, (disputed(1), lost(1), won(1, amount="12.00")), strict=True):
        stage.mode = mode
        await stage.tell(event)
    await stage.close()
    assert stage.balances() == {
        "Chargeback Losses": Decimal("8.00"),
        "Dispute Fees": Decimal("15.00"),
        "Stripe Clearing": Decimal("-23.00"),
    }


async def test_what_no_payout_can_list_is_in_the_entry_of_its_day(bench: Bench) -> None:
    stage = await Stage(bench, "payout").open()
    await stage.tell(disputed(1), lost(1))
    [event] = await stage.close()
    assert (event.fact, [line.role for line in event.lines]) == (
        "stripe:summary:2026-01-15:1",
        ["chargeback_loss", "disputes_receivable"],
    )
    assert [fact.fact for fact in await stage.store.open_facts(COMPANY)] == ["stripe:dispute:dp_1:withdrawn"]


async def test_tax_is_a_line_for_each_code_and_account(stage: Stage) -> None:
    books = books_in("day").model_copy(update={"sales": books_in("day").sales.model_copy(update={"tax_codes": CODES})})
    shares = {"txr_1": usd("8.00"), "txr_2": usd("2.00"), None: usd("1.00")}
    common = {"against": "income", "day": date(2026, 1, 15), "memo": "tax", "books": books}
    writes = [
        write
        for fact in ("stripe:invoice:in_1", "stripe:invoice:in_2")
        for write in tax_entry(f"{fact}:tax", shares, **common)  # type: ignore[arg-type]  # as named
    ]
    units = units_of(Plan(writes=tuple(writes)), books)
    ref = EventRef("stripe", "evt_1", "sales.sale.told.v1", "in_1")
    await stage.store.record(Recording(COMPANY, "stripe:invoice:in_1", "stripe", ref, units))
    [event] = await stage.close()
    assert [(x.role, x.account, x.tax_code, x.side, x.amount.amount, x.facts) for x in event.lines] == [
        ("income", None, None, "debit", Decimal("22.00"), 2),
        ("sales_tax_payable", None, None, "credit", Decimal("2.00"), 2),
        ("sales_tax_payable", None, "txr_2", "credit", Decimal("4.00"), 2),
        ("sales_tax_payable", "Tax of the State", "txr_1", "credit", Decimal("16.00"), 2),
    ]


def test_an_invoice_of_several_lines_is_a_line_of_each() -> None:
    [contact, invoice, payment] = plan(charge(1, amount="108.00", fee=None), books_in("day")).writes
    sold = [
        SoldLine(role="income", account="Sales Income", amount=Decimal("110.00")),
        SoldLine(role="income", account="Sales Income", amount=Decimal("-10.00")),
        SoldLine(role="sales_tax_payable", account="Sales Tax Payable", amount=Decimal("8.00"), tax_code="txr_1"),
    ]
    taxed = invoice.model_copy(update={"lines": tuple(sold)})
    [[first, second]] = units_of(Plan(writes=(contact, taxed, payment)), books_in("day"))
    assert [(body["side"], body["role"], body["tax_code"], body["amount"]) for body in first.lines] == [
        ("debit", "stripe_clearing", None, "108.00"),
        ("credit", "income", None, "110.00"),
        ("debit", "income", None, "10.00"),
        ("credit", "sales_tax_payable", "txr_1", "8.00"),
    ]
    assert second.lines == []
    assert units_of(Plan(writes=(contact, taxed)), books_in("day")) == [], (
        "what is not paid is owed: it stays an invoice"
    )


async def test_an_account_without_name_parks_before_anything_is_recorded(stage: Stage) -> None:
    pipeline = stage.pipeline()
    accounts = {role: name for role, name in pipeline.books.accounts.items() if role != "income"}
    pipeline.books = pipeline.books.model_copy(update={"accounts": accounts})
    outcome = await pipeline.handle(FakeHand(encode(charge(1)), stage.bench))
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "unmapped:account:income"
    assert await stage.store.open_days(COMPANY) == []


@pytest.mark.parametrize("failure", ["before", "after"])
async def test_an_entry_that_the_broker_did_not_confirm_is_published_again_as_it_was(
    stage: Stage, failure: str
) -> None:
    await stage.tell(charge(1))
    stage.broker.failures = [failure]
    with pytest.raises(PublishFailed):
        await stage.close()
    told = await stage.close(after=timedelta(0))
    assert {event.fact for event in told} == {"stripe:summary:2026-01-15:1"}
    assert len(stage.entries()) == 1


async def test_an_entry_that_the_broker_has_lost_is_published_again_once_a_line_is_told_again(stage: Stage) -> None:
    await stage.tell(charge(1))
    stage.bench.clock.advance(36 * 3600)
    await stage.closer.once()
    stage.broker.waiting = []  # its disk was lost
    await stage.closer.once()
    assert stage.broker.waiting == []
    await stage.tell(charge(1))
    assert len(await stage.close(after=timedelta(0))) == 1
    await stage.tell(charge(1))
    assert await stage.close(after=timedelta(0)) == [], "it is in the books now"


async def test_a_claim_of_what_was_recorded_meanwhile_is_refused(stage: Stage) -> None:
    """A worker of the other mode has looked before it was recorded, and claims after that."""
    late = stage.pipeline("each")
    assert await late.handle(FakeHand(encode(charge(9)), stage.bench)) == Applied(4)  # has asked: nothing is recorded
    await stage.tell(charge(1))
    outcome = await late.handle(FakeHand(encode(charge(1)), stage.bench))
    assert isinstance(outcome, Defer)
    assert outcome.reason == "lease_lost"
    stage.bench.clock.advance(60)
    assert await late.handle(FakeHand(encode(charge(1)), stage.bench)) == Applied(0)


async def test_one_entry_a_payout_split_by_month(bench: Bench) -> None:
    stage = await Stage(bench, "payout").open()
    await stage.tell(charge(1, day=16), charge(2, day=16), charge(3, day=17), charge(4, day=17))  # January and February
    assert await stage.close(after=timedelta(days=20)) == [], "no payout has listed them"
    await stage.listed("po_1", *(f"stripe:charge:ch_{number}" for number in (1, 2, 3)))
    [january, february] = await stage.close(after=LATER)
    assert [(each.fact, each.day, each.facts) for each in (january, february)] == [
        ("stripe:summary:po_1:1", date(2026, 1, 31), 2),
        ("stripe:summary:po_1:2", date(2026, 2, 1), 1),
    ]
    await stage.tell(refund(1, of=1, day=17))
    await stage.listed("po_1", "stripe:refund:re_1")
    [late] = await stage.close(after=LATER)
    assert (late.fact, late.facts) == ("stripe:summary:po_1:3", 1)
    [alone] = await stage.close(after=timedelta(days=40))
    assert alone.fact == "stripe:summary:2026-02-01:1", "what no payout has listed for long is booked by its day"
