"""The brake: when it starts, when the next probe is due, what releases it."""

from hypothesis import given
from hypothesis import strategies as st

from messaging.brake import LONGEST_WAIT_SECONDS, Brake


def test_a_first_report_pulls_the_brake_and_sets_the_first_probe() -> None:
    brake = Brake(1, 30)
    assert not brake.on
    assert brake.pull("closed", now=100, retry_after=None, probe=False) is True
    assert brake.on
    assert (brake.cause, brake.since, brake.next_probe) == ("closed", 100, 101)


def test_calls_that_were_under_way_report_the_same_stop_and_do_not_move_the_probe() -> None:
    brake = Brake(1, 30)
    brake.pull("closed", now=100, retry_after=None, probe=False)
    assert brake.pull("closed", now=100.9, retry_after=None, probe=False) is False
    assert (brake.since, brake.next_probe, brake.gap) == (100, 101, 1)


def test_each_failed_probe_doubles_the_gap_up_to_the_longest() -> None:
    brake = Brake(1, 5)
    brake.pull("closed", now=0, retry_after=None, probe=False)
    due = []
    for now in (1, 10, 20, 30):
        brake.probed(now=now)
        brake.pull("closed", now=now, retry_after=None, probe=True)
        due.append(brake.next_probe - now)
    assert due == [2, 4, 5, 5]


def test_retry_after_moves_the_probe_out_and_never_in() -> None:
    brake = Brake(1, 30)
    brake.pull("rate_limited", now=0, retry_after=20, probe=False)
    assert brake.next_probe == 20
    brake.pull("rate_limited", now=5, retry_after=2, probe=False)
    assert brake.next_probe == 20


def test_a_probe_without_word_is_followed_by_another() -> None:
    brake = Brake(1, 30)
    brake.pull("closed", now=0, retry_after=None, probe=False)
    brake.probed(now=1)
    assert 1 < brake.next_probe <= 1 + 2 * brake.gap


def test_an_answered_probe_releases_and_the_next_stop_starts_small_again() -> None:
    brake = Brake(1, 30)
    brake.pull("closed", now=0, retry_after=60, probe=False)
    brake.pull("closed", now=60, retry_after=None, probe=True)
    assert brake.release() is True
    assert not brake.on
    assert brake.release() is False
    assert brake.pull("unauthorised", now=200, retry_after=None, probe=False) is True
    assert (brake.cause, brake.since, brake.next_probe) == ("unauthorised", 200, 201)


reports = st.lists(st.tuples(st.floats(0, 100), st.none() | st.floats(0, 300), st.booleans()), min_size=1, max_size=30)


@given(reports)
def test_however_reports_come_the_gap_stays_within_its_bounds_and_a_probe_is_always_to_come(
    steps: list[tuple[float, float | None, bool]],
) -> None:
    brake = Brake(1, 30)
    now = 0.0
    for wait, retry_after, probe in steps:
        now += wait
        brake.pull("closed", now=now, retry_after=retry_after, probe=probe)
        assert 1 <= brake.gap <= 30
        longest = max([30.0, *(after or 0 for _, after, _ in steps)])
        assert brake.next_probe <= now + longest
        assert retry_after is None or brake.next_probe >= now + retry_after
        assert not probe or brake.next_probe > now


@given(asked=st.floats(allow_nan=True, allow_infinity=True))
def test_one_wrong_answer_does_not_stop_for_ever(asked: float) -> None:
    brake = Brake(1, 30)
    brake.pull("rate_limited", now=100, retry_after=asked, probe=False)
    assert 101 <= brake.next_probe <= 100 + LONGEST_WAIT_SECONDS
