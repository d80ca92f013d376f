"""Where Stripe is read with a key, a notification of what the reading tells needs no person."""

import json

import pytest

from producers.normalising import NormaliseContext, Rejected
from producers.stripe.stripe import normalise
from tests.unit.producers.stripe.api.stand_in import sold


def thin(kind: str) -> bytes:
    return json.dumps({"id": "evt_1", "object": "v2.core.event", "type": kind, "livemode": True}).encode()


@pytest.mark.parametrize("kind", ["v1.charge.succeeded", "reserve.hold.created"])
def test_what_the_reading_tells_is_ignored_with_a_key_and_kept_without(kind: str) -> None:
    with pytest.raises(Rejected):
        normalise(thin(kind), NormaliseContext())
    assert normalise(thin(kind), NormaliseContext(is_read=True)).ignored == "read_by_reader"


def test_what_no_balance_transaction_tells_is_kept_with_a_key_too() -> None:
    with pytest.raises(Rejected, match="moves money"):
        normalise(thin("v2.money_management.transaction.created"), NormaliseContext(is_read=True))


def test_a_balance_transaction_that_was_kept_can_be_sent_again() -> None:
    [told] = normalise(json.dumps(sold(1)).encode(), NormaliseContext(mode="test")).events
    assert told.data.fact == "stripe:charge:ch_1"
