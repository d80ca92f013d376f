"""Which Stripe event a dead letter came from."""

import pytest

from faults.letters import event_of


@pytest.mark.parametrize(
    ("event_id", "body", "event"),
    [
        ("evt_1", b"{}", "evt_1"),
        ("evt_1:re_1", b"{}", "evt_1"),
        (None, b'{"id": "evt_2"}', "evt_2"),
        (None, b"{}", None),
        (None, b"[1]", None),
        (None, b"not JSON", None),
    ],
)
def test_the_event_stands_in_the_letter_or_in_its_raw_body(
    event_id: str | None, body: bytes, event: str | None
) -> None:
    assert event_of(event_id, body) == event
