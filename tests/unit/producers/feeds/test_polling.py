"""A polled address: pages, cursors, ETags, and that a cursor moves only after the broker has confirmed."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import httpx2
import pytest

from messaging.errors import PublishFailed
from producers.calling.trying import PAUSES_SECONDS
from producers.feeds.feed import keep_feeding
from producers.feeds.passing import Interrupted, PollRefused, PollUnavailable
from producers.normalising import NormaliseContext, Piece, Refused, Taken
from producers.reading.documents import elements_at
from runtime.errors import ConfigurationError
from store.feeds.cursors import Cursor
from tests.unit.producers.feeds.feeding import adjusted
from tests.unit.producers.feeds.polled import CURSOR, URL, Polled, level, page
from tests.unit.producers.sourcing import put


async def test_all_pages_are_published_and_the_cursor_is_the_latest_time(polled: Polled) -> None:
    after = "https://shop.example/levels.json?limit=2&page_info=2"
    feed = polled.feed(
        page(level("a", "2026-01-15T11:00:00+01:00"), level("b", "2026-01-15T09:30:00Z"), link=after),
        page(level("c", "2026-01-15T10:00:01Z")),
        cursor=CURSOR,
    )
    found = await feed.look(polled.turn())
    assert polled.broker.items == ["a", "b", "c"]
    assert polled.cursors.moves == [("2026-01-15T10:00:01Z", 3)]
    assert [str(request.url) for request in polled.requests] == [URL, after]
    assert (found.files, found.rows, found.events) == (1, 3, 3)
    assert [(run.state, run.name) for run in polled.runs.runs] == [("done", "shop.example/levels.json")]


async def test_the_next_pass_asks_from_a_while_before_the_cursor_and_publishes_only_what_is_new(
    polled: Polled,
) -> None:
    feed = polled.feed(
        page(level("a")), page(level("a"), level("b", "2026-01-15T10:05:00Z")), cursor=CURSOR, overlap_seconds=300
    )
    await feed.look(polled.turn())
    await feed.look(polled.turn())
    assert polled.asked("updated_at_min") == [None, "2026-01-15T09:55:00Z"]
    assert polled.broker.items == ["a", "b"]
    assert polled.cursors.cursor.value == "2026-01-15T10:05:00Z"


async def test_one_item_dated_in_the_future_does_not_hide_what_comes_until_then(polled: Polled) -> None:
    await polled.feed(page(level("a", "2099-01-01T00:00:00Z")), cursor=CURSOR).look(polled.turn())
    assert polled.cursors.cursor.value == "2026-01-15T12:00:00Z", "the moment at which was asked"


async def test_a_cursor_never_goes_back(polled: Polled) -> None:
    polled.cursors.cursor = Cursor("2026-01-15T11:00:00Z")
    await polled.feed(page(level("late")), cursor=CURSOR).look(polled.turn())
    assert polled.broker.items == ["late"]
    assert polled.cursors.cursor.value == "2026-01-15T11:00:00Z"


async def test_without_a_confirm_the_cursor_stays_where_it_is(polled: Polled) -> None:
    feed = polled.feed(page(level("a")), page(level("a")), cursor=CURSOR)
    polled.broker.failures = [PublishFailed("no answer")]
    with pytest.raises(Interrupted, match="no answer"):
        await feed.look(polled.turn())
    assert polled.cursors.moves == []
    assert [run.state for run in polled.runs.runs] == ["interrupted"]
    await feed.look(polled.turn())
    assert polled.broker.items == ["a"]


async def test_a_failing_second_page_leaves_the_cursor_of_times_where_it_was(polled: Polled) -> None:
    feed = polled.feed(page(level("a"), link=f"{URL}&page=2"), httpx2.Response(404), cursor=CURSOR)
    with pytest.raises(PollRefused, match="404"):
        await feed.look(polled.turn())
    assert (polled.broker.items, polled.cursors.moves) == (["a"], [])


async def test_a_cursor_that_the_answer_gives_moves_page_by_page(polled: Polled) -> None:
    settings = {
        "cursor": {"param": "since", "field": "meta.next"},
        "pages": {"kind": "next", "field": "meta.more", "param": "since"},
    }
    feed = polled.feed(
        page(level("a"), meta={"next": 271878346596884015, "more": 271878346596884015}),
        page(level("b"), meta={"next": "x2", "more": None}),
        page(meta={}),
        **settings,
    )
    await feed.look(polled.turn())
    assert polled.cursors.moves == [("271878346596884015", 1), ("x2", 2), ("x2", 2)]
    await feed.look(polled.turn())
    assert polled.asked("since") == [None, "271878346596884015", "x2"]
    assert polled.cursors.cursor.value == "x2"


async def test_a_number_is_a_cursor_too(polled: Polled) -> None:
    settings = {"cursor": {"param": "since_id", "max_of": "id", "kind": "number", "start": "1"}}
    feed = polled.feed(page({"sku": "a", "id": 9}, {"sku": "b", "id": 10}), page(), **settings)
    await feed.look(polled.turn())
    await feed.look(polled.turn())
    assert polled.asked("since_id") == ["1", "10"]


@pytest.mark.parametrize("at", ["2026-01-15T10:00:00", "15.01.2026", 5])
async def test_a_time_without_offset_is_not_guessed_and_nothing_is_published(polled: Polled, at: object) -> None:
    with pytest.raises(PollRefused, match="with its offset"):
        await polled.feed(page({"sku": "a", "updated_at": at}), cursor=CURSOR).look(polled.turn())
    assert (polled.broker.items, polled.cursors.moves) == ([], [])


async def test_nothing_changed_costs_one_short_call(polled: Polled) -> None:
    feed = polled.feed(page(level("a"), etag='"v1"'), httpx2.Response(304), page(level("b"), etag='"v2"'))
    for _ in range(3):
        await feed.look(polled.turn())
    assert [request.headers.get("if-none-match") for request in polled.requests] == [None, '"v1"', '"v1"']
    assert polled.broker.items == ["a", "b"]


async def test_an_etag_of_one_of_two_pages_is_not_used(polled: Polled) -> None:
    first = page(level("a"), link=f"{URL}&page=2", etag='"v1"')
    feed = polled.feed(first, page(level("b"), etag='"v2"'), page(level("c")))
    await feed.look(polled.turn())
    await feed.look(polled.turn())
    assert [request.headers.get("if-none-match") for request in polled.requests] == [None, None, None]


async def test_an_etag_of_another_cursor_is_not_used(polled: Polled) -> None:
    feed = polled.feed(
        page(level("a"), etag='"v1"'), page(level("a"), etag='"v2"'), httpx2.Response(304), cursor=CURSOR
    )
    for _ in range(3):
        await feed.look(polled.turn())
    assert [request.headers.get("if-none-match") for request in polled.requests] == [None, None, '"v2"']


async def test_an_item_that_cannot_be_normalised_is_put_before_a_person_once(polled: Polled) -> None:
    bad = {"id": 271878346596884015, "updated_at": "2026-01-15T10:00:00Z"}
    feed = polled.feed(page(bad, level("a")), page(bad, level("a")), cursor=CURSOR)
    found = await feed.look(polled.turn())
    assert (found.rejects, found.refused) == (1, 1)
    await feed.look(polled.turn())
    [kept] = polled.broker.kept
    assert kept["body"].startswith(b'{"id":271878346596884015')
    assert (kept["source"], kept["company"], kept["reason"]) == ("/feeds/shop/items", "main", "no_sku")


async def test_what_is_good_in_an_item_is_published_though_a_part_of_it_is_refused(
    polled: Polled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_tasks(stream: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
        for sku in json.loads(stream.read())["tasks"]:
            yield Taken(sku, (adjusted(sku, context.company),)) if sku else Refused("task 2", "no_sku", "no SKU", "sku")

    put(monkeypatch, "items", read_tasks)
    found = await polled.feed(page({"tasks": ["a", None, "c"]})).look(polled.turn())
    assert (polled.broker.items, found.rejects) == (["a", "c"], 1)
    assert [kept["reason"] for kept in polled.broker.kept] == ["no_sku"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_said_plainly(polled: Polled, status: int) -> None:
    with pytest.raises(PollRefused, match=r"the token is not accepted.*feeds\.shop\.token_file"):
        await polled.feed(httpx2.Response(status)).look(polled.turn())


async def test_the_token_comes_from_its_file_at_every_call(polled: Polled, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first-token\n")
    feed = polled.feed(page(), page(), token_file=file, token_header="X-Shopify-Access-Token", token_prefix="")
    await feed.look(polled.turn())
    file.write_text("second-token\n")
    await feed.look(polled.turn())
    assert [request.headers["x-shopify-access-token"] for request in polled.requests] == ["first-token", "second-token"]
    file.unlink()
    with pytest.raises(ConfigurationError, match=r"feeds\.shop\.token_file"):
        await feed.look(polled.turn())


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_waited_for(polled: Polled, status: int) -> None:
    dated = {"Retry-After": "Thu, 15 Jan 2026 12:00:21 GMT", "Date": "Thu, 15 Jan 2026 12:00:00 GMT"}
    feed = polled.feed(
        httpx2.Response(status, headers={"Retry-After": "7"}), httpx2.Response(status, headers=dated), page(level("a"))
    )
    await feed.look(polled.turn())
    assert polled.clock.slept == [7, 21]
    assert polled.broker.items == ["a"]


async def test_a_long_retry_after_ends_the_pass_and_the_next_begins_after_it(polled: Polled) -> None:
    feed = polled.feed(httpx2.Response(429, headers={"Retry-After": "3600"}), page(level("a")))
    with pytest.raises(PollUnavailable):
        await feed.look(polled.turn())
    feed = polled.feed(httpx2.Response(429, headers={"Retry-After": "3600"}), page(level("a")))
    feeding = asyncio.create_task(keep_feeding(feed, polled.stop, polled.clock))
    while not polled.broker.items:  # noqa: ASYNC110 - the fake has no event
        await asyncio.sleep(0)
    polled.stop.set()
    await feeding
    assert 3600 in polled.clock.slept


async def test_a_server_that_does_not_come_round_ends_the_pass(polled: Polled) -> None:
    with pytest.raises(PollUnavailable, match="answered 500"):
        await polled.feed(*[httpx2.Response(500)] * (1 + len(PAUSES_SECONDS))).look(polled.turn())
    assert polled.clock.slept == [1, 2, 4, 8]


async def test_a_redirect_does_not_get_the_token(polled: Polled) -> None:
    feed = polled.feed(httpx2.Response(302, headers={"Location": "https://evil.example/"}))
    with pytest.raises(PollRefused, match="it is elsewhere now"):
        await feed.look(polled.turn())
    assert len(polled.requests) == 1


@pytest.mark.parametrize("link", ["https://evil.example/levels.json", "http://shop.example/levels.json"])
async def test_a_next_page_on_another_server_does_not_get_the_token(polled: Polled, link: str) -> None:
    with pytest.raises(PollRefused, match="another server"):
        await polled.feed(page(level("a"), link=link)).look(polled.turn())
    assert len(polled.requests) == 1


async def test_pages_that_go_round_in_a_circle_end(polled: Polled) -> None:
    with pytest.raises(PollRefused, match="circle"):
        await polled.feed(page(link=URL)).look(polled.turn())


@pytest.mark.parametrize("body", [b'{"other": []}', b'{"levels": {}}'])
async def test_an_answer_without_the_list_is_said_and_nothing_of_it_told(polled: Polled, body: bytes) -> None:
    with pytest.raises(PollRefused, match=r"is feeds\.shop\.items right"):
        await polled.feed(httpx2.Response(200, content=body)).look(polled.turn())


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff", b'{"levels": ['])
async def test_an_answer_that_is_no_json_is_said_with_what_it_claims_to_be(polled: Polled, body: bytes) -> None:
    answer = httpx2.Response(200, content=body, headers={"Content-Type": "text/html; charset=x"})
    with pytest.raises(PollRefused, match=r"no JSON, but text/html: is feeds\.shop\.url right"):
        await polled.feed(answer).look(polled.turn())


@pytest.mark.parametrize("answer", [httpx2.Response(204), httpx2.Response(200, json={"levels": None})])
async def test_nothing_is_said_in_several_ways(polled: Polled, answer: httpx2.Response) -> None:
    found = await polled.feed(answer, cursor=CURSOR).look(polled.turn())
    assert (found.rows, found.events) == (0, 0)


async def test_numbered_pages_are_asked_for_until_one_is_empty(polled: Polled) -> None:
    feed = polled.feed(
        page(level("a")),
        page(level("b", "2026-01-15T11:00:00Z")),
        page(),
        page(),
        cursor=CURSOR,
        pages={"kind": "number", "param": "page"},
    )
    await feed.look(polled.turn())
    assert polled.asked("page") == ["1", "2", "3"]
    assert (polled.broker.items, polled.cursors.moves) == (["a", "b"], [("2026-01-15T11:00:00Z", 2)])
    await feed.look(polled.turn())
    assert polled.asked("page")[3:] == ["1"]
    assert polled.asked("updated_at_min")[3:] == ["2026-01-15T10:55:00Z"]


async def test_pages_by_offset_end_with_one_that_is_not_full(polled: Polled) -> None:
    feed = polled.feed(
        page(level("a"), level("b")),
        page(level("c")),
        pages={"kind": "number", "param": "offset", "first": 0, "step": 2, "size": 2},
    )
    await feed.look(polled.turn())
    assert polled.asked("offset") == ["0", "2"]
    assert polled.broker.items == ["a", "b", "c"]


async def test_a_server_that_knows_no_pages_is_not_believed(polled: Polled) -> None:
    feed = polled.feed(page(level("a")), page(level("a")), cursor=CURSOR, pages={"kind": "number", "param": "pages"})
    with pytest.raises(PollRefused, match=r"is pages\.param right"):
        await feed.look(polled.turn())
    assert polled.cursors.moves == []


async def test_a_last_page_that_is_given_again_is_the_last(polled: Polled) -> None:
    feed = polled.feed(page(level("a")), page(level("b")), page(level("b")), pages={"kind": "number", "param": "page"})
    await feed.look(polled.turn())
    assert polled.broker.items == ["a", "b"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_a_time_that_stands_for_none_stops_nothing(polled: Polled, at: str) -> None:
    feed = polled.feed(page(level("a", at)), page(level("b")), cursor=CURSOR)
    await feed.look(polled.turn())
    await feed.look(polled.turn())
    assert polled.broker.items == ["a", "b"]
    assert polled.cursors.cursor.value in {"2026-01-15T10:00:00Z", "2026-01-15T12:00:00Z"}


async def test_times_that_count_from_1970_have_their_overlap(polled: Polled) -> None:
    cursor = {"param": "since", "max_of": "at", "kind": "unix_ms"}
    feed = polled.feed(page({"sku": "a", "at": 1768471200123}), page({"sku": "b", "at": 1e300}), cursor=cursor)
    await feed.look(polled.turn())
    with pytest.raises(PollRefused, match=r"is cursor\.kind right"):
        await feed.look(polled.turn())
    assert polled.asked("since") == [None, "1768470900000"]


async def test_times_without_offset_have_a_zone_that_is_declared(polled: Polled) -> None:
    cursor = {**CURSOR, "time_zone": "America/Los_Angeles"}
    feed = polled.feed(page(level("a", "2026-01-15T02:00:00.0000000")), page(), cursor=cursor)
    await feed.look(polled.turn())
    await feed.look(polled.turn())
    assert polled.cursors.cursor.value == "2026-01-15T10:00:00Z"
    assert polled.asked("updated_at_min") == [None, "2026-01-15T01:55:00"]


async def test_what_a_person_has_is_remembered_longest(polled: Polled) -> None:
    feed = polled.feed(page({"id": 1}, *(level(str(number)) for number in range(3))))
    await feed.look(polled.turn())
    seen = polled.cursors.cursor.seen
    assert (len(seen), seen[-1] in seen[:-1]) == (4, False)
    assert seen[-1] == hashlib.sha256(b'{"id":1}').hexdigest()[:16], "the store keeps the last ones"


async def test_an_answer_that_is_too_large_is_cut_off(polled: Polled) -> None:
    with pytest.raises(PollRefused, match="more than 100 bytes"):
        await polled.feed(page(level("a" * 200)), max_bytes=100).look(polled.turn())


async def test_nothing_of_a_body_or_token_is_told(
    polled: Polled, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    broken = [httpx2.Response(500, text="Jenny Rosen")] * (1 + len(PAUSES_SECONDS))
    feed = polled.feed(page({"name": "Jenny Rosen"}), *broken, token="shpat_hidden")
    await feed.look(polled.turn())
    with pytest.raises(PollUnavailable):
        await feed.look(polled.turn())
    told = "".join((*capsys.readouterr(), caplog.text, repr(polled.runs.runs), repr(feed.settings)))
    assert "Rosen" not in told
    assert "hidden" not in told


def test_elements_are_taken_exactly_as_they_stand() -> None:
    raw = b'{"data": {"list": [ {"a": 1.10,  "b":"\\/"} , 2]}}'
    assert elements_at(raw, "data.list") == [b'{"a": 1.10,  "b":"\\/"}', b"2"]
    assert elements_at(b" [1, [2]] ", "") == [b"1", b"[2]"]
    assert elements_at(b'{"a": 1}', "") == [b'{"a": 1}']
