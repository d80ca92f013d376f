"""The retry policy: growing, clamped, and the same for the same seed."""

from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from workers.retry import RetryPolicy

DELAYS = (10, 60, 600, 3600)
POLICY = RetryPolicy(DELAYS, max_attempts=8, max_deferrals=3)

growing = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=6, unique=True).map(sorted)


@given(delays=growing, attempt=st.integers(1, 40), most=st.integers(1, 20), seed=st.text(max_size=20))
def test_a_wait_is_its_step_less_a_tenth_at_most_and_none_once_the_attempts_are_used_up(
    delays: list[float], attempt: int, most: int, seed: str
) -> None:
    policy = RetryPolicy(delays, max_attempts=most, max_deferrals=0)
    after = policy.after_attempt(attempt, seed=seed)
    assert (after is None) == (attempt >= most)
    if after is not None:
        step = delays[min(attempt, len(delays)) - 1]
        assert step * 0.9 <= after <= step


@given(attempt=st.integers(-5, 7), seed=st.text(max_size=20))
def test_the_same_event_and_attempt_always_wait_the_same(attempt: int, seed: str) -> None:
    assert POLICY.after_attempt(attempt, seed=seed) == POLICY.after_attempt(attempt, seed=seed)


def test_different_events_spread() -> None:
    waits = {POLICY.after_attempt(1, seed=f"evt_{number}") for number in range(50)}
    assert len(waits) > 40


@given(seed=st.text(max_size=20), delays=growing)
def test_waits_grow_and_then_stay(seed: str, delays: list[float]) -> None:
    assume(all(high * 0.9 > low for low, high in pairwise(delays)))
    policy = RetryPolicy(delays, max_attempts=99, max_deferrals=0)
    waits = [policy.after_attempt(attempt, seed=seed) or 0 for attempt in range(1, len(delays) + 3)]
    assert waits[: len(delays)] == sorted(waits[: len(delays)])
    assert all(wait <= delays[-1] for wait in waits)


def test_deferrals_are_counted_from_none_on_their_own() -> None:
    waits = [POLICY.after_deferral(deferred, seed="evt_1") for deferred in range(5)]
    assert [wait is None for wait in waits] == [False, False, False, True, True]
    assert [9 <= (waits[0] or 0) <= 10, 54 <= (waits[1] or 0) <= 60, 540 <= (waits[2] or 0) <= 600] == [True] * 3
