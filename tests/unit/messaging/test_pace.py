"""The pace after 429: down at once, up slowly, and to what a stranger leaves."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from messaging.pace import LEAST, Pace

FULL, WINDOW = 600 / 60, 60.0


def test_all_of_the_rate_is_used_until_solid_says_no() -> None:
    pace = Pace(WINDOW)
    assert pace.share(now=1_000) == 1
    pace.refused(now=1_000)
    assert pace.share(now=1_000) == 0.9


def test_it_comes_back_in_full_when_nothing_is_refused_any_more() -> None:
    pace = Pace(WINDOW)
    for moment in range(0, 40, 2):
        pace.refused(now=moment)
    assert pace.share(now=40) < 0.2
    assert pace.share(now=40 + 20 * WINDOW) == 1


@given(st.lists(st.floats(0, 10_000), max_size=200).map(sorted))
def test_the_share_stays_between_least_and_all(moments: list[float]) -> None:
    pace = Pace(WINDOW)
    for moment in moments:
        pace.refused(now=moment)
        assert LEAST <= pace.share(now=moment) <= 1


def test_beside_a_stranger_it_converges_in_two_minutes_with_few_refusals() -> None:
    """A model in steps of a tenth of a second: what comes on top of the allowance in a window is refused."""
    pace, window, refusals, used, ready = Pace(WINDOW), deque([0.0] * 599), 0, list[float](), 0.0
    for step in range(9_000):
        now = step / 10
        stranger = min(0.3, 600 - sum(window)) if now >= 120 else 0.0
        room = 600 - sum(window) - stranger
        ours = FULL * 0.98755 * pace.share(now=now) / 10 if now >= ready else 0.0
        if ours > room:
            refusals += 1
            ours, ready = 0.0, now + 1
            pace.refused(now=now)
        used.append(ours)
        window.append(ours + stranger)
        window.popleft()
    settled = used[2_400:]
    assert sum(settled) > 0.9 * 0.7 * len(settled), "nearly all that the stranger leaves is used"
    assert refusals > 0
    assert refusals < 0.005 * sum(used)
