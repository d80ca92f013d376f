"""The house stays one in which things are found: how much a folder may hold."""

from collections import Counter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
NOT_OURS: Final = frozenset({"build", "var"})
"""What set-up, the tools and the relay itself make there."""

MODULES_A_FOLDER: Final = 25


def test_no_folder_has_more_modules_than_a_reader_can_survey() -> None:
    rooms = [path for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "." and path.name not in NOT_OURS]
    modules = [module.relative_to(ROOT) for room in rooms for module in room.rglob("*.py")]
    folders = Counter(module.parent.as_posix() for module in modules)
    assert "workers" in folders, "the project is found at all"
    assert {folder: count for folder, count in folders.items() if count > MODULES_A_FOLDER} == {}
