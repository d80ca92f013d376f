"""What our children get of our environment: never a secret, and there is no other way to start one."""

import ast
from pathlib import Path

import pytest

from runtime.environment import passed_on
from staging.processes import Stage

ROOT = Path(__file__).parents[3]
ROOMS = (
    "schemas",
    "runtime",
    "messaging",
    "solid",
    "store",
    "producers",
    "workers",
    "ops",
    "demo",
    "faults",
    "simulator",
)
STARTING = {"Popen", "run", "check_call", "check_output", "create_subprocess_exec", "create_subprocess_shell"}
LIKE_OURS = {"execv", "execl", "execlp", "execvp", "spawnl", "spawnv", "spawnlp", "system", "popen", "fork"}
CANARY = "canary-of-a-key"


def starts_without_an_environment(tree: ast.AST) -> list[int]:
    """Lines that start a process which would get all of ours."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name), keywords=keywords):
                started = (module == "subprocess" and name in STARTING) or name.startswith("create_subprocess_")
                if started and "env" not in {each.arg for each in keywords}:
                    found.append(node.lineno)
                if module == "os" and name in LIKE_OURS:
                    found.append(node.lineno)
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_started_with_all_of_our_environment(room: str) -> None:
    found = {}
    for path in sorted((ROOT / room).rglob("*.py")):
        if lines := starts_without_an_environment(ast.parse(path.read_text("utf-8"))):
            found[path.relative_to(ROOT).as_posix()] = lines
    assert found == {}, "say env=passed_on(): runtime/environment.py"


def test_the_lint_sees_what_it_looks_for() -> None:
    text = "subprocess.run([1])\nsubprocess.run([1], env={})\nos.execv(1)\nasyncio.create_subprocess_exec(1)\n"
    assert starts_without_an_environment(ast.parse(text)) == [1, 3, 4]


def test_only_what_every_program_may_know_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("RELAY_SOLID__API_KEY", "RABBITMQ_URL", "AWS_SECRET_ACCESS_KEY", "STRIPE_KEY", "https_proxy", "PGPASSWORD")
    for name in names:
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("LANG", "C.UTF-8")
    given = passed_on("https_proxy", OWN="1")
    assert {name for name, value in given.items() if value == CANARY} == {"https_proxy"}
    assert (given["LANG"], given["OWN"]) == ("C.UTF-8", "1")


def test_a_stages_children_get_its_own_settings_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tell.py").write_text("import json, os; print(json.dumps(dict(os.environ)))")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("RELAY_DATABASE_PASSWORD", CANARY)
    monkeypatch.setenv("SOME_TOKEN", CANARY)
    stage = Stage(tmp_path, "amqp://nobody@127.0.0.1:1/")
    stage.start("child", "tell").popen.wait(60)
    said = (tmp_path / "child.log").read_text()
    assert CANARY not in said
    assert "amqp://nobody@127.0.0.1:1/" in said
