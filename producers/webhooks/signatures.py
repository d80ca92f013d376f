"""Webhook signatures, over the raw body, before anything is parsed: how one is made is data (`Signature`).

It must not read a clock, settings or a request; it never says more to the sender than that the signature was refused.
Source: each provider's description of its scheme; the vectors in tests/data/webhook-signatures.
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from pydantic import SecretStr

from producers.source import Signature

Reason = Literal["missing", "malformed", "expired", "mismatch"]

_LONGEST_HEADER: Final = 4096
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)


class BadSignature(Exception):
    """The body cannot be trusted. `reason` is for our own logs and counters, never for the answer."""

    def __init__(self, *, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def verify(  # noqa: PLR0913  (all that may be signed; all by name)
    signature: Signature,
    *,
    headers: Mapping[str, str],
    body: bytes,
    url: str,
    secrets: Sequence[SecretStr],
    now: datetime,
) -> int:
    """Check the signature of a raw body; give the index of the secret that matched.

    `headers` are looked up by lower-case name; `url` is the address as the sender knows it, never what a request says.
    `secrets` has several while one replaces another: any may match, in constant time. Raises BadSignature.
    """
    seconds, candidates = _written(signature, headers)
    signed = _signed(signature, body=body, url=url, seconds=seconds)
    matches = [_any_equal(_hmac(signature, secret, signed), candidates) for secret in secrets]
    if not any(matches):
        raise BadSignature(reason="mismatch")
    if seconds and abs(now.timestamp() - int(seconds)) > signature.tolerance_seconds:
        raise BadSignature(reason="expired")
    return matches.index(True)


def _written(signature: Signature, headers: Mapping[str, str]) -> tuple[str, list[bytes]]:
    """Give the signed time as it was written, empty where none is, and the signatures; others are not for us."""
    header = headers.get(signature.header.lower(), "")
    if not header.strip():
        raise BadSignature(reason="missing")
    if len(header) > _LONGEST_HEADER or not header.isascii():
        raise BadSignature(reason="malformed")
    pairs = [(None, header.strip())] if signature.field is None else _pairs(header, exact=signature.exact)
    times = [value for name, value in pairs if name and name == signature.timestamp]
    if signature.timestamp and not times and not signature.exact:
        times = [headers.get(signature.timestamp.lower(), "")]
    candidates = [_comparable(value, signature) for name, value in pairs if name == signature.field and value]
    if len(times) != (signature.timestamp is not None) or not candidates or not all(map(_SECONDS.fullmatch, times)):
        raise BadSignature(reason="malformed")
    return "".join(times), candidates


def _pairs(header: str, *, exact: bool) -> list[tuple[str | None, str]]:
    if exact:
        return [(name, value) for name, _, value in (item.partition("=") for item in header.split(","))]
    items = (item.partition("=") for item in re.split("[,;]", header))
    return [(name.strip(), value.strip()) for name, _, value in items]


def _comparable(written: str, signature: Signature) -> bytes:
    any_case = signature.encoding == "hex" and not signature.exact
    return (written.lower() if any_case else written).encode()


def _signed(signature: Signature, *, body: bytes, url: str, seconds: str) -> bytes:
    values = {"body": body, "url": url.encode(), "timestamp": seconds.encode()}
    parts = signature.parts
    return b"".join(values[part] if number % 2 else part.encode() for number, part in enumerate(parts))


def _hmac(signature: Signature, secret: SecretStr, signed: bytes) -> bytes:
    digest = hmac.new(secret.get_secret_value().encode(), signed, signature.algorithm).digest()
    return base64.b64encode(digest) if signature.encoding == "base64" else digest.hex().encode()


def _any_equal(expected: bytes, candidates: Sequence[bytes]) -> bool:
    return any([hmac.compare_digest(expected, candidate) for candidate in candidates])  # noqa: C419  (compare all)
