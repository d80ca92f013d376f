"""Figures of cases that people met, from Stripe's events to what each role has in the end: one table, made payloads.

The way is that of `relay normalize | relay plan`. Where a case cannot be known from its events alone
it is parked: then how the reason begins stands beside the figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from ops.dry.offline import plan_lines
from producers.normalising import NormaliseContext, Rejected
from producers.stripe.stripe import normalise
from schemas.envelope import encode
from tests.unit.producers.made import Json, charge, dispute, payout, refund, stripe_event, transaction
from workers.books.books import Books, sample_books

DAY = 1_700_000_000


def told(kind: str, held: Json, *, number: int = 1, previous: Json | None = None, **fields: object) -> bytes:
    """An event of real money."""
    return stripe_event(kind, held, previous=previous, id=f"evt_{number}", **fields)


def paid(amount: int, **fields: object) -> bytes:
    return told("charge.succeeded", charge(amount=amount, amount_captured=amount, **fields))


@dataclass(frozen=True, slots=True)
class Case:
    """What is told; what is invoiced, what reaches clearing, and each role's debits less credits in entries.

    `parked`: how the reason begins for which it is parked. `entries` None: of the roles only clearing.
    """

    events: Sequence[bytes]
    clearing: str
    invoiced: str = "0"
    entries: Mapping[str, str] | None = None
    parked: tuple[str, ...] = ()
    books: Books | None = None


def lost_then_won() -> list[bytes]:
    taken, back = transaction(-40000, 1500, id="txn_out"), transaction(40000, id="txn_in")
    withdrawn, given = (taken,), (taken, back)
    return [
        told("charge.dispute.funds_withdrawn", dispute(*withdrawn, amount=40000)),
        told("charge.dispute.closed", dispute(*withdrawn, amount=40000, status="lost"), number=2),
        told("charge.dispute.funds_reinstated", dispute(*given, amount=40000, status="won"), number=3),
        told("charge.dispute.closed", dispute(*given, amount=40000, status="won"), number=4),
    ]


def won_at_another_rate() -> list[bytes]:
    sale = transaction(21700, id="txn_sale", exchange_rate=1.085)
    taken = transaction(-21700, 1500, id="txn_out", exchange_rate=1.085)
    back = transaction(21580, id="txn_in", exchange_rate=1.079)
    said: Any = {"amount": 20000, "currency": "eur"}
    return [
        paid(20000, currency="eur", balance_transaction=sale),
        told("charge.dispute.funds_withdrawn", dispute(taken, **said), number=2),
        told("charge.dispute.funds_reinstated", dispute(taken, back, status="won", **said), number=3),
        told("charge.dispute.closed", dispute(taken, back, status="won", **said), number=4),
    ]


def held(kind: str, name: str, **fields: object) -> Json:
    return {"id": name, "object": kind, "currency": "usd", "created": DAY, "livemode": True} | fields


def won_with_the_fee(fee_back: Json) -> list[bytes]:
    listed = (
        transaction(-25000, 1500, id="txn_out", created=DAY),
        transaction(25000, id="txn_in", created=DAY + 1),
        fee_back | {"created": DAY + 2},
    )
    return [
        told("charge.dispute.funds_withdrawn", dispute(listed[0])),
        told("charge.dispute.funds_reinstated", dispute(*listed[:2], status="won"), number=2),
        told("charge.dispute.closed", dispute(*listed, status="won"), number=3),
    ]


def in_parts_of_2013(*amounts: int) -> Json:
    parts = [
        {"object": "refund", "amount": amount, "currency": "usd", "balance_transaction": f"txn_re_{number}"}
        for number, amount in enumerate(amounts)
    ]
    return charge(amount=3000, amount_captured=3000, amount_refunded=sum(amounts), refunds=parts)


SALE_OF_2012: Json = held("charge", "ch_1", amount=3000, amount_refunded=0, paid=True, fee=117)
OF_2013: Json = held(
    "dispute", "dp_1", amount=7000, charge="ch_1", status="needs_response", balance_transaction="txn_out"
)
OF_2012: Json = held("transfer", "tr_1", amount=6400, date=DAY, status="pending", account={"object": "bank_account"})
SELLER = "acct_seller"
FOR_A_SELLER: Json = {
    "application_fee": "fee_1",
    "application_fee_amount": 900,
    "transfer_data": {"destination": SELLER},
    "destination": SELLER,
    "transfer": "tr_1",
}
TRANSFER = held("transfer", "tr_1", amount=7500, amount_reversed=0, destination=SELLER, balance_transaction="txn_tr")
FEE = held("application_fee", "fee_1", amount=900, account=SELLER, charge="ch_9", balance_transaction="txn_fee")
THIN: Json = {"object": "v2.core.event", "created": "2025-10-22T10:00:01.000Z", "context": None, "data": None}
INVOICE = held(
    "invoice",
    "in_1",
    total=23800,
    amount_paid=23800,
    amount_due=23800,
    amount_remaining=0,
    starting_balance=0,
    ending_balance=0,
    subtotal=20000,
    total_excluding_tax=20000,
    status="paid",
    total_taxes=[{"amount": 3800, "tax_behavior": "exclusive", "type": "tax_rate_details"}],
    lines={"object": "list", "data": [], "has_more": False},
)
INVOICE_PAYMENT = held(
    "invoice_payment",
    "inpay_1",
    amount_paid=23800,
    invoice="in_1",
    status="paid",
    payment={"type": "payment_intent", "payment_intent": "pi_1"},
)
INTENT = held("payment_intent", "pi_1", amount=4100, amount_received=4100, latest_charge="ch_1", status="succeeded")
IN_PARTS: Json = {"amount": 9000, "amount_captured": 2500, "amount_refunded": 0}
POUNDS = sample_books().model_copy(update={"base_currency": "GBP"})
DOLLARS = sample_books().model_copy(update={"base_currency": "USD"})

CASES = {
    "a part is captured, and a part of that refunded": Case(
        [
            told("charge.captured", charge(amount=9000, amount_captured=7000, amount_refunded=2000)),
            told("refund.created", refund(amount=1500), number=2),
        ],
        invoiced="70.00",
        clearing="55.00",
        entries={"sales_returns": "15.00", "stripe_clearing": "-15.00"},
    ),
    "what was never captured, told as a refund": Case(
        [
            told("charge.captured", charge(amount=9000, amount_captured=7000, amount_refunded=2000)),
            told("refund.created", refund(amount=2000, balance_transaction=None), number=2),
        ],
        invoiced="70.00",
        clearing="70.00",
        entries={},
    ),
    "a sum refunded that counts what was never captured": Case(
        [
            told("charge.captured", charge(amount=9000, amount_captured=7000, amount_refunded=2000)),
            told(
                "charge.refunded",
                charge(amount=9000, amount_captured=7000, amount_refunded=3500),
                number=2,
                previous={"amount_refunded": 2000},
            ),
            told("refund.created", refund(amount=1500), number=3),
        ],
        invoiced="70.00",
        clearing="55.00",
        entries={"sales_returns": "15.00", "stripe_clearing": "-15.00"},
    ),
    "a refund that fails before it was booked": Case(
        [
            told("refund.failed", refund(status="failed"), number=3),
            paid(32500),
            told("refund.created", refund(status="pending"), number=2),
        ],
        invoiced="325.00",
        clearing="325.00",
        entries={},
    ),
    "captured in two parts, each told as a sum": Case(
        [
            told("charge.captured", charge(**IN_PARTS)),
            told("charge.captured", charge(**IN_PARTS | {"amount_captured": 9000}), number=2),
        ],
        invoiced="90.00",
        clearing="90.00",
        entries={},
    ),
    "captured in two parts": Case(
        [
            told("charge.captured", charge(**IN_PARTS)),
            told(
                "charge.updated",
                charge(**IN_PARTS | {"amount_captured": 9000}),
                number=2,
                previous={"amount_captured": 2500},
            ),
        ],
        invoiced="90.00",
        clearing="90.00",
        entries={},
    ),
    "a refund that waits moves nothing": Case(
        [paid(32500), told("refund.created", refund(amount=32500, status="pending"), number=2)],
        invoiced="325.00",
        clearing="325.00",
        entries={},
    ),
    "settled in pounds, which the event does not tell": Case(
        [paid(6000, currency="usd")], clearing="0", parked=("unmapped:currency:USD",), books=POUNDS
    ),
    "settled in pounds, as the event tells": Case(
        [paid(6000, currency="usd", balance_transaction=transaction(4720, 140, currency="gbp", fee_details=[]))],
        invoiced="47.20",
        clearing="45.80",
        entries={"processing_fees": "1.40", "stripe_clearing": "-1.40"},
        books=POUNDS,
    ),
    "a foreign dispute won at another rate": Case(
        won_at_another_rate(),
        invoiced="217.00",
        clearing="200.80",
        entries={"dispute_fees": "15.00", "exchange_gain_loss": "1.20", "stripe_clearing": "-16.20"},
        books=DOLLARS,
    ),
    "lost, and then won": Case(
        lost_then_won(), clearing="-15.00", entries={"dispute_fees": "15.00", "stripe_clearing": "-15.00"}
    ),
    "won, and the fee comes back by itself": Case(
        won_with_the_fee(transaction(0, -1500, id="txn_fee")), clearing="0", entries={}
    ),
    "won, and the fee comes back as an amount": Case(
        won_with_the_fee(transaction(1500, id="txn_fee")), clearing="0", entries={}
    ),
    "lost, and the fee is taken as an amount": Case(
        [
            told(
                "charge.dispute.closed",
                dispute(transaction(-25000, id="txn_a"), transaction(-1500, id="txn_b"), amount=25000, status="lost"),
            )
        ],
        clearing="-265.00",
        entries={"chargeback_loss": "250.00", "dispute_fees": "15.00", "stripe_clearing": "-265.00"},
    ),
    "refunded in a version of 2012, with its fee": Case(
        [
            told("charge.succeeded", SALE_OF_2012),
            told(
                "charge.refunded",
                SALE_OF_2012 | {"amount_refunded": 3000, "fee": 0},
                number=2,
                previous={"amount_refunded": 0, "fee": 117},
            ),
        ],
        invoiced="30.00",
        clearing="0",
        entries={"sales_returns": "30.00", "stripe_clearing": "-30.00"},
    ),
    "refunded in two parts that have no id, as until 2014": Case(
        [
            paid(3000),
            told("charge.refunded", in_parts_of_2013(500), number=2, previous={"amount_refunded": 0, "refunds": []}),
            told(
                "charge.refunded",
                in_parts_of_2013(500, 700),
                number=3,
                previous={"amount_refunded": 500, "refunds": in_parts_of_2013(500)["refunds"]},
            ),
        ],
        invoiced="30.00",
        clearing="18.00",
        entries={"sales_returns": "12.00", "stripe_clearing": "-12.00"},
    ),
    "settled in pounds, told later": Case(
        [
            paid(6000, currency="usd"),
            told(
                "charge.updated",
                charge(
                    amount=6000,
                    amount_captured=6000,
                    balance_transaction=transaction(4720, 140, currency="gbp", fee_details=[]),
                ),
                number=2,
                previous={"balance_transaction": None},
            ),
        ],
        invoiced="47.20",
        clearing="45.80",
        entries={"processing_fees": "1.40", "stripe_clearing": "-1.40"},
        books=POUNDS,
    ),
    "lost, in a version of before 2014": Case(
        [
            told("charge.dispute.created", OF_2013),
            told("charge.dispute.closed", OF_2013 | {"status": "lost"}, number=2),
        ],
        clearing="-70.00",
        entries={"chargeback_loss": "70.00", "stripe_clearing": "-70.00"},
    ),
    "a payout of 2012, which was a transfer of no type": Case(
        [told("transfer.created", OF_2012), told("transfer.paid", OF_2012 | {"status": "paid"}, number=2)],
        clearing="-64.00",
        entries={"bank": "64.00", "stripe_clearing": "-64.00"},
    ),
    "a payout before 2017 says transfer": Case(
        [told("payout.paid", held("transfer", "po_1", amount=8100, date=DAY, status="paid"))],
        clearing="-81.00",
        entries={"bank": "81.00", "stripe_clearing": "-81.00"},
    ),
    "an instant payout, whose fee the event does not tell": Case(
        [told("payout.paid", payout(amount=8800, method="instant"))],
        clearing="-88.00",
        entries={"bank": "88.00", "stripe_clearing": "-88.00"},
    ),
    "an instant payout, with its fee": Case(
        [told("payout.paid", payout(amount=8800, method="instant", balance_transaction=transaction(-8800, 88)))],
        clearing="-88.88",
        entries={"bank": "88.00", "processing_fees": "0.88", "stripe_clearing": "-88.88"},
    ),
    "a charge for a seller, of which the fee is kept": Case(
        [
            paid(9900, **FOR_A_SELLER),
            told("transfer.created", TRANSFER | {"amount": 9900, "source_transaction": "ch_1"}, number=2),
            told("application_fee.created", FEE, number=3),
        ],
        invoiced="99.00",
        clearing="9.00",
    ),
    "an application fee": Case([told("application_fee.created", FEE)], clearing="9.00"),
    "a transfer to a seller": Case([told("transfer.created", TRANSFER)], clearing="-75.00"),
    "a top-up": Case(
        [
            told(
                "topup.succeeded", held("topup", "tu_1", amount=61000, status="succeeded", balance_transaction="txn_tu")
            )
        ],
        clearing="610.00",
        entries={"bank": "-610.00", "stripe_clearing": "610.00"},
    ),
    "an account of nobody, named by its context": Case(
        [told("charge.succeeded", charge(), context="acct_nobody")],
        clearing="0",
        parked=("unmapped:stripe_account",),
    ),
    "tax on top of a sale": Case(
        [
            paid(23800, payment_intent="pi_1"),
            told("invoice.paid", INVOICE, number=2),
            told("invoice_payment.paid", INVOICE_PAYMENT, number=3),
        ],
        invoiced="238.00",
        clearing="238.00",
        entries={"income": "38.00", "sales_tax_payable": "-38.00"},
    ),
    "a thin event of a charge": Case(
        [told("v1.charge.succeeded", {}, related_object={"id": "ch_1", "type": "charge"}, **THIN)],
        clearing="0",
        parked=("thin", "not_an_event", "missing", "type", "unmapped:stripe_type"),
    ),
    "a thin event that does not say that it is one": Case(
        [told("v1.charge.succeeded", {}, related_object={"id": "ch_1", "type": "charge"}, data=None)],
        clearing="0",
        parked=("thin_event",),
    ),
    "an account of nobody, named as until 2013": Case(
        [told("charge.succeeded", charge(), user_id="acct_nobody")], clearing="0", parked=("unmapped:stripe_account",)
    ),
    "an account that is named in a way nobody knows": Case(
        [told("charge.succeeded", charge(), context={"type": "account"})], clearing="0", parked=("wrong_type",)
    ),
    "a thin event of an account": Case(
        [told("v2.core.account[requirements].updated", {}, related_object={"id": "acct_1"}, **THIN)],
        clearing="0",
        entries={},
    ),
    "a payment intent alone": Case(
        [told("payment_intent.succeeded", INTENT)], clearing="0", parked=("prerequisite:stripe:charge:ch_1",)
    ),
    "a charge of 2012 tells its fee itself": Case(
        [
            told(
                "charge.succeeded",
                held(
                    "charge",
                    "ch_1",
                    amount=3000,
                    amount_refunded=0,
                    paid=True,
                    refunded=False,
                    fee=117,
                    fee_details=[{"amount": 117, "currency": "usd", "type": "stripe_fee"}],
                ),
            )
        ],
        invoiced="30.00",
        clearing="28.83",
        entries={"processing_fees": "1.17", "stripe_clearing": "-1.17"},
    ),
    "a currency of its time": Case(
        [told("charge.succeeded", charge(amount=5150, amount_captured=5150, currency="bgn"), created=1_762_941_601)],
        invoiced="51.50",
        clearing="51.50",
        entries={},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case_from_the_field_ends_with_the_right_figures(name: str) -> None:
    case = CASES[name]
    lines, refused = planned(case)
    reasons = [*refused, *(line["reason"] for line in lines if line["kind"] == "parked")]
    if case.parked:
        assert [reason.startswith(case.parked) for reason in reasons] == [True], reasons
    else:
        assert reasons == []
    invoiced, clearing, entries = figures(lines)
    assert (invoiced, clearing) == (Decimal(case.invoiced), Decimal(case.clearing))
    if case.entries is not None:
        assert entries == {role: Decimal(amount) for role, amount in case.entries.items()}


def test_a_test_at_the_books_of_real_money_is_left_out_and_said() -> None:
    found = normalise(told("charge.succeeded", charge(livemode=False), livemode=False), NormaliseContext())
    assert (found.events, found.ignored) == ((), "test_mode")


def planned(case: Case) -> tuple[list[dict[str, Any]], list[str]]:
    """The lines of `relay plan`, one an external id, and why what was refused is kept."""
    events, refused = [], []
    for payload in case.events:
        try:
            events += [encode(event) for event in normalise(payload, NormaliseContext()).events]
        except Rejected as rejected:
            refused.append(rejected.reason)
    written = [line for line in plan_lines(events, case.books or sample_books()) if isinstance(line, dict)]
    return list({(line["kind"], line["external_id"]): line for line in written}.values()), refused


def figures(lines: Sequence[Mapping[str, Any]]) -> tuple[Decimal, Decimal, dict[str, Decimal]]:
    """What is invoiced; what reaches clearing by payments and entries; and the roles of entries that are not zero."""
    invoiced, received = (_total(lines, kind) for kind in ("invoice", "payment"))
    roles: dict[str, Decimal] = {}
    for line in (part for entry in lines if entry["kind"] == "entry" for part in entry["lines"]):
        net = Decimal(line.get("debit", 0)) - Decimal(line.get("credit", 0))
        roles[line["role"]] = roles.get(line["role"], Decimal(0)) + net
    clearing = received + roles.get("stripe_clearing", Decimal(0))
    return invoiced, clearing, {role: net for role, net in roles.items() if net}


def _total(lines: Sequence[Mapping[str, Any]], kind: str) -> Decimal:
    return sum((Decimal(line["total"]) for line in lines if line["kind"] == kind), Decimal(0))
