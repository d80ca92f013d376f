"""The set-up: what the lock and the compose file promise, and how `ops/setup.sh` and `make` behave in an empty folder.

Installs nothing: Python, pip and apt are small scripts here.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from staging.broker import container

ROOT = Path(__file__).parents[2]
TOOLS = ("awk", "cat", "dirname", "id", "make", "mkdir", "rm", "sh", "sleep", "tail", "touch")
OLD_PYTHON = "exit 1"
# Makes a folder with a python in it that notes how it is called, and fails on request.
NEW_PYTHON = r"""
case "$*" in
    *"-m venv "*) mkdir -p .venv/bin; cat "$0" >.venv/bin/python; chmod +x .venv/bin/python; echo venv >>calls ;;
    *"-m pip"*--require-hashes*) echo lock >>calls; echo "no such wheel"; test ! -e broken ;;
    *"-m pip"*--editable*) echo project >>calls ;;
esac
"""


class Folder:
    """A project folder with the set-up in it and nothing else, on a machine with few tools."""

    def __init__(self, path: Path) -> None:
        self.path, self.bin = path / "project", path / "bin"
        (self.path / "ops").mkdir(parents=True)
        self.bin.mkdir()
        for name in ("Makefile", "ops/setup.sh", "requirements.lock", "pyproject.toml"):
            shutil.copy(ROOT / name, self.path / name)
        for tool in (*TOOLS, "chmod"):
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)

    def offers(self, tool: str, script: str) -> None:
        (self.bin / tool).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / tool).chmod(0o755)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.path,
            env={"PATH": str(self.bin), "HOME": str(self.path)},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    @property
    def calls(self) -> list[str]:
        calls = self.path / "calls"
        return calls.read_text().split() if calls.exists() else []


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Give an empty project on a machine without Python."""
    return Folder(tmp_path)


def test_a_second_run_installs_nothing(folder: Folder) -> None:
    folder.offers("python3", NEW_PYTHON)
    assert folder.run("make", ".venv/.ready").returncode == 0
    assert folder.calls == ["venv", "lock", "project"]
    assert folder.run("make", ".venv/.ready").returncode == 0
    assert folder.calls == ["venv", "lock", "project"]


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml", "ops/setup.sh"])
def test_a_changed_lock_or_project_is_installed_into_the_same_environment(folder: Folder, changed: str) -> None:
    folder.offers("python3", NEW_PYTHON)
    folder.run("make", ".venv/.ready")
    ready = (folder.path / ".venv/.ready").stat().st_mtime
    os.utime(folder.path / changed, (ready + 5, ready + 5))
    folder.run("make", ".venv/.ready")
    assert folder.calls == ["venv", "lock", "project", "lock", "project"]


def test_an_interrupted_set_up_is_made_anew(folder: Folder) -> None:
    folder.offers("python3", NEW_PYTHON)
    half_made = folder.path / ".venv/lib/half"
    half_made.mkdir(parents=True)
    assert folder.run("make", ".venv/.ready").returncode == 0
    assert not half_made.exists()
    assert (folder.path / ".venv/.ready").exists()


def test_a_failed_installation_shows_why_and_is_not_taken_for_ready(folder: Folder) -> None:
    folder.offers("python3", NEW_PYTHON)
    (folder.path / "broken").touch()
    failed = folder.run("make", "check")
    assert failed.returncode != 0
    assert "no such wheel" in failed.stderr
    assert not (folder.path / ".venv/.ready").exists()


def test_a_failed_update_is_made_anew_the_next_time(folder: Folder) -> None:
    folder.offers("python3", NEW_PYTHON)
    folder.run("make", ".venv/.ready")
    (folder.path / "broken").touch()
    assert folder.run("sh", "ops/setup.sh").returncode != 0
    (folder.path / "broken").unlink()
    assert folder.run("make", ".venv/.ready").returncode == 0
    assert folder.calls == ["venv", "lock", "project", "lock", "venv", "lock", "project"]


def test_uv_is_used_where_it_is_and_pip_where_uv_fails(folder: Folder) -> None:
    folder.offers("python3", NEW_PYTHON)
    folder.offers("uv", 'case "$*" in --version) ;; *) echo uv >>calls; exit 3 ;; esac')
    assert folder.run("make", ".venv/.ready").returncode == 0
    assert folder.calls == ["venv", "uv", "lock", "uv", "project"]


@pytest.mark.parametrize("python", [OLD_PYTHON, None])
def test_a_machine_without_a_new_python_is_told_what_would_help(folder: Folder, python: str | None) -> None:
    folder.offers("id", "echo 1000")
    if python:
        folder.offers("python3", python)
    refused = folder.run("make", "test")
    assert refused.returncode != 0
    for help_ in ("Python 3.11", "python3-venv", "uv", "root"):
        assert help_ in refused.stderr


def test_a_shim_that_stands_for_no_python_is_passed_over(folder: Folder) -> None:
    folder.offers("python3.13", "echo not installed >&2; exit 127")
    folder.offers("python3", NEW_PYTHON)
    assert folder.run("make", ".venv/.ready").returncode == 0


def test_root_with_apt_gets_the_missing_python_installed(folder: Folder) -> None:
    folder.offers("id", "echo 0")
    folder.offers("new-python", NEW_PYTHON)
    folder.offers(
        "apt-get",
        'case "$*" in *python3.12-venv*) cat "${0%/*}/new-python" >"${0%/*}/python3.12"; '
        'chmod +x "${0%/*}/python3.12"; echo apt >>calls ;; *update) ;; *) exit 100 ;; esac',
    )
    done = folder.run("make", ".venv/.ready")
    assert done.returncode == 0, done.stderr
    assert folder.calls == ["apt", "venv", "lock", "project"]


def test_make_alone_lists_every_target_and_sets_nothing_up(folder: Folder) -> None:
    listed = folder.run("make")
    for target in ("demo", "test", "check", "lock", "clean"):
        assert re.search(rf"^make {target} +\w", listed.stdout, re.MULTILINE), target
    assert not (folder.path / ".venv").exists()


def test_cleaning_keeps_the_database(folder: Folder) -> None:
    folder.offers("find", "exit 0")
    database = folder.path / "var/relay.db"
    database.parent.mkdir()
    database.touch()
    assert folder.run("make", "clean").returncode == 0
    assert database.exists()


LOCKS = ("requirements.lock", "requirements.run.lock")


def locked(name: str) -> dict[str, str]:
    """Package → version and marker, as a lock says them."""
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(.*?) \\$", text, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash_and_no_host_is_named(name: str) -> None:
    lock = (ROOT / name).read_text()
    assert not re.search(r"https?://|--(extra-)?index|--find-links|--trusted-host", lock)
    packages = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert packages
    for package in packages:
        assert re.match(r"\S+==\S+", package)
        assert "--hash=sha256:" in package, package.splitlines()[0]


def test_every_dependency_of_the_project_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, wanted in (
        ("requirements.lock", [*project["dependencies"], *project["optional-dependencies"]["dev"]]),
        ("requirements.run.lock", project["dependencies"]),
    ):
        for dependency in wanted:
            assert name_of(dependency) in locked(lock)


def name_of(dependency: str) -> str:
    found = re.match(r"[A-Za-z0-9_-]+", dependency)
    assert found
    return found[0].lower().replace("_", "-")


def test_what_runs_in_production_is_what_the_tests_ran_with_and_nothing_else() -> None:
    ours, tested = locked("requirements.run.lock"), locked("requirements.lock")
    assert ours.items() <= tested.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tools = set(map(name_of, project["optional-dependencies"]["dev"]))
    assert len(tools) > 10
    assert tools & set(ours) == set()


# Stands in for an environment of its own: whatever is not in the run-time lock cannot be imported.
ONLY_LOCKED = """
import importlib, importlib.metadata, pkgutil, sys
locked = set(sys.argv[1].split())
name = lambda text: text.lower().replace("_", "-").replace(".", "-")
foreign = {
    module for module, owners in importlib.metadata.packages_distributions().items()
    if not locked & set(map(name, owners)) and "solid-relay" not in map(name, owners)
}
assert "pytest" in foreign and "hypothesis" in foreign and "pydantic" not in foreign
class Refusing:
    def find_spec(self, wanted, path=None, target=None):
        if wanted.partition(".")[0] in foreign:
            raise ModuleNotFoundError(f"{wanted} is not in the run-time lock")
sys.meta_path.insert(0, Refusing())
rooms = "schemas runtime messaging solid store producers workers ops simulator".split()
count = 0
for room in rooms:
    for found in pkgutil.walk_packages([room], f"{room}."):
        if not found.name.endswith("__main__") and found.name != "store.migrations.env":  # that one Alembic runs
            importlib.import_module(found.name); count += 1
print(count)
"""


def test_the_relay_starts_with_the_packages_of_the_run_time_lock_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ONLY_LOCKED, " ".join(locked("requirements.run.lock"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 150


def test_the_image_takes_the_run_time_lock_and_ends_without_tools_or_root() -> None:
    build, final = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    assert "AS build" in build.splitlines()[0]
    assert "-r requirements.run.lock" in build
    assert "pip" not in re.sub(r"#.*", "", final)
    assert "requirements" not in final
    assert re.findall(r"^COPY (.*)$", final, re.MULTILINE) == ["--from=build /opt/relay /opt/relay"]
    assert re.search(r"^USER 10001$", final, re.MULTILINE)
    copied = set(re.findall(r"^COPY (\w+) \w+$", build, re.MULTILINE))
    assert copied == {"schemas", "runtime", "messaging", "solid", "store", "producers", "workers", "ops", "simulator"}
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    assert {f"!{name}" for name in (*copied, "requirements.lock", "requirements.run.lock")} <= set(ignored)


@pytest.mark.parametrize("service", ["x-relay", "rabbitmq"])
def test_every_container_is_bounded_and_has_no_rights_that_it_does_not_need(service: str) -> None:
    compose = (ROOT / "compose.yaml").read_text()
    [block] = re.findall(rf"^( {{0,2}}){service}:.*\n((?:\1 +.*\n|\n)+)", compose, re.MULTILINE)
    said = block[1]
    for wanted in ("mem_limit: ", "cpus: ", "pids_limit: ", "cap_drop:", "- ALL", "- no-new-privileges:true"):
        assert wanted in said, wanted
    assert service == "rabbitmq" or "read_only: true" in said
    services = compose[compose.index("\nservices:") : compose.index("\nvolumes:")]
    roles = set(re.findall(r"^  ([a-z]+):$", services, re.MULTILINE)) - {"rabbitmq"}
    assert services.count("<<: *relay") == len(roles) >= 2


def test_compose_publishes_on_loopback_only_and_runs_the_broker_that_the_tests_run() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    published = re.findall(r"^ +- (\S*\d+:\d+)$", compose, re.MULTILINE)
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert f"image: {container.IMAGE}\n" in compose


def test_docker_accepts_the_compose_file() -> None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and _succeeds([*command, "version"]):
            subprocess.run([*command, "--file", "compose.yaml", "config", "--quiet"], cwd=ROOT, check=True)
            return
    pytest.skip("no docker client with compose is here")


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0
