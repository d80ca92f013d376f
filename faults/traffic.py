"""The events of a campaign and what they must leave in the books. The same number and seed give the same ones.

The events are Stripe's own, as `demo.documents` makes them from real files. The expectations are written down as the
events are made, from the same figures, in plain accounting; `docs/postings.md` explains the entries.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from demo import documents
from demo.documents import Body, Buyer, Charge, Refund, stripe_id
from demo.facts import ExpectedRecord, Fact, Fate, Posting
from demo.story import CLEARING, DISPUTE_FEE_CENTS, DISPUTED_CENTS, WITH_FEE_CENTS, Post, Story

AGAIN_SHARE: Final = 0.3
AGAIN_WITHIN: Final = 40.0
"""How many events later, at most, an event is sent a second time."""

REORDER_WITHIN: Final = 6.0
"""How many places an event may come too early or too late."""

STARTS_AT: Final = 1_750_000_000
SECONDS_BETWEEN_EVENTS: Final = 1_800
"""The traffic is of many days, as a look-up by date reads a whole day."""

EVENTS_PER_TROUBLE: Final = 250
EVENTS_PER_BUYER: Final = 12


def write_traffic(events: int, seed: int) -> Story:
    """Make exactly so many Stripe events, in the order in which they are posted, some of them twice."""
    writing = _Writing(random.Random(f"{seed}/traffic"), most=events)  # noqa: S311 - a campaign, not a secret
    buyers = _buyers(max(events // EVENTS_PER_BUYER, 3))
    for number in range(max(events // EVENTS_PER_TROUBLE, 1)):
        _trouble(writing, at=writing.chance.uniform(0, events), in_yen=number % 2 == 0)
    bundles, weights = zip(*_BUNDLES, strict=True)
    while writing.room:
        writing.chance.choices(bundles, weights)[0](writing, buyers)
    _repeat(writing)
    return Story(tuple(post for _, post in sorted(writing.sent, key=lambda pair: pair[0])), writing.facts)


@dataclass(slots=True)
class _Writing:
    """The traffic while it is written: what is sent, each at its place, and what must come of it."""

    chance: random.Random
    most: int
    sent: list[tuple[float, Post]] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)
    things: int = 0

    @property
    def room(self) -> int:
        """How many events may still be sent."""
        return self.most - len(self.sent)

    @property
    def place(self) -> float:
        """Where the next event belongs, were nothing ever reordered."""
        return float(len(self.sent))

    def id(self, prefix: str) -> str:
        """An id that nothing else has."""
        self.things += 1
        return stripe_id(prefix, self.things)

    def event(self) -> str:
        """The id of the next event."""
        return stripe_id("evt", len(self.sent) + 1)

    def send(self, at: float, body: Body, fact: str | None) -> None:
        """Send an event at about a place in the order."""
        body["created"] = STARTS_AT + max(round(at), 0) * SECONDS_BETWEEN_EVENTS
        if "arrival_date" in body["data"]["object"]:
            body["data"]["object"]["arrival_date"] = body["created"]
        at += self.chance.uniform(-REORDER_WITHIN, REORDER_WITHIN)
        self.sent.append((at, Post(body["id"], body["type"], fact, json.dumps(body).encode())))

    def expect(self, name: str, *records: ExpectedRecord, fate: Fate = "applied") -> str:
        """Write down what a fact must leave in the books; returns its name."""
        self.facts[name] = Fact(name, fate, records)
        return name

    def entry(self, name: str, what: str, **cents: int) -> str:
        """Expect a fact that leaves one journal entry; the keywords are the accounts' names with `_` for a space."""
        by_account = {account.replace("_", " "): amount for account, amount in cents.items()}
        return self.expect(name, _record("entry", name, what, by_account))


def _sale(writing: _Writing, buyers: Sequence[Buyer], cents: int | None = None) -> Charge:
    """A sale; every third to a passer-by."""
    buyer = None if writing.chance.random() < 1 / 3 else writing.chance.choice(buyers)
    cents = writing.chance.randrange(100, 50_000) if cents is None else cents
    charge = Charge(writing.id("ch"), cents, buyer=buyer)
    fact = writing.expect(f"stripe:charge:{charge.id}", *_sold(charge))
    writing.send(writing.place, documents.charge_succeeded(writing.event(), charge), fact)
    return charge


def _sale_with_fee(writing: _Writing, buyers: Sequence[Buyer]) -> None:
    """A sale whose balance transaction tells Stripe's fee."""
    cents, fee = WITH_FEE_CENTS
    charge = Charge(writing.id("ch"), cents, buyer=writing.chance.choice(buyers))
    name = f"stripe:charge:{charge.id}"
    taken = _record("entry", f"{name}:fee", "Stripe fees", {"Stripe Fees": fee, CLEARING: -fee})
    fact = writing.expect(name, *_sold(charge), taken)
    assert charge.buyer is not None  # noqa: S101 - given above
    writing.send(writing.place, documents.charge_with_fee(writing.event(), charge.id, charge.buyer), fact)


def _sale_told_thrice(writing: _Writing, buyers: Sequence[Buyer]) -> None:
    """A sale, and again as its payment intent and its invoice, which must leave nothing of their own."""
    charge = _sale(writing, buyers)
    for tell in (documents.payment_intent_succeeded, documents.invoice_paid):
        if writing.room:
            writing.send(writing.place, tell(writing.event(), charge), None)


def _refunded_sale(writing: _Writing, buyers: Sequence[Buyer]) -> None:
    """A sale and up to three refunds of parts of it, each told in one way or in both, a few before the sale."""
    charge = _sale(writing, buyers)
    left, before = int(charge.amount), list[Refund]()
    for _ in range(writing.chance.randint(1, 3)):
        cents = writing.chance.randint(1, left)
        refund = Refund(writing.id("re"), charge, cents)
        told: Sequence[str] = writing.chance.choice((("both", "alone"), ("alone", "both"), ("both",), ("alone",)))
        told = told[: writing.room]
        if not told:
            return
        name = f"stripe:refund:{refund.id}"
        fact = writing.entry(name, "refunds", Sales_Returns=cents, Stripe_Clearing=-cents)
        later = -8.0 if writing.chance.random() < 0.15 else writing.chance.uniform(0, 25)  # noqa: PLR2004 - a few
        for way in told:
            body = (
                documents.charge_refunded(writing.event(), refund, before=before)
                if way == "both"
                else documents.refund_created(writing.event(), refund)
            )
            writing.send(writing.place + later, body, fact)
        before.insert(0, refund)
        left -= cents
        if not left:
            return


def _disputed_sale(writing: _Writing, buyers: Sequence[Buyer]) -> None:
    """A sale whose buyer disputes it; the dispute is won, lost, or still open."""
    charge, dispute = _sale(writing, buyers, DISPUTED_CENTS), writing.id("dp")
    name, cents, fee = f"stripe:dispute:{dispute}", DISPUTED_CENTS, DISPUTE_FEE_CENTS
    if not writing.room:
        return
    taken = {"Disputes_Receivable": cents, "Dispute_Fees": fee, "Stripe_Clearing": -cents - fee}
    body = documents.funds_withdrawn(writing.event(), dispute, charge.id)
    writing.send(writing.place + 5, body, writing.entry(f"{name}:withdrawn", "disputes", **taken))
    end = writing.chance.choice(("won", "lost", "open"))
    if end == "open" or not writing.room:
        return
    if end == "won":
        fact = writing.entry(f"{name}:reinstated", "disputes", Stripe_Clearing=cents, Disputes_Receivable=-cents)
        body = documents.funds_reinstated(writing.event(), dispute, charge.id)
    else:
        fact = writing.entry(f"{name}:lost", "disputes", Chargeback_Losses=cents, Disputes_Receivable=-cents)
        body = documents.funds_withdrawn(writing.event(), dispute, charge.id) | {"type": "charge.dispute.closed"}
        body["data"]["object"]["status"] = "lost"
    writing.send(writing.place + 12, body, fact)


def _payout(writing: _Writing, buyers: Sequence[Buyer]) -> None:
    """A payout; every fourth is sent back by the bank."""
    del buyers
    payout, cents = writing.id("po"), writing.chance.randrange(1_000, 400_000)
    name = f"stripe:payout:{payout}"
    fact = writing.entry(name, "payouts", Checking=cents, Stripe_Clearing=-cents)
    writing.send(writing.place, documents.payout_paid(writing.event(), payout, cents), fact)
    if writing.chance.random() < 1 / 4 and writing.room:
        fact = writing.entry(f"{name}:failed", "payouts", Stripe_Clearing=cents, Checking=-cents)
        body = documents.payout_paid(writing.event(), payout, cents) | {"type": "payout.failed"}
        body["data"]["object"]["status"] = "failed"
        writing.send(writing.place + 10, body, fact)


def _subscription(writing: _Writing, buyers: Sequence[Buyer]) -> None:
    """A subscription changes: no money moves."""
    buyer = writing.chance.choice(buyers)
    body = documents.subscription_updated(writing.event(), writing.id("sub"), buyer.id)
    writing.send(writing.place, body, None)


_BUNDLES: Final[Sequence[tuple[Callable[[_Writing, Sequence[Buyer]], object], int]]] = (
    (_sale, 10),
    (_sale_with_fee, 2),
    (_sale_told_thrice, 1),
    (_refunded_sale, 6),
    (_disputed_sale, 2),
    (_payout, 2),
    (_subscription, 2),
)
"""What happens, by how often."""


def _trouble(writing: _Writing, *, at: float, in_yen: bool) -> None:
    """What must come before a person: a sale in yen, as the books are in dollars, or one of half a cent."""
    currency, amount = ("jpy", 5_000) if in_yen else ("usd", 10.5)
    charge = Charge(writing.id("ch"), amount, currency)
    fact = writing.expect(f"stripe:charge:{charge.id}", fate="parked" if in_yen else "dead")
    tell = documents.charge_in_yen if in_yen else documents.charge_succeeded
    writing.send(at, tell(writing.event(), charge), fact)


def _repeat(writing: _Writing) -> None:
    """Send a share of all once more: at once, or a good while later."""
    for at, post in writing.chance.sample(writing.sent, round(len(writing.sent) * AGAIN_SHARE)):
        writing.sent.append((at + writing.chance.uniform(0, AGAIN_WITHIN), replace(post, again=True)))


def _sold(charge: Charge) -> tuple[ExpectedRecord, ...]:
    cents, name = int(charge.amount), f"stripe:charge:{charge.id}"
    contact = f"stripe:customer:{charge.buyer.id}" if charge.buyer else "stripe:walk-in"
    return (
        _record("contact", contact, "contacts", {}),
        _record("invoice", f"{name}:invoice", "sales", {"Accounts Receivable": cents, "Sales Income": -cents}),
        _record("payment", f"{name}:payment", "sales", {CLEARING: cents, "Accounts Receivable": -cents}),
    )


def _buyers(count: int) -> list[Buyer]:
    return [
        Buyer(stripe_id("cus", number), f"Buyer {number:04d}", f"buyer{number}@example.com")
        for number in range(1, count + 1)
    ]


def _record(kind: str, external_id: str, what: str, cents: Mapping[str, int]) -> ExpectedRecord:
    postings = tuple(Posting(account, Decimal(amount) / 100) for account, amount in cents.items())
    return ExpectedRecord(kind, external_id, what, postings)
