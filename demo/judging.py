"""The verdict: the story's tables against what Solid's stand-in holds. Pure, so that a test can feed it lies.

The counts are of facts (see `demo.facts`), but for `duplicated`, `writes` (records) and `solid_calls` (calls):

- accepted: facts that must post or come before a person, and of which the receiver answered an event with 2xx;
- applied: those all of whose records are in the books, with exactly the expected amounts on the expected accounts;
- parked: those not applied that wait in a dead-letter queue for a person's word (a mapping, a period, a prerequisite);
- dead: those not applied that lie in a dead-letter queue for any other reason;
- lost: accepted - applied - parked - dead;
- duplicated: records beyond the first of one kind and external id, and records that no fact asked for.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from demo.facts import ExpectedRecord, Fact, Fate
from demo.story import Story

_FOR_A_PERSON = ("unmapped:", "ambiguous:", "prerequisite:", "period_closed")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter; `event` is the Stripe event it came from, None when it is none of ours."""

    queue: str
    reason: str
    error: str
    event: str | None

    @property
    def fate(self) -> Fate:
        """Does it wait for a decision, or has it failed."""
        return "parked" if self.reason.startswith(_FOR_A_PERSON) else "dead"


@dataclass(frozen=True, slots=True)
class Summary:
    """The JSON summary; its keys are pinned by the design."""

    accepted: int
    applied: int
    dead: int
    parked: int
    lost: int
    duplicated: int
    solid_calls: int
    writes: int
    faults: int
    allowance: int
    worst_window: int
    balanced: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen: ids of `accepted` events, the stand-in's `records` and `report` (/judge), letters, faults."""

    accepted: AbstractSet[str]
    records: Sequence[Row]
    report: Row
    letters: Sequence[Letter]
    faults: int
    allowance: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The summary, and what is wrong in sentences; nothing is wrong when there are none."""

    summary: Summary
    wrongs: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The summary, ready for JSON."""
        return asdict(self.summary)


def judge(story: Story, seen: Evidence) -> Verdict:
    """Count, and say what is not as it must be."""
    fates = _fates(story, seen)
    of = Counter(fates.values())
    summary = Summary(
        accepted=len(fates),
        applied=of["applied"],
        dead=of["dead"],
        parked=of["parked"],
        lost=len(fates) - of["applied"] - of["dead"] - of["parked"],
        duplicated=_duplicated(story, seen.records),
        solid_calls=seen.report["calls"],
        writes=seen.report["writes"],
        faults=seen.faults,
        allowance=seen.allowance,
        worst_window=seen.report["worst_window"],
        balanced=seen.report["balanced"],
    )
    return Verdict(summary, (*_broken(summary), *_surprises(story, seen, fates)))


def lines_of(records: Iterable[Row]) -> dict[int, dict[str, Decimal]]:
    """What each record does to each account, by its place in the books: debits positive, credits negative."""
    rows = list(records)
    names = {row["id"]: str(row["fields"]["name"]) for row in rows if row["kind"] == "account"}
    return {row["seq"]: _by_account(row, names) for row in rows if row["kind"] != "account"}


def _by_account(row: Row, names: Mapping[str, str]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for line in row["lines"]:
        account = names.get(line["account_id"], line["account_id"])
        change = Decimal(line["debit"] or 0) - Decimal(line["credit"] or 0)
        sums[account] = sums.get(account, Decimal(0)) + change
    return {account: amount for account, amount in sums.items() if amount}


def _fates(story: Story, seen: Evidence) -> dict[str, str]:
    """What became of each accepted fact: a fate, or `lost`."""
    exact = _exact(story, seen.records)
    fact_of = story.fact_of_event
    letters = {fact_of[letter.event]: letter for letter in seen.letters if letter.event in fact_of}
    fates = {}
    for name in dict.fromkeys(fact_of[event] for event in fact_of if event in seen.accepted):
        fact = story.facts[name]
        if fact.records and all((record.kind, record.external_id) in exact for record in fact.records):
            fates[name] = "applied"
        else:
            fates[name] = letters[name].fate if name in letters else "lost"
    return fates


def _exact(story: Story, records: Sequence[Row]) -> set[tuple[str, str]]:
    """The expected records that are in the books as expected; a copy that differs spoils it."""
    found: dict[tuple[str, str], list[bool]] = {}
    lines = lines_of(records)
    for row in _written(records):
        wanted = story.records.get(_key(row))
        if wanted is not None:
            found.setdefault(_key(row), []).append(lines[row["seq"]] == _sums(wanted))
    return {key for key, matches in found.items() if all(matches)}


def _sums(record: ExpectedRecord) -> dict[str, Decimal]:
    return {posting.account: posting.amount for posting in record.postings}


def _duplicated(story: Story, records: Sequence[Row]) -> int:
    counts = Counter(_key(row) for row in _written(records))
    asked_for = sum(key in story.records for key in counts)
    return counts.total() - asked_for


def _written(records: Sequence[Row]) -> list[Row]:
    return [row for row in records if not row["seed"]]


def _key(row: Row) -> tuple[str, str]:
    return str(row["kind"]), str(row["external_id"])


def _broken(summary: Summary) -> list[str]:
    """The four promises, as sentences about those that were not kept."""
    found = []
    if summary.lost:
        found.append(f"{summary.lost} accepted facts are neither in the books nor before a person")
    if summary.duplicated:
        found.append(f"{summary.duplicated} records are in the books twice, or were never asked for")
    if not summary.balanced:
        found.append("the books do not balance")
    if summary.worst_window > summary.allowance:
        found.append(f"Solid saw {summary.worst_window} calls in one window and allows {summary.allowance}")
    return found


def _surprises(story: Story, seen: Evidence, fates: Mapping[str, str]) -> list[str]:
    """What ended elsewhere than the story says, and what was never accepted at all."""
    found = [f"{name} was never accepted" for name in story.facts if name not in fates]
    for name, fate in fates.items():
        fact: Fact = story.facts[name]
        if fate not in (fact.fate, "lost"):
            found.append(f"{name} is {fate}, and should be {fact.fate}")
    fact_of = story.fact_of_event
    found.extend(
        f"{fact_of[letter.event]} is in the books, and a dead letter ({letter.reason}) as well"
        for letter in seen.letters
        if letter.event in fact_of and fates.get(fact_of[letter.event]) == "applied"
    )
    return found
