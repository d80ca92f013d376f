"""The `relay` command, a module a group of commands: what is asked, and nothing of how it is done.

A start imports half a million objects that stay to the end. To look through them for garbage again and again while
they come, and once more when they go, would take a quarter of what a short command takes.
"""

import atexit
import gc

gc.set_threshold(50_000, 20, 100)
atexit.register(gc.freeze)
