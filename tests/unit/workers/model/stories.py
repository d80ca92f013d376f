"""Made-up sales as events, in the order in which they happened. The same chance tells the same story.

A fact is often told twice: by another event, at another time, with or without its balance transaction, or under
another name of the customer. Some are in euros, which the books take only where the settlement says dollars.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

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

BEGINS: Final = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
OPENED: Final = date(2026, 4, 1)
NAMES: Final = ("Ada", "Ada Lovelace", "Brook & Sons", None)
EUR_IN_USD: Final = Decimal("1.10")

Late = Literal["hold", "first_open_day"]


@dataclass(slots=True)
class Story:
    """Events in the order in which they happened, and whether the books are open on their days."""

    chance: random.Random
    open_from: date | None
    late: Late | None
    events: list[Event] = field(default_factory=list)

    def say(self, data: EventData, about: str) -> None:
        """Add an event; each is at most a day after the one before."""
        time = BEGINS + timedelta(hours=6 * len(self.events))
        event = Event.of(
            data,
            id=f"evt_{len(self.events) + 1}",
            source="/webhooks/stripe",
            time=time,
            subject=about,
            partitionkey=about,
        )
        self.events.append(event)

    def sometimes(self, share: float = 0.5) -> bool:
        """Toss a coin."""
        return self.chance.random() < share

    def cents(self, least: int = 1, most: int = 50_000) -> Decimal:
        """Give an amount."""
        return Decimal(self.chance.randint(least, most)) / 100


def tell(chance: random.Random) -> Story:
    """Tell a story of a few sales, disputes, payouts and subscriptions."""
    open_from = OPENED if chance.random() < 1 / 3 else None
    story = Story(chance, open_from, chance.choice(("hold", "first_open_day")) if open_from else None)
    for number in range(1, chance.randint(1, 3) + 1):
        _sale(story, number)
    for number in range(1, chance.randint(0, 2) + 1):
        _dispute(story, number)
    for number in range(1, chance.randint(0, 2) + 1):
        _payout(story, number)
    if story.sometimes():
        data = SubscriptionUpdated(fact="stripe:subscription:sub_1:evt", subscription="sub_1")
        story.say(data, "sub_1")
    return story


def _sale(story: Story, number: int) -> None:
    """A sale, told once or twice, and what is refunded of it."""
    charge, currency = f"ch_{number}", "EUR" if story.sometimes(0.25) else "USD"
    amount = Money.of(story.cents(200), currency)
    customer = f"cus_{story.chance.randint(1, 2)}" if story.sometimes(0.7) else None
    settlement = _settled(story, charge, amount, sign=1)
    for _ in range(story.chance.randint(1, 2)):
        who = Customer(id=customer, name=story.chance.choice(NAMES)) if customer else None
        data = PaymentSucceeded(
            fact=f"stripe:charge:{charge}",
            charge=charge,
            customer=who,
            amount=amount,
            settlement=settlement if story.sometimes() else None,
        )
        story.say(data, charge)
    left = amount.amount
    for part in range(1, story.chance.randint(0, 3) + 1):
        refunded = min(left, story.cents(1, 10_000))
        if refunded > 0:
            left -= refunded
            _refund(story, f"{number}_{part}", charge, Money.of(refunded, currency), amount.amount - left)


def _refund(story: Story, name: str, charge: str, amount: Money, total: Decimal) -> None:
    """A refund, told by its own event, by the charge's, by a sum, or by several; now and then it fails."""
    refund = f"re_{name}"
    settlement = _settled(story, refund, amount, sign=-1)
    known = charge if story.sometimes(0.9) else None
    for _ in range(story.chance.randint(1, 2)):
        data = PaymentRefunded(
            fact=f"stripe:refund:{refund}",
            charge=known,
            refund=refund,
            amount=amount,
            settlement=settlement if story.sometimes() else None,
        )
        story.say(data, refund)
    if story.sometimes(0.3):
        summed = Money.of(total, amount.currency)
        fact = f"stripe:refunded:{charge}:{total * 100:.0f}"
        story.say(PaymentRefunded(fact=fact, charge=charge, amount=amount, refunded_total=summed), charge)
    if story.sometimes(0.3):
        back = _settled(story, f"{refund}_back", amount, sign=1)
        fact = f"stripe:refund:{refund}:failed"
        story.say(
            RefundFailed(
                fact=fact, of=f"stripe:refund:{refund}", charge=charge, refund=refund, amount=amount, settlement=back
            ),
            refund,
        )


def _dispute(story: Story, number: int) -> None:
    """A dispute that is won, lost, or open still; each told once or twice."""
    dispute, fact = f"dp_{number}", f"stripe:dispute:dp_{number}"
    amount, fee, tax = (Money.of(story.cents(), "USD") for _ in range(3))
    end = story.chance.choice(("won", "lost", "open"))
    for _ in range(story.chance.randint(1, 2)):
        data = DisputeOpened(fact=f"{fact}:withdrawn", dispute=dispute, amount=amount, fee=fee, fee_tax=tax)
        story.say(data, dispute)
    for _ in range(story.chance.randint(1, 2)):
        if end == "won":
            none = Money.zero("USD")
            won = DisputeWon(
                fact=f"{fact}:reinstated",
                of=f"{fact}:withdrawn",
                dispute=dispute,
                amount=amount,
                fee=none,
                fee_tax=none,
            )
            story.say(won, dispute)
        if end == "lost":
            story.say(DisputeLost(fact=f"{fact}:lost", of=f"{fact}:withdrawn", dispute=dispute, amount=amount), dispute)


def _payout(story: Story, number: int) -> None:
    """A payout, or money that Stripe takes from the bank; it may come back."""
    payout, fact = f"po_{number}", f"stripe:payout:po_{number}"
    sign = 1 if story.sometimes(0.8) else -1
    amount = Money.of(sign * story.cents(), "USD")
    settlement = _settled(story, payout, amount, sign=-1)
    arrives = (BEGINS + timedelta(days=story.chance.randint(0, 6))).date()
    for _ in range(story.chance.randint(1, 2)):
        told = settlement if story.sometimes() else None
        story.say(PayoutPaid(fact=fact, payout=payout, amount=amount, arrival_date=arrives, settlement=told), payout)
    if story.sometimes(0.4):
        data = PayoutFailed(fact=f"{fact}:failed", of=fact, payout=payout, amount=amount, arrival_date=arrives)
        story.say(data, payout)


def _settled(story: Story, name: str, amount: Money, *, sign: int) -> Settlement:
    """What the balance saw of it, in dollars, with a fee and perhaps a tax on that."""
    dollars = amount.amount if amount.currency == "USD" else round(amount.amount * EUR_IN_USD, 2)
    gross, fee = Money.of(sign * dollars, "USD"), Money.of(story.cents(0, 500), "USD")
    tax = Money.of(story.cents(1, 100), "USD") if story.sometimes(0.3) else Money.zero("USD")
    return Settlement(balance_transaction=f"txn_{name}", gross=gross, fee=fee, fee_tax=tax, net=gross - fee - tax)
