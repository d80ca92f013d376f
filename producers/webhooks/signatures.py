"""Webhook signatures, over the raw body, before anything is parsed.

One scheme a function, all in one table. It must not read a clock, settings or a request; it never says more
to the sender than that the signature was refused. Source: each provider's description of its scheme; the
vectors in tests/data/webhook-signatures.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import SecretStr

Reason = Literal["missing", "malformed", "expired", "mismatch"]
Scheme = Literal["stripe", "shopify"]

_LONGEST_HEADER: Final = 4096
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)


class BadSignature(Exception):
    """The body cannot be trusted. `reason` is for our own logs and counters, never for the answer."""

    def __init__(self, *, reason: Reason) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason: Reason = reason


def verify(  # noqa: PLR0913  (everything a scheme may need; all by name)
    scheme: Scheme,
    *,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[SecretStr],
    now: datetime,
    tolerance: timedelta,
) -> int:
    """Check the signature of a raw body; give the index of the secret that matched.

    `headers` are looked up by lower-case name. `secrets` has several while one replaces another: any may
    match. A signed time must be within `tolerance` of `now`, before or after. Comparisons take constant
    time. Raises BadSignature.
    """
    return _SCHEMES[scheme](headers, body, secrets, now, tolerance)


def _stripe(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[SecretStr], now: datetime, tolerance: timedelta
) -> int:
    """`t=<seconds>,v1=<hex>[,v1=<hex>]`: HMAC-SHA256 of `<seconds>.<body>`; the key is the secret as is."""
    header = headers.get("stripe-signature")
    if not header:
        raise BadSignature(reason="missing")
    seconds, candidates = _stripe_parts(header)
    signed = seconds.encode() + b"." + body
    matches = [_any_equal(_hex_hmac(secret, signed), candidates) for secret in secrets]
    if not any(matches):
        raise BadSignature(reason="mismatch")
    if abs(now.timestamp() - int(seconds)) > tolerance.total_seconds():
        raise BadSignature(reason="expired")
    return matches.index(True)


def _stripe_parts(header: str) -> tuple[str, list[bytes]]:
    """Give the signed time as it was written, and the v1 signatures; other schemes are not for us."""
    if len(header) > _LONGEST_HEADER or not header.isascii():
        raise BadSignature(reason="malformed")
    pairs = [item.partition("=") for item in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    candidates = [value.encode() for name, _, value in pairs if name == "v1" and value]
    if len(times) != 1 or not _SECONDS.fullmatch(times[0]) or not candidates:
        raise BadSignature(reason="malformed")
    return times[0], candidates


def _shopify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[SecretStr], now: datetime, tolerance: timedelta
) -> int:
    """`X-Shopify-Hmac-SHA256: <base64>`: HMAC-SHA256 of the body; the key is the app's client secret. No time."""
    del now, tolerance
    header = headers.get("x-shopify-hmac-sha256", "").strip()
    if not header:
        raise BadSignature(reason="missing")
    if len(header) > _LONGEST_HEADER or not header.isascii():
        raise BadSignature(reason="malformed")
    matches = [hmac.compare_digest(_base64_hmac(secret, body), header.encode()) for secret in secrets]
    if not any(matches):
        raise BadSignature(reason="mismatch")
    return matches.index(True)


def _base64_hmac(secret: SecretStr, signed: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).digest())


def _hex_hmac(secret: SecretStr, signed: bytes) -> bytes:
    return hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest().encode()


def _any_equal(expected: bytes, candidates: Sequence[bytes]) -> bool:
    return any([hmac.compare_digest(expected, candidate) for candidate in candidates])  # noqa: C419  (compare all)


_Verifier = Callable[[Mapping[str, str], bytes, Sequence[SecretStr], datetime, timedelta], int]
_SCHEMES: Final[Mapping[Scheme, _Verifier]] = {"stripe": _stripe, "shopify": _shopify}
