"""How far searches go: tests that try many made-up cases, marked `search`. The one place that decides.

The environment variable SEARCH says it: `few`, which `make test` has time for and which holds where nothing is said;
`many`, in continuous integration, which plays the tests marked `long` too; `night`, for `make nightly`, which plays
those marked `nightly` as well. What a mutant breaks is caught with few.
"""

import os
from collections.abc import Iterable
from itertools import islice
from typing import Final, TypeVar

import pytest

TIMES: Final = {"few": 1, "many": 4, "night": 40}[os.environ.get("SEARCH", "few")]
"""So many times the few examples are tried."""

THINNED: Final = 7 if TIMES == 1 else 1
"""Of cases that can be counted one in so many is tried: a prime, so that no kind of a damage is left out."""

search: Final = pytest.mark.search

T = TypeVar("T")


def examples(few: int) -> int:
    """How many made-up cases a search tries which tries so few at the least."""
    return few * TIMES


def some(cases: Iterable[T]) -> Iterable[T]:
    """The cases that are tried of all there are: a part of them, spread over the whole, where few are wanted."""
    return islice(cases, 0, None, THINNED)
