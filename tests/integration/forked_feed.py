"""`relay feed` again and again for a test that kills it: what takes long is imported once, and each run is a fork.

A line on standard input starts a process and is answered with its id; the end of the input ends this one.
"""

import importlib
import os
import sys

from ops.commands.relay import app


def main() -> None:
    """Fork at each line; whoever kills the child does so by its id."""
    importlib.import_module("ops.composing.feeds")  # before the first fork
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            os.setsid()
            os.close(0)
            app(["feed"])
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
