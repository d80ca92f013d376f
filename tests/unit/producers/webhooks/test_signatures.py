"""Signatures against the public vectors, and against the stripe library as a second opinion."""

import base64
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

from producers.source import Signature
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


@pytest.mark.parametrize(
    "header",
    [
        _header().replace(",", ", "),
        _header().replace(",", ";"),
        f"v1={_sign(BODY, SECRET, NOW)}",
        f"t={NOW},v1={_sign(BODY, SECRET, NOW).upper()}",
    ],
)
def test_what_the_stripe_library_does_not_read_is_refused_of_stripe_alone(header: str) -> None:
    headers = {"stripe-signature": header, "t": str(NOW)}
    assert _is_good(SIGNATURE.model_copy(update={"exact": False}), headers, BODY, SECRET)
    assert not _is_good(SIGNATURE, headers, BODY, SECRET)


# The example of Slack's documentation, "Verifying requests from Slack".
SLACK = Signature(
    header="X-Slack-Signature", field="v0", timestamp="X-Slack-Request-Timestamp", signs="v0:{timestamp}:{body}"
)
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121"
    b".803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_SIGNED = "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
SLACK_TIME = "1531420618"


@pytest.mark.parametrize(
    "written",
    [
        f"v0={SLACK_SIGNED}",
        f"v0={SLACK_SIGNED.upper()}",
        f"kid=7, v0={SLACK_SIGNED}",
        f"kid=7;v0 = {SLACK_SIGNED} ",
    ],
)
def test_the_time_may_stand_in_a_header_beside_pairs(written: str) -> None:
    headers = {"x-slack-signature": written, "x-slack-request-timestamp": SLACK_TIME}
    assert _is_good(SLACK, headers, SLACK_BODY, SLACK_SECRET)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-slack-request-timestamp": ""},
        {"x-slack-request-timestamp": "1531420619"},
        {"x-slack-request-timestamp": SLACK_TIME, "x-slack-signature": f"v1={SLACK_SIGNED}"},
        {"x-slack-signature": f"X-Slack-Request-Timestamp=1,v0={SLACK_SIGNED}"},
        {"x-slack-signature": f"{f'X-Slack-Request-Timestamp={SLACK_TIME},' * 2}v0={SLACK_SIGNED}"},
    ],
)
def test_a_time_in_a_header_is_signed_and_there_once(headers: dict[str, str]) -> None:
    signed = {"x-slack-signature": f"v0={SLACK_SIGNED}", **headers}
    assert not _is_good(SLACK, signed, SLACK_BODY, SLACK_SECRET)


def test_base64_is_compared_letter_by_letter() -> None:
    plain = Signature(header="x-signed", encoding="base64")
    written = base64.b64encode(hmac.new(SECRET.encode(), BODY, hashlib.sha256).digest()).decode()
    assert _is_good(plain, {"x-signed": written}, BODY, SECRET)
    assert not _is_good(plain, {"x-signed": written.lower()}, BODY, SECRET)


def test_a_body_that_is_not_text_can_still_be_authentic() -> None:
    assert _verify(_header(b"\xff\x00"), body=b"\xff\x00") == 0


def _is_good(signature: Signature, headers: dict[str, str], body: bytes, secret: str) -> bool:
    now = datetime.fromtimestamp(int(SLACK_TIME) if signature is SLACK else NOW, UTC)
    try:
        verify(signature, headers=headers, body=body, url="", secrets=[SecretStr(secret)], now=now)
    except BadSignature:
        return False
    return True


def _accepted_by_stripe(header: str, body: bytes) -> bool:
    with mock.patch.object(time, "time", return_value=float(NOW)):
        return bool(stripe.WebhookSignature.verify_header(body, header, SECRET, 300))
