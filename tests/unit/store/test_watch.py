"""What a process watches: each doubt settles in the end, however many there are at a time."""

from collections import deque

from store.watch import MOST_WATCHED, NOT_SEEN_SECONDS, Watch
from tests.fakes import FakeClock

SETTLE = 60.0


def test_more_doubts_than_can_be_watched_all_settle_in_the_end() -> None:
    clock = FakeClock()
    watch = Watch(clock)
    doubts = deque(range(MOST_WATCHED + MOST_WATCHED // 5))
    for _ in range(4):
        for _ in range(len(doubts)):  # they come again and again, in the order of a queue
            doubt = doubts.popleft()
            watch.saw(doubt)
            if (watch.seconds(doubt) or 0.0) >= SETTLE:
                watch.forget(doubt)
            else:
                doubts.append(doubt)
        assert watch.count() <= MOST_WATCHED
        clock.advance(SETTLE)
    assert not doubts
    assert not watch.count(), "what is settled takes no room"


def test_what_nobody_has_seen_for_long_makes_room() -> None:
    clock = FakeClock()
    watch = Watch(clock)
    for doubt in range(MOST_WATCHED):
        watch.saw(doubt)
    clock.advance(NOT_SEEN_SECONDS)
    watch.saw("a new one")
    assert watch.seconds("a new one") == 0.0
    assert watch.seconds(0) is None
    assert watch.seconds(1) == NOT_SEEN_SECONDS
