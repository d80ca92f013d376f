"""The table of mutants fits the code, the tests and the page as they are now."""

import ast
import re
from pathlib import Path

import pytest

from tests.mutants.mutant import DoesNotFit, Mutant, catchers_of
from tests.mutants.table import MUTANTS

ROOT = Path(__file__).parents[3]
OUT_OF_DATE = "run `make mutants`: it writes the table anew"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_the_code(mutant: Mutant) -> None:
    before = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(mutant.broken(before))) != ast.dump(ast.parse(before)), "it changes what the code does"


def test_each_mutant_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_every_test_that_is_to_catch_one_exists() -> None:
    missing = []
    for test in catchers_of(MUTANTS):
        file, _, name = test.partition("[")[0].partition("::")
        path = ROOT / file
        if not path.exists() or not re.search(
            rf"^(async )?def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            missing.append(test)
    assert missing == []


def test_a_mutant_needs_a_broker_exactly_when_its_tests_do() -> None:
    assert [each.name for each in MUTANTS if each.needs_broker != any("integration" in t for t in each.caught_by)] == []


def test_the_page_has_every_mutant_with_its_promise_and_who_caught_it() -> None:
    page = (ROOT / "docs" / "mutants.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \| `([^`]+)` \| `([^`]+)` \|$", page, re.MULTILINE)
    assert [row[:3] for row in rows] == [(each.name, each.promise, each.file) for each in MUTANTS], OUT_OF_DATE
    named = {each.name: {test.partition("[")[0] for test in each.caught_by} for each in MUTANTS}
    assert [name for name, _, _, caught in rows if caught not in named[name]] == [], OUT_OF_DATE


@pytest.mark.parametrize(
    ("source", "times"), [("def f(): return 2\n", 0), ("def f(): return 1\ndef g(): return 1\n", 2)]
)
def test_a_mutant_whose_text_is_not_there_exactly_once_is_an_error(source: str, times: int) -> None:
    mutant = Mutant("off-by-one", "f is one.", "f.py", "return 1", "return 2", ())
    with pytest.raises(
        DoesNotFit, match=rf"off-by-one no longer fits the code: f\.py has {times} times instead of once"
    ):
        mutant.broken(source)


def test_a_mutant_that_leaves_no_python_is_an_error() -> None:
    mutant = Mutant("half", "f is one.", "f.py", "return 1", "return (", ())
    with pytest.raises(DoesNotFit, match=r"half makes f\.py unreadable"):
        mutant.broken("def f(): return 1\n")
