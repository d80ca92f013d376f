"""The verdict of a campaign. Pure: Solid's record and the dead letters against the story's tables.

The counts are those of `demo.judging`. What breaks a promise is wrong, and the campaign fails; what a person would want
to know besides is noted.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from demo import judging
from demo.judging import Evidence, Letter, Summary, lines_of
from demo.story import CLEARING, Story


@dataclass(frozen=True, slots=True)
class Verdict:
    """The summary, what is wrong, and what is to be noted, in sentences."""

    summary: Summary
    wrongs: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """How the campaign ended, besides what is in the books.

    `left` are messages still in queues; `doubts` writes that the inbox has neither applied nor refused (None: it could
    not be read); `found_twice` the external ids that the relay itself has reported; `cases` what its sweep found, by
    external id; `ended` processes that ended though nobody had killed them, with their exit codes.
    """

    settled: bool
    left: Mapping[str, int]
    doubts: int | None
    found_twice: Collection[str]
    cases: Mapping[str, str]
    ended: Mapping[str, Sequence[int]]


def judge(story: Story, seen: Evidence, ending: Ending) -> Verdict:
    """Judge."""
    verdict = judging.judge(story, seen)
    promised, surprises = _parted(verdict.wrongs)
    wrongs = [*promised, *_strangers(story, seen.letters), *_clearing(story, seen)]
    wrongs.extend(f"{count} messages are left in {queue}" for queue, count in ending.left.items())
    wrongs.extend(f"a dead letter of {letter.event} gives no reason" for letter in seen.letters if not letter.reason)
    if not ending.settled:
        wrongs.append("it did not settle in time")
    notes = [*surprises, *_ended(ending)]
    twice = copies(seen.records)
    for (kind, external_id), ids in twice.items():
        reported = external_id in ending.found_twice or ending.cases.get(external_id) == "duplicate_record"
        told = "the relay has reported it" if reported else "the relay has NOT reported it"
        notes.append(f"{kind} {external_id} is in the books {len(ids)} times; {told}")
    wrongs.extend(
        f"the relay has opened a case of {external_id}, {case}, and the books have it once"
        for external_id, case in ending.cases.items()
        if external_id not in {known for _, known in twice}
    )
    return Verdict(verdict.summary, tuple(dict.fromkeys(wrongs)), tuple(notes))


def copies(records: Sequence[judging.Row]) -> dict[tuple[str, str], list[str]]:
    """Solid's ids of the records that share kind and external id."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in records:
        if not row["seed"]:
            found.setdefault((str(row["kind"]), str(row["external_id"])), []).append(str(row["id"]))
    return {key: ids for key, ids in found.items() if len(ids) > 1}


def _parted(sentences: Sequence[str]) -> tuple[list[str], list[str]]:
    """A fact before a person is no broken promise, wherever the story wanted it."""
    notes = [text for text in sentences if " and should be " in text]
    return [text for text in sentences if text not in notes], notes


def _ended(ending: Ending) -> list[str]:
    notes = [
        f"{name} ended by itself with {', '.join(map(str, codes))}" for name, codes in ending.ended.items() if codes
    ]
    if ending.doubts != 0:
        notes.append(
            f"{'unreadable' if ending.doubts is None else ending.doubts} writes are still in doubt in the inbox"
        )
    return notes


def _strangers(story: Story, letters: Sequence[Letter]) -> list[str]:
    """Find dead letters that tell of no event of ours."""
    fact_of = story.fact_of_event
    return [
        f"a dead letter in {letter.queue} ({letter.reason}) is of no event that was sent"
        for letter in letters
        if letter.event not in fact_of
    ]


def _clearing(story: Story, seen: Evidence) -> list[str]:
    """The clearing account must hold what the records in the books say, each once."""
    there = {(str(row["kind"]), str(row["external_id"])) for row in seen.records if not row["seed"]}
    expected = sum(
        (
            posting.amount
            for key, record in story.records.items()
            if key in there
            for posting in record.postings
            if posting.account == CLEARING
        ),
        Decimal(0),
    )
    found = sum((lines.get(CLEARING, Decimal(0)) for lines in lines_of(seen.records).values()), Decimal(0))
    return [] if found == expected else [f"{CLEARING} holds {found:,.2f} and should hold {expected:,.2f}"]


def as_json(verdict: Verdict, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The last line: the pinned keys, then our own."""
    return judging.Verdict(verdict.summary, ()).as_json() | more
