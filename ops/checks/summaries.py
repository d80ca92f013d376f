"""Whether sales that share an entry will have one: what is listed of payouts, and what waits."""

from datetime import timedelta

from ops.checks.findings import Checklist
from ops.composing.workers import books_of, open_store
from runtime.clock import Clock
from runtime.settings import Settings
from store.inbox import Inbox
from store.sales.summaries import SummaryStore
from workers.books.sales import SalesPolicy


async def check_summaries(checklist: Checklist, settings: Settings, clock: Clock) -> None:
    """Say how sales are booked, where it is not each by itself. The books must be readable."""
    policy = books_of(settings).sales
    if policy.entries != "each":
        await checklist.look("sales", _sales(checklist, settings, clock, policy=policy))


async def _sales(checklist: Checklist, settings: Settings, clock: Clock, *, policy: SalesPolicy) -> str:
    async with open_store(settings) as engine:
        marks = Inbox(engine, owner="ops", lease=timedelta(seconds=1), clock=clock).marks
        store = SummaryStore(engine, clock, marks)
        listed, waiting = await store.any_listed(settings.company), await store.open_days(settings.company)
    if policy.entries == "payout" and not listed:
        checklist.note(
            "sales",
            'books.toml: [sales] entries = "payout", and no payout was listed yet: that takes a reading of Stripe with '
            f"a key (stripe.api_key_file). Until then sales wait; after {policy.unlisted_after_days} days they are "
            "booked by their day.",
        )
    return f"one entry a {policy.entries}; {sum(day.lines for day in waiting):,} lines wait for theirs"
