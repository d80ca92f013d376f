"""A list that changes while it is read: nothing is concluded, and it is known that another look may tell.

Found by the demo: with two pages of entries and a worker that posts meanwhile, an earlier-dated row moved the rest.
"""

import httpx2

from solid.client import Absent, Inconclusive
from tests.unit.solid.support import ENTRY, ScriptedSolid, ok, rows


def pages_while_a_row_is_inserted(request: httpx2.Request) -> httpx2.Response:
    """Two to a page; before the second page is asked for, a row comes in at the front."""
    page = int(request.url.params.get("page", "1"))
    everything = rows(3) if page == 1 else [{"id": "new"}, *rows(3)]
    return ok(everything[(page - 1) * 2 : page * 2], page=page, total=len(everything))


async def test_a_list_that_moved_is_inconclusive_for_now() -> None:
    async with ScriptedSolid(pages_while_a_row_is_inserted).client() as client:
        answer = await client.find(ENTRY)
    assert isinstance(answer, Inconclusive)
    assert answer.moved


async def test_a_list_that_is_cut_for_good_does_not_count_as_moved() -> None:
    async with ScriptedSolid(lambda _: ok(rows(50))).client() as client:
        answer = await client.find(ENTRY)
    assert isinstance(answer, Inconclusive)
    assert not answer.moved


async def test_a_quieter_moment_tells() -> None:
    async with ScriptedSolid(lambda _: ok(rows(3), total=3)).client() as client:
        assert await client.find(ENTRY) == Absent()
