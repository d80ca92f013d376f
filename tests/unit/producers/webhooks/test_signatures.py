"""Signatures against the public vectors, and against the stripe library as a second opinion."""

import contextlib
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from producers.webhooks.signatures import BadSignature, Reason, verify
from tests.unit.producers.made import DATA
from tests.unit.producers.sourcing import signature_of

VECTORS = json.loads((DATA / "webhook-signatures" / "vectors.json").read_text())["vectors"]
STRIPE = [vector for vector in VECTORS if vector["scheme"] == "stripe"]
NOW = 1_768_478_400
BODY = b'{"id": "evt_1"}'
SECRET = "whsec_made_up"
SIGNATURE = signature_of("stripe")


def _sign(body: bytes, secret: str, seconds: int | str) -> str:
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


def _header(body: bytes = BODY, secret: str = SECRET, seconds: int | str = NOW) -> str:
    return f"t={seconds},v1={_sign(body, secret, seconds)}"


def _verify(header: str | None, *, body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), now: float = NOW) -> int:
    headers = {} if header is None else {"stripe-signature": header}
    return verify(
        SIGNATURE,
        headers=headers,
        body=body,
        url="",
        secrets=[SecretStr(secret) for secret in secrets],
        now=datetime.fromtimestamp(now, UTC),
    )


def _reason(header: str | None, *, body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), now: float = NOW) -> str:
    with pytest.raises(BadSignature) as caught:
        _verify(header, body=body, secrets=secrets, now=now)
    return caught.value.reason


@pytest.mark.parametrize("vector", STRIPE, ids=lambda vector: vector["id"])
def test_the_public_vectors(vector: dict[str, Any]) -> None:
    header = vector["headers"]["Stripe-Signature"]
    body, secrets, now = vector["body"].encode(), (vector["secret"],), vector.get("now", vector["timestamp"])
    if vector["expect"].startswith("valid"):
        assert _verify(header, body=body, secrets=secrets, now=now) == 0
    else:
        assert _reason(header, body=body, secrets=secrets, now=now) in {"malformed", "mismatch", "expired"}


def test_all_stripe_vectors_are_there() -> None:
    assert len(STRIPE) == 6


@pytest.mark.parametrize("header", ["", None])
def test_no_header_is_missing(header: str | None) -> None:
    assert _reason(header) == "missing"


@pytest.mark.parametrize(
    "header",
    [
        "nonsense",
        "t=,v1=",
        f"t={NOW}",
        f"v1={_sign(BODY, SECRET, NOW)}",
        f"t={NOW},v0={_sign(BODY, SECRET, NOW)}",
        f"t={NOW},t={NOW},v1={_sign(BODY, SECRET, NOW)}",
        f"t=0{NOW},v1={_sign(BODY, SECRET, NOW)}",
        f"t=+{NOW},v1={_sign(BODY, SECRET, NOW)}",
        f"t={NOW}.5,v1=00",
        "t=٣,v1=00",
        f"t={NOW},v1=é,v1={_sign(BODY, SECRET, NOW)}",
        f"t={NOW}," + "v1=00," * 2000,
    ],
)
def test_a_header_that_cannot_be_read_is_malformed(header: str) -> None:
    assert _reason(header) == "malformed"


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (_header(), BODY + b" "),
        (_header(secret="whsec_other"), BODY),
        (_header(secret=SECRET.removeprefix("whsec_")), BODY),
        (_header().upper().replace("T=", "t=").replace("V1=", "v1="), BODY),
        (f"t={NOW + 1},v1={_sign(BODY, SECRET, NOW)}", BODY),
    ],
)
def test_a_forged_signature_is_a_mismatch(header: str, body: bytes) -> None:
    assert _reason(header, body=body) == "mismatch"


@pytest.mark.parametrize("away", [-300, -299, 0, 299, 300])
def test_within_five_minutes_either_way_it_is_fresh(away: int) -> None:
    assert _verify(_header(), now=NOW + away) == 0


@pytest.mark.parametrize("away", [-301, 301, 86_400])
def test_past_five_minutes_either_way_it_is_expired(away: int) -> None:
    assert _reason(_header(), now=NOW + away) == "expired"


def test_during_a_rotation_either_secret_is_good_and_it_is_told_which() -> None:
    assert _verify(_header(secret="new"), secrets=("new", "old")) == 0
    assert _verify(_header(secret="old"), secrets=("new", "old")) == 1
    both = f"{_header(secret='older')},v1={_sign(BODY, 'old', NOW)}"
    assert _verify(both, secrets=("new", "old")) == 1


def test_comparisons_take_constant_time() -> None:
    with mock.patch("producers.webhooks.signatures.hmac.compare_digest", return_value=False) as compare:
        assert _reason(f"{_header()},v1=00", secrets=("a", "b")) == "mismatch"
    assert compare.call_count == 4


@pytest.mark.parametrize("reason", ["missing", "malformed", "expired", "mismatch"])
def test_the_error_says_nothing_but_its_reason(reason: Reason) -> None:
    assert str(BadSignature(reason=reason)) == reason


pieces = st.one_of(
    st.just(f"t={NOW}"),
    st.just(f"v1={_sign(BODY, SECRET, NOW)}"),
    st.just(f"v0={_sign(BODY, SECRET, NOW)}"),
    st.builds(lambda away: _header(seconds=NOW + away), st.integers(-400, 400)),
    st.builds("{}={}".format, st.sampled_from(["t", "v1", "v0", "", " t", "v1 "]), st.text(max_size=12)),
    st.text(max_size=12),
)


@given(st.lists(pieces, min_size=1, max_size=4).map(",".join), st.sampled_from([BODY, b"", b"{}"]))
def test_what_we_accept_the_stripe_library_accepts(header: str, body: bytes) -> None:
    accepted = False
    with contextlib.suppress(BadSignature):
        _verify(header, body=body)
        accepted = True
    if accepted:
        assert _accepted_by_stripe(header, body)


@given(st.text(max_size=50).map(lambda text: text.encode("utf-8", "replace")), st.integers(-290, 290))
def test_what_the_stripe_library_signs_we_accept(body: bytes, away: int) -> None:
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET, NOW + away)
    assert _verify(header, body=body) == 0
    assert _accepted_by_stripe(header, body)


def test_a_body_that_is_not_text_can_still_be_authentic() -> None:
    assert _verify(_header(b"\xff\x00"), body=b"\xff\x00") == 0


def _accepted_by_stripe(header: str, body: bytes) -> bool:
    with mock.patch.object(time, "time", return_value=float(NOW)):
        return bool(stripe.WebhookSignature.verify_header(body, header, SECRET, 300))
