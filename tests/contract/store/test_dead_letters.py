"""Dead letters: stored once, found, listed, moved on."""

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.audit import AuditTrail
from store.dead_letters import DeadLetters, LetterGroup
from store.errors import AmbiguousId, LetterNotFound
from store.inbox import EventRef, Fresh, Inbox
from tests.contract.store.samples import claim, intent, letter
from tests.fakes import NOON, FakeClock


@pytest.fixture
def letters(engine: AsyncEngine, clock: FakeClock) -> DeadLetters:
    return DeadLetters(engine, clock)


async def test_a_letter_comes_back_as_it_was(letters: DeadLetters) -> None:
    died = datetime(2026, 1, 1, 1, 2, 3, 456, tzinfo=UTC)
    sent = letter(company="main", event_id="evt_1", subject="ch_1", died_at=died, headers={"é": [1, None, {"a": "b"}]})
    assert await letters.add(sent)
    stored = await letters.get("letter-1")
    fresh = {"stored_at": NOON, "state": "waiting", "version": 1}
    assert asdict(stored) == asdict(sent) | fresh | dict.fromkeys(("settled_at", "erased_at", "body_key"))


async def test_a_letter_added_twice_is_one_and_keeps_its_state(letters: DeadLetters) -> None:
    assert await letters.add(letter())
    await letters.set_state("letter-1", "waiting", "discarded")
    assert not await letters.add(letter(error="again"))
    stored = await letters.get("letter-1")
    assert (stored.error, stored.state) == ("Solid said no", "discarded")


async def test_a_letter_added_by_two_at_once_is_one(letters: DeadLetters) -> None:
    assert sorted(await asyncio.gather(*(letters.add(letter()) for _ in range(4)))) == [False, False, False, True]


async def test_a_letter_with_unstorable_text_is_never_lost(letters: DeadLetters) -> None:
    await letters.add(letter("id\x00", error="bad \ud800", headers={"h": "\x00\ud800"}))
    stored = await letters.get("id\x00")
    assert (stored.id, stored.error, stored.headers) == ("id\ufffd", "bad ?", {"h": "\x00\ud800"})
    assert not await letters.add(letter("id\x00"))


async def test_a_unique_prefix_finds_a_letter_and_an_ambiguous_one_names_the_candidates(letters: DeadLetters) -> None:
    for name in ("abc", "abd", "ab%"):
        await letters.add(letter(name))
    assert (await letters.get("abc")).id == "abc"
    assert (await letters.get("ab%")).id == "ab%"
    with pytest.raises(AmbiguousId, match="give more characters") as caught:
        await letters.get("ab")
    assert caught.value.candidates == ("ab%", "abc", "abd")
    with pytest.raises(LetterNotFound, match="ABC"):
        await letters.get("ABC")


async def test_an_id_that_is_the_start_of_another_is_still_found(letters: DeadLetters) -> None:
    for name in ("ab", "abc"):
        await letters.add(letter(name))
    assert (await letters.get("ab")).id == "ab"


async def test_no_characters_name_no_letter(letters: DeadLetters) -> None:
    await letters.add(letter())
    with pytest.raises(LetterNotFound):
        await letters.get("")


async def test_letters_are_listed_oldest_first_and_filtered(letters: DeadLetters, clock: FakeClock) -> None:
    for name, reason, queue in (("c", "refused", "q1"), ("b", "refused", "q2"), ("a", "poison", "q1")):
        await letters.add(letter(name, reason=reason, queue=queue))
        clock.advance(1)
    assert [row.id for row in await letters.list()] == ["c", "b", "a"]
    assert [row.id for row in await letters.list(limit=2)] == ["c", "b"]
    assert [row.id for row in await letters.list(reason="refused")] == ["c", "b"]
    assert [row.id for row in await letters.list(reason="refused", queue="q2")] == ["b"]
    assert await letters.list("replayed") == []


async def _peak(asked: Callable[[], Awaitable[object]]) -> int:
    """Bytes in memory at most while it is asked."""
    await asked()
    tracemalloc.start()
    try:
        await asked()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("asked", ["list", "about"])
async def test_a_list_holds_no_bodies(letters: DeadLetters, asked: str) -> None:
    async def ask() -> None:
        found = await (letters.list() if asked == "list" else letters.about("ch_1"))
        assert found

    peaks = []
    for size in (1, 200_000):
        for number in range(10):
            await letters.add(letter(f"{size}-{number}", subject="ch_1", body=b"x" * size, headers={"h": "y" * size}))
        peaks.append(await _peak(ask))
    assert peaks[1] < 4 * peaks[0]


async def test_only_the_first_of_two_moves_a_letter_on(letters: DeadLetters) -> None:
    await letters.add(letter())
    moved = await asyncio.gather(*(letters.set_state("letter-1", "waiting", "replayed") for _ in range(3)))
    assert sorted(moved) == [False, False, True]
    assert not await letters.set_state("nobody", "waiting", "replayed")
    stored = await letters.get("letter-1")
    assert (stored.state, stored.version) == ("replayed", 2)
    assert await letters.counts() == {"replayed": 1}


async def test_groups_count_waiting_letters_by_queue_and_reason(letters: DeadLetters, clock: FakeClock) -> None:
    for name, reason in (("a", "poison"), ("b", "refused"), ("c", "refused"), ("d", "refused")):
        await letters.add(letter(name, reason=reason))
        clock.advance(1)
    await letters.set_state("d", "waiting", "discarded")
    assert await letters.groups() == [
        LetterGroup("sales.dead", "refused", 2, NOON + timedelta(seconds=1)),
        LetterGroup("sales.dead", "poison", 1, NOON),
    ]


async def test_a_letter_that_was_replayed_and_of_whose_event_nothing_is_known_waits_again(
    letters: DeadLetters, inbox: Inbox
) -> None:
    for name in ("lost", "posted", "partly", "again", "other", "waiting"):
        company = "other" if name == "other" else "main"
        await letters.add(letter(name, company=company, event_id=name, headers={"name": name}))
        if name != "waiting":
            await letters.set_state(name, "waiting", "replayed")
    await letters.add(letter("again-2", company="main", event_id="again"))
    for name, event in {"a": "posted", "b": "partly", "c": "partly"}.items():
        ref = EventRef(source="/test", id=event, type="t", subject=None)
        fresh = await claim(inbox, intent(name), ref)
        assert isinstance(fresh, Fresh)
        if name != "c":
            await inbox.applied("main", name, epoch=fresh.epoch, solid_id=name)
    assert await letters.wait_again("main") == 2
    assert await letters.wait_again("main") == 0
    waiting = {each.id for each in await letters.list(state="waiting")}
    assert waiting == {"lost", "partly", "again-2", "waiting"}


async def test_an_event_that_was_delivered_twice_is_one_letter(letters: DeadLetters, engine: AsyncEngine) -> None:
    trail = AuditTrail(engine, FakeClock())
    assert await letters.keep(letter("first", event_id="evt_1"))
    assert not await letters.keep(letter("second", event_id="evt_1", attempts=1, headers={}))
    assert [each.id for each in await letters.list()] == ["first"]
    [line] = await trail.list("first")
    assert (line.act, line.detail["copy"]) == ("dead_letter.copy_dropped", "second")
    assert not await letters.keep(letter("first", event_id="evt_1")), "the same message, handed out again"
    assert await trail.list("first") == [line]


@pytest.mark.parametrize(
    "other",
    [{"body": b"{}"}, {"reason": "held"}, {"queue": "raw"}, {"company": "b"}, {"event_source": "/webhooks/b"}],
)
async def test_what_differs_in_anything_that_a_person_must_see_is_no_copy(
    letters: DeadLetters, other: dict[str, object]
) -> None:
    assert await letters.keep(letter("first"))
    assert await letters.keep(letter("second", **other))
    assert len(await letters.list()) == 2


async def test_what_dies_again_after_a_replay_is_a_letter_of_its_own(letters: DeadLetters) -> None:
    assert await letters.keep(letter("first"))
    await letters.set_state("first", "waiting", "replayed")
    assert await letters.keep(letter("second"))
