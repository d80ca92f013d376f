"""The campaign's verdict: fed with made-up books, it must not be fooled."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from demo.facts import ExpectedRecord
from demo.judging import Evidence, Letter
from demo.story import Story
from faults.judging import Ending, Verdict, as_json, judge
from faults.traffic import write_traffic

STORY = write_traffic(60, 1)
GOOD = Ending(settled=True, left={}, doubts=0, found_twice=(), cases={}, ended={"worker-1": []})
Book = list[dict[str, Any]]


def books(story: Story = STORY) -> Book:
    """Give the records of a campaign in which all went well."""
    names = sorted({posting.account for record in story.records.values() for posting in record.postings})
    accounts: Book = [
        {
            "kind": "account",
            "seq": n,
            "id": name,
            "external_id": None,
            "seed": True,
            "lines": [],
            "fields": {"name": name},
        }
        for n, name in enumerate(names)
    ]
    return accounts + [row(record, len(names) + n) for n, record in enumerate(story.records.values())]


def row(record: ExpectedRecord, seq: int) -> dict[str, Any]:
    """Give one record as Solid shows it."""
    lines = [
        {
            "account_id": posting.account,
            "debit": str(max(posting.amount, Decimal(0))),
            "credit": str(-min(posting.amount, Decimal(0))),
        }
        for posting in record.postings
    ]
    known = {"kind": record.kind, "external_id": record.external_id}
    return {**known, "seq": seq, "id": f"id {seq}", "seed": False, "lines": lines, "fields": {}}


def troubles() -> list[Letter]:
    """Give the dead letters that must be."""
    return [
        Letter(
            "relay.sales.dlq", "unmapped:currency:JPY" if fact.fate == "parked" else "amount_not_integer", "…", event
        )
        for event, name in STORY.fact_of_event.items()
        if (fact := STORY.facts[name]).fate != "applied"
    ]


def judged(book: Book, letters: Sequence[Letter] | None = None, ending: Ending = GOOD, **report: object) -> Verdict:
    """Judge a campaign in which every event was accepted."""
    good = {"calls": 90, "writes": len(book), "worst_window": 50, "balanced": True}
    seen = Evidence(
        accepted=frozenset(STORY.fact_of_event),
        records=book,
        report=good | report,
        letters=troubles() if letters is None else letters,
        faults=3,
        allowance=100,
    )
    return judge(STORY, seen, ending)


def test_a_good_campaign_has_nothing_wrong_and_nothing_to_note() -> None:
    verdict = judged(books())
    assert verdict.wrongs == ()
    assert verdict.notes == ()
    assert verdict.summary.lost == verdict.summary.duplicated == 0
    assert verdict.summary.applied + verdict.summary.parked + verdict.summary.dead == verdict.summary.accepted


def test_a_letter_beside_a_record_is_wrong_whatever_the_inbox_has_forgotten() -> None:
    event = next(event for event, name in STORY.fact_of_event.items() if STORY.facts[name].fate == "applied")
    letters = [*troubles(), Letter("relay.sales.dlq", "prerequisite:stripe:charge:ch_1", "…", event)]
    assert any("a dead letter" in text for text in judged(books(), letters).wrongs)


def test_a_record_that_is_missing_is_a_lost_fact() -> None:
    verdict = judged(books()[:-1])
    assert verdict.summary.lost == 1
    assert verdict.wrongs


def test_a_record_that_is_there_twice_is_wrong_and_it_is_told_whether_the_relay_knows() -> None:
    book = books()
    twin = book[-1] | {"id": "another", "seq": len(book)}
    silent = judged([*book, twin])
    assert silent.summary.duplicated == 1
    assert any("NOT reported" in note for note in silent.notes)
    told = judged([*book, twin], ending=replace(GOOD, found_twice={twin["external_id"]}))
    assert told.wrongs == silent.wrongs
    assert any("the relay has reported it" in note for note in told.notes)
    swept = judged([*book, twin], ending=replace(GOOD, cases={twin["external_id"]: "duplicate_record"}))
    assert swept == told


def test_a_case_of_a_record_that_is_there_once_is_a_false_alarm() -> None:
    verdict = judged(books(), ending=replace(GOOD, cases={str(books()[-1]["external_id"]): "missing_record"}))
    assert any("missing_record" in wrong for wrong in verdict.wrongs)


def test_a_second_record_spoils_the_clearing_account() -> None:
    book = books()
    twin = next(r for r in reversed(book) if any(line["account_id"] == "Stripe Clearing" for line in r["lines"]))
    wrongs = judged([*book, twin | {"id": "another", "seq": len(book)}]).wrongs
    assert any("Stripe Clearing holds" in wrong for wrong in wrongs)


def test_a_dead_letter_of_a_fact_that_is_in_the_books_is_wrong() -> None:
    event = next(event for event, name in STORY.fact_of_event.items() if STORY.facts[name].fate == "applied")
    verdict = judged(books(), [*troubles(), Letter("relay.sales.dlq", "outcome_unknown", "…", event)])
    assert any("is in the books, and a dead letter" in wrong for wrong in verdict.wrongs)


def test_a_fact_before_a_person_instead_of_in_the_books_is_noted_and_no_broken_promise() -> None:
    name, fact = next((n, f) for n, f in STORY.facts.items() if n.startswith("stripe:payout") and f.fate == "applied")
    event = next(event for event, fact_name in STORY.fact_of_event.items() if fact_name == name)
    gone = {(record.kind, record.external_id) for record in fact.records}
    book = [r for r in books() if (r["kind"], r["external_id"]) not in gone]
    verdict = judged(book, [*troubles(), Letter("relay.sales.dlq", "held", "…", event)])
    assert verdict.summary.lost == 0
    assert verdict.wrongs == ()
    assert any(name in note for note in verdict.notes)


def test_a_dead_letter_that_nobody_sent_or_that_has_no_reason_is_wrong() -> None:
    assert judged(books(), [*troubles(), Letter("relay.sales.dlq", "held", "…", "evt_strange")]).wrongs
    assert judged(books(), [replace(letter, reason="") for letter in troubles()]).wrongs


def test_more_calls_than_allowed_and_books_that_do_not_balance_are_wrong() -> None:
    assert judged(books(), worst_window=101).wrongs
    assert judged(books(), worst_window=100).wrongs == ()
    assert judged(books(), balanced=False).wrongs


def test_what_is_left_over_is_wrong() -> None:
    assert judged(books(), ending=replace(GOOD, left={"relay.main.sales": 2})).wrongs
    assert judged(books(), ending=replace(GOOD, settled=False)).wrongs


def test_what_a_person_would_want_to_know_is_noted() -> None:
    verdict = judged(books(), ending=replace(GOOD, doubts=2, ended={"worker-1": [1, -11]}))
    assert verdict.wrongs == ()
    assert verdict.notes == ("worker-1 ended by itself with 1, -11", "2 writes are still in doubt in the inbox")


def test_the_json_has_the_pinned_keys_first_and_ours_after() -> None:
    assert list(as_json(judged(books()), seed=1, events=60)) == [
        "accepted", "applied", "dead", "parked", "lost", "duplicated", "solid_calls", "writes", "faults", "allowance",
        "worst_window", "balanced", "seed", "events",
    ]  # fmt: skip
