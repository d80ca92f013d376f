"""What another server says about when to come again."""

import httpx2
import pytest

from producers.calling.trying import LONGEST_SECONDS, retry_after
from tests.fakes import NOON

DATE = "Thu, 15 Jan 2026 12:00:21 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "9" * 400}, LONGEST_SECONDS),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({}, None),
        ({"Retry-After": DATE}, 21.0),
        ({"Retry-After": "Thu, 15 Jan 2026 12:00:21"}, 21.0),
        ({"Retry-After": DATE, "Date": "Thu, 15 Jan 2026 12:00:20 GMT"}, 1.0),
        ({"Retry-After": DATE, "Date": "Thu, 15 Jan 2026 12:00:20 -0000"}, 1.0),
        ({"Retry-After": DATE, "Date": "today"}, 21.0),
        ({"Retry-After": DATE, "Date": "Thu, 15 Jan 2026 13:00:00 GMT"}, 0.0),
        ({"Retry-After": "Thu, 15 Jan 2099 12:00:21 GMT"}, LONGEST_SECONDS),
    ],
)
def test_seconds_and_dates_are_understood_and_anything_else_says_nothing(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(httpx2.Response(429, headers=headers), now=NOON) == seconds


def test_digits_that_are_no_number_say_nothing() -> None:
    answer = httpx2.Response(429, headers=[(b"Retry-After", "²".encode("latin-1"))])
    assert retry_after(answer, now=NOON) is None
