"""The judge of mutants, on a project of three files: what is caught, what survives, and what proves nothing."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import telling
from tests.mutants.copies import copy_of
from tests.mutants.judging import NotGreen, Verdict, judge, judge_all, prove_green
from tests.mutants.mutant import Mutant
from tests.mutants.sessions import Failure, _environment

CODE = '''"""Answers."""

def answer():
    """Give the answer."""
    return 42

def unused():
    return 1
'''
TESTS = """
from code_under_test import answer, unused

def test_the_answer():
    assert answer() == 42

def test_something_else():
    assert True

def test_unused():
    assert unused() == 1
"""
HANGING = """
import os, threading

def test_for_ever():
    with open("NOTE", "w") as note:
        note.write(f"{os.getpid()} {os.getcwd()}\\n")
    threading.Event().wait()
"""
PLACE = "code_under_test.py"
ANSWER, ELSE, UNUSED = (f"test_it.py::test_{name}" for name in ("the_answer", "something_else", "unused"))


def mutant(name: str, old: str, new: str, *tests: str) -> Mutant:
    return Mutant(name, "It is so.", PLACE, old, new, tests)


WRONG = mutant("wrong", "return 42", "return 43", ELSE, ANSWER)
HARMLESS = mutant("harmless", "Give the answer.", "Give an answer.", ANSWER, ELSE)
ELSEWHERE = mutant("elsewhere", "return 1", "return 2", ELSE)
BROKEN = mutant("broken", '"""Answers."""', "import nowhere_to_be_found", ANSWER)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / PLACE).write_text(CODE)
    (root / "test_it.py").write_text(TESTS)
    (root / "pytest.ini").write_text("[pytest]\n")
    return root


async def test_a_mutant_is_caught_by_the_first_test_that_fails_and_the_project_stays_as_it_is(project: Path) -> None:
    verdict = await judge(project, WRONG, wider=())
    assert verdict.caught == Failure(ANSWER, "assert 43 == 42")
    assert (project / PLACE).read_text() == CODE


async def test_a_harmless_edit_survives(project: Path) -> None:
    told: list[Verdict] = []
    [verdict] = await judge_all(project, [HARMLESS], told.append, wider=())
    assert (verdict.survived, verdict.trouble) == (True, None)
    assert told == [verdict]
    assert "harmless: SURVIVED" in telling.line(verdict, 1, 1)


async def test_where_the_named_tests_pass_all_others_are_asked(project: Path) -> None:
    verdict = await judge(project, ELSEWHERE, wider=("test_it.py",))
    assert verdict.caught is not None
    assert verdict.caught.test == UNUSED


async def test_tests_that_cannot_be_run_have_caught_nothing(project: Path) -> None:
    verdict = await judge(project, BROKEN, wider=())
    assert verdict.survived
    assert "nowhere_to_be_found" in str(verdict.trouble)


async def test_nothing_is_judged_where_a_test_fails_without_any_mutant(project: Path) -> None:
    assert await prove_green(project, [WRONG, HARMLESS]) == 2
    (project / PLACE).write_text(CODE.replace("42", "41"))
    with pytest.raises(NotGreen, match=r"test_the_answer fails without any mutant \(assert 41 == 42\)"):
        await prove_green(project, [WRONG])


@pytest.mark.long
async def test_a_judge_that_is_stopped_leaves_no_process_and_no_copy(project: Path) -> None:
    note = project.parent / "running"
    (project / "test_it.py").write_text(HANGING.replace("NOTE", str(note)))
    judging = asyncio.create_task(judge(project, mutant("any", "return 1", "return 2", "test_it.py::test_for_ever")))
    async with asyncio.timeout(60):
        while not note.exists() or not note.read_text().endswith("\n"):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
    judging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await judging
    must_be_gone(*note.read_text().split())


def must_be_gone(pid: str, copy: str) -> None:
    assert not Path(copy).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


@pytest.mark.parametrize("how", [["-m", "workers.where"], ["-c", "from workers import where"]])
def test_in_a_copy_every_process_imports_the_copy_wherever_it_runs(tmp_path: Path, how: list[str]) -> None:
    """The project is installed in the environment, and the copy must come before it."""
    (tmp_path / "workers").mkdir()
    (tmp_path / "workers" / "__init__.py").write_text("")
    (tmp_path / "workers" / "where.py").write_text("print(__file__)\n")
    (tmp_path / "elsewhere").mkdir()
    with copy_of(tmp_path) as copy:
        environment = _environment(copy, must_run=True)
        done = subprocess.run(
            [sys.executable, *how],
            cwd=tmp_path / "elsewhere",
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == str(copy / "workers" / "where.py")
    assert not copy.exists()


def test_the_page_keeps_its_words_and_gets_a_new_table() -> None:
    verdicts = [Verdict(WRONG, Failure(f"{ANSWER}[sqlite]", "assert 43 == 42"), 1.0)]
    before = (
        f"# Title\n\nWords.\n\n{telling.HEADING}\n| --- | --- | --- | --- |\n| `old` | x | y | z |\n\nMore words.\n"
    )
    row = f"| `wrong` | It is so. | `{PLACE}` | `{ANSWER}` |"
    expected = f"# Title\n\nWords.\n\n{telling.HEADING}\n| --- | --- | --- | --- |\n{row}\n\nMore words.\n"
    assert telling.page(before, verdicts) == expected
