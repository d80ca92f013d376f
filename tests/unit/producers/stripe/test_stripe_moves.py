"""What moves the balance and is no sale: each fact named by its object, and nothing passed over in silence."""

import json
from decimal import Decimal
from typing import Any, get_args

import pytest

from producers.normalising import NormaliseContext, Rejected
from producers.stripe.outside import MOVES_MONEY
from producers.stripe.stripe import KINDS, identify, normalise
from schemas.money import Money
from schemas.sales import BalanceMoved, MoveCategory, PaymentSucceeded
from tests.unit.producers.made import charge, ignored, normalised, only_event, stripe_event, transaction

Json = dict[str, Any]


def moved(payload: bytes) -> BalanceMoved:
    data = only_event(payload).data
    assert isinstance(data, BalanceMoved)
    return data


def listed(*parts: Json) -> Json:
    return {"object": "list", "data": list(parts)}


def topup(**fields: object) -> Json:
    return {
        "id": "tu_1",
        "object": "topup",
        "amount": 50000,
        "currency": "usd",
        "balance_transaction": "txn_9",
    } | fields


def fee(**fields: object) -> Json:
    return {"id": "fee_1", "object": "application_fee", "amount": 1230, "currency": "usd", "charge": "ch_9"} | fields


def transfer(**fields: object) -> Json:
    return {"id": "tr_1", "object": "transfer", "amount": 8000, "currency": "usd", "destination": "acct_9"} | fields


def fee_refund(number: int, amount: int) -> Json:
    return {"id": f"fr_{number}", "object": "fee_refund", "amount": amount, "currency": "usd", "fee": "fee_1"}


def reversal(number: int, amount: int) -> Json:
    return {"id": f"trr_{number}", "object": "transfer_reversal", "amount": amount, "currency": "usd"}


@pytest.mark.parametrize(
    ("kind", "obj", "fact", "category", "gross"),
    [
        ("topup.succeeded", topup(), "stripe:topup:tu_1", "topup", "500"),
        ("topup.reversed", topup(), "stripe:topup_reversal:tu_1", "topup", "-500"),
        ("application_fee.created", fee(), "stripe:application_fee:fee_1", "application_fee", "12.30"),
        ("transfer.created", transfer(), "stripe:transfer:tr_1", "transfer", "-80"),
        (
            "application_fee.refunded",
            fee(amount_refunded=230, refunds=listed(fee_refund(1, 230))),
            "stripe:application_fee_refund:fr_1",
            "application_fee_refund",
            "-2.30",
        ),
        (
            "application_fee.refund.updated",
            fee_refund(1, 230),
            "stripe:application_fee_refund:fr_1",
            "application_fee_refund",
            "-2.30",
        ),
        (
            "transfer.reversed",
            transfer(amount_reversed=3000, reversals=listed(reversal(1, 3000))),
            "stripe:transfer_reversal:trr_1",
            "transfer_reversal",
            "30",
        ),
    ],
)
def test_a_move_is_named_by_its_object_and_signed_as_the_balance_moves(
    kind: str, obj: Json, fact: str, category: str, gross: str
) -> None:
    data = moved(stripe_event(kind, obj))
    assert (data.fact, data.category, data.settlement.gross) == (fact, category, Money.of(gross, "USD"))
    event = only_event(stripe_event(kind, obj))
    assert event.subject == event.partitionkey == fact.rpartition(":")[2]


def test_its_own_balance_transaction_tells_what_came_in_and_what_was_kept() -> None:
    data = moved(stripe_event("topup.succeeded", topup(balance_transaction=transaction(50000, 100))))
    assert (data.transaction, data.settlement.net) == ("txn_1", Money.of("499", "USD"))
    assert moved(stripe_event("topup.succeeded", topup())).transaction == "txn_9"
    assert moved(stripe_event("topup.reversed", topup())).transaction is None, "that one is the top-up's"


def test_each_part_of_a_sum_is_one_fact_however_often_the_sum_is_told() -> None:
    one, two = reversal(1, 3000), reversal(2, 1000)
    told = transfer(amount_reversed=4000, reversals=listed(one, two))
    for kind in ("transfer.reversed", "transfer.updated"):
        facts = [event.data.fact for event in normalised(stripe_event(kind, told)).events]
        assert facts == ["stripe:transfer_reversal:trr_1", "stripe:transfer_reversal:trr_2"]


def test_only_the_newest_parts_are_needed_where_a_list_is_cut_off() -> None:
    told = transfer(amount_reversed=4000, reversals=listed(reversal(3, 500), reversal(2, 1000)))
    before = {"amount_reversed": 3500, "reversals": listed(reversal(2, 1000))}
    data = moved(stripe_event("transfer.reversed", told, before))
    assert data.fact == "stripe:transfer_reversal:trr_3"


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        ("application_fee.refunded", fee(amount_refunded=230)),
        ("transfer.reversed", transfer(amount_reversed=3000, reversals=listed(reversal(1, 1000)))),
    ],
)
def test_a_sum_whose_parts_are_not_told_is_for_a_person(kind: str, obj: Json) -> None:
    with pytest.raises(Rejected) as caught:
        normalised(stripe_event(kind, obj, {"amount_refunded": 0, "amount_reversed": 0}))
    assert caught.value.reason == f"unmapped:stripe_type:{kind}"


def test_a_transfer_that_changed_otherwise_and_one_to_a_bank_move_nothing() -> None:
    assert ignored(stripe_event("transfer.updated", transfer(), {"description": "x"})) == "no_new_reversal"
    assert ignored(stripe_event("transfer.created", transfer(type="bank_account"))) == "transfer_to_a_bank"
    assert ignored(stripe_event("topup.succeeded", topup(amount=0))) == "amount_zero"


@pytest.mark.parametrize("kind", sorted(MOVES_MONEY))
def test_a_type_that_moves_money_and_is_not_read_is_kept_or_ignored_by_the_setting(kind: str) -> None:
    payload = stripe_event(kind, {})
    if kind in KINDS:
        return
    with pytest.raises(Rejected) as caught:
        normalised(payload)
    assert caught.value.reason == f"unmapped:stripe_type:{kind}"
    found = normalise(payload, NormaliseContext(outside="ignore"))
    assert (found.events, found.ignored) == ((), f"type_not_used:{kind}")


@pytest.mark.parametrize("kind", ["customer.created", "product.updated", "balance.available", "topup.created"])
def test_a_type_that_moves_no_money_stays_ignored(kind: str) -> None:
    assert ignored(stripe_event(kind, {})) == f"type_not_used:{kind}"


def thin(kind: str, **fields: object) -> bytes:
    document = {"id": "evt_1", "object": "v2.core.event", "created": "2026-01-15T12:00:00.000Z", "livemode": True}
    related = {"id": "ch_1", "type": "charge", "url": "/v1/charges/ch_1"}
    return json.dumps(document | {"type": kind, "related_object": related} | fields).encode()


def test_a_thin_event_of_what_is_booked_is_kept_as_it_holds_no_object() -> None:
    with pytest.raises(Rejected) as caught:
        normalised(thin("v1.charge.succeeded"))
    assert caught.value.reason == "thin_event"
    with pytest.raises(Rejected) as caught:
        normalise(thin("v1.charge.succeeded"), NormaliseContext(outside="ignore"))
    assert caught.value.reason == "thin_event"
    with pytest.raises(Rejected) as caught:
        normalised(thin("v2.money_management.received_credit.succeeded"))
    assert caught.value.reason == "unmapped:stripe_type:v2.money_management.received_credit.succeeded"


@pytest.mark.parametrize(
    "kind", ["v2.core.account[requirements].updated", "v2.core.account.updated", "v2.core.event_destination.ping"]
)
def test_an_event_of_the_second_version_about_an_account_is_nothing_to_book(kind: str) -> None:
    assert ignored(thin(kind)) == f"type_not_used:{kind}"
    assert ignored(thin("v1.customer.created")) == "type_not_used:customer.created"
    assert ignored(thin("v1.customer.subscription.updated")) == "type_not_used:customer.subscription.updated"
    assert identify(thin("v1.customer.created"))[0] == "evt_1"


@pytest.mark.parametrize("context", ["acct_1", "org_7/acct_1"])
def test_an_organisations_event_belongs_to_the_account_in_its_context(context: str) -> None:
    assert only_event(stripe_event("charge.succeeded", charge(), context=context)).company == "second"


@pytest.mark.parametrize("context", ["acct_9", "org_7/acct_9", "org_7"])
def test_an_account_of_nobody_is_kept_also_where_only_the_context_names_it(context: str) -> None:
    with pytest.raises(Rejected) as caught:
        normalised(stripe_event("charge.succeeded", charge(), context=context))
    assert caught.value.reason == f"unmapped:stripe_account:{context.rpartition('/')[2]}"


def test_a_charge_tells_for_which_account_it_was_made_and_how_much_goes_there() -> None:
    def sold(**fields: object) -> tuple[str | None, Money | None]:
        data = only_event(stripe_event("charge.succeeded", charge(**fields))).data
        assert isinstance(data, PaymentSucceeded)
        return data.destination, data.for_destination

    part = Money.of(Decimal("17.70"), "USD")
    assert sold(transfer_data={"destination": "acct_9", "amount": None}) == ("acct_9", None)
    assert sold(transfer_data={"destination": "acct_9", "amount": 1770}) == ("acct_9", part)
    assert sold(destination="acct_9") == ("acct_9", None)
    assert sold(on_behalf_of="acct_9") == (None, None)


def test_every_category_is_told_apart() -> None:
    assert len(set(get_args(MoveCategory))) == 10
