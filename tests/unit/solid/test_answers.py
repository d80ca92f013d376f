"""Which failure means what: every row of the table, seen through `create`."""

import traceback
from datetime import timedelta
from email.utils import format_datetime

import httpx2
import pytest

from solid.dialect import Dialect
from solid.errors import Cause, OutcomeUnknown, PeriodClosed, Refused, RefusedInDoubt, SolidError, Stage, Unavailable
from tests.fakes import NOON
from tests.unit.solid.support import DIALECT, INVOICE, KEY, Answer, ScriptedSolid, ok, refusal

HTML = {"Content-Type": "text/html"}


async def failure_of(answer: Answer, solid: ScriptedSolid | None = None) -> SolidError:
    solid = solid or ScriptedSolid([answer])
    async with solid.client() as client:
        with pytest.raises(SolidError) as caught:
            await client.create(INVOICE)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "cause", "doubt"),
    [
        (httpx2.ConnectError("[Errno 111] Connection refused"), "closed", False),
        (httpx2.ConnectError("[Errno -2] Name or service not known"), "closed", False),
        (httpx2.ConnectTimeout("slow"), "closed", False),
        (httpx2.PoolTimeout("full"), "closed", False),
        (refusal("UNAUTHORIZED", status=401), "unauthorised", True),
        (httpx2.Response(401, text="<html>", headers=HTML), "unauthorised", True),
        (refusal("FORBIDDEN", status=403), "unauthorised", True),
        (refusal("RATE_LIMITED", status=429), "rate_limited", True),
        (httpx2.Response(429, text="slow down"), "rate_limited", True),
        (refusal("RATE_LIMITED", status=200), "rate_limited", True),
        (refusal("too_many_requests", status=503), "rate_limited", True),
        (refusal("BUSY", status=503), "unavailable", True),
        (httpx2.Response(503, text="<html>", headers=HTML), "unavailable", True),
        (httpx2.Response(502, text="<html>", headers=HTML), "unavailable", True),
        (httpx2.Response(504, text="<html>", headers=HTML), "unavailable", True),
    ],
)
async def test_what_stops_every_call_is_systemic(answer: Answer, cause: Cause, *, doubt: bool) -> None:
    error = await failure_of(answer)
    assert isinstance(error, Unavailable)
    assert (error.cause, error.sent) == (cause, doubt)


@pytest.mark.parametrize(
    ("answer", "stage"),
    [
        (httpx2.WriteTimeout("slow"), "sending"),
        (httpx2.WriteError("reset"), "sending"),
        (httpx2.ReadTimeout("slow"), "waiting"),
        (httpx2.ReadError("reset"), "waiting"),
        (httpx2.RemoteProtocolError("cut"), "waiting"),
        (httpx2.DecodingError("bad gzip"), "waiting"),
        (httpx2.ProxyError("odd"), "waiting"),
        (refusal("INTERNAL", status=500), "answer"),
        (httpx2.Response(200, text="<html>", headers=HTML), "answer"),
        (httpx2.Response(200, content=b""), "answer"),
        (httpx2.Response(204), "answer"),
        (httpx2.Response(200, content=b'{"success": true, "data": {"id": NaN}}'), "answer"),
        (httpx2.Response(200, content=b'{"success": true, "data"'), "answer"),
        (httpx2.Response(200, content=b"[" * 100_000), "answer"),
        (httpx2.Response(200, json=[1]), "answer"),
        (httpx2.Response(200, json={"data": {"id": "x"}}), "answer"),
        (httpx2.Response(200, json={"success": "true", "data": {"id": "x"}}), "answer"),
        (httpx2.Response(200, json={"success": True}), "answer"),
        (httpx2.Response(200, json={"success": True, "result": {"id": "x"}}), "answer"),
        (httpx2.Response(422, json={"success": True, "data": {"id": "x"}}), "answer"),
        (httpx2.Response(404, text="<html>", headers=HTML), "answer"),
        (httpx2.Response(408, json={"detail": "slow"}), "answer"),
        (refusal("TIMEOUT", status=408), "answer"),
        (refusal("PERIOD_CLOSED", status=425), "answer"),
        (ok({}), "answer"),
        (ok({"id": None}), "answer"),
        (ok({"id": ""}), "answer"),
        (ok({"id": True}), "answer"),
        (ok([{"id": "x"}]), "answer"),
    ],
)
async def test_what_left_without_an_answer_to_trust_is_unknown(answer: Answer, stage: Stage) -> None:
    error = await failure_of(answer)
    assert isinstance(error, OutcomeUnknown)
    assert error.stage == stage


@pytest.mark.parametrize("status", [200, 400, 404, 409, 422])
async def test_success_false_is_a_refusal_with_solids_code_and_message(status: int) -> None:
    error = await failure_of(refusal("VALIDATION_ERROR", "lines: no such account", status=status))
    assert type(error) is RefusedInDoubt
    assert (error.code, error.message, error.status) == ("VALIDATION_ERROR", "lines: no such account", status)


async def test_a_refusal_leaves_no_doubt_where_the_dialect_knows_its_code() -> None:
    dialect = Dialect(money="decimal_string", refusal_codes=frozenset({"Validation_Error"}))
    async with ScriptedSolid([refusal("VALIDATION_ERROR", status=422)]).client(dialect) as client:
        with pytest.raises(Refused) as caught:
            await client.create(INVOICE)
    assert type(caught.value) is Refused


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx2.Response(409, json={"detail": "exists"}), "http_409"),
        (httpx2.Response(400, json={"success": False}), "http_400"),
        (httpx2.Response(400, json={"success": False, "error": "bad date"}), "http_400"),
        (httpx2.Response(422, json={"success": False, "error": {"code": 17, "message": None}}), "17"),
    ],
)
async def test_a_refusal_without_a_proper_error_is_a_refusal_still(answer: Answer, code: str) -> None:
    error = await failure_of(answer)
    assert isinstance(error, RefusedInDoubt)
    assert error.code == code


@pytest.mark.parametrize("code", ["PERIOD_CLOSED", "period_closed", "ACCOUNTANT_COPY"])
@pytest.mark.parametrize("status", [200, 403, 409, 422])
async def test_a_closed_period_is_told_apart_whatever_its_status(code: str, status: int) -> None:
    error = await failure_of(refusal(code, status=status))
    assert isinstance(error, PeriodClosed)


async def test_a_closed_period_said_with_a_server_error_leaves_a_doubt() -> None:
    assert isinstance(await failure_of(refusal("PERIOD_CLOSED", status=500)), OutcomeUnknown)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
async def test_a_redirect_is_refused_and_not_followed(status: int) -> None:
    target = "https://elsewhere.example/api/v1/invoices?token=abc"
    solid = ScriptedSolid([httpx2.Response(status, headers={"Location": target})])
    error = await failure_of(httpx2.Response(status), solid)
    assert isinstance(error, RefusedInDoubt)
    assert error.code == "redirect"
    assert len(solid.requests) == 1
    if status != 304:
        assert "https://elsewhere.example" in str(error)
    assert "token" not in str(error)


async def test_retry_after_in_seconds_is_given() -> None:
    error = await failure_of(httpx2.Response(429, headers={"Retry-After": "12"}))
    assert isinstance(error, Unavailable)
    assert error.retry_after == 12


async def test_retry_after_as_a_date_is_measured_from_the_answers_own_date() -> None:
    yesterday = NOON - timedelta(days=1)  # Solid's clock, or ours, is a day wrong
    headers = {
        "Date": format_datetime(yesterday, usegmt=True),
        "Retry-After": format_datetime(yesterday + timedelta(seconds=45), usegmt=True),
    }
    error = await failure_of(httpx2.Response(503, headers=headers))
    assert isinstance(error, Unavailable)
    assert error.retry_after == 45


async def test_retry_after_as_a_date_without_date_is_measured_from_our_clock() -> None:
    headers = {"Retry-After": format_datetime(NOON + timedelta(seconds=30), usegmt=True)}
    error = await failure_of(httpx2.Response(429, headers=headers))
    assert isinstance(error, Unavailable)
    assert error.retry_after == 30


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("soon", None),
        ("nan", 0),
        ("inf", 3_600),
        ("-inf", 0),
        ("-5", 0),
        ("1e9", 3_600),
        ("1" + "0" * 308, 3_600),
        ("9" * 5_000, 3_600),
        ("0.5", 0.5),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3_600),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 3_600),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
        ("Thu, 01 Jan 0001 00:00:00 +2359", 0),
    ],
)
async def test_an_odd_retry_after_does_no_harm(text: str, seconds: float | None) -> None:
    error = await failure_of(httpx2.Response(429, headers={"Retry-After": text}))
    assert isinstance(error, Unavailable)
    assert error.retry_after == seconds


@pytest.mark.parametrize("status", [200, 422])
async def test_what_solid_echoes_of_key_and_body_is_cut_out(status: int) -> None:
    def echo(request: httpx2.Request) -> httpx2.Response:
        body = request.content.decode()
        return refusal(KEY, f"key {KEY}\n\x1b[31m refused: {body}" + "x" * 5000, status=status)

    error = await failure_of(httpx2.Response(200), ScriptedSolid(echo))
    assert isinstance(error, Refused)
    assert KEY not in f"{error} {error!r} {error.code} {error.message}"
    assert "customer_id" not in str(error)
    assert "\n" not in error.message
    assert "\x1b" not in error.message
    assert len(error.message) <= 300


async def test_no_failure_shows_the_key_or_the_body_anywhere() -> None:
    for answer in (
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.Response(500),
        httpx2.Response(401),
        httpx2.Response(404, text=KEY, headers={"Content-Type": KEY}),
        refusal("X", status=422),
    ):
        error = await failure_of(answer)
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format(chain=True))
        assert KEY not in shown
        assert INVOICE.lines[0].description not in shown


async def test_messages_name_the_call_and_the_record() -> None:
    error = await failure_of(httpx2.ReadTimeout("slow"))
    assert "POST /api/v1/invoices (stripe:charge:ch_1)" in str(error)


@pytest.mark.parametrize("answer", [refusal("RATE_LIMITED", status=429), refusal("UNAUTHORIZED", status=401)])
async def test_a_question_leaves_no_doubt(answer: httpx2.Response) -> None:
    async with ScriptedSolid([answer]).client() as client:
        with pytest.raises(Unavailable) as caught:
            await client.probe()
    assert caught.value.sent is False


async def test_a_refused_question_is_plainly_refused() -> None:
    async with ScriptedSolid([refusal("NOT_FOUND", status=404)]).client() as client:
        with pytest.raises(Refused) as caught:
            await client.probe()
    assert type(caught.value) is Refused


async def test_codes_are_the_dialects() -> None:
    dialect = DIALECT.model_copy(update={"period_closed_codes": frozenset({"e-77"})})
    async with ScriptedSolid([refusal("E-77", status=409)]).client(dialect) as client:
        with pytest.raises(PeriodClosed):
            await client.create(INVOICE)


def test_errors_can_be_made_without_a_message() -> None:
    assert str(Unavailable("closed")) == "closed"
    assert str(OutcomeUnknown("waiting")) == "waiting"
    assert str(Refused("CODE", "no", status=422)) == "CODE: no (HTTP 422)"
