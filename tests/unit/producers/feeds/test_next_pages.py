"""Next pages that are no address of the server that is polled: refused with a clear error, and asked of nobody."""

import gzip

import httpx2
import pytest

from producers.feeds.passing import PollRefused
from tests.unit.producers.feeds.polled import URL, Polled, level, page

ODD = (
    "http://[",
    "http://[::1",
    "https://shop.example:99999/x",
    "https://shop.example:x/",
    "//elsewhere.test/x",
    "https://user:pw@shop.example/levels",
    "http://shop.example/levels",
    "https://elsewhere.test\\@shop.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
)


@pytest.mark.parametrize("target", ODD)
@pytest.mark.parametrize("said_in", ["header", "body"])
async def test_it_is_refused_plainly_and_the_token_goes_nowhere(polled: Polled, target: str, said_in: str) -> None:
    first = page(level("a"), link=target) if said_in == "header" else page(level("a"), next=target)
    settings = {} if said_in == "header" else {"pages": {"kind": "next", "field": "next"}}
    with pytest.raises(PollRefused, match=r"feeds\.shop"):
        await polled.feed(first, token="t", **settings).look(polled.turn())
    assert [str(request.url) for request in polled.requests] == [URL]


async def test_after_a_refused_page_the_next_pass_goes_on(polled: Polled) -> None:
    feed = polled.feed(page(level("a"), link="http://["), page(level("a"), level("b")))
    with pytest.raises(PollRefused):
        await feed.look(polled.turn())
    await feed.look(polled.turn())
    assert polled.broker.items[-1] == "b"


async def test_an_answer_that_unpacks_to_more_than_max_bytes_is_refused(polled: Polled) -> None:
    answer = httpx2.Response(200, stream=httpx2.ByteStream(gzip.compress(bytes(10_000))))
    answer.headers["Content-Encoding"] = "gzip"
    with pytest.raises(PollRefused, match=r"max_bytes"):
        await polled.feed(answer, max_bytes=1_000).look(polled.turn())
