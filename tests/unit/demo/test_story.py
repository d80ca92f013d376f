"""The demo's story: always the same, made of the real files as they are, and balanced before anything is sent."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import demo
from demo.story import CLEARING, Story, forge, tell

DATA = Path(demo.__file__).with_name("data")


@pytest.fixture(scope="module")
def story() -> Story:
    return tell()


def test_the_data_files_are_as_they_were_published() -> None:
    lines = [line.split() for line in (DATA / "hashes.txt").read_text().splitlines()]
    listed = {name: digest for digest, name in lines}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in DATA.glob("*.json")}
    assert found == listed


def test_every_data_file_is_named_with_its_source_and_its_licence_is_there() -> None:
    source = (DATA / "SOURCE.txt").read_text()
    assert [path.name for path in DATA.glob("*.json") if path.name not in source] == []
    assert (DATA / "LICENSES.txt").read_text().count("Copyright (c)") == 2


def test_the_same_seed_tells_the_same_story() -> None:
    assert tell(7) == tell(7)
    assert tell(7).posts != tell(8).posts


def test_a_third_is_sent_twice_and_something_of_every_kind_that_counts(story: Story) -> None:
    first, again = [[post for post in story.posts if post.again is twice] for twice in (False, True)]
    assert 55 <= len(first) <= 65
    assert len(again) == len(first) // 3
    assert {post.body for post in again} <= {post.body for post in first}
    dead = {name for name, fact in story.facts.items() if fact.fate != "applied"}
    assert {post.type for post in first if post.fact and post.fact not in dead} <= {post.type for post in again}


def test_every_event_has_an_id_of_its_own(story: Story) -> None:
    first = [post for post in story.posts if not post.again]
    assert len({post.event for post in first}) == len(first)
    assert all(json.loads(post.body)["id"] == post.event for post in first)


def test_every_fact_is_told_by_an_event(story: Story) -> None:
    assert set(story.fact_of_event.values()) == set(story.facts)


def test_some_refunds_and_the_good_news_of_the_dispute_come_first(story: Story) -> None:
    at: dict[str, int] = {}
    for place, post in enumerate(story.posts):
        at.setdefault(post.fact or post.event, place)
    charges = {
        f"stripe:refund:{refund['id']}": f"stripe:charge:{refund['charge']}"
        for post in story.posts
        if "refund" in post.type
        for refund in _refunds(post.body)
    }
    assert len(charges) == 8
    assert sum(at[refund] < at[charge] for refund, charge in charges.items()) == 3
    dispute = "stripe:dispute:dp_00000000000001"
    assert at[f"{dispute}:reinstated"] < at[f"{dispute}:withdrawn"]


def test_a_refund_told_in_two_ways_is_one_fact(story: Story) -> None:
    ways = defaultdict(set)
    for post in story.posts:
        if post.fact and post.fact.startswith("stripe:refund:"):
            ways[post.fact].add(post.type)
    assert sum(len(types) == 2 for types in ways.values()) == 2


def test_no_charge_is_refunded_beyond_its_amount(story: Story) -> None:
    charges = [json.loads(post.body)["data"]["object"] for post in story.posts if post.type == "charge.refunded"]
    assert all(0 < charge["amount_refunded"] <= charge["amount"] for charge in charges)
    assert any(len(charge["refunds"]["data"]) == 2 for charge in charges)


def test_what_is_expected_balances_and_leaves_nothing_in_clearing(story: Story) -> None:
    sums: Counter[str] = Counter()
    for record in story.records.values():
        assert sum(posting.amount for posting in record.postings) == 0
        for posting in record.postings:
            sums[posting.account] += posting.amount  # type: ignore[assignment]  # a Counter of Decimals
    assert sums[CLEARING] == 0
    assert sums["Dispute Fees"] == Decimal("15.00")
    assert sums["Stripe Fees"] == Decimal("0.88")


def test_one_fact_waits_for_a_person_and_one_cannot_be_read(story: Story) -> None:
    assert Counter(fact.fate for fact in story.facts.values()) == {
        "applied": len(story.facts) - 2,
        "parked": 1,
        "dead": 1,
    }


@pytest.mark.parametrize(
    ("kind", "figure", "expected"),
    [
        ("charge.dispute.funds_withdrawn", lambda event: event["data"]["object"]["amount"], 25_000),
        ("payout.paid", lambda event: event["data"]["object"]["arrival_date"], 1_648_425_600),
        ("charge.succeeded", lambda event: event["api_version"], "2020-08-27"),
        ("charge.succeeded", lambda event: event["data"]["object"]["outcome"]["type"], "authorized"),
    ],
)
def test_all_but_ids_amounts_and_names_is_as_in_the_files(
    story: Story, kind: str, figure: Callable[[dict[str, object]], object], expected: object
) -> None:
    assert {figure(json.loads(post.body)) for post in story.posts if post.type == kind} == {expected}


def test_a_forged_post_differs_and_tells_of_nothing(story: Story) -> None:
    post = story.posts[5]
    assert forge(post).fact is None
    assert forge(post).body != post.body


def _refunds(body: bytes) -> list[dict[str, str]]:
    inner = json.loads(body)["data"]["object"]
    return [inner] if inner["object"] == "refund" else inner["refunds"]["data"]
