"""`make demo`: the main job from real Stripe events to balanced books, in under 90 seconds.

Starts a broker where none is given, Solid's stand-in, the receiver and two workers as processes of their own; sends
some sixty signed events, a third of them twice and some out of order; loses an answer, closes the Solid app, kills a
worker; then prints the trial balance, the Stripe Clearing account, the dead-letter queues and, as the last line, a JSON
summary. What is counted is defined in `demo.judging`; the stand-in's books are the witness, not the relay.

Exits with 0 when nothing is lost, nothing is in the books twice, the books balance, Solid never saw more calls than it
allows, and every fact ended where `demo.story` says; with 1 when not, or when something did not start; with 130 after
Ctrl-C. Logs are kept in var/demo, fresh each run.
"""

import os
import signal
from types import FrameType


def _begin() -> None:
    """Load and run. Until something has been started, a signal simply ends it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    from demo.command import app  # noqa: PLC0415 - this takes a second, in which Ctrl-C is to be quiet too

    app()


def _leave(number: int, frame: FrameType | None) -> None:
    del frame
    os.write(2, b"demo: stopped before anything was started\n")
    os._exit(128 + number)


if __name__ == "__main__":
    _begin()
