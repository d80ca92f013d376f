"""Stripe Clearing returns to 0.00 with each settled automatic payout, whatever moved the balance before it."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from ops.standing.payout_proof import judge, units_of_payout
from producers.normalising import NormaliseContext
from producers.reading.fields import Fields
from producers.stripe.balance import transaction
from producers.stripe.payout_lists import items, payout
from schemas.envelope import Event
from schemas.sales import BalanceMoved
from store.claims import WriteRow
from tests.fakes import NOON
from tests.unit.ops.standing.balances import Balance, balances
from workers.books.books import ProcessorTable, sample_books
from workers.plans import plan
from workers.plans.writes import AnyWrite, ContactWrite, EntryWrite, InvoiceWrite, PaymentWrite
from workers.sales.exchange import PAID, ExchangeBook

MOVES = {"adjustment": "processing_fees", "other": "processing_fees"}
BOOKS = sample_books().model_copy(
    update={"base_currency": "GBP", "processors": {"stripe": ProcessorTable(moves=MOVES)}}
)
CONTEXT = NormaliseContext(company="main")


@dataclass(slots=True)
class Ledger:
    """What is in the books, each external id once, as the inbox and Solid would have it."""

    rows: dict[str, WriteRow] = field(default_factory=dict)
    balances: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    async def trace(self, text: str) -> list[WriteRow]:
        """See `Inbox.trace`."""
        return [self.rows[text]] if text in self.rows else []

    def tell(self, event: Event) -> None:
        """Book an event as a worker does."""
        completed = asyncio.run(
            ExchangeBook(inbox=self, books=BOOKS, company="main").complete(plan(event, BOOKS), event)
        )
        for write in completed.writes:
            known = self.rows.get(write.external_id)
            assert known is None or known.payload_hash == write.payload_hash, f"conflict: {write.external_id}"
            if known is None:
                self.rows[write.external_id] = _row(write, event)
                self._post(write)

    def _post(self, write: AnyWrite) -> None:
        assert write.currency == "GBP"
        match write:
            case EntryWrite(lines=lines):
                for line in lines:
                    self.balances[line.role] += (line.debit or Decimal(0)) - (line.credit or Decimal(0))
            case InvoiceWrite(total=total, role=role):
                self.balances["receivable"] += total
                self.balances[role] -= total
            case PaymentWrite(total=total, role=role):
                self.balances[role] += total
                self.balances["receivable"] -= total
            case ContactWrite():
                pass


def _row(write: AnyWrite, event: Event) -> WriteRow:
    paid = {PAID: str(write.paid)} if isinstance(write, PaymentWrite) and write.paid else {}
    return WriteRow(
        company="main",
        external_id=write.external_id,
        kind=write.kind,
        payload_hash=write.payload_hash,
        state="applied",
        epoch=1,
        owner=None,
        lease_until=None,
        doubt_since=None,
        was_unknown=False,
        adopted=False,
        solid_id="s-1",
        error_code=None,
        error_message=None,
        event_source=event.source,
        event_id=event.id,
        event_type=event.type,
        subject=event.subject,
        group_key=None,
        amount=write.amount,
        currency=write.currency,
        created_at=NOON,
        updated_at=NOON,
        about=paid,
    )


def events_of(documents: Sequence[dict[str, object]]) -> list[Event]:
    return [event for document in documents for event in transaction(Fields(document), CONTEXT).events]


@given(balances())
def test_clearing_is_nothing_after_each_settled_payout_and_every_payout_is_proven(balance: Balance) -> None:
    ledger, done = Ledger(), 0
    for paid, belongs in balance.payouts:
        upto = balance.transactions.index(belongs[-1]) + 1
        for event in events_of(balance.transactions[done:upto]):
            ledger.tell(event)
        done = upto
        assert ledger.balances["stripe_clearing"] == 0, paid["id"]
        assert sum(ledger.balances.values()) == 0
        assert ledger.balances["receivable"] == 0
        kept = payout(Fields(paid))
        listed = items([(Fields(each), transaction(Fields(each), CONTEXT)) for each in belongs], paid["id"])
        applied = frozenset(ledger.rows)
        bank = (ledger.rows[kept.fact].amount or Decimal(0)).copy_sign(kept.amount)
        assert judge(kept, listed, applied=applied, bank=bank).state == "proven"
        assert frozenset(units_of_payout(kept, listed)) & applied


@given(balances())
def test_what_is_told_again_in_any_order_changes_nothing(balance: Balance) -> None:
    ledger = Ledger()
    told = events_of(balance.transactions)
    for event in told:
        ledger.tell(event)
    before = dict(ledger.balances)
    for event in reversed(told):
        ledger.tell(event)
    assert ledger.balances == before


def without_settlement(event: Event) -> Event:
    """What a webhook tells of it, with no more than the id of the transaction."""
    if isinstance(event.data, BalanceMoved) or getattr(event.data, "settlement", None) is None:
        return event
    return event.model_copy(update={"data": event.data.model_copy(update={"settlement": None})})


@given(balances())
def test_what_was_told_before_without_its_transaction_is_the_same_in_the_end(balance: Balance) -> None:
    once, twice = Ledger(), Ledger()
    for event in events_of(balance.transactions):
        once.tell(event)
        twice.tell(without_settlement(event))
        twice.tell(event)
    assert twice.balances == once.balances
    assert twice.rows.keys() == once.rows.keys()


def test_an_instant_payout_costs_its_fee_beside_what_reaches_the_bank() -> None:
    balance, ledger = Balance(), Ledger()
    balance.charge(10_000, 0, dollars=None)
    balance.pay_out()
    instant = balance.transactions[-1] | {"amount": -9900, "fee": 100, "fee_details": [], "net": -10_000}
    instant["source"] = instant["source"] | {"amount": 9900, "automatic": False, "method": "instant"}
    for event in events_of([balance.transactions[0], instant]):
        ledger.tell(event)
    found = {role: ledger.balances[role] for role in ("bank", "processing_fees", "stripe_clearing")}
    assert found == {"bank": Decimal(99), "processing_fees": Decimal(1), "stripe_clearing": Decimal(0)}


@given(balances(), st.data())
def test_a_transaction_that_nobody_told_is_missing_by_its_name(balance: Balance, data: st.DataObject) -> None:
    assume(balance.payouts)
    paid, belongs = data.draw(st.sampled_from(balance.payouts))
    candidates = [each for each in belongs[:-1] if each["net"]]
    assume(candidates)
    lost = data.draw(st.sampled_from(candidates))
    ledger = Ledger()
    for event in events_of([each for each in balance.transactions if each is not lost]):
        ledger.tell(event)
    kept = payout(Fields(paid))
    listed = items([(Fields(each), transaction(Fields(each), CONTEXT)) for each in belongs], paid["id"])
    proof = judge(kept, listed, applied=frozenset(ledger.rows), bank=kept.amount)
    assert (proof.state, [each.transaction for each in proof.lacking]) == ("missing", [lost["id"]])
    assert proof.lacking[0].net == Decimal(lost["net"]).scaleb(-2)
