"""What the mint knows of who wants tokens: never too few, too many at most once after an election."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.lanes import LANES, Turns
from messaging.wants import FORGOTTEN_AFTER_SECONDS, Wants


@pytest.fixture
def wants() -> Wants:
    return Wants(Turns(dict.fromkeys(LANES, 1)), 100)


def test_nobody_gets_more_than_is_wanted(wants: Wants) -> None:
    wants.heard("a", {"live": [0, 2, 0]}, now=0)
    assert [wants.next(now=0) for _ in range(3)] == [("a", "live"), ("a", "live"), None]


def test_what_is_said_twice_or_late_changes_nothing(wants: Wants) -> None:
    wants.heard("a", {"live": [0, 3, 0]}, now=0)
    assert wants.next(now=0) == ("a", "live")
    for said in ([0, 3, 0], [0, 1, 0], [1, 3, 0]):
        wants.heard("a", {"live": said}, now=0)
    assert wants.waiting() == {"live": 2}


def test_a_mint_that_has_just_been_elected_knows_from_the_next_word(wants: Wants) -> None:
    wants.heard("a", {"live": [100, 104, 0]}, now=0)
    assert wants.waiting() == {"live": 4}


def test_tokens_that_another_mint_has_sent_are_not_sent_again(wants: Wants) -> None:
    wants.heard("a", {"live": [0, 5, 0]}, now=0)
    wants.heard("a", {"live": [5, 6, 0]}, now=1)
    assert wants.waiting() == {"live": 1}


def test_whoever_waits_no_more_gets_nothing(wants: Wants) -> None:
    wants.heard("a", {"live": [3, 9, 0], "batch": [0, 1, 0]}, now=0)
    wants.heard("a", {"live": [3, 3, 0], "batch": [0, 1, 0]}, now=0)
    assert [wants.next(now=0) for _ in range(2)] == [("a", "batch"), None]


@pytest.mark.parametrize("said", [[1, 2], [0, "many", 0], 7, None], ids=str)
def test_what_is_no_word_of_a_bucket_leaves_nothing_behind(wants: Wants, said: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        wants.heard("a", {"live": said}, now=0)
    assert wants.next(now=0) is None


def test_what_was_settled_is_news_once(wants: Wants) -> None:
    assert wants.heard("a", {"live": [7, 9, 4]}, now=0) == {"live": 0}, "before our time"
    assert wants.heard("a", {"live": [8, 9, 6]}, now=0) == {"live": 2}
    assert wants.heard("a", {"live": [8, 9, 6]}, now=0) == {"live": 0}


def test_no_more_are_under_way_than_may_come_late() -> None:
    wants = Wants(Turns(dict.fromkeys(LANES, 1)), 2)
    wants.heard("a", {"live": [0, 9, 0]}, now=0)
    wants.heard("b", {"batch": [0, 9, 0]}, now=0)
    assert [wants.next(now=0) is None for _ in range(3)] == [False, False, True]
    wants.heard("a", {"live": [1, 9, 0]}, now=0)
    assert [wants.next(now=0) is None for _ in range(2)] == [False, True]


def test_what_is_under_way_to_a_bucket_that_fell_silent_does_not_hold_the_others_up() -> None:
    wants = Wants(Turns(dict.fromkeys(LANES, 1)), 1)
    wants.heard("silent", {"live": [0, 9, 0]}, now=0)
    assert wants.next(now=0) == ("silent", "live")
    later = FORGOTTEN_AFTER_SECONDS + 0.1
    wants.heard("b", {"live": [0, 9, 0]}, now=later)
    assert wants.next(now=later) == ("b", "live")


def test_those_who_want_on_one_lane_take_turns(wants: Wants) -> None:
    for name in "abc":
        wants.heard(name, {"live": [0, 10, 0]}, now=0)
    assert Counter(turn[0] for _ in range(9) if (turn := wants.next(now=0))) == {"a": 3, "b": 3, "c": 3}


def test_what_is_due_first_comes_before_the_turn_of_the_others(wants: Wants) -> None:
    wants.heard("stock", {"batch": [0, 500, 0]}, now=0)
    wants.heard("later", {"batch": [0, 1, 0], "due": {"batch": 2000.0}}, now=0)
    wants.heard("sooner", {"batch": [0, 1, 0], "due": {"batch": 1000.0}}, now=0)
    assert [wants.next(now=0) for _ in range(3)] == [("sooner", "batch"), ("later", "batch"), ("stock", "batch")]


def test_a_bucket_with_one_deadline_is_not_preferred_for_all_that_it_wants(wants: Wants) -> None:
    wants.heard("a", {"batch": [0, 9, 0]}, now=0)
    wants.heard("b", {"batch": [0, 9, 0], "due": {"batch": 1000.0}}, now=0)
    assert [turn[0] for _ in range(5) if (turn := wants.next(now=0))] == ["b", "a", "b", "a", "b"]


def test_a_deadline_takes_no_turn_from_another_lane() -> None:
    wants = Wants(Turns({"live": 3, "batch": 1, "replay": 1, "background": 1}), 100)
    wants.heard("sales", {"live": [0, 9, 0]}, now=0)
    wants.heard("run", {"batch": [0, 9, 0], "due": {"batch": 0.0}}, now=0)
    assert Counter(turn[1] for _ in range(8) if (turn := wants.next(now=0))) == {"live": 6, "batch": 2}


@pytest.mark.parametrize("due", [7, {"batch": "soon"}, {"batch": None}], ids=str)
def test_a_deadline_that_is_none_leaves_nothing_behind(wants: Wants, due: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        wants.heard("a", {"batch": [0, 1, 0], "due": due}, now=0)
    assert wants.next(now=0) is None


def test_a_bucket_that_is_silent_or_gone_gets_nothing(wants: Wants) -> None:
    wants.heard("silent", {"live": [0, 5, 0]}, now=0)
    wants.heard("gone", {"live": [0, 5, 0], "batch": [0, 1, 0]}, now=FORGOTTEN_AFTER_SECONDS)
    wants.forget("gone")
    assert wants.next(now=FORGOTTEN_AFTER_SECONDS + 0.1) is None


@given(
    takes=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(LANES), st.integers(1, 5)), max_size=30),
    lost=st.lists(st.booleans(), max_size=30),
)
def test_however_many_words_are_lost_all_that_is_wanted_is_sent_in_the_end_and_no_more(
    takes: list[tuple[str, str, int]], lost: list[bool]
) -> None:
    wants, sent, wanted = (
        Wants(Turns(dict.fromkeys(LANES, 1)), 100),
        Counter[tuple[str, str]](),
        Counter[tuple[str, str]](),
    )

    def say(name: str) -> None:
        said = {str(lane): [sent[name, lane], wanted[name, lane], 0] for lane in LANES if wanted[name, lane]}
        wants.heard(name, said, now=0)

    for number, (name, lane, count) in enumerate(takes):
        wanted[name, lane] += count
        if not (number < len(lost) and lost[number]):
            say(name)
        if number % 2 and (turn := wants.next(now=0)) is not None:
            sent[turn] += 1
    for name in "ab":
        say(name)
    while (turn := wants.next(now=0)) is not None:
        sent[turn] += 1
    assert +sent == +wanted
