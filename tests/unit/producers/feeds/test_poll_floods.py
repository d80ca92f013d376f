"""A polled address that answers more than anybody can look at: letters without number, pages that take too long."""

import pytest

from producers.feeds import polling
from producers.feeds.passing import Interrupted, PollRefused
from store.feeds.cursors import MOST_SEEN
from tests.unit.producers.feeds.polled import CURSOR, Polled, level, page

MOST = 3


def bad(number: int) -> dict[str, object]:
    """An item without a SKU."""
    return {"id": number, "updated_at": "2026-01-15T10:00:00Z"}


@pytest.mark.parametrize("cursor", [CURSOR, {"param": "since", "field": "meta.next"}], ids=["times", "answer"])
async def test_of_many_refused_items_so_many_are_kept_once_and_the_cursor_stays(
    polled: Polled, monkeypatch: pytest.MonkeyPatch, cursor: dict[str, str]
) -> None:
    monkeypatch.setattr(polling, "MOST_REFUSED", MOST)
    many = [level("a"), *(bad(number) for number in range(5 * MOST)), level("b")]
    feed = polled.feed(
        *(page(*many, meta={"next": "x"}) for _ in range(3)), page(bad(1), meta={"next": "x"}), cursor=cursor
    )
    for _ in range(3):
        with pytest.raises(PollRefused, match=f"{5 * MOST} items of one pass cannot be normalised, and {MOST} are"):
            await feed.look(polled.turn())
    assert len(polled.broker.kept) == MOST
    assert polled.broker.items[:2] == ["a", "b"], "what is good is published all the same"
    assert polled.cursors.cursor.value is None
    await feed.look(polled.turn())
    assert len(polled.broker.kept) == MOST
    assert polled.cursors.cursor.value is not None, "it moves once fewer are refused"


async def test_told_to_stop_it_ends_within_a_page_and_what_was_kept_is_not_kept_again(polled: Polled) -> None:
    feed = polled.feed(*(page(*(bad(number) for number in range(9))) for _ in range(2)), cursor=CURSOR)
    turn, keep = polled.turn(), feed.publisher.keep_raw

    async def keep_one(*said: object, **more: object) -> None:
        turn.stop.set()
        await keep(*said, **more)  # type: ignore[arg-type]  # as they came

    feed.publisher.keep_raw = keep_one  # type: ignore[method-assign]  # the test stands in its way
    with pytest.raises(Interrupted, match="stopped"):
        await feed.look(turn)
    assert len(polled.broker.kept) == 1
    feed.publisher.keep_raw = keep  # type: ignore[method-assign]  # the test stands in its way
    turn.stop.clear()
    await feed.look(polled.turn())
    assert len(polled.broker.kept) == 9


async def test_a_page_that_takes_too_long_is_refused(polled: Polled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "PAGE_SECONDS", -1.0)
    with pytest.raises(PollRefused, match="smaller pages"):
        await polled.feed(page(level("a"))).look(polled.turn())
    assert polled.broker.items == []


def test_what_a_person_has_is_never_forgotten_for_want_of_room() -> None:
    assert polling.MOST_REFUSED < MOST_SEEN
