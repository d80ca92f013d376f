"""Who may have tokens: whoever shows that its store holds the mark before, at the price of one word."""

from typing import Any

import pytest

from messaging.marks import BEFORE, Referee
from runtime.marks import Mark


def mark(count: int, word: str) -> list[Any]:
    return Mark("inbox", count, f"host-1-abc {word}").as_json()


@pytest.fixture
def referee() -> Referee:
    return Referee("main")


def admits(referee: Referee, newest: list[Any], *, verified: Any = None, before: Any = None) -> bool:  # noqa: ANN401
    return referee.admits({"mark": newest, "verified": verified, BEFORE: before}, now=1.0)


def test_a_bucket_that_says_its_last_mark_beside_the_newest_is_not_asked(referee: Referee) -> None:
    assert admits(referee, mark(1, "one"))
    assert admits(referee, mark(4, "four"), before=mark(1, "one"))
    assert admits(referee, mark(5, "five"), before=mark(4, "four"))
    assert not admits(referee, mark(9, "nine"), before=mark(1, "one")), "a word was lost: it is asked once"
    assert admits(referee, mark(9, "nine"), verified=mark(5, "five"), before=mark(9, "nine"))


def test_a_process_that_was_put_back_with_its_store_is_asked_however_far_it_has_risen(referee: Referee) -> None:
    assert admits(referee, mark(10, "ten"))
    assert admits(referee, mark(20, "twenty"), before=mark(10, "ten"))
    assert not admits(referee, mark(25, "other"), before=mark(10, "ten"))
    assert not admits(referee, mark(20, "another"), before=mark(10, "ten"))


def test_of_two_copies_of_a_process_the_first_that_goes_on_is_the_one(referee: Referee) -> None:
    assert admits(referee, mark(10, "ten"))
    assert admits(referee, mark(11, "one's"), before=mark(10, "ten"))
    assert not admits(referee, mark(12, "other's"), before=mark(10, "ten"))
    assert not admits(referee, mark(13, "other's too"), before=mark(12, "other's"))


def test_a_process_of_an_older_relay_is_known_by_its_name(referee: Referee) -> None:
    """It says no word and no mark before, and would be asked for ever."""
    older = [Mark("inbox", count, "host-1-abc").as_json() for count in (5, 7)]
    assert all(referee.admits({"mark": each, "verified": None}, now=1.0) for each in older)
    assert not admits(referee, mark(8, "eight"))
    assert admits(referee, mark(8, "eight"), verified=older[1])
