"""The demo's verdict: fed with made-up books, it must not be fooled."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from demo.facts import ExpectedRecord
from demo.judging import Evidence, Letter, Verdict, judge
from demo.story import Story, tell

STORY = tell()
PARKED = next(event for event, name in STORY.fact_of_event.items() if STORY.facts[name].fate == "parked")
DEAD = next(event for event, name in STORY.fact_of_event.items() if STORY.facts[name].fate == "dead")
LETTERS = (
    Letter("relay.sales.dlq", "unmapped:currency:JPY", "the books are kept in USD", PARKED),
    Letter("relay.raw.dlq", "amount_not_integer", "not a whole number", DEAD),
)
Book = list[dict[str, Any]]


def books(story: Story = STORY) -> Book:
    """Give the records of a run in which all went well."""
    accounts = sorted({posting.account for record in story.records.values() for posting in record.postings})
    rows: Book = [
        {
            "kind": "account",
            "seq": n,
            "id": f"id of {name}",
            "external_id": None,
            "seed": True,
            "lines": [],
            "fields": {"name": name},
        }
        for n, name in enumerate(accounts)
    ]
    return rows + [row(record, len(rows) + n) for n, record in enumerate(story.records.values())]


def row(record: ExpectedRecord, seq: int) -> dict[str, Any]:
    lines = [
        {
            "account_id": f"id of {posting.account}",
            "debit": str(max(posting.amount, Decimal(0))),
            "credit": str(-min(posting.amount, Decimal(0))),
        }
        for posting in record.postings
    ]
    return {
        "kind": record.kind,
        "seq": seq,
        "id": f"id {seq}",
        "external_id": record.external_id,
        "seed": False,
        "lines": lines,
        "fields": {},
    }


def seen(
    records: Book | None = None,
    *,
    letters: Sequence[Letter] = LETTERS,
    balanced: bool = True,
    worst_window: int = 100,
) -> Evidence:
    rows = books() if records is None else records
    report = {"calls": 120, "writes": sum(not each["seed"] for each in rows), "worst_window": worst_window}
    return Evidence(
        accepted=frozenset(post.event for post in STORY.posts),
        records=rows,
        report=report | {"balanced": balanced},
        letters=letters,
        faults=3,
        allowance=100,
    )


def first(records: Book, kind: str) -> dict[str, Any]:
    return next(each for each in records if each["kind"] == kind)


def without_a_payment(records: Book) -> Book:
    records.remove(first(records, "payment"))
    return records


def without_anything(records: Book) -> Book:
    return [each for each in records if each["seed"]]


def with_another_amount(records: Book) -> Book:
    first(records, "entry")["lines"][0]["debit"] = "0.01"
    return records


def on_another_account(records: Book) -> Book:
    line = first(records, "payment")["lines"][0]
    line["account_id"] = "id of Checking"
    return records


def with_a_copy(records: Book) -> Book:
    return [*records, {**first(records, "invoice"), "seq": len(records)}]


def with_a_copy_of_another_amount(records: Book) -> Book:
    copy = {**first(records, "entry"), "seq": len(records), "lines": []}
    return [*records, copy]


def with_something_nobody_asked_for(records: Book) -> Book:
    return [*records, {**first(records, "invoice"), "seq": len(records), "external_id": "stripe:payment_intent:pi_1"}]


def with_something_without_a_name(records: Book) -> Book:
    return [*records, {**first(records, "entry"), "seq": len(records), "external_id": None}]


def test_a_run_in_which_all_went_well_has_nothing_wrong() -> None:
    verdict = judge(STORY, seen())
    assert verdict.wrongs == ()
    assert verdict.as_json() == {
        "accepted": len(STORY.facts),
        "applied": len(STORY.facts) - 2,
        "dead": 1,
        "parked": 1,
        "lost": 0,
        "duplicated": 0,
        "solid_calls": 120,
        "writes": len(STORY.records),
        "faults": 3,
        "allowance": 100,
        "worst_window": 100,
        "balanced": True,
    }


@pytest.mark.parametrize(
    ("spoil", "lost", "duplicated"),
    [
        (without_a_payment, 1, 0),
        (without_anything, len(STORY.facts) - 2, 0),
        (with_another_amount, 1, 0),
        (on_another_account, 1, 0),
        (with_a_copy, 0, 1),
        (with_a_copy_of_another_amount, 1, 1),
        (with_something_nobody_asked_for, 0, 1),
        (with_something_without_a_name, 0, 1),
    ],
)
def test_books_that_are_not_as_they_must_be_are_wrong(
    spoil: Callable[[Book], Book], lost: int, duplicated: int
) -> None:
    verdict = judge(STORY, seen(spoil(books())))
    assert (verdict.summary.lost, verdict.summary.duplicated) == (lost, duplicated)
    assert len(verdict.wrongs) >= 1


def test_a_lost_contact_loses_every_sale_to_it() -> None:
    records = books()
    contact = next(each for each in records if each["external_id"] == "stripe:walk-in")
    records.remove(contact)
    assert judge(STORY, seen(records)).summary.lost == 9


def test_books_that_do_not_balance_are_wrong() -> None:
    assert judge(STORY, seen(balanced=False)).wrongs == ("the books do not balance",)


def test_more_calls_than_allowed_are_wrong() -> None:
    assert judge(STORY, seen(worst_window=101)).wrongs == ("Solid saw 101 calls in one window and allows 100",)


def test_what_should_wait_for_a_person_and_does_not_is_lost() -> None:
    verdict = judge(STORY, seen(letters=LETTERS[:1]))
    assert (verdict.summary.lost, verdict.summary.dead) == (1, 0)
    assert verdict.wrongs


def test_what_should_be_in_the_books_and_waits_for_a_person_is_not_lost_but_wrong() -> None:
    letter = Letter("relay.sales.dlq", "refused:VALIDATION_ERROR", "no", event_of("payment"))
    verdict = judge(STORY, seen(without_a_payment(books()), letters=(*LETTERS, letter)))
    assert (verdict.summary.lost, verdict.summary.dead) == (0, 2)
    assert "is dead, and should be applied" in sentence(verdict)


def test_a_dead_letter_of_what_is_in_the_books_is_wrong() -> None:
    letter = Letter("relay.sales.dlq", "conflict", "other amounts", event_of("payment"))
    verdict = judge(STORY, seen(letters=(*LETTERS, letter)))
    assert verdict.summary.dead == 1
    assert "is in the books, and a dead letter (conflict) as well" in sentence(verdict)


def test_dead_letters_of_others_do_not_count() -> None:
    strangers = (Letter("relay.raw.dlq", "not_json", "", None), Letter("relay.sales.dlq", "held", "", "evt_other"))
    assert judge(STORY, seen(letters=(*LETTERS, *strangers))).wrongs == ()


def test_the_same_dead_letter_twice_is_one_fact() -> None:
    assert judge(STORY, seen(letters=(*LETTERS, LETTERS[0]))).summary.parked == 1


def test_what_was_never_accepted_is_not_counted_and_wrong() -> None:
    evidence = seen()
    name = STORY.fact_of_event[PARKED]
    fewer = replace(evidence, accepted=evidence.accepted - {PARKED})
    verdict = judge(STORY, fewer)
    assert verdict.summary.accepted == len(STORY.facts) - 1
    assert sentence(verdict) == f"{name} was never accepted"


def event_of(kind: str) -> str:
    """Give the Stripe event of the first record of a kind."""
    record = next(record for record in STORY.records.values() if record.kind == kind)
    fact = next(name for name, fact in STORY.facts.items() if record in fact.records)
    return next(event for event, name in STORY.fact_of_event.items() if name == fact)


def sentence(verdict: Verdict) -> str:
    (only,) = verdict.wrongs
    return only
