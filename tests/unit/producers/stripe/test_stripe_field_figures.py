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
from tests.unit.producers.made import Json, charge, payout, refund, stripe_event, transaction
from workers.books.books import Books, sample_books


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


POUNDS = sample_books().model_copy(update={"base_currency": "GBP"})

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
