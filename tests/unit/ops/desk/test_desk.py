"""The desk: a letter is sent again under its own identity, or stays where it is with the reason why not."""

import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import SecretStr

from messaging import headers as h
from messaging.connection import Link
from messaging.drain import DeadMessage
from messaging.errors import PublishFailed
from messaging.topology import RAW_DLQ, replay_key
from ops.desk.desk import Choice, Desk, letter_of, replay_chosen
from ops.desk.origins import Origin, told_in
from producers.normalising import NormaliseContext
from runtime.settings import Settings
from schemas.envelope import encode
from store import migrate
from store.audit import AuditTrail
from store.dead_letters import DeadLetters, StoredLetter
from store.engine import connect
from store.feeds.names import FeedNames
from tests.fakes import FakeClock
from tests.unit.producers.made import charge, only_event, refund, stripe_event

if TYPE_CHECKING:
    from messaging.publisher import Publisher

MAIN = Origin(NormaliseContext(company="main"), "stripe")
KEY = "main.sales.payment.succeeded.v1"


class FakePublisher:
    """Notes what is published; fails when told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, Mapping[str, Any]]] = []
        self.broken = False

    async def publish_raw(self, body: bytes, *, key: str, message_id: str | None, headers: Mapping[str, Any]) -> None:
        if self.broken:
            raise PublishFailed(message_id)
        self.sent.append((key, body, headers))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    url = f"sqlite:///{tmp_path}/relay.db"
    migrate.upgrade(url)
    engine, clock = connect(url), FakeClock()
    link = Link(SecretStr("amqp://127.0.0.1:1/"), name="never used")
    yield Desk(
        letters=DeadLetters(engine, clock),
        audit=AuditTrail(engine, clock),
        names=FeedNames(engine),
        link=link,
        publisher=cast("Publisher", FakePublisher()),
        actor="ada",
        told=lambda letter: told_in(letter, Settings()),
    )
    await engine.dispose()


def published(desk: Desk) -> FakePublisher:
    return cast("FakePublisher", desk._publisher)


async def waiting(desk: Desk, **changes: object) -> StoredLetter:
    event = only_event(stripe_event("charge.succeeded", charge()))
    known: dict[str, Any] = {
        "id": "a" * 32,
        "queue": "relay.sales.dlq",
        "body": encode(event),
        "headers": {h.ATTEMPT: 8},
        "content_type": h.CONTENT_TYPE,
        "key": KEY,
        "reason": "outcome_unknown",
        "error": "no answer",
        "attempts": 8,
        "died_at": "2026-11-22T10:00:00+00:00",
    }
    await desk.letters.add(letter_of(DeadMessage(**{**known, **changes})))
    return await desk.letters.get("a" * 32)


def raw(body: bytes, company: str = "main") -> dict[str, Any]:
    headers = {h.SOURCE: "/webhooks/stripe", h.COMPANY: company}
    return {"queue": RAW_DLQ, "body": body, "headers": headers, "key": None}


async def test_a_replay_keeps_the_bytes_and_the_key_starts_at_the_first_attempt_and_is_audited(desk: Desk) -> None:
    letter = await waiting(desk)
    assert (await desk.replay(letter, origin=MAIN)).sent == 1
    [(key, body, headers)] = published(desk).sent
    assert (key, body) == (replay_key(KEY), letter.body)
    assert h.ATTEMPT not in headers
    assert (await desk.letters.get(letter.id)).state == "replayed"
    [line] = await desk._audit.list(letter.id)
    assert (line.actor, line.act) == ("ada", "dead_letter.replayed")


async def test_a_replay_that_is_not_confirmed_leaves_the_letter_waiting(desk: Desk) -> None:
    letter = await waiting(desk)
    published(desk).broken = True
    assert (await desk.replay(letter, origin=MAIN)).error
    assert (await desk.letters.get(letter.id)).state == "waiting"


async def test_raw_input_whose_events_the_broker_lost_after_a_replay_waits_again(desk: Desk) -> None:
    letter = await waiting(desk, **raw(stripe_event("charge.succeeded", charge())))
    await desk.replay(letter, origin=MAIN)
    assert await desk.letters.wait_again("other") == 0
    assert await desk.letters.wait_again("main") == 1, "nothing is known of its event"
    again = await desk.letters.get(letter.id)
    assert (again.state, again.body) == ("waiting", letter.body)
    await desk.replay(again, origin=MAIN)
    [_, (_, event, _)] = published(desk).sent
    died = DeadMessage(
        id="b" * 32,
        queue="relay.sales.dlq",
        body=event,
        headers={},
        content_type=h.CONTENT_TYPE,
        key=KEY,
        reason="refused",
        error="",
        attempts=1,
        died_at=None,
    )
    await desk.letters.add(letter_of(died))
    assert await desk.letters.wait_again("main") == 0, "its event is before a person"


async def test_a_body_that_is_delivered_and_refused_twice_is_one_letter(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: dict[str, Any] = {"content_type": None, "reason": "unknown_currency", "error": "no", "attempts": 1}
    other = stripe_event("charge.succeeded", charge(), id="evt_2")
    again = stripe_event("charge.succeeded", charge(), pending_webhooks=3)
    bodies = [stripe_event("charge.succeeded", charge()), stripe_event("charge.succeeded", charge()), other, again]

    async def drain(_: object, keep: Callable[[DeadMessage], Awaitable[None]]) -> int:
        for number, body in enumerate(bodies):
            await keep(DeadMessage(id=f"{number}", died_at=None, **died, **raw(body)))
        return len(bodies)

    monkeypatch.setattr("ops.desk.desk.drain_dead_letters", drain)
    assert await desk.collect() == 2
    assert [letter.id for letter in await desk.letters.list()] == ["0", "2"]


async def test_what_takes_something_back_cannot_be_waived(desk: Desk) -> None:
    failed = only_event(stripe_event("refund.failed", refund(status="failed")))
    of = {"key": "main.sales.payment.refund_failed.v1", "reason": "prerequisite:stripe:refund:re_1"}
    letter = await waiting(desk, body=encode(failed), **of)
    refused = await desk.replay(letter, origin=MAIN, waive=True)
    assert refused.sent == 0
    assert "it takes back stripe:refund:re_1, which must be in the books first" in str(refused.error)
    assert (await desk.letters.get(letter.id)).state == "waiting"
    assert (await desk.replay(letter, origin=MAIN)).sent == 1


async def test_what_was_replayed_is_not_replayed_again(desk: Desk) -> None:
    await desk.replay(await waiting(desk), origin=MAIN)
    again = await desk.letters.get("a" * 32)
    assert (await desk.replay(again, origin=MAIN)).error == "it is replayed already"


@pytest.mark.parametrize(("waive", "marked"), [(False, False), (True, True)])
async def test_a_prerequisite_is_waived_only_when_a_person_says_so(desk: Desk, *, waive: bool, marked: bool) -> None:
    letter = await waiting(desk, reason="prerequisite:stripe:charge:ch_1:invoice")
    await desk.replay(letter, origin=MAIN, waive=waive)
    [(_, _, headers)] = published(desk).sent
    assert (h.WAIVED in headers) == marked


async def test_raw_input_is_normalised_again_into_its_own_companys_books(desk: Desk) -> None:
    letter = await waiting(desk, **raw(stripe_event("charge.succeeded", charge())))
    assert (await desk.replay(letter, origin=MAIN)).sent == 1
    assert published(desk).sent[0][0] == replay_key(KEY)


async def test_raw_input_of_another_company_is_not_booked_by_whoever_replays_it(desk: Desk) -> None:
    letter = await waiting(desk, **raw(stripe_event("charge.succeeded", charge()), company="other"))
    assert "company other" in str((await desk.replay(letter, origin=MAIN)).error)
    assert published(desk).sent == []


async def test_raw_input_that_still_gives_nothing_stays_waiting(desk: Desk) -> None:
    letter = await waiting(desk, **raw(stripe_event("customer.created", {"object": "customer", "id": "cus_1"})))
    assert "nothing to send" in str((await desk.replay(letter, origin=MAIN)).error)
    assert (await desk.letters.get(letter.id)).state == "waiting"


@pytest.mark.parametrize("died_at", ["garbage", None, "2026-11-22T10:00:00"])
async def test_a_letter_with_an_odd_time_of_death_is_taken_all_the_same(desk: Desk, died_at: str | None) -> None:
    assert (await waiting(desk, died_at=died_at)).state == "waiting"


async def test_a_reason_stands_for_all_its_keys(desk: Desk) -> None:
    await waiting(desk, reason="period_closed:2026-03")
    assert len(await desk.waiting("period_closed")) == 1
    assert len(await desk.waiting("period_closed:2026-03")) == 1
    assert await desk.waiting("period_closed:2026-0") == []


async def test_a_replay_of_all_holds_one_body_at_a_time(desk: Desk) -> None:
    size, count = 500_000, 30
    for number in range(count):
        said = raw(b"x" * size) | {"headers": {h.SOURCE: "/feeds/gone/shopify", h.COMPANY: "main"}}
        dead = DeadMessage(
            id=f"{number:032}", reason="r", error="", attempts=1, died_at=None, content_type=None, **said
        )
        await desk.letters.add(letter_of(dead))
    choice = Choice(reason="none such")
    assert await replay_chosen(desk, Settings(), choice, dry_run=False) == []
    tracemalloc.start()
    try:
        replayed = await replay_chosen(desk, Settings(), Choice(), dry_run=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [bool(each.error) for each in replayed] == [True] * count
    assert peak < size * count / 3
