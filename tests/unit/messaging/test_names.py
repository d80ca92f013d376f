"""Names of queues and keys, and headers that travel on: pure, and said in one place."""

import pytest
from pydantic import ValidationError

from messaging import headers as h
from messaging.publisher import nearest_delay
from messaging.topology import STREAMS, dead_letter_queues, replay_key, retry_queue, routing_key, stream_of
from runtime.settings import BucketSettings
from schemas.catalog import EVENT_TYPES


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_event_type_belongs_to_a_stream(event_type: str) -> None:
    assert stream_of(routing_key("main", event_type)) in STREAMS


@pytest.mark.parametrize("key", ["", "main", "main.", "main.unknown.thing.v1", "sales.payment"])
def test_a_key_of_no_stream_belongs_to_none(key: str) -> None:
    assert stream_of(key) is None


def test_raw_input_has_a_dead_letter_queue_beside_those_of_the_streams() -> None:
    assert {"sales", "contacts", "inventory", "payroll"} <= set(STREAMS)
    assert dead_letter_queues() == (*(f"relay.{stream}.dlq" for stream in STREAMS), "relay.raw.dlq", "relay.unrouted")


def test_a_replay_travels_under_a_key_of_its_own_and_belongs_to_its_stream_still() -> None:
    key = replay_key("main.inventory.stock.adjusted.v1")
    assert key == "main.replay.inventory.stock.adjusted.v1"
    assert replay_key(key) == key, "a replay that dies and is sent again"
    assert stream_of(key) == "inventory"


def test_another_delay_is_another_queue() -> None:
    assert [retry_queue(delay) for delay in (0.5, 10, 600.0)] == [
        "relay.retry.0.5s",
        "relay.retry.10s",
        "relay.retry.600s",
    ]


def test_only_our_own_headers_travel_on() -> None:
    headers = {"x-death": [{"count": 1}], "x-delivery-count": 3, h.ATTEMPT: 2, h.PARTITION: "ch_1"}
    assert h.ours(headers) == {h.ATTEMPT: 2, h.PARTITION: "ch_1"}


@pytest.mark.parametrize("value", ["3", None, 2.5, b"1"])
def test_a_counter_that_is_no_number_counts_from_the_start(value: object) -> None:
    assert h.count({h.ATTEMPT: value}, h.ATTEMPT, 1) == 1


@pytest.mark.parametrize("burst", [2, 600])
def test_a_burst_that_could_not_be_kept_is_refused(burst: int) -> None:
    with pytest.raises(ValidationError):
        BucketSettings(burst=burst)


def test_a_wait_goes_to_the_nearest_queue_and_never_to_one_far_too_late() -> None:
    delays = [10, 60, 600, 3600]
    wanted = {0.5: 10, 9.5: 10, 20: 10, 31: 60, 60: 60, 90: 60, 299: 60, 301: 600, 4000: 3600, 90_000: 3600}
    assert {seconds: nearest_delay(delays, seconds) for seconds in wanted} == wanted
