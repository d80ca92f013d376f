"""What commands print goes through one door, which takes no markup and lets nothing hide."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ops.checks.findings import Finding
from ops.showing.desk import show_findings
from ops.showing.terminal import LONGEST_CELL, Rows, say, say_json, show
from tests.hostile import HOSTILE, SHOWN, hidden_in, shows, too_wide

ROOT = Path(__file__).parents[4]
ROOMS = ("schemas", "runtime", "messaging", "solid", "store", "producers", "workers", "ops")
ALLOWED = {
    "ops/showing/terminal.py": "the door itself",
    "staging/broker/__main__.py": "set-up's own words, before there is any data",
    "staging/broker/finding.py": "the same",
    "schemas/generate.py": "names its own folder",
}
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}


def ways_around(tree: ast.AST) -> set[str]:
    """What a module could print with, past the door."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {each.name for each in names if each.name.partition(".")[0] in {"rich", "click"}}
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in {"rich", "click"}:
                found.add(module)
            case ast.Call(func=ast.Name(id="print")):
                found.add("print")
            case ast.Attribute(attr="echo" | "secho" | "echo_via_pager"):
                found.add("echo")
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="sys"), attr=stream), attr="write" | "writelines"):
                found |= {stream} & STREAMS
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_prints_past_the_door(room: str) -> None:
    found = {}
    for path in sorted((ROOT / room).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in ALLOWED and (ways := ways_around(ast.parse(path.read_text("utf-8")))):
            found[name] = ways
    assert found == {}, "print with ops.showing.terminal: it escapes what comes from outside"


def test_the_lint_sees_what_it_looks_for() -> None:
    text = "import rich.table\nfrom click import echo\nprint(1)\ntyper.echo(2)\nsys.stderr.write(3)\n"
    assert ways_around(ast.parse(text)) == {"rich.table", "click", "print", "echo", "stderr"}


def test_a_cell_is_text_whatever_is_in_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = Rows(HOSTILE, "other")
    table.add(HOSTILE, [HOSTILE, "[bold]second[/bold]"])
    table.add(None, 7)
    show(table)
    show(f"a line {HOSTILE}", style="bold")
    shown = capsys.readouterr().out
    assert hidden_in(shown) == set()
    assert too_wide(shown) == []
    assert "[bold]second[/bold]" in shown
    assert shows(shown, f"a line {SHOWN}")


def test_a_cell_that_is_too_long_is_cut_and_a_whole_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    for longest in (LONGEST_CELL, None):
        table = Rows("subject", longest=longest)
        table.add("x" * 9_000)
        show(table)
        assert capsys.readouterr().out.count("x") == (longest or 9_000)


def test_a_finding_with_an_account_of_any_name_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_findings([Finding("accounts[/x]", ok=False, text=f'"{HOSTILE}" is not there')], as_json=False)
    shown = capsys.readouterr().out
    assert hidden_in(shown) == set()
    assert shows(shown.replace("accounts[/x]", ""))


def test_a_sentence_is_one_line_and_json_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"relay: {HOSTILE}")
    assert capsys.readouterr().out == f"relay: {SHOWN}\n"
    say_json('{"a": "\x9b\u202e\ud800"}')
    assert capsys.readouterr().out == '{"a": "\\u009b\\u202e\\ud800"}\n'


BUG = """
from ops.showing.terminal import Terminal
app = Terminal(pretty_exceptions_enable=False)
@app.command()
def run():
    raise type("a\\x1b[2J\\n2026 forged \\u202e \\xe9", (RuntimeError,), {})("canary7319")
app()
"""


def test_a_bug_that_names_text_from_outside_is_told_escaped_in_any_encoding() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUG],
        capture_output=True,
        text=True,
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "a\\x1b[2J\n  2026 forged \\u202e \\xe9" in done.stderr
    assert "canary7319" not in done.stderr
    assert hidden_in(done.stderr) == set()
