"""What the store forgets, on both databases: contents of settled letters in time, one person when asked; never ids."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from store.audit import AuditTrail
from store.cases import Cases
from store.errors import BodySealed
from store.inbox import Fresh, Inbox
from store.letters.dead_letters import DeadLetters, StoredLetter
from store.letters.erasing import Erasing
from store.letters.sealing import Sealing
from store.schema import CASES, DEAD_LETTERS, WRITES
from tests.contract.store.samples import PAYMENT, claim, letter
from tests.fakes import NOON, FakeClock

DAY = 86_400
NAME = "Jenny Rosén"
BODY = b'{"data": {"customer": {"id": "cus_7", "name": "jenny ros\\u00e9n", "email": "jenny@example.org"}}}'
OTHER = b'{"data": {"customer": {"id": "cus_77", "name": "Jenny Rosenbaum"}}}'
KEYS = tuple(SecretStr(Fernet.generate_key().decode()) for _ in range(2))
FREE_WRITE = {
    "company": "main",
    "payload_hash": "0",
    "epoch": 1,
    "was_unknown": False,
    "adopted": False,
    "solid_id": "s",
    "event_source": "/s",
    "event_id": "e",
    "event_type": "t",
    "created_at": NOON,
    "updated_at": NOON,
}


@pytest.fixture
def letters(engine: AsyncEngine, clock: FakeClock) -> DeadLetters:
    return DeadLetters(engine, clock)


@pytest.fixture
def erasing(engine: AsyncEngine, clock: FakeClock) -> Erasing:
    return Erasing(engine, clock, Sealing())


@pytest.fixture
async def filled(letters: DeadLetters) -> DeadLetters:
    """A settled letter of the person, one that waits, and a settled one of somebody else."""
    await letters.add(letter("settled", body=BODY, headers={"relay-error": "of jenny@example.org"}))
    await letters.set_state("settled", "waiting", "replayed")
    await letters.add(letter("waiting", body=BODY))
    await letters.add(letter("other", body=OTHER))
    await letters.set_state("other", "waiting", "discarded")
    return letters


def erased(found: StoredLetter) -> bool:
    return (found.body, found.headers, found.error, found.erased_at is not None) == (b"", {}, "", True)


async def test_what_a_letter_held_is_removed_so_long_after_it_was_settled(
    filled: DeadLetters, erasing: Erasing, clock: FakeClock
) -> None:
    assert await erasing.settled_before(clock.now()) == 0, "it was settled now"
    clock.advance(90 * DAY + 1)
    due = clock.now() - timedelta(days=90)
    assert await erasing.settled_before(due, dry=True) == 2
    assert not erased(await filled.get("settled"))
    assert await erasing.settled_before(due) == 2
    assert await erasing.settled_before(due) == 0
    gone, waits = await filled.get("settled"), await filled.get("waiting")
    assert erased(gone)
    assert (gone.id, gone.reason, gone.state, gone.erased_at) == ("settled", waits.reason, "replayed", clock.now())
    assert waits.body == BODY, "its fact is not in the books"


async def test_letters_that_were_settled_before_this_version_go_by_when_they_were_stored(
    filled: DeadLetters, erasing: Erasing, clock: FakeClock, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await connection.execute(update(DEAD_LETTERS).values(settled_at=None))
    clock.advance(91 * DAY)
    assert await erasing.settled_before(clock.now() - timedelta(days=90)) == 2
    assert erased(await filled.get("settled"))


@pytest.mark.parametrize("name", [NAME, "JENNY ROSÉN", "jenny@example.org", "cus_7"])
async def test_a_person_is_forgotten_and_nobody_else(filled: DeadLetters, erasing: Erasing, name: str) -> None:
    dry = await erasing.of_person(name, dry=True)
    assert [(each.what, each.count) for each in dry] == [("settled dead letters", 1), ("dead letters that wait", 1)]
    assert not erased(await filled.get("settled"))
    assert await erasing.of_person(name, dry=False) == dry
    assert erased(await filled.get("settled"))
    assert (await filled.get("other")).body == OTHER
    assert (await filled.get("waiting")).body == BODY
    assert [each.what for each in await erasing.of_person(name, dry=True)] == ["dead letters that wait"]


async def test_a_letter_whose_replay_is_in_no_books_stays_until_it_is(
    letters: DeadLetters, erasing: Erasing, inbox: Inbox
) -> None:
    await letters.add(letter("sent", body=BODY, company="main", event_id="evt_1"))
    await letters.set_state("sent", "waiting", "replayed")
    [stays] = await erasing.of_person(NAME, dry=False)
    assert (stays.what, stays.count) == ("dead letters whose replay is not in the books", 1)
    assert stays.becomes.startswith("stay")
    assert await letters.wait_again("main") == 1, "and nothing of it is lost where the broker loses its disk"
    assert (await letters.get("sent")).body == BODY
    await letters.set_state("sent", "waiting", "replayed")
    fresh = await claim(inbox)
    assert isinstance(fresh, Fresh)
    await inbox.applied("main", PAYMENT, epoch=fresh.epoch, solid_id="1")
    held = await erasing.of_person(NAME, dry=False)
    assert [(each.what, each.count) for each in held] == [("settled dead letters", 1)]
    assert erased(await letters.get("sent"))


async def test_a_write_keeps_its_ids_and_loses_the_name(erasing: Erasing, engine: AsyncEngine) -> None:
    about = {"display_name": NAME}
    rows = [
        {"external_id": "stripe:customer:cus_7", "kind": "contact", "state": "applied", "about": about},
        {
            "external_id": "stripe:customer:cus_8",
            "kind": "contact",
            "state": "applied",
            "about": {"display_name": "X Y"},
        },
        {"external_id": "doubt", "kind": "contact", "state": "unknown", "about": about},
        {
            "external_id": "entry",
            "kind": "entry",
            "state": "applied",
            "about": {"date": "2026-03-01"},
            "error_message": f"who is {NAME}?",
        },
    ]
    async with engine.begin() as connection:
        for row in rows:
            await connection.execute(insert(WRITES), FREE_WRITE | {"error_message": None} | row)
    held = await erasing.of_person(NAME, dry=False)
    assert {each.what: each.count for each in held} == {"writes in the books": 2, "writes not settled yet": 1}
    async with engine.connect() as connection:
        found = {row.external_id: row for row in await connection.execute(select(WRITES))}
    assert len(found) == 4
    assert found["stripe:customer:cus_7"].about == {}
    assert found["stripe:customer:cus_7"].solid_id == "s"
    assert found["stripe:customer:cus_8"].about == {"display_name": "X Y"}
    assert found["doubt"].about == about, "a look-up needs it"
    assert (found["entry"].about, found["entry"].error_message) == ({"date": "2026-03-01"}, None)


async def test_an_id_finds_the_contact_by_its_external_id(erasing: Erasing, engine: AsyncEngine) -> None:
    row = {
        "external_id": "stripe:customer:cus_7",
        "kind": "contact",
        "state": "applied",
        "about": {"display_name": "J"},
    }
    async with engine.begin() as connection:
        await connection.execute(insert(WRITES), FREE_WRITE | row)
    await erasing.of_person("cus_7", dry=False)
    async with engine.connect() as connection:
        assert await connection.scalar(select(WRITES.c.about)) == {}


async def test_cases_lose_their_detail_once_closed_and_the_audit_trail_is_only_counted(
    erasing: Erasing, engine: AsyncEngine, clock: FakeClock
) -> None:
    cases = Cases(engine, clock)
    for subject in ("closed", "open"):
        await cases.open("main", "duplicate_record", subject, {"found": [NAME]})
    async with engine.connect() as connection:
        number = await connection.scalar(select(CASES.c.id).where(CASES.c.subject == "closed"))
    await cases.close(number or 0, by="me", note=f"asked {NAME}")
    await AuditTrail(engine, clock).append(actor="me", act="case.closed", subject="1", detail={"note": NAME})
    held = await erasing.of_person(NAME, dry=False)
    assert {each.what: each.count for each in held} == {
        "closed cases": 1,
        "open cases": 1,
        "lines of the audit trail": 1,
    }
    kept = {case.subject: case for case in await cases.list(open_only=False)}
    assert (kept["closed"].detail, kept["closed"].note) == ({}, None)
    assert kept["open"].detail == {"found": [NAME]}


@pytest.mark.parametrize("short", ["", "  ", "jo", " jo "])
async def test_a_name_that_is_everywhere_is_refused(erasing: Erasing, short: str) -> None:
    with pytest.raises(ValueError, match="too short"):
        await erasing.of_person(short, dry=True)


async def test_a_sealed_body_can_be_searched_and_erased_with_its_key_only(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    sealed = DeadLetters(engine, clock, Sealing(KEYS))
    await sealed.add(letter("sealed", body=BODY))
    await sealed.set_state("sealed", "waiting", "replayed")
    kept = await sealed.get("sealed")
    assert b"jenny" not in kept.body.lower()
    assert sealed.opened(kept).body == BODY
    with pytest.raises(BodySealed, match=r"store\.body_key_file"):
        await Erasing(engine, clock, Sealing()).of_person(NAME, dry=True)
    turned = Sealing((SecretStr(Fernet.generate_key().decode()), *KEYS))
    assert DeadLetters(engine, clock, turned).opened(kept).body == BODY, "an old key still opens"
    assert [each.count for each in await Erasing(engine, clock, turned).of_person(NAME, dry=False)] == [1]
    gone = await sealed.get("sealed")
    assert erased(gone)
    assert sealed.opened(gone).body == b""


async def test_letters_from_before_the_key_stay_readable_and_a_changed_one_is_refused(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    await DeadLetters(engine, clock).add(letter("open", body=BODY))
    sealed = DeadLetters(engine, clock, Sealing(KEYS[:1]))
    assert sealed.opened(await sealed.get("open")).body == BODY
    await sealed.add(letter("sealed", body=BODY))
    assert await sealed.keys_in_use() == {None: 1, (await sealed.get("sealed")).body_key: 1}
    async with engine.begin() as connection:
        same = DEAD_LETTERS.c.id == "sealed"
        await connection.execute(update(DEAD_LETTERS).where(same).values(body=b"gAAAA" + BODY))
    with pytest.raises(BodySealed, match="was changed"):
        sealed.opened(await sealed.get("sealed"))


async def test_what_sqlite_removed_is_not_in_its_file(sqlite_url: str, clock: FakeClock) -> None:
    from store.engine import connect  # noqa: PLC0415 - only here

    engine = connect(sqlite_url)
    letters, erasing = DeadLetters(engine, clock), Erasing(engine, clock, Sealing())
    await letters.add(letter("settled", body=BODY * 200))
    await letters.set_state("settled", "waiting", "replayed")
    await erasing.of_person(NAME, dry=False)
    await engine.dispose()
    assert b"jenny@example.org" not in await asyncio.to_thread(Path(sqlite_url.removeprefix("sqlite:///")).read_bytes)
