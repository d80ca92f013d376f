"""The `relay` command, a module a group of commands: what is asked, and nothing of how it is done.

A start imports half a million objects that stay to the end. To look through them for garbage again and again while
they come, and once more when they go, would take a quarter of what a short command takes.
"""

import atexit
import gc
from typing import Final

_USUAL: Final = gc.get_threshold()

gc.set_threshold(50_000, 20, 100)
atexit.register(gc.freeze)


def collect_garbage_as_usual() -> None:
    """Called once all is imported: what runs for weeks must not keep its garbage for long."""
    gc.freeze()
    gc.set_threshold(*_USUAL)
