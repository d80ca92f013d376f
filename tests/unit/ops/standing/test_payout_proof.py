"""A payout is proven to the cent, or it is said what is wrong with it: by name, or with both figures."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.standing.payout_proof import Proof, judge, units_of_payout
from store.sales.payouts import Payout, PayoutItem

PAYOUT = Payout(
    payout="po_1",
    fact="stripe:payout:po_1",
    amount=Decimal("92.00"),
    currency="USD",
    arrival=date(2026, 11, 30),
    automatic=True,
    status="paid",
)


def item(number: int, net: str, *, fee: str = "0", **fields: object) -> PayoutItem:
    values = {
        "transaction": f"txn_{number}",
        "kind": "charge",
        "source": f"ch_{number}",
        "facts": (f"stripe:charge:ch_{number}",),
        "type": "sales.payment.succeeded.v1",
        "gross": Decimal(net) + Decimal(fee),
        "fee": Decimal(fee),
        "tax": Decimal(0),
        "net": Decimal(net),
        "currency": "USD",
    } | fields
    return PayoutItem(**values)  # type: ignore[arg-type]  # a test's own fields


SALE = item(1, "97.00", fee="3.00")
REFUND = item(2, "-5.00", kind="refund", source="re_2", facts=("stripe:refund:re_2",), type="sales.payment.refunded.v1")
ITEMS = (SALE, REFUND)
ALL = frozenset({"stripe:payout:po_1", "stripe:charge:ch_1:payment", "stripe:charge:ch_1:fee", "stripe:refund:re_2"})


def judged(
    payout: Payout = PAYOUT,
    items: tuple[PayoutItem, ...] = ITEMS,
    *,
    applied: frozenset[str] = ALL,
    bank: str | None = "92.00",
) -> Proof:
    return judge(payout, items, applied=applied, bank=None if bank is None else Decimal(bank))


def test_a_payout_whose_transactions_are_its_amount_and_all_in_the_books_is_proven() -> None:
    proof = judged()
    assert (proof.state, proof.holds, proof.lacking) == ("proven", True, ())
    assert (proof.left, proof.listed, proof.bank, proof.count) == (*[Decimal("92.00")] * 3, 2)
    assert [(each.kind, each.count, each.gross, each.fee, each.net) for each in proof.sums] == [
        ("charge", 1, Decimal("100.00"), Decimal("3.00"), Decimal("97.00")),
        ("refund", 1, Decimal("-5.00"), Decimal(0), Decimal("-5.00")),
    ]
    assert set(units_of_payout(PAYOUT, ITEMS)) >= ALL


@pytest.mark.parametrize(
    ("missing", "transaction"),
    [
        ("stripe:charge:ch_1:payment", "txn_1"),
        ("stripe:charge:ch_1:fee", "txn_1"),
        ("stripe:refund:re_2", "txn_2"),
    ],
)
def test_what_is_not_in_the_books_is_missing_by_its_name_and_amount(missing: str, transaction: str) -> None:
    proof = judged(applied=ALL - {missing})
    assert (proof.state, proof.holds) == ("missing", False)
    [lacking] = proof.lacking
    assert (lacking.transaction, lacking.units) == (transaction, (missing,))
    assert lacking.net == {"txn_1": Decimal("97.00"), "txn_2": Decimal("-5.00")}[transaction]


def test_a_transaction_that_could_not_be_read_is_missing() -> None:
    refused = item(3, "0.00", fee="5.00", facts=(), type=None)
    proof = judged(items=(*ITEMS, refused))
    assert (proof.state, [each.transaction for each in proof.lacking]) == ("missing", ["txn_3"])


def test_a_transaction_that_tells_nothing_lacks_nothing() -> None:
    pair = (
        item(3, "-40.00", facts=(), type=None, ignored="authorisation_released"),
        item(4, "40.00", facts=(), type=None, ignored="payout_undone"),
    )
    assert judged(items=(*ITEMS, *pair)).state == "proven"


def test_the_return_of_a_payout_that_was_never_booked_lacks_nothing() -> None:
    back: dict[str, Any] = {"facts": ("stripe:payout:po_0:failed",), "type": "sales.payout.failed.v1", "source": "po_0"}
    sent: dict[str, Any] = {"facts": (), "type": None, "ignored": "payout_undone", "source": "po_0"}
    items = (*ITEMS, item(3, "-10.00", kind="payout", **sent), item(4, "10.00", kind="payout_cancel", **back))
    assert judged(items=items).state == "proven"
    booked = judged(items=items, applied=ALL | {"stripe:payout:po_0"})
    assert (booked.state, [each.transaction for each in booked.lacking]) == ("missing", ["txn_4"])


def test_a_list_that_is_not_the_amount_is_shown_with_both_figures() -> None:
    proof = judged(items=(SALE,))
    assert (proof.state, proof.holds) == ("does_not_add_up", False)
    assert (proof.listed, proof.left) == (Decimal("97.00"), Decimal("92.00"))


def test_a_list_in_two_currencies_does_not_add_up() -> None:
    proof = judged(items=(SALE, replace(REFUND, currency="EUR")))
    assert (proof.state, proof.other) == ("does_not_add_up", ("EUR",))


def test_a_line_in_the_bank_account_of_another_amount_does_not_add_up() -> None:
    assert judged(bank="91.99").state == "does_not_add_up"


def test_a_payout_whose_line_is_not_in_the_books_yet_waits() -> None:
    proof = judged(applied=ALL - {"stripe:payout:po_1"}, bank=None)
    assert (proof.state, proof.holds) == ("waiting", True)


def test_a_manual_payout_is_not_listed_and_its_line_is_looked_at() -> None:
    manual = replace(PAYOUT, automatic=False)
    assert judged(manual, ()).state == "not_listed"
    assert judged(manual, (), bank="90.00").state == "does_not_add_up"


def test_the_fee_of_an_instant_payout_is_looked_for_too() -> None:
    instant = replace(PAYOUT, automatic=False, fee=Decimal("1.00"))
    proof = judged(instant, ())
    assert (proof.left, proof.state) == (Decimal("93.00"), "missing")
    assert [(each.net, each.units) for each in proof.lacking] == [(Decimal("-1.00"), ("stripe:payout:po_1:fee",))]
    assert judged(instant, (), applied=ALL | {"stripe:payout:po_1:fee"}).state == "not_listed"


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_payout_that_was_undone_lacks_its_return_only_where_it_is_booked(status: str) -> None:
    undone = replace(PAYOUT, status=status)
    assert judged(undone, applied=ALL - {"stripe:payout:po_1"}, bank=None).state == status
    assert judged(undone).state == "missing"
    assert judged(undone, applied=ALL | {"stripe:payout:po_1:failed"}).state == status


@given(st.lists(st.integers(-(10**9), 10**9).filter(bool), min_size=1, max_size=30), st.integers(-5, 5))
def test_a_payout_is_proven_exactly_where_its_list_is_its_amount_to_the_cent(nets: list[int], off: int) -> None:
    items = tuple(item(number, f"{Decimal(net).scaleb(-2):f}") for number, net in enumerate(nets))
    payout = replace(PAYOUT, amount=Decimal(sum(nets) + off).scaleb(-2))
    applied = frozenset(units_of_payout(payout, items))
    proof = judge(payout, items, applied=applied, bank=payout.amount)
    assert proof.state == ("does_not_add_up" if off else "proven")


def test_a_refund_that_failed_before_it_was_booked_is_not_missing_and_neither_is_its_failure() -> None:
    failure = item(
        3,
        "5.00",
        kind="refund_failure",
        source="re_2",
        facts=("stripe:refund:re_2:failed",),
        type="sales.payment.refund_failed.v1",
    )
    booked, items = ALL - {"stripe:refund:re_2"}, (SALE, REFUND, failure)
    payout = replace(PAYOUT, amount=Decimal("97.00"))
    void = frozenset({"stripe:refund:re_2"})
    assert judge(payout, items, applied=booked, bank=payout.amount, void=void).state == "proven"
    assert judge(payout, items, applied=booked, bank=payout.amount).state == "missing"
