"""Paging: every usual hint is followed to the end; what cannot be followed is never called complete."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solid.client import Absent, Inconclusive, Lookup, Present
from solid.dialect import Dialect, Parameters
from solid.pages import MOST_PAGES
from tests.unit.solid.support import BASE_URL, DIALECT, ENTRY, ScriptedSolid, ok, rows

OURS = {"id": "ours-1", "external_id": ENTRY.external_id}
Rows = Sequence[Mapping[str, object]]
Pager = Callable[[httpx2.Request, Rows, int], httpx2.Response]


def number_in(request: httpx2.Request, name: str, default: int) -> int:
    return int(request.url.params.get(name, str(default)))


def by_pages(hints: Callable[[int, int, int], dict[str, Any]], *, first: int = 1) -> Pager:
    """Cut by ?page=; `hints(page, pages, total)` is what stands beside the rows."""

    def page_of(request: httpx2.Request, everything: Rows, size: int) -> httpx2.Response:
        page = number_in(request, "page", first)
        pages = -(-len(everything) // size)
        start = (page - first) * size
        return ok(list(everything[start : start + size]), **hints(page, pages, len(everything)))

    return page_of


def by_offset(hints: Callable[[int, int, int], dict[str, Any]]) -> Pager:
    """Cut by ?offset=; `hints(offset, end, total)` is what stands beside the rows."""

    def page_of(request: httpx2.Request, everything: Rows, size: int) -> httpx2.Response:
        offset = number_in(request, "offset", 0)
        return ok(list(everything[offset : offset + size]), **hints(offset, offset + size, len(everything)))

    return page_of


def by_cursor(hints: Callable[[str | None], dict[str, Any]]) -> Pager:
    """Cut by ?cursor=; `hints(next cursor)` is what stands beside the rows."""

    def page_of(request: httpx2.Request, everything: Rows, size: int) -> httpx2.Response:
        start = int(request.url.params.get("cursor", "c0")[1:])
        following = f"c{start + size}" if start + size < len(everything) else None
        return ok(list(everything[start : start + size]), **hints(following))

    return page_of


def by_link_header(request: httpx2.Request, everything: Rows, size: int) -> httpx2.Response:
    start = number_in(request, "after", 0)
    more = start + size < len(everything)
    link = f'<{BASE_URL}/api/v1/entries?after={start + size}>; rel="next", </x>; rel="first"'
    answer = ok(list(everything[start : start + size]), total=len(everything))
    return httpx2.Response(200, content=answer.content, headers={"Link": link} if more else {})


def by_payload(request: httpx2.Request, everything: Rows, size: int) -> httpx2.Response:
    page, pages = number_in(request, "page", 1), -(-len(everything) // size)
    return ok({"items": list(everything[(page - 1) * size : page * size]), "page": page, "total_pages": pages})


def url(page: int, pages: int, start: str) -> str | None:
    return f"{start}?from=2026-04-25&page={page + 1}" if page < pages else None


PAGERS: dict[str, Pager] = {
    "next url": by_pages(lambda p, n, _: {"pagination": {"next": url(p, n, f"{BASE_URL}/api/v1/entries")}}),
    "next path": by_pages(lambda p, n, _: {"next": url(p, n, "/api/v1/entries")}),
    "next path below the prefix": by_pages(lambda p, n, _: {"next": url(p, n, "/entries")}),
    "next query": by_pages(lambda p, n, _: {"meta": {"next_page_url": url(p, n, "")}}),
    "next relative": by_pages(lambda p, n, _: {"links": {"next": url(p, n, "entries")}}),
    "next href": by_pages(lambda p, n, _: {"_links": {"next": {"href": url(p, n, "/api/v1/entries")}}}),
    "next page number": by_pages(lambda p, n, _: {"next_page": p + 1 if p < n else None}),
    "next page number from 0": by_pages(lambda p, n, _: {"next": p + 1 if p + 1 < n else None}, first=0),
    "page and pages": by_pages(lambda p, n, _: {"pagination": {"page": p, "pages": n}}),
    "page and pages in camel case": by_pages(lambda p, n, _: {"meta": {"currentPage": p, "totalPages": n}}),
    "page and pages from 0": by_pages(lambda p, n, _: {"page": p, "pages": n}, first=0),
    "page and pages as text": by_pages(lambda p, n, _: {"page": str(p), "pages": str(n)}),
    "page and total": by_pages(lambda p, _, t: {"pagination": {"page": p, "total": t}}),
    "page and has_more": by_pages(lambda p, n, _: {"page": p, "has_more": p < n}),
    "offset and total": by_offset(lambda o, _, t: {"pagination": {"offset": o, "limit": 7, "total": t}}),
    "offset and has_more": by_offset(lambda o, e, t: {"offset": o, "has_more": e < t}),
    "has_more alone": by_offset(lambda _, e, t: {"has_more": e < t}),
    "total alone": by_offset(lambda _o, _e, t: {"total_count": t}),
    "next offset": by_offset(lambda o, e, t: {"offset": o, "next": e if e < t else None}),
    "count of all": by_offset(lambda _o, _e, t: {"count": t}),
    "next_cursor": by_cursor(lambda c: {"next_cursor": c}),
    "nextCursor and hasMore": by_cursor(lambda c: {"pagination": {"hasMore": c is not None, "nextCursor": c}}),
    "next as a cursor": by_cursor(lambda c: {"next": c}),
    "a cursor at the end too": by_cursor(lambda c: {"has_more": c is not None, "next_cursor": c or "c999"}),
    "link header": by_link_header,
    "inside the payload": by_payload,
}


async def found(answers: Callable[[httpx2.Request], httpx2.Response], dialect: Dialect = DIALECT) -> Lookup:
    async with ScriptedSolid(answers).client(dialect) as client:
        return await client.find(ENTRY)


@pytest.mark.parametrize("name", PAGERS)
@pytest.mark.parametrize("place", [0, 6, 7, 13, 20, 22])
async def test_a_record_on_any_page_is_found(name: str, place: int) -> None:
    everything = rows(23)
    everything[place] = OURS
    assert await found(lambda request: PAGERS[name](request, everything, 7)) == Present(("ours-1",))


@pytest.mark.parametrize("name", PAGERS)
@pytest.mark.parametrize("count", [0, 1, 7, 14, 20, 21, 100])
async def test_a_record_on_no_page_is_absent_after_the_last_one(name: str, count: int) -> None:
    everything, seen = rows(count), list[str]()

    def answer(request: httpx2.Request) -> httpx2.Response:
        page = PAGERS[name](request, everything, 7)
        seen.extend(str(row["id"]) for row in everything if f'"{row["id"]}"' in page.text)
        return page

    assert await found(answer) == Absent()
    assert sorted(set(seen)) == sorted(str(row["id"]) for row in everything)


@settings(deadline=None)  # the machine may be busy
@given(count=st.integers(0, 60), size=st.integers(2, 30), name=st.sampled_from(sorted(PAGERS)))
async def test_absent_is_said_only_after_every_row_was_seen(count: int, size: int, name: str) -> None:
    everything, last = rows(count), [OURS]
    pager = PAGERS[name]
    assert await found(lambda request: pager(request, [*everything, *last], size)) != Absent()


def ever(**hints: Any) -> Callable[[httpx2.Request], httpx2.Response]:  # noqa: ANN401 - any JSON
    return lambda _: ok(rows(3), **hints)


@pytest.mark.parametrize(
    "hints",
    [
        {"next": "https://evil.example/api/v1/entries?page=2"},
        {"next": "//evil.example/api/v1/entries?page=2"},
        {"next": "https://127.0.0.1:21384/api/v1/entries?page=2"},
        {"next": "http://127.0.0.1:9/api/v1/entries?page=2"},
        {"next": "http://user@127.0.0.1:21384/api/v1/entries?page=2"},
        {"next": "http://127.0.0.1:21384@evil.example/api/v1/entries?page=2"},
        {"next": "/api/v1/contacts?page=2"},
        {"next": "/?page=2"},
        {"next": "http://[/x"},
    ],
)
async def test_a_next_page_elsewhere_is_not_asked_for(hints: dict[str, Any]) -> None:
    solid = ScriptedSolid([ok(rows(3), **hints), ok(rows(2, start=3))])
    async with solid.client() as client:
        answer = await client.find(ENTRY)
    assert isinstance(answer, Inconclusive)
    assert len(solid.requests) == 1
    assert "evil" not in answer.why


@pytest.mark.parametrize(
    ("pages", "calls"),
    [
        ([ok(rows(3), page=1, has_more=True), ok(rows(3), page=2, has_more=True)], 2),
        ([ok(rows(3), next="?from=2026-04-25"), ok(rows(3, start=3))], 1),
        ([ok([], has_more=True), ok([])], 1),
        ([ok(rows(2), next=2), ok([], next=None)], 1),
        ([ok(rows(3), next=9), ok([], next=None)], 1),
    ],
    ids=["repeats", "leads back", "empty but more", "page or offset", "neither"],
)
async def test_what_leads_nowhere_is_given_up_at_once(pages: list[httpx2.Response], calls: int) -> None:
    solid = ScriptedSolid(pages)
    async with solid.client() as client:
        assert isinstance(await client.find(ENTRY), Inconclusive)
    assert len(solid.requests) == calls


@pytest.mark.parametrize(
    "hints",
    [
        {"has_more": True},
        {"total": 99},
        {"page": 1, "pages": 4},
        {"next_cursor": "again"},
        {"next": "/api/v1/entries?page=2"},
        {"next": "/api/v1/entries?from=2026-04-25"},
        {"next": 77},
        {"next": True},
        {"has_more": False, "total": 99},
        {"next": None, "total": 99},
    ],
)
async def test_pages_that_repeat_or_lead_nowhere_are_inconclusive(hints: dict[str, Any]) -> None:
    assert isinstance(await found(ever(**hints)), Inconclusive)


async def test_an_empty_page_that_says_there_is_more_is_inconclusive() -> None:
    assert isinstance(await found(lambda _: ok([], has_more=True)), Inconclusive)


async def test_fewer_rows_than_the_total_are_inconclusive() -> None:
    pager = by_offset(lambda o, _, t: {"offset": o, "total": t + 1})
    assert isinstance(await found(lambda request: pager(request, rows(9), 4)), Inconclusive)


@pytest.mark.parametrize(
    "hints",
    [
        {"has_more": False},
        {"next": None},
        {"next_cursor": ""},
        {"total": 50},
        {"page": 1, "pages": 1},
        {"next": False},
    ],
)
async def test_a_full_page_that_says_it_is_the_last_is_the_last(hints: dict[str, Any]) -> None:
    assert await found(lambda _: ok(rows(50), **hints)) == Absent()


@pytest.mark.parametrize("hints", [{"count": 50}, {"limit": 50}, {"page": 1, "per_page": 50}, {"total": "many"}])
async def test_a_full_page_with_hints_that_say_nothing_is_inconclusive(hints: dict[str, Any]) -> None:
    assert isinstance(await found(lambda _: ok(rows(50), **hints)), Inconclusive)


async def test_a_list_without_end_is_given_up() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        page = number_in(request, "page", 1)
        return ok(rows(1, start=page), page=page, has_more=True)

    solid = ScriptedSolid(answer)
    async with solid.client() as client:
        assert isinstance(await client.find(ENTRY), Inconclusive)
    assert len(solid.requests) == MOST_PAGES


async def test_the_filter_stays_when_pages_are_counted() -> None:
    pages = by_pages(lambda p, n, _: {"page": p, "pages": n})
    solid = ScriptedSolid(lambda request: pages(request, rows(9), 4))
    async with solid.client() as client:
        await client.find(ENTRY)
    assert [request.url.params["from"] for request in solid.requests] == ["2026-04-25"] * 3


async def test_the_names_of_the_parameters_are_the_dialects() -> None:
    dialect = Dialect(money="cents", parameters=Parameters(page="p", offset="skip", cursor="after"))
    for hints, name in (
        ({"page": 1, "pages": 2}, "p"),
        ({"has_more": True}, "skip"),
        ({"next_cursor": "x"}, "after"),
    ):
        solid = ScriptedSolid(ever(**hints))
        async with solid.client(dialect) as client:
            await client.find(ENTRY)
        assert name in solid.requests[1].url.params


async def test_every_page_takes_a_token() -> None:
    pages = by_pages(lambda p, n, _: {"page": p, "pages": n})
    solid = ScriptedSolid(lambda request: pages(request, rows(9), 4))
    async with solid.client() as client:
        await client.find(ENTRY)
    assert solid.limiter.taken == len(solid.requests) == len(solid.limiter.reports) == 3
