"""The paced transport: token, key, `before_send`, send, report; in this order, whatever goes wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import structlog

from runtime.calling import Bounded
from runtime.errors import ConfigurationError
from solid.client import SolidClient
from solid.errors import OutcomeUnknown, SolidError, Unavailable
from solid.transport import LATE_SECONDS, PacedTransport, direct_transport
from tests.unit.solid.support import (
    DIALECT,
    INVOICE,
    KEY,
    TIMEOUT,
    CountedToken,
    ScriptedSolid,
    WritingLimiter,
    ok,
    refusal,
)

CREATED = ok({"id": "i-1"}, status=201)


class OurOwnError(Exception):
    """Something of the caller's."""


async def test_a_token_is_taken_then_before_send_then_the_request() -> None:
    solid = ScriptedSolid([CREATED])

    async def before_send() -> None:
        solid.limiter.log.append("before_send")

    async with solid.client() as client:
        await client.create(INVOICE, before_send=before_send)
    assert solid.limiter.log == ["take", "before_send", "send", ("report", 1, None, None)]


async def test_a_token_that_waited_for_before_send_is_not_spent_but_another() -> None:
    """A lease that is renewed in a locked database: sent now, the call would come on top of newer ones."""
    solid, waits = ScriptedSolid([CREATED]), [LATE_SECONDS * 2, 0]

    async def before_send() -> None:
        await asyncio.sleep(waits.pop(0))
        solid.limiter.log.append("before_send")

    async with solid.client() as client:
        await client.create(INVOICE, before_send=before_send)
    first, second = ("report", 1, None, None), ("report", 2, None, None)
    assert solid.limiter.log == ["take", "before_send", first, "take", "before_send", "send", second]


async def test_when_before_send_raises_nothing_is_sent_and_its_error_is_kept() -> None:
    solid, error = ScriptedSolid([CREATED]), OurOwnError("lease lost")

    async def before_send() -> None:
        raise error

    async with solid.client() as client:
        with pytest.raises(OurOwnError) as caught:
            await client.create(INVOICE, before_send=before_send)
    assert caught.value is error
    assert solid.limiter.log == ["take", ("report", 1, None, None)]


async def test_an_error_of_the_limiter_is_kept_and_nothing_is_sent() -> None:
    class Empty(WritingLimiter):
        async def take(self) -> CountedToken:
            raise OurOwnError

    solid = ScriptedSolid([CREATED], limiter=Empty())
    async with solid.client() as client:
        with pytest.raises(OurOwnError):
            await client.create(INVOICE)
    assert solid.limiter.log == []


@pytest.mark.parametrize(
    ("answer", "cause", "retry_after"),
    [
        (CREATED, None, None),
        (refusal("NO", status=422), None, None),
        (refusal("PERIOD_CLOSED", status=403), None, None),
        (httpx2.Response(500), None, None),
        (httpx2.Response(502, text="<html>"), "unavailable", None),
        (httpx2.ReadTimeout("slow"), None, None),
        (httpx2.WriteError("reset"), None, None),
        (httpx2.ConnectError("refused"), "closed", None),
        (httpx2.PoolTimeout("full"), "closed", None),
        (httpx2.Response(401), "unauthorised", None),
        (httpx2.Response(429, headers={"Retry-After": "7"}), "rate_limited", 7.0),
        (refusal("RATE_LIMITED"), "rate_limited", None),
        (httpx2.Response(503, headers={"Retry-After": "3"}), "unavailable", 3.0),
    ],
)
async def test_the_token_is_reported_with_what_became_of_it(
    answer: httpx2.Response | Exception, cause: str | None, retry_after: float | None
) -> None:
    solid = ScriptedSolid([answer])
    async with solid.client() as client:
        for call in (client.create(INVOICE), client.probe()):
            with contextlib.suppress(SolidError):
                await call
    assert solid.limiter.reports == [("report", 1, cause, retry_after), ("report", 2, cause, retry_after)]


@pytest.mark.parametrize("where", ["take", "before_send", "send"])
async def test_a_cancelled_call_reports_each_token_it_took(where: str) -> None:
    reached, never = asyncio.Event(), asyncio.Event()

    async def stop_at(place: str) -> None:
        if place == where:
            reached.set()
            await never.wait()

    class Slow(WritingLimiter):
        async def take(self) -> CountedToken:
            await stop_at("take")
            return await super().take()

    class Hanging(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await stop_at("send")
            return httpx2.Response(200, request=request)

    limiter = Slow()
    async with httpx2.AsyncClient(transport=PacedTransport(Hanging(), limiter)) as http:
        request = http.build_request(
            "GET", "http://solid/x", extensions={"before_send": lambda: stop_at("before_send")}
        )
        task = asyncio.create_task(http.send(request))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert limiter.taken == len(limiter.reports) == (0 if where == "take" else 1)
    assert all(report[2] is None for report in limiter.reports)


async def test_a_report_is_finished_though_the_caller_is_cancelled_during_it() -> None:
    reporting, go_on = asyncio.Event(), asyncio.Event()

    class SlowToReport(WritingLimiter):
        async def report(self, token: CountedToken, *, cause: str | None, retry_after: float | None) -> None:
            reporting.set()
            await go_on.wait()
            await super().report(token, cause=cause, retry_after=retry_after)

    solid = ScriptedSolid([CREATED], limiter=SlowToReport())
    async with solid.client() as client:
        task = asyncio.create_task(client.create(INVOICE))
        await reporting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
    assert solid.limiter.reports == [("report", 1, None, None)]


async def test_a_report_that_fails_does_not_hide_the_answer() -> None:
    class Failing(WritingLimiter):
        async def report(self, token: CountedToken, *, cause: str | None, retry_after: float | None) -> None:
            raise OurOwnError(token, cause, retry_after)

    with structlog.testing.capture_logs() as logs:
        async with ScriptedSolid([CREATED], limiter=Failing()).client() as client:
            assert await client.create(INVOICE) == "i-1"
    assert [(line["event"], line["error"]) for line in logs] == [("solid.report_failed", "OurOwnError")]


async def test_an_answer_that_drips_for_ever_ends_with_the_longest_timeout() -> None:
    class Dripping(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0)
                yield b" "

    limiter = WritingLimiter()
    dripping = httpx2.MockTransport(lambda _: httpx2.Response(200, stream=Dripping()))
    transport = PacedTransport(Bounded(dripping), limiter)
    async with httpx2.AsyncClient(transport=transport, timeout=httpx2.Timeout(0.05)) as http:
        with pytest.raises(httpx2.ReadTimeout):
            await http.get("http://solid/x")
    assert limiter.reports == [("report", 1, None, None)]


async def test_an_answer_that_breaks_off_in_its_body_is_unknown_and_reported() -> None:
    class Broken(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b'{"success": true, '
            raise httpx2.ReadError("reset")

    solid = ScriptedSolid([])
    transport = PacedTransport(httpx2.MockTransport(lambda _: httpx2.Response(200, stream=Broken())), solid.limiter)
    client = SolidClient(
        base_url="http://solid", api_key=lambda: KEY, dialect=DIALECT, transport=transport, timeout=TIMEOUT
    )
    async with client:
        with pytest.raises(OutcomeUnknown):
            await client.create(INVOICE)
    assert solid.limiter.reports == [("report", 1, None, None)]


async def test_a_key_that_cannot_be_read_stops_the_call_and_puts_the_brake_on() -> None:
    solid = ScriptedSolid([CREATED])
    called = False

    async def before_send() -> None:
        nonlocal called
        called = True

    for key in ("", "  \n", "two\nlines", "schlüssel"):
        async with solid.client(api_key=lambda key=key: key) as client:  # type: ignore[misc]  # mypy infers no type for defaults of a lambda
            with pytest.raises(Unavailable) as caught:
                await client.create(INVOICE, before_send=before_send)
        assert (caught.value.cause, caught.value.sent) == ("unauthorised", False)
        assert key.strip() == "" or key not in str(caught.value)
    assert not called
    assert solid.requests == []
    assert {report[2] for report in solid.limiter.reports} == {"unauthorised"}


async def test_the_transport_that_sends_verifies_certificates() -> None:
    transport = direct_transport()
    context = transport._inner._pool._ssl_context  # type: ignore[attr-defined]  # what is inside
    assert context is not None
    assert context.check_hostname
    await transport.aclose()


def test_a_missing_certificate_file_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"solid\.ca_file: .*No such file"):
        direct_transport(ca_file=tmp_path / "none.pem")
