"""What else moves the balance: between clearing and the role of what moved it; and sales for connected accounts."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from ops.dry.offline import plan_lines
from schemas.envelope import Event, encode
from schemas.money import Money
from schemas.sales import BalanceMoved, Settlement
from tests.unit.producers.made import charge, only_event, refund, stripe_event
from workers.books.books import Books, ProcessorTable, sample_books
from workers.plans import plan
from workers.plans.moves import ROLES_OF_MOVES
from workers.plans.writes import EntryWrite, Parked

BOOKS = sample_books().model_copy(update={"base_currency": "USD"})


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def move(category: Any, *, kind: str | None = None, gross: str = "10", fee: str = "0", fee_tax: str = "0") -> Event:  # noqa: ANN401 - one of many
    net = usd(gross) - usd(fee) - usd(fee_tax)
    settlement = Settlement(balance_transaction="txn_1", gross=usd(gross), fee=usd(fee), fee_tax=usd(fee_tax), net=net)
    data = BalanceMoved(
        fact="stripe:balance:txn_1",
        transaction="txn_1",
        kind=kind or category,
        category=category,
        settlement=settlement,
    )
    template = only_event(stripe_event("charge.succeeded", charge()))
    return Event.of(
        data,
        id="evt_2",
        source=template.source,
        time=template.time,
        subject="txn_1",
        partitionkey="txn_1",
        company="main",
    )


def saying(**moves: str) -> Books:
    return BOOKS.model_copy(update={"processors": {"stripe": ProcessorTable(moves=moves)}})


def net_of(event: Event, books: Books = BOOKS) -> dict[str, Decimal]:
    net = defaultdict[str, Decimal](Decimal)
    for write in plan(event, books).writes:
        assert isinstance(write, EntryWrite)
        for line in write.lines:
            net[line.role] += (line.debit or Decimal(0)) - (line.credit or Decimal(0))
    return dict(net)


@pytest.mark.parametrize(("name", "role"), sorted(ROLES_OF_MOVES.items()))
@pytest.mark.parametrize("gross", ["10", "-10"])
def test_each_move_stands_between_clearing_and_its_role(name: str, role: str, gross: str) -> None:
    event = move("fee", kind=name, gross=gross) if name in {"tax_fee", "dispute_fee"} else move(name, gross=gross)
    assert net_of(event) == {"stripe_clearing": Decimal(gross), role: -Decimal(gross)}


def test_what_was_kept_of_a_move_is_an_entry_of_its_own() -> None:
    event = move("topup", gross="500", fee="1.00", fee_tax="0.20")
    assert [write.external_id for write in plan(event, BOOKS).writes] == [
        "stripe:balance:txn_1",
        "stripe:balance:txn_1:fee",
    ]
    assert net_of(event)["stripe_clearing"] == Decimal("498.80")
    assert net_of(move("fee", gross="0", fee="15")) == {"processing_fees": Decimal(15), "stripe_clearing": Decimal(-15)}


@pytest.mark.parametrize("category", ["adjustment", "other"])
def test_what_nobody_has_said_the_meaning_of_is_for_a_person_with_its_figures(category: str) -> None:
    with pytest.raises(Parked, match=r"100\.00 USD .*\[processors\.stripe\.moves\]") as caught:
        plan(move(category, kind="strange", gross="100"), BOOKS)
    assert caught.value.reason == "unmapped:stripe_type:strange"


def test_the_books_may_say_it_by_category_or_kind_or_hold_it() -> None:
    assert net_of(move("adjustment"), saying(adjustment="income"))["income"] == Decimal(-10)
    assert net_of(move("other", kind="strange"), saying(strange="bank", other="income"))["bank"] == Decimal(-10)
    with pytest.raises(Parked, match="topup"):
        plan(move("topup"), saying(topup="hold"))
    with pytest.raises(ValidationError, match="nearest: 'income'"):
        ProcessorTable(moves={"transfer": "incme"})
    with pytest.raises(ValidationError, match="clearing is missing"):
        ProcessorTable(name="Stripe")


def test_a_table_of_moves_leaves_the_clearing_account_where_it_was() -> None:
    assert saying(topup="bank").account("stripe_clearing") == BOOKS.account("stripe_clearing")
    table = {"moves": {"topup": "bank"}}
    Books.model_validate({**BOOKS.model_dump(exclude={"processors"}), "processors": {"stripe": table}})


SELLER = {"destination": "acct_9", "amount": None}


def shown(*payloads: bytes) -> dict[str, Decimal]:
    """What `relay plan` makes of them by role, with invoices and payments as the entries that they are."""
    net, seen = defaultdict[str, Decimal](Decimal), set[str]()
    for line in plan_lines([encode(only_event(payload)) for payload in payloads], BOOKS):
        assert isinstance(line, dict)
        if line["kind"] == "contact" or line["external_id"] in seen:
            continue
        seen.add(line["external_id"])
        for each in line.get("lines", []):
            net[each["role"]] += Decimal(each.get("debit") or 0) - Decimal(each.get("credit") or 0)
        if line["kind"] != "entry":
            net[line["role"]] += Decimal(line["total"]) * (1 if line["kind"] == "payment" else -1)
    return {role: amount for role, amount in net.items() if amount}


SALE = stripe_event("charge.succeeded", charge(amount=10000, amount_captured=10000, transfer_data=SELLER))
TRANSFER = stripe_event("transfer.created", {"id": "tr_1", "object": "transfer", "amount": 10000, "currency": "usd"})
FEE = stripe_event(
    "application_fee.created", {"id": "fee_1", "object": "application_fee", "amount": 1230, "currency": "usd"}
)
REFUND = stripe_event("refund.created", refund(amount=10000, charge="ch_1"), id="evt_re")


def test_of_a_sale_for_a_connected_account_the_platform_earns_its_fee_and_not_the_whole() -> None:
    assert shown(SALE) == {"due_to_sellers": Decimal(-100), "stripe_clearing": Decimal(100)}
    assert shown(SALE, TRANSFER, FEE) == {"income": Decimal("-12.30"), "stripe_clearing": Decimal("12.30")}


def test_what_is_not_transferred_on_is_the_platforms() -> None:
    part = charge(amount=10000, amount_captured=10000, transfer_data={"destination": "acct_9", "amount": 8770})
    sale = stripe_event("charge.succeeded", part)
    assert shown(sale)["income"] == Decimal("-12.30")
    assert shown(sale)["due_to_sellers"] == Decimal("-87.70")


def test_of_a_refund_of_what_was_kept_in_part_the_sellers_share_is_theirs() -> None:
    """Of 100.00 the platform kept 12.30: of 50.00 that go back 6.15 are its own."""
    part = charge(amount=10000, amount_captured=10000, transfer_data={"destination": "acct_9", "amount": 8770})
    sale, half = stripe_event("charge.succeeded", part), stripe_event("refund.created", refund(amount=5000))
    assert shown(sale, half) == {
        "due_to_sellers": Decimal("-43.85"),
        "income": Decimal("-12.30"),
        "sales_returns": Decimal("6.15"),
        "stripe_clearing": Decimal(50),
    }
    failed = stripe_event("refund.failed", refund(amount=5000, status="failed"), id="evt_f")
    assert shown(sale, half, failed) == shown(sale)


def test_a_refund_of_such_a_sale_is_the_sellers_and_of_any_other_ours() -> None:
    assert shown(SALE, TRANSFER, REFUND) == {"due_to_sellers": Decimal(100), "stripe_clearing": Decimal(-100)}
    failed = stripe_event("refund.failed", refund(amount=10000, charge="ch_1", status="failed"), id="evt_f")
    assert shown(SALE, REFUND, failed) == shown(SALE)
    own = stripe_event("charge.succeeded", charge(amount=10000, amount_captured=10000))
    assert shown(own, REFUND) == {"income": Decimal(-100), "sales_returns": Decimal(100)}
