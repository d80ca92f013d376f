"""No file is slow or large out of proportion: four times the file takes about four times the time and the memory.

Measured in one run and compared by ratio: what is quadratic comes to sixteen.
"""

import pytest

from tests.unit.producers.growing import GROWING, peak_bytes, seconds

TIMES = 4
MOST_TIMES = 9
"""Doubled twice, each time not more than three times as much."""

LEAST_SECONDS = 0.004
LEAST_BYTES = 1 << 16


@pytest.mark.parametrize("name", GROWING)
def test_a_file_of_four_times_the_size_takes_about_four_times_as_long(name: str) -> None:
    kind, small, large = GROWING[name], 0.0, 0.0
    for tries in (1, 3, 7):  # others use the processor too
        small, large = seconds(kind, kind.size, tries=tries), seconds(kind, TIMES * kind.size, tries=tries)
        if large <= MOST_TIMES * max(small, LEAST_SECONDS):
            return
    pytest.fail(f"{small:.4f} s, and four times as much {large:.4f} s")


@pytest.mark.parametrize("name", GROWING)
def test_a_file_of_four_times_the_size_takes_about_four_times_the_memory(name: str) -> None:
    kind = GROWING[name]
    size = max(kind.size // 4, 10)  # memory needs no clock, and to watch it takes time
    small, large = peak_bytes(kind, size), peak_bytes(kind, TIMES * size)
    assert large <= MOST_TIMES * max(small, LEAST_BYTES)
