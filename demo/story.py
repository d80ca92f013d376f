"""The events that are sent, in their order, and what they must leave in the books. The same seed tells the same story.

The expectations are written down here as the events are made, from the same figures, in plain accounting: none of the
relay's code is asked. `docs/postings.md` explains the entries; the accounts are those of `demo/books.toml`.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from demo import documents
from demo.documents import Body, Buyer, Charge, Refund, stripe_id
from demo.facts import ExpectedRecord, Fact, Fate, Posting

CLEARING: Final = "Stripe Clearing"
SALES: Final = 27
DISPUTED: Final = 6
DISPUTED_CENTS: Final = 25_000
DISPUTE_FEE_CENTS: Final = 1_500
WITH_FEE_CENTS: Final = (2_000, 88)

_NAMES: Final = (
    "Ada Quill",
    "Brook & Sons",
    "Carmen Ruiz",
    "Delta Bikes",
    "Émile Noël",
    "Fenwick Ltd.",
    "Grete O'Hara",
)


@dataclass(frozen=True, slots=True)
class Post:
    """One webhook as it is sent. `fact` is what it tells of, None when it must leave nothing anywhere."""

    event: str
    type: str
    fact: str | None
    body: bytes
    again: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that is sent, in order, and everything that must come of it."""

    posts: tuple[Post, ...]
    facts: Mapping[str, Fact]

    @property
    def records(self) -> dict[tuple[str, str], ExpectedRecord]:
        """What must be in the books, by kind and external id."""
        wanted = (record for fact in self.facts.values() for record in fact.records)
        return {(record.kind, record.external_id): record for record in wanted}

    @property
    def fact_of_event(self) -> dict[str, str]:
        """Which fact a Stripe event tells of."""
        return {post.event: post.fact for post in self.posts if post.fact is not None}


@dataclass(frozen=True, slots=True)
class _RefundPlan:
    """Which sale is refunded by how much of it, told in which ways, and how far from the sale (before: negative)."""

    sale: int
    part: Decimal
    ways: tuple[str, ...]
    after: float


_REFUNDS: Final = (
    _RefundPlan(1, Decimal(1), ("charge.refunded",), 4.5),
    _RefundPlan(3, Decimal("0.25"), ("charge.refunded",), 2.5),
    _RefundPlan(3, Decimal("0.5"), ("charge.refunded",), 7.5),
    _RefundPlan(7, Decimal("0.5"), ("charge.refunded", "refund.created"), 3.5),
    _RefundPlan(9, Decimal(1), ("refund.created", "charge.refunded"), -3.5),
    _RefundPlan(12, Decimal("0.3"), ("refund.created",), -2.5),
    _RefundPlan(15, Decimal(1), ("charge.refunded",), -4.5),
    _RefundPlan(18, Decimal("0.6"), ("refund.created",), 2.5),
)


def tell(seed: int = 41) -> Story:
    """The whole story. `seed` decides amounts, buyers and what is sent twice: by 41, something of every kind."""
    writing = _Writing(random.Random(seed))  # noqa: S311 - a story, not a secret
    _sell(writing)
    _refund(writing)
    _dispute(writing)
    _pay_out(writing)
    _mention(writing)
    _trip(writing)
    _repeat(writing)
    return Story(tuple(post for _, post in sorted(writing.sent, key=lambda pair: pair[0])), writing.facts)


def forge(post: Post) -> Post:
    """The same post with another amount: its signature will not be Stripe's."""
    return replace(post, fact=None, body=post.body.replace(b'"amount": ', b'"amount": 9'))


@dataclass(slots=True)
class _Writing:
    """The story while it is written: what is sent, each at its place in the order, and what must come of it."""

    chance: random.Random
    sent: list[tuple[float, Post]] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)
    sales: list[Charge] = field(default_factory=list)

    def event(self) -> str:
        """The id of the next event."""
        return stripe_id("evt", len(self.sent) + 1)

    def send(self, at: float, body: Body, fact: str | None) -> None:
        """Send an event at a place in the order."""
        self.sent.append((at, Post(body["id"], body["type"], fact, json.dumps(body).encode())))

    def expect(self, name: str, *records: ExpectedRecord, fate: Fate = "applied") -> str:
        """Write down what a fact must leave in the books; returns its name."""
        self.facts[name] = Fact(name, fate, records)
        return name


def _sell(writing: _Writing) -> None:
    """Sales, every third to a passer-by, and one whose balance transaction tells Stripe's fee."""
    buyers = _buyers()
    for number in range(1, SALES + 1):
        buyer = None if number % 3 == 0 else writing.chance.choice(buyers)
        cents = DISPUTED_CENTS if number == DISPUTED else writing.chance.randrange(500, 24_000)
        charge = Charge(stripe_id("ch", number), cents, buyer=buyer)
        writing.sales.append(charge)
        fact = writing.expect(f"stripe:charge:{charge.id}", *_sale(charge))
        writing.send(number, documents.charge_succeeded(writing.event(), charge), fact)
    cents, fee = WITH_FEE_CENTS
    charge = Charge(stripe_id("ch", SALES + 1), cents, buyer=buyers[0])
    name = f"stripe:charge:{charge.id}"
    taken = _record("entry", f"{name}:fee", "Stripe fees", {"Stripe Fees": fee, CLEARING: -fee})
    fact = writing.expect(name, *_sale(charge), taken)
    writing.send(5.5, documents.charge_with_fee(writing.event(), charge.id, buyers[0]), fact)


def _sale(charge: Charge) -> tuple[ExpectedRecord, ...]:
    cents, name = int(charge.amount), f"stripe:charge:{charge.id}"
    contact = f"stripe:customer:{charge.buyer.id}" if charge.buyer else "stripe:walk-in"
    return (
        _record("contact", contact, "contacts", {}),
        _record("invoice", f"{name}:invoice", "sales", {"Accounts Receivable": cents, "Sales Income": -cents}),
        _record("payment", f"{name}:payment", "sales", {CLEARING: cents, "Accounts Receivable": -cents}),
    )


def _refund(writing: _Writing) -> None:
    """Refunds: whole and partial ones, some told twice in different ways, some before their sale."""
    done: dict[str, list[Refund]] = {}
    for number, plan in enumerate(_REFUNDS, start=1):
        charge = writing.sales[plan.sale - 1]
        cents = int(Decimal(charge.amount) * plan.part)
        refund = Refund(stripe_id("re", number), charge, cents)
        entry = _record("entry", f"stripe:refund:{refund.id}", "refunds", {"Sales Returns": cents, CLEARING: -cents})
        fact = writing.expect(entry.external_id, entry)
        before = done.setdefault(charge.id, [])
        for step, way in enumerate(plan.ways):
            event, at = writing.event(), plan.sale + plan.after + step * 1.2
            if way == "charge.refunded":
                writing.send(at, documents.charge_refunded(event, refund, before=before), fact)
            else:
                writing.send(at, documents.refund_created(event, refund), fact)
        before.insert(0, refund)


def _dispute(writing: _Writing) -> None:
    """A dispute that is won; the news of that comes first. Its fee is not given back."""
    dispute, charge = stripe_id("dp", 1), writing.sales[DISPUTED - 1].id
    cents, fee = DISPUTED_CENTS, DISPUTE_FEE_CENTS
    name = f"stripe:dispute:{dispute}"
    taken = {"Disputes Receivable": cents, "Dispute Fees": fee, CLEARING: -cents - fee}
    given = {CLEARING: cents, "Disputes Receivable": -cents}
    withdrawn = writing.expect(f"{name}:withdrawn", _record("entry", f"{name}:withdrawn", "disputes", taken))
    reinstated = writing.expect(f"{name}:reinstated", _record("entry", f"{name}:reinstated", "disputes", given))
    writing.send(DISPUTED + 6.5, documents.funds_reinstated(writing.event(), dispute, charge), reinstated)
    writing.send(DISPUTED + 8.5, documents.funds_withdrawn(writing.event(), dispute, charge), withdrawn)


def _pay_out(writing: _Writing) -> None:
    """Three payouts that take everything Stripe holds: Clearing ends at zero."""
    held = _cents_in_clearing(writing)
    first, second = held * 2 // 5, held // 3
    for number, cents in enumerate((first, second, held - first - second), start=1):
        payout = stripe_id("po", number)
        entry = _record("entry", f"stripe:payout:{payout}", "payouts", {"Checking": cents, CLEARING: -cents})
        fact = writing.expect(entry.external_id, entry)
        writing.send(number * 9.5, documents.payout_paid(writing.event(), payout, cents), fact)


def _cents_in_clearing(writing: _Writing) -> int:
    postings = (posting for fact in writing.facts.values() for record in fact.records for posting in record.postings)
    return int(sum(posting.amount for posting in postings if posting.account == CLEARING) * 100)


def _mention(writing: _Writing) -> None:
    """What moves no money, or tells of a sale that another event tells of: it must leave nothing."""
    for number, buyer in enumerate(_buyers()[:4], start=1):
        writing.send(number * 0.4, documents.customer_created(writing.event(), buyer), None)
    for number, buyer in enumerate(_buyers()[:2], start=1):
        body = documents.subscription_updated(writing.event(), stripe_id("sub", number), buyer.id)
        writing.send(number * 7.7, body, None)
    for number in (2, 10, 20):
        charge = writing.sales[number - 1]
        writing.send(number + 0.1, documents.payment_intent_succeeded(writing.event(), charge), None)
        writing.send(number - 0.1, documents.invoice_paid(writing.event(), charge), None)


def _trip(writing: _Writing) -> None:
    """What must come before a person: a sale in yen, as the books are in dollars, and half a cent."""
    for number, currency, amount in ((SALES + 2, "jpy", 5_000), (SALES + 3, "usd", 10.5)):
        charge = Charge(stripe_id("ch", number), amount, currency)
        fate: Fate = "parked" if currency == "jpy" else "dead"
        fact = writing.expect(f"stripe:charge:{charge.id}", fate=fate)
        tell = documents.charge_in_yen if currency == "jpy" else documents.charge_succeeded
        writing.send(number - 18, tell(writing.event(), charge), fact)


def _repeat(writing: _Writing) -> None:
    """A third of all is sent once more, a little later."""
    for at, post in writing.chance.sample(writing.sent, len(writing.sent) // 3):
        writing.sent.append((at + writing.chance.uniform(0.05, 8), replace(post, again=True)))


def _buyers() -> list[Buyer]:
    return [
        Buyer(stripe_id("cus", number), name, f"buyer{number}@example.com")
        for number, name in enumerate(_NAMES, start=1)
    ]


def _record(kind: str, external_id: str, what: str, cents: Mapping[str, int]) -> ExpectedRecord:
    postings = tuple(Posting(account, Decimal(amount) / 100) for account, amount in cents.items())
    return ExpectedRecord(kind, external_id, what, postings)
