"""The house stays one in which things are found: what a folder and a module may hold."""

from collections import Counter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
NOT_OURS: Final = frozenset({"build", "var"})
"""What set-up, the tools and the relay itself make there."""

MODULES_A_FOLDER: Final = 25
LINES_A_MODULE: Final = 400


def modules() -> list[Path]:
    """Every module of the project and its tests, as a path from the project's root."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "." and path.name not in NOT_OURS]
    return [module.relative_to(ROOT) for folder in folders for module in folder.rglob("*.py")]


def test_no_folder_has_more_modules_than_a_reader_can_survey() -> None:
    folders = Counter(module.parent.as_posix() for module in modules())
    assert "workers" in folders, "the project is found at all"
    assert {folder: count for folder, count in folders.items() if count > MODULES_A_FOLDER} == {}


def test_no_module_is_longer_than_may_be_read_at_one_sitting() -> None:
    lengths = {module.as_posix(): len((ROOT / module).read_bytes().splitlines()) for module in modules()}
    assert {module: length for module, length in lengths.items() if length > LINES_A_MODULE} == {}
