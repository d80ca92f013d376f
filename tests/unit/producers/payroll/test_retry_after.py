"""What a provider says about when to come again."""

import httpx
import pytest

from producers.payroll.clients.calling import retry_after
from tests.fakes import NOON


@pytest.mark.parametrize(("said", "seconds"), [(b"7", 7.0), (b"soon", 3.0), ("²".encode("latin-1"), 3.0)])
def test_what_is_no_number_of_seconds_is_as_if_nothing_was_said(said: bytes, seconds: float) -> None:
    answer = httpx.Response(429, headers=[(b"Retry-After", said)])
    assert retry_after(answer, now=NOON, otherwise=3.0) == seconds
