"""The traffic: as many events as asked for, balanced before anything is sent, and what the relay's plans say too."""

import json
from collections import Counter, defaultdict
from decimal import Decimal
from importlib import resources

import pytest

from demo.story import Story
from faults.traffic import AGAIN_SHARE, write_traffic
from producers.normalising import NormaliseContext, Rejected
from producers.sources import SOURCES
from workers.books.books import load_books
from workers.plans import plan
from workers.plans.writes import EntryWrite, Parked

EVENTS = 600


@pytest.fixture(scope="module")
def story() -> Story:
    return write_traffic(EVENTS, 1)


def test_the_same_seed_writes_the_same_traffic() -> None:
    assert write_traffic(60, 7) == write_traffic(60, 7)
    assert write_traffic(60, 7).posts != write_traffic(60, 8).posts


@pytest.mark.parametrize("events", [20, 21, 22, 23, 120])
def test_there_are_exactly_as_many_events_as_asked_for(events: int) -> None:
    for seed in range(10):
        first = [post for post in write_traffic(events, seed).posts if not post.again]
        assert len({post.event for post in first}) == len(first) == events


def test_a_share_is_sent_twice_byte_for_byte(story: Story) -> None:
    first = {post.event: post.body for post in story.posts if not post.again}
    again = [post for post in story.posts if post.again]
    assert len(again) == round(EVENTS * AGAIN_SHARE)
    assert all(first[post.event] == post.body for post in again)


def test_something_of_everything_happens(story: Story) -> None:
    assert set(Counter(post.type for post in story.posts)) == {
        "charge.succeeded", "charge.refunded", "refund.created", "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated", "charge.dispute.closed", "payout.paid", "payout.failed",
        "customer.subscription.updated", "payment_intent.succeeded", "invoice.paid",
    }  # fmt: skip
    assert {fact.fate for fact in story.facts.values()} == {"applied", "parked", "dead"}


def test_some_events_come_out_of_order(story: Story) -> None:
    created = [json.loads(post.body)["created"] for post in story.posts if not post.again]
    assert created != sorted(created)


def test_every_expected_record_balances(story: Story) -> None:
    for record in story.records.values():
        assert sum(posting.amount for posting in record.postings) == 0


def test_no_charge_is_refunded_by_more_than_it_was(story: Story) -> None:
    charged, refunded = dict[str, int](), defaultdict[str, dict[str, int]](dict)
    for post in story.posts:
        thing = json.loads(post.body)["data"]["object"]
        if post.type == "charge.succeeded":
            charged[thing["id"]] = thing["amount"]
        if post.type == "refund.created":
            refunded[thing["charge"]][thing["id"]] = thing["amount"]
        if post.type == "charge.refunded":
            refunded[thing["id"]] |= {refund["id"]: refund["amount"] for refund in thing["refunds"]["data"]}
    assert refunded
    assert all(sum(parts.values()) <= charged[charge] for charge, parts in refunded.items())


def test_the_expectations_are_what_the_relay_plans(story: Story) -> None:
    """Two accounts of the same events that share no code; where they differ, one of them is wrong."""
    with resources.as_file(resources.files("demo").joinpath("books.toml")) as path:
        books = load_books(path)
    planned: dict[str, set[tuple[str, str]]] = defaultdict(set)
    totals: dict[str, Decimal] = {}
    for post in story.posts:
        try:
            events = SOURCES["stripe"].normalise(post.body, NormaliseContext(company="main", mode="test")).events
            writes = [write for event in events for write in plan(event, books).writes]
        except (Rejected, Parked):
            assert story.facts[str(post.fact)].fate != "applied"
            continue
        if post.fact is None:  # what it tells of is told, and expected, as another fact
            assert {write.external_id for write in writes} <= {external_id for _, external_id in story.records}
            continue
        for write in writes:
            planned[str(post.fact)].add((write.kind, write.external_id))
            if isinstance(write, EntryWrite):
                totals[write.external_id] = sum((line.debit or Decimal(0) for line in write.lines), Decimal(0))
            elif write.amount is not None:
                totals[write.external_id] = write.amount
    known = {(record.kind, external_id) for (_, external_id), record in story.records.items()}
    for name, fact in story.facts.items():
        own = {(record.kind, record.external_id) for record in fact.records}
        assert own <= planned.get(name, set())
        assert planned.get(name, set()) - own <= known, "what else an event tells is expected of another"
    for (_, external_id), record in story.records.items():
        debit = sum((posting.amount for posting in record.postings if posting.amount > 0), Decimal(0))
        assert totals.get(external_id, Decimal(0)) == debit
