"""What each sales event posts: balanced to the cent, in the right direction, or parked for a reason."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalog import EVENT_TYPES
from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import (
    Customer,
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutFailed,
    PayoutPaid,
    RefundFailed,
    Settlement,
    SubscriptionUpdated,
)
from tests.event_strategies import events
from workers.books.books import Books, sample_books
from workers.plans import PLANS, TAKES_BACK, plan
from workers.plans.ledger import Posting, book
from workers.plans.writes import (
    ContactWrite,
    EntryWrite,
    Group,
    InvoiceWrite,
    Line,
    Parked,
    PaymentWrite,
    Plan,
    Prerequisite,
    RefundsReach,
)

BOOKS = sample_books()
USD_BOOKS = BOOKS.model_copy(update={"base_currency": "USD"})
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


Fact = TypeVar("Fact", bound=EventData)
WithSettlement = PaymentSucceeded | PaymentRefunded | RefundFailed | PayoutPaid | PayoutFailed


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def of(data: EventData, *, books: Books = USD_BOOKS, time: datetime = NOON) -> Plan:
    event = Event.of(
        data, id="evt_1", source="/webhooks/stripe", time=time, subject="x", partitionkey="x", company="main"
    )
    return plan(event, books)


def settled(gross: str, fee: str = "0", tax: str = "0") -> Settlement:
    net = usd(gross) - usd(fee) - usd(tax)
    return Settlement(balance_transaction="txn_1", gross=usd(gross), fee=usd(fee), fee_tax=usd(tax), net=net)


def moved(planned: Plan) -> Mapping[str, Decimal]:
    """What the writes move on each role, debits positive: Solid's postings for documents, the lines of entries."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for write in planned.writes:
        match write:
            case InvoiceWrite():
                sums["receivable"] += write.total
                sums[write.role] -= write.total
            case PaymentWrite():
                sums[write.role] += write.total
                sums["receivable"] -= write.total
            case EntryWrite():
                for line in write.lines:
                    sums[line.role] += (line.debit or Decimal(0)) - (line.credit or Decimal(0))
            case ContactWrite():
                """Posts nothing."""
    return {role: amount for role, amount in sums.items() if amount}


def figures(**amounts: str) -> dict[str, Decimal]:
    return {role: Decimal(amount) for role, amount in amounts.items()}


PAYMENT = PaymentSucceeded(fact="stripe:charge:ch_1", charge="ch_1", amount=usd("20.00"))
REFUND = PaymentRefunded(fact="stripe:refund:re_1", charge="ch_1", refund="re_1", amount=usd("5.00"))
REFUND_FAILED = RefundFailed(
    fact="stripe:refund:re_1:failed", of="stripe:refund:re_1", charge="ch_1", refund="re_1", amount=usd("5.00")
)
OPENED = DisputeOpened(
    fact="stripe:dispute:dp_1:withdrawn",
    dispute="dp_1",
    charge="ch_1",
    amount=usd("250.00"),
    fee=usd("15.00"),
    fee_tax=usd("2.50"),
)
WON = DisputeWon(
    fact="stripe:dispute:dp_1:reinstated",
    of="stripe:dispute:dp_1:withdrawn",
    dispute="dp_1",
    amount=usd("250.00"),
    fee=usd("0"),
    fee_tax=usd("0"),
)
LOST = DisputeLost(
    fact="stripe:dispute:dp_1:lost", of="stripe:dispute:dp_1:withdrawn", dispute="dp_1", amount=usd("250.00")
)
ARRIVAL = date(2026, 1, 20)
PAID = PayoutPaid(fact="stripe:payout:po_1", payout="po_1", amount=usd("11.00"), arrival_date=ARRIVAL)
FAILED = PayoutFailed(
    fact="stripe:payout:po_1:failed", of="stripe:payout:po_1", payout="po_1", amount=usd("11.00"), arrival_date=ARRIVAL
)


def changed(data: Fact, **fields: object) -> Fact:
    return type(data).model_validate({**data.model_dump(), **fields})


POSTINGS: list[tuple[EventData, dict[str, Decimal]]] = [
    (PAYMENT, figures(stripe_clearing="20.00", income="-20.00")),
    (
        changed(PAYMENT, settlement=settled("20.00", "0.88", "0.17")),
        figures(stripe_clearing="18.95", income="-20.00", processing_fees="0.88", input_vat="0.17"),
    ),
    (
        changed(PAYMENT, amount=Money.of("18.40", "EUR"), settlement=settled("20.00", "1.00")),
        figures(stripe_clearing="19.00", income="-20.00", processing_fees="1.00"),
    ),
    (REFUND, figures(sales_returns="5.00", stripe_clearing="-5.00")),
    (
        changed(REFUND, settlement=settled("-5.00", "-0.30")),
        figures(sales_returns="5.00", stripe_clearing="-4.70", processing_fees="-0.30"),
    ),
    (REFUND_FAILED, figures(sales_returns="-5.00", stripe_clearing="5.00")),
    (
        OPENED,
        figures(disputes_receivable="250.00", dispute_fees="15.00", input_vat="2.50", stripe_clearing="-267.50"),
    ),
    (WON, figures(disputes_receivable="-250.00", stripe_clearing="250.00")),
    (
        changed(WON, fee=usd("15.00"), fee_tax=usd("2.50")),
        figures(disputes_receivable="-250.00", dispute_fees="-15.00", input_vat="-2.50", stripe_clearing="267.50"),
    ),
    (LOST, figures(chargeback_loss="250.00", disputes_receivable="-250.00")),
    (PAID, figures(bank="11.00", stripe_clearing="-11.00")),
    (
        changed(PAID, settlement=settled("-11.00", "0.50")),
        figures(bank="11.00", stripe_clearing="-11.50", processing_fees="0.50"),
    ),
    (changed(PAID, amount=usd("-11.00")), figures(bank="-11.00", stripe_clearing="11.00")),
    (FAILED, figures(bank="-11.00", stripe_clearing="11.00")),
    (changed(FAILED, amount=usd("-11.00")), figures(bank="11.00", stripe_clearing="-11.00")),
    (SubscriptionUpdated(fact="stripe:subscription:sub_1:evt_1", subscription="sub_1"), {}),
]


@pytest.mark.parametrize(
    ("data", "expected"), POSTINGS, ids=[f"{type(data).__name__}-{n}" for n, (data, _) in enumerate(POSTINGS)]
)
def test_an_event_moves_exactly_these_amounts(data: EventData, expected: Mapping[str, Decimal]) -> None:
    assert moved(of(data)) == expected


def test_a_payout_dispute_or_refund_and_its_undoing_leave_nothing() -> None:
    for data, undone in ((PAID, FAILED), (changed(PAID, amount=usd("-3.00")), changed(FAILED, amount=usd("-3.00")))):
        there, back = moved(of(data)), moved(of(undone))
        assert {role: amount + back[role] for role, amount in there.items()} == dict.fromkeys(there, Decimal(0))
    there, back = moved(of(OPENED)), moved(of(changed(WON, fee=usd("15.00"), fee_tax=usd("2.50"))))
    assert {role: amount + back[role] for role, amount in there.items()} == dict.fromkeys(there, Decimal(0))


SETTLED: list[tuple[WithSettlement, str]] = [
    (changed(PAYMENT, settlement=settled("20.00", "0.88", "0.17")), "18.95"),
    (changed(REFUND, settlement=settled("-5.00", "0.10")), "-5.10"),
    (changed(REFUND_FAILED, settlement=settled("5.00", "0.10", "0.02")), "4.88"),
    (changed(PAID, settlement=settled("-11.00", "0.50")), "-11.50"),
    (changed(FAILED, settlement=settled("11.00", "-0.50")), "11.50"),
]


@pytest.mark.parametrize(("data", "net"), SETTLED, ids=lambda value: type(value).__name__)
def test_clearing_moves_by_what_the_balance_transaction_says_came_in(data: WithSettlement, net: str) -> None:
    assert data.settlement is not None
    assert data.settlement.net == usd(net)
    assert moved(of(data))["stripe_clearing"] == Decimal(net)


@given(events())
def test_every_event_of_the_catalog_has_a_plan_whose_entries_balance_in_decimal(event: Event) -> None:
    try:
        planned = plan(event, BOOKS)
    except Parked as parked:
        assert getattr(event.data, "category", None) in {"adjustment", "other"}, parked.reason  # noqa: PT017 - one good end
        return
    assert plan(event, BOOKS) == planned, "the same event gives the same plan"
    assert sum(moved(planned).values(), Decimal(0)) == 0
    names = [write.external_id for write in planned.writes]
    assert len(set(names)) == len(names)
    old = getattr(event.data, "replaces", None) or getattr(event.data, "taken_back", None)
    begins = (event.data.fact, "stripe:customer:", "stripe:walk-in", *([f"{old.fact}:"] if old else []))
    assert all(name.startswith(begins) for name in names)
    for write in planned.writes:
        assert write.memo
        if isinstance(write, EntryWrite):
            debits = [line.debit for line in write.lines if line.debit is not None]
            credits_ = [line.credit for line in write.lines if line.credit is not None]
            assert {type(amount) for amount in [*debits, *credits_]} == {Decimal}
            assert all(amount > 0 for amount in [*debits, *credits_])
            assert sum(debits) == sum(credits_)


@given(events())
def test_people_are_named_in_the_contact_and_nowhere_else(event: Event) -> None:
    customer = getattr(event.data, "customer", None)
    if not isinstance(customer, Customer) or len(customer.name or customer.email or "") < 12:  # too short to tell
        return
    rest = [write for write in plan(event, BOOKS).writes if not isinstance(write, ContactWrite)]
    shown = " ".join(write.model_dump_json() for write in rest)
    assert not any(text in shown for text in (customer.name, customer.email) if text and len(text) >= 12)


@given(events())
def test_what_takes_something_back_waits_for_it_also_where_a_person_waives(event: Event) -> None:
    try:
        planned = plan(event, BOOKS)
    except Parked:  # a move that nobody has said the meaning of takes nothing back
        assert event.type not in TAKES_BACK
        return
    left = [need for need in planned.waived().requires if isinstance(need, Prerequisite)]
    assert bool(left) == (event.type in TAKES_BACK)


def test_every_type_of_the_catalog_is_in_the_table_of_plans() -> None:
    assert PLANS.keys() == EVENT_TYPES.keys()


def test_a_sale_is_a_contact_an_invoice_and_its_payment_on_the_companys_day() -> None:
    late = datetime(2026, 1, 15, 23, 30, tzinfo=UTC)
    books = USD_BOOKS.model_copy(update={"time_zone": "Europe/Berlin"})
    customer, invoice, payment = of(
        changed(PAYMENT, customer={"id": "cus_1", "name": None, "email": "ada@example.com"}), books=books, time=late
    ).writes
    assert isinstance(customer, ContactWrite)
    assert (customer.external_id, customer.display_name) == ("stripe:customer:cus_1", "ada@example.com")
    assert isinstance(invoice, InvoiceWrite)
    assert (invoice.external_id, invoice.date, invoice.account) == (
        "stripe:charge:ch_1:invoice",
        date(2026, 1, 16),
        "Sales Income",
    )
    assert isinstance(payment, PaymentWrite)
    assert (payment.invoice, payment.contact) == (invoice.external_id, customer.external_id)


def test_a_guest_is_the_walk_in_customer() -> None:
    customer = of(PAYMENT).writes[0]
    assert isinstance(customer, ContactWrite)
    assert (customer.external_id, customer.display_name) == ("stripe:walk-in", "Stripe sales")


def test_a_payout_is_dated_by_its_arrival() -> None:
    assert {write.date for write in of(changed(PAID, settlement=settled("-11.00", "0.50"))).writes} == {ARRIVAL}


@pytest.mark.parametrize(
    ("data", "needs"),
    [
        (REFUND, "stripe:charge:ch_1:invoice"),
        (REFUND_FAILED, "stripe:refund:re_1"),
        (WON, "stripe:dispute:dp_1:withdrawn"),
        (LOST, "stripe:dispute:dp_1:withdrawn"),
        (FAILED, "stripe:payout:po_1"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_undoes_or_follows_a_fact_waits_for_it(data: EventData, needs: str) -> None:
    [requirement] = of(data).requires
    assert isinstance(requirement, Prerequisite)
    assert requirement.external_id == needs


def test_the_prerequisites_are_records_that_plans_do_write() -> None:
    written = {(write.kind, write.external_id) for data in (PAYMENT, REFUND, OPENED, PAID) for write in of(data).writes}
    needed = [need for data in (REFUND, REFUND_FAILED, WON, LOST, FAILED) for need in of(data).requires]
    assert {(need.kind, need.external_id) for need in needed if isinstance(need, Prerequisite)} <= written


def test_refunds_of_a_charge_add_up_in_the_customers_currency() -> None:
    euros = changed(REFUND, amount=Money.of("4.60", "EUR"), settlement=settled("-5.00"))
    assert of(euros).group == Group(key="stripe:refunds:ch_1", amount=Money.of("4.60", "EUR"))


def test_a_message_that_names_no_refund_posts_nothing_and_waits_for_those_that_do() -> None:
    unnamed = changed(REFUND, refund=None, refunded_total=usd("7.50"))
    planned = of(unnamed)
    assert planned.writes == ()
    assert planned.requires == (
        RefundsReach(group="stripe:refunds:ch_1", total=usd("7.50"), payment="stripe:charge:ch_1"),
    )


def test_a_refund_without_its_charge_waits_for_nothing() -> None:
    planned = of(changed(REFUND, charge=None, of=None))
    assert (planned.requires, planned.group) == ((), None)


@pytest.mark.parametrize("data", [data for data, expected in POSTINGS if expected], ids=lambda d: type(d).__name__)
def test_another_currency_than_that_of_the_books_posts_nothing(data: EventData) -> None:
    """It waits for its settlement (`test_foreign.py`), or comes before a person at once."""
    books = BOOKS.model_copy(update={"base_currency": "EUR"})
    try:
        planned = of(data, books=books)
    except Parked as parked:
        reason, message = parked.reason, str(parked)
    else:
        assert planned.writes == ()
        [need] = planned.requires
        assert isinstance(need, Prerequisite)
        reason, message = need.key, need.message or ""
    assert reason == "unmapped:currency:USD"
    assert "USD cannot be posted" in message
    assert " in EUR" in message


@pytest.mark.parametrize("data", [data for data, expected in POSTINGS if expected], ids=lambda d: type(d).__name__)
def test_a_role_without_an_account_is_parked_under_its_name(data: EventData) -> None:
    for role in moved(of(data)).keys() - {"receivable"}:
        without = {role, "processor_clearing"}  # which a processor without an account of its own would use
        accounts = {name: account for name, account in USD_BOOKS.accounts.items() if name not in without}
        with pytest.raises(Parked, match=f"has no {role}") as parked:
            of(data, books=USD_BOOKS.model_copy(update={"accounts": accounts}))
        assert parked.value.reason == f"unmapped:account:{role}"


def test_a_role_that_an_event_does_not_need_may_be_missing() -> None:
    accounts = {role: USD_BOOKS.accounts[role] for role in ("income", "stripe_clearing")}
    assert of(PAYMENT, books=USD_BOOKS.model_copy(update={"accounts": accounts})).writes


def test_the_hash_covers_the_amounts_and_nothing_a_setting_may_change() -> None:
    first = {write.external_id: write.payload_hash for write in of(PAYMENT).writes}
    renamed = USD_BOOKS.model_copy(
        update={"time_zone": "Asia/Tokyo", "accounts": {**USD_BOOKS.accounts, "income": "Other Income"}}
    )
    assert {write.external_id: write.payload_hash for write in of(PAYMENT, books=renamed).writes} == first
    other = {write.external_id: write.payload_hash for write in of(changed(PAYMENT, amount=usd("20.01"))).writes}
    assert {name for name in first if first[name] != other[name]} == {
        "stripe:charge:ch_1:invoice",
        "stripe:charge:ch_1:payment",
    }


def test_the_hash_of_an_entry_tells_its_direction() -> None:
    there, back = of(PAID).writes[0], of(changed(PAID, amount=usd("-11.00"))).writes[0]
    assert there.payload_hash != back.payload_hash


def test_trailing_zeros_are_no_other_amount() -> None:
    lines = [{"role": "bank", "account": "Checking", "debit": Decimal(11)}]
    lines += [{"role": "stripe_clearing", "account": "Stripe Clearing", "credit": Decimal("11.000")}]
    same = EntryWrite(external_id="x", date=ARRIVAL, currency="USD", memo="m", lines=lines)
    assert same.payload_hash == of(PAID).writes[0].payload_hash


@pytest.mark.parametrize(
    "lines",
    [
        [("debit", "1.00"), ("credit", "1.01")],
        [("debit", "1.00"), ("debit", "1.00")],
        [("debit", "0"), ("credit", "0")],
    ],
)
def test_an_entry_that_does_not_balance_does_not_exist(lines: list[tuple[str, str]]) -> None:
    made = [Line.model_validate({"role": "bank", "account": "A", side: amount}) for side, amount in lines]
    with pytest.raises(ValueError, match="do not balance"):
        EntryWrite(external_id="x", date=ARRIVAL, currency="USD", memo="m", lines=tuple(made))


@pytest.mark.parametrize("sides", [{}, {"debit": "1", "credit": "1"}, {"debit": "-1"}])
def test_a_line_has_one_side_and_no_sign(sides: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a line on A"):
        Line.model_validate({"role": "bank", "account": "A", **sides})


def test_two_currencies_are_never_one_entry() -> None:
    posting = Posting(debit={"bank": usd("1")}, credit={"stripe_clearing": Money.of("1", "EUR")})
    with pytest.raises(ValueError, match="one entry in EUR and USD"):
        book("x", posting, day=ARRIVAL, memo="m", books=BOOKS)


@given(st.decimals("0.01", "1000", places=2), st.decimals("-5", "5", places=2))
def test_a_negative_amount_stands_on_the_other_side(amount: Decimal, fee: Decimal) -> None:
    posting = Posting(
        debit={"bank": Money.of(amount, "USD"), "processing_fees": Money.of(fee, "USD")},
        credit={"stripe_clearing": Money.of(amount + fee, "USD")},
    )
    if amount + fee == 0:
        return
    planned = Plan(writes=book("x", posting, day=ARRIVAL, memo="m", books=BOOKS))
    expected = {"bank": amount, "processing_fees": fee, "stripe_clearing": -amount - fee}
    assert moved(planned) == {role: size for role, size in expected.items() if size}
