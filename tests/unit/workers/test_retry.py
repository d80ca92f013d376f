"""The retry policy: growing, clamped, and the same for the same seed."""

from hypothesis import given
from hypothesis import strategies as st

from workers.retry import RetryPolicy

DELAYS = (10, 60, 600, 3600)
POLICY = RetryPolicy(DELAYS, max_attempts=8, max_deferrals=3)

growing = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=6, unique=True).map(sorted)


@given(delays=growing, attempt=st.integers(1, 40), most=st.integers(1, 20), seed=st.text(max_size=20))
def test_a_wait_is_its_step_or_the_one_before_and_none_once_the_attempts_are_used_up(
    delays: list[float], attempt: int, most: int, seed: str
) -> None:
    policy = RetryPolicy(delays, max_attempts=most, max_deferrals=0)
    after = policy.after_attempt(attempt, seed=seed)
    assert (after is None) == (attempt >= most)
    if after is not None:
        index = min(attempt, len(delays)) - 1
        assert after in {delays[index], delays[max(index - 1, 0)]}


@given(attempt=st.integers(-5, 7), seed=st.text(max_size=20))
def test_the_same_event_and_attempt_always_wait_the_same(attempt: int, seed: str) -> None:
    assert POLICY.after_attempt(attempt, seed=seed) == POLICY.after_attempt(attempt, seed=seed)


def test_events_that_failed_together_do_not_all_come_back_together() -> None:
    waits = [POLICY.after_attempt(2, seed=f"evt_{number}") for number in range(400)]
    assert set(waits) == {10, 60}
    assert 60 < waits.count(10) < 140, "about one in four comes back a step sooner"


@given(seed=st.text(max_size=20), delays=growing)
def test_waits_never_leave_the_delays(seed: str, delays: list[float]) -> None:
    policy = RetryPolicy(delays, max_attempts=99, max_deferrals=0)
    waits = [policy.after_attempt(attempt, seed=seed) for attempt in range(1, len(delays) + 3)]
    assert waits[0] == delays[0]
    assert set(waits) <= set(delays)


def test_deferrals_are_counted_from_none_on_their_own() -> None:
    waits = [POLICY.after_deferral(deferred, seed="evt_1") for deferred in range(5)]
    assert [wait is None for wait in waits] == [False, False, False, True, True]
    assert waits[0] == 10
    assert {waits[1], waits[2]} <= {10, 60, 600}
