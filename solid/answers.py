"""What an answer, or the lack of one, means: the one place that turns HTTP into payloads or `solid.errors`.

It must not send anything, and must not put the key, a request body or an answer's body into a message.
Source: the table "Which failure goes where" of the architecture page.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx2
import structlog

from runtime.clock import Clock
from runtime.tls import distrust
from schemas.json_text import MOST_VALUES_OF_A_FILE, parse_json
from solid.dialect import Dialect, Resource
from solid.errors import Cause, OutcomeUnknown, PeriodClosed, Refused, RefusedInDoubt, SolidError, Stage, Unavailable

LOG = structlog.get_logger()
KEY_HEADER = "X-API-Key"
NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
"""Errors after which Solid certainly received nothing (a name that does not resolve is a ConnectError)."""

_SENDING = (httpx2.WriteTimeout, httpx2.WriteError)
_LONGEST_MESSAGE = 300
_LONGEST_CODE = 60
_LONGEST_WAIT_SECONDS = 3_600.0
_STATUS_CAUSES: Mapping[int, Cause] = {
    401: "unauthorised",
    403: "unauthorised",
    429: "rate_limited",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
}
_LATER = frozenset({408, 425})
"""Statuses that ask for the same again: no refusal, and no word on whether it was done."""
_SENTENCES: Mapping[Cause, str] = {
    "closed": "Solid could not be reached, nothing was sent: is the app open and the integration API on?",
    "unauthorised": "Solid does not accept the API key: make a new one in Solid and put it in place",
    "rate_limited": "Solid says that the allowance is used up",
    "unavailable": "Solid or the proxy before it is unavailable; whether the call was done is not certain",
}


_UNTRUSTED = (
    "the certificate of solid.base_url is not accepted, nothing was sent: {}. Name the certificate of the authority "
    "that signed it with solid.ca_file, and in solid.base_url a host that the certificate names"
)


@dataclass(frozen=True, slots=True)
class _Said:
    """What Solid's envelope says of a failure."""

    code: str
    message: str

    def any_of(self, codes: frozenset[str]) -> bool:
        return self.code.lower() in codes


def from_exception(error: httpx2.HTTPError, call: str) -> SolidError:
    """Translate an exception of httpx2: only what certainly left nothing behind counts as `closed`."""
    name = type(error).__name__
    if (why := distrust(error)) is not None:
        return Unavailable("closed", f"{call}: {_UNTRUSTED.format(why)}")
    if isinstance(error, NOTHING_SENT):
        return Unavailable("closed", f"{call}: {_SENTENCES['closed']} ({name}: {_one_line(str(error))})")
    stage: Stage = "sending" if isinstance(error, _SENDING) else "waiting"
    return OutcomeUnknown(stage, f"{call}: no answer ({name} while {stage}); whether Solid did it is not known")


def systemic(response: httpx2.Response, dialect: Dialect, clock: Clock) -> Unavailable | None:
    """Say whether the answer means that no call would do better now. The body must have been read."""
    error = _said(response)
    if error is not None and error.any_of(dialect.period_closed_codes) and _blames_the_call(response):
        return None
    cause = _STATUS_CAUSES.get(response.status_code)
    if error is not None and error.any_of(dialect.rate_limit_codes) and cause != "unauthorised":
        cause = "rate_limited"
    if cause is None:
        return None
    return Unavailable(
        cause,
        f"{_SENTENCES[cause]} (HTTP {response.status_code}{f', {error.code}' if error else ''})",
        retry_after=_retry_after_seconds(response, clock),
        sent=cause == "unavailable" or _was_a_write(response),
    )


def read_document(response: httpx2.Response, *, call: str, dialect: Dialect, clock: Clock) -> dict[str, object]:
    """Give the JSON object of an answer, or raise what it means."""
    failure = _failure(response, call, dialect, clock)
    if failure is not None:
        raise failure
    document = _document(response)
    if document is None:
        raise _no_answer(call, _not_solid(response))
    return document


def payload_of(document: Mapping[str, object], *, call: str, dialect: Dialect, resource: Resource) -> object:
    """Give the payload of a successful envelope. Raises OutcomeUnknown where there is none."""
    if document.get("success") is not True:
        raise _no_answer(call, "the answer is JSON but not Solid's envelope (no success: true)")
    keys = dialect.payload_keys(resource)
    for key in keys:
        if document.get(key) is not None:
            return document[key]
    raise _no_answer(call, f"success without {' or '.join(keys)}: see solid.dialect.payload_key")


def _failure(response: httpx2.Response, call: str, dialect: Dialect, clock: Clock) -> SolidError | None:
    status = response.status_code
    unavailable = systemic(response, dialect, clock)
    if unavailable is not None:
        return unavailable
    if response.is_server_error or status in _LATER:
        return _no_answer(call, f"HTTP {status}; whether Solid did it is not known")
    refusal = _refusal(response, call, dialect)
    if refusal is None and not response.is_success:
        return _no_answer(call, _not_solid(response))
    return refusal


def _refusal(response: httpx2.Response, call: str, dialect: Dialect) -> Refused | None:
    """Whoever's no. Of a write only Solid's own, with a code that the dialect knows, proves that nothing was done."""
    status, error, document = response.status_code, _said(response), _document(response)
    doubted = RefusedInDoubt if _was_a_write(response) else Refused
    if response.is_redirect:
        return doubted("redirect", f"{call}: {_redirected(response)}", status=status)
    if error is not None and error.any_of(dialect.period_closed_codes):
        return PeriodClosed(error.code, error.message, status=status)
    if error is not None:
        known = error.any_of(dialect.refusal_codes)
        return (Refused if known else doubted)(error.code, error.message, status=status)
    if response.is_client_error and document is not None and document.get("success") is not True:
        return doubted(f"http_{status}", f"{call}: refused without Solid's envelope", status=status)
    return None


def _was_a_write(response: httpx2.Response) -> bool:
    """Whether a body had left: whatever was answered, it may have been done before."""
    return response.request.method == "POST"


def _no_answer(call: str, why: str) -> OutcomeUnknown:
    return OutcomeUnknown("answer", f"{call}: {why}")


def _document(response: httpx2.Response) -> dict[str, object] | None:
    try:
        document = parse_json(response.content, most_values=MOST_VALUES_OF_A_FILE)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _said(response: httpx2.Response) -> _Said | None:
    document = _document(response)
    if document is None or document.get("success") is not False:
        return None
    error = document.get("error")
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, error)
    return _Said(
        code=_cleaned(str(code or f"http_{response.status_code}"), response)[:_LONGEST_CODE],
        message=_cleaned(str(message or "no message"), response),
    )


def _blames_the_call(response: httpx2.Response) -> bool:
    return response.status_code not in {401, 429} and not response.is_server_error


def _retry_after_seconds(response: httpx2.Response, clock: Clock) -> float | None:
    """Seconds from now; a date is measured from the answer's own `Date`, as our clock may be wrong."""
    text = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        until = _http_date(text)
        if until is None:
            return None
        seconds = (until - (_http_date(response.headers.get("Date", "")) or clock.now())).total_seconds()
    if not math.isfinite(seconds) or seconds > _LONGEST_WAIT_SECONDS:
        LOG.warning("solid.retry_after_bounded", asked=text[:_LONGEST_CODE], seconds=_LONGEST_WAIT_SECONDS)
        seconds = _LONGEST_WAIT_SECONDS if seconds > 0 else 0.0
    return max(seconds, 0.0)


def _http_date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return parsed if parsed.tzinfo is not None else None


def _redirected(response: httpx2.Response) -> str:
    try:
        target = response.request.url.join(response.headers.get("Location", ""))
        where = f"{target.scheme}://{target.netloc.decode('ascii').rpartition('@')[2]}"
    except (httpx2.InvalidURL, ValueError):
        where = "somewhere unreadable"
    return f"the answer points to {where}, which is not followed; set solid.base_url to Solid's own address"


def _not_solid(response: httpx2.Response) -> str:
    kind = _cleaned(response.headers.get("Content-Type", "no content type"), response)[:_LONGEST_CODE]
    return f"HTTP {response.status_code} with {kind} is no answer of Solid's; whether it was done is not known"


def _cleaned(text: str, response: httpx2.Response) -> str:
    """Quote what the other side wrote, without the key and the body should it have echoed them."""
    echoes = {response.request.headers.get(KEY_HEADER, ""): "[key]"}
    echoes[response.request.content.decode()] = "[body]"
    for echo, shown in echoes.items():
        text = text.replace(echo, shown) if echo else text
    return _one_line(text)


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:_LONGEST_MESSAGE]
