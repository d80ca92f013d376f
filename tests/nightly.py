"""What takes too long for `make test`, one part after another, with its progress; the last line says what came of it.

    python -m tests.nightly --seed 2

A seed plays the same histories of the model again. Exit code 1 where a part failed; the parts after it are run as well.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

MODEL = (
    "tests/unit/workers/model/test_resolver_model.py::test_whatever_happens_at_whatever_await_each_write_is_booked_once"
)
SEARCHES = ("-m", "search", "--timeout", "7200", "--deselect", MODEL, "tests/unit", "tests/contract")
LONG = ("-m", "long or nightly")
OUTAGE = "tests/e2e/test_outage.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all parts."""
    asked = _asked(arguments)
    pytest = [sys.executable, "-m", "pytest", "-q"]
    model = [*pytest, "-s", "--timeout", "14400", f"--hypothesis-seed={asked.seed}", MODEL]
    parts: Mapping[str, tuple[list[str], Mapping[str, str]]] = {
        "orders": ([sys.executable, "-m", "tests.unit.workers.model.order", str(asked.orders)], {}),
        "histories": (model, {"MODEL_EXAMPLES": str(asked.histories)}),
        "searches": ([*pytest, *SEARCHES, f"--hypothesis-seed={asked.seed}"], {"SEARCH": "night"}),
        "long": ([*pytest, *LONG], {}),
        "outage": ([*pytest, OUTAGE], {"OUTAGE_TO_THE_END": "1"}),
    }
    started, failed = time.monotonic(), []
    for name in parts if asked.only is None else [asked.only]:
        command, settings = parts[name]
        began = time.monotonic()
        _say(f"{name}: begun")
        code = subprocess.run(command, env=os.environ | settings, check=False).returncode
        _say(f"{name}: {'failed' if code else 'passed'} in {time.monotonic() - began:.0f} s")
        failed += [name] if code else []
    result = f"failed: {', '.join(failed)}" if failed else "passed"
    _say(f"{result} in {time.monotonic() - started:.0f} s (seed {asked.seed}, {asked.histories} histories)")
    return 1 if failed else 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.nightly", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--histories", type=int, default=10_000, help="of crashes, in the model")
    parser.add_argument("--orders", type=int, default=100_000, help="in which sales may come")
    parser.add_argument("--only", choices=("orders", "histories", "searches", "long", "outage"))
    return parser.parse_args(arguments)


def _say(what: str) -> None:
    sys.stdout.write(f"nightly: {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
