"""Foreign sales through the pipeline: told twice, booked once, and refunded at the rate of their sale."""

from decimal import Decimal

from messaging import headers as h
from schemas.envelope import Event, encode
from schemas.money import Money
from schemas.sales import PaymentRefunded, PaymentSucceeded, Settlement
from solid.models import Account, NewEntry
from tests.unit.workers.bench import COMPANY, NEWS, Bench
from tests.unit.workers.test_pipeline import FakeHand
from workers.books.books import sample_books
from workers.chart import Chart
from workers.outcomes import Applied, DeadLetter, Defer, Outcome
from workers.pipeline import Pipeline
from workers.retry import RetryPolicy
from workers.sales.exchange import ExchangeBook

BOOKS = sample_books().model_copy(update={"base_currency": "GBP"})
CHART = Chart([Account(id=f"id of {name}", name=name) for name in BOOKS.accounts.values()])
SALE = PaymentSucceeded(fact="stripe:charge:ch_1", charge="ch_1", amount=Money.of("50.00", "USD"))
REFUND = PaymentRefunded(
    fact="stripe:refund:re_1",
    of="stripe:charge:ch_1",
    charge="ch_1",
    refund="re_1",
    amount=Money.of("25.00", "USD"),
)


def settled(gross: str, fee: str = "0") -> Settlement:
    money = {name: Money.of(value, "GBP") for name, value in (("gross", gross), ("fee", fee), ("fee_tax", "0"))}
    return Settlement(balance_transaction="txn_1", net=money["gross"] - money["fee"], **money)


async def newest_chart() -> Chart:
    return CHART


async def told(
    bench: Bench, data: PaymentSucceeded | PaymentRefunded, *, deferred: int = 0, waived: bool = False
) -> Outcome:
    event = Event.of(
        data,
        id=f"evt_{data.settlement and data.settlement.gross}",
        source="/webhooks/stripe",
        time=NEWS,
        subject="ch_1",
        partitionkey="ch_1",
        company=COMPANY,
    )
    inbox = bench.inbox()
    pipeline = Pipeline(
        books=BOOKS,
        chart=CHART,
        read_chart=newest_chart,
        inbox=inbox,
        applier=bench.applier(),
        earlier=bench.earlier(),
        completions={"sales": ExchangeBook(inbox=inbox, books=BOOKS, company=COMPANY)},
        policy=RetryPolicy((10, 60), max_attempts=2, max_deferrals=2),
        settle_seconds=60,
        company=COMPANY,
        clock=bench.clock,
    )
    return await pipeline.handle(
        FakeHand(encode(event), bench, {h.WAIVED: "prerequisite"} if waived else {}, deferred=deferred)
    )


def posted(bench: Bench, external_id: str) -> dict[str, Decimal]:
    [record] = [each for _, each in bench.solid.records if each.external_id == external_id]
    assert isinstance(record, NewEntry)
    return {
        line.account_id.removeprefix("id of "): (line.debit or Decimal(0)) - (line.credit or Decimal(0))
        for line in record.lines
    }


async def test_a_sale_told_without_and_then_with_its_settlement_is_booked_once_and_both_deliveries_settle(
    bench: Bench,
) -> None:
    waiting = await told(bench, SALE)
    assert isinstance(waiting, Defer)
    assert waiting.reason == "unmapped:currency:USD"
    assert bench.solid.sent() == []
    assert await told(bench, SALE.model_copy(update={"settlement": settled("31.72", "1.12")})) == Applied(4)
    assert await told(bench, SALE, deferred=1) == Applied(0)
    assert set(bench.solid.counts.values()) == {1}
    assert (await bench.row("stripe:charge:ch_1:payment")).amount == Decimal("31.72")


async def test_a_sale_whose_settlement_never_comes_is_parked_with_its_figures(bench: Bench) -> None:
    outcome = await told(bench, SALE, deferred=2)
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "unmapped:currency:USD"
    assert outcome.error == "50.00 USD cannot be posted before what moved the balance is told in GBP"


async def test_a_refund_takes_back_its_share_of_what_the_inbox_knows_of_the_sale(bench: Bench) -> None:
    await told(bench, SALE.model_copy(update={"settlement": settled("31.72", "1.12")}))
    refund = REFUND.model_copy(update={"settlement": settled("-16.00")})
    assert await told(bench, refund) == Applied(1)
    assert posted(bench, "stripe:refund:re_1") == {
        "Sales Returns": Decimal("15.86"),
        "Exchange Gain or Loss": Decimal("0.14"),
        "Stripe Clearing": Decimal("-16.00"),
    }
    assert await told(bench, refund) == Applied(1), "told again it is the same"
    assert bench.solid.counts["stripe:refund:re_1"] == 1


async def test_a_refund_of_a_sale_that_the_inbox_does_not_know_takes_back_its_own_amount(bench: Bench) -> None:
    refund = REFUND.model_copy(update={"settlement": settled("-16.00")})
    assert await told(bench, refund, waived=True) == Applied(1)
    assert posted(bench, "stripe:refund:re_1") == {
        "Sales Returns": Decimal("16.00"),
        "Stripe Clearing": Decimal("-16.00"),
    }
    await told(bench, SALE.model_copy(update={"settlement": settled("31.72")}))
    assert await told(bench, refund) == Applied(1), "it stays as it was posted though its sale is known by now"


async def test_another_amount_for_a_refund_that_is_booked_is_a_conflict(bench: Bench) -> None:
    await told(bench, SALE.model_copy(update={"settlement": settled("31.72")}))
    await told(bench, REFUND.model_copy(update={"settlement": settled("-16.00")}))
    outcome = await told(bench, REFUND.model_copy(update={"settlement": settled("-16.50")}))
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "conflict"


async def test_a_refund_of_a_sale_for_a_seller_takes_the_same_share_of_what_is_owed_to_them(bench: Bench) -> None:
    sale = SALE.model_copy(update={"settlement": settled("31.72"), "destination": "acct_9"})
    await told(bench, sale)
    assert await told(bench, REFUND.model_copy(update={"settlement": settled("-16.00")})) == Applied(2)
    assert posted(bench, "stripe:refund:re_1")["Sales Returns"] == Decimal("15.86")
    assert posted(bench, "stripe:refund:re_1:sellers") == {
        "Due to Sellers": Decimal("15.86"),
        "Sales Returns": Decimal("-15.86"),
    }
