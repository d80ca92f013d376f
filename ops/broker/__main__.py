"""`python -m ops.broker` prints a broker's URL and keeps the broker until Ctrl-C.

With `--prepare` it starts none and only makes sure that one can be found, installing the package if need be.
"""

import signal
import sys
from types import FrameType

from ops.broker.errors import BrokerError
from ops.broker.finding import find_broker, prepare


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Run; exit code 1 and the reason on stderr when there is no broker."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        if arguments == ["--prepare"]:
            prepare()
            return 0
        with find_broker() as broker:
            print(broker.url, flush=True)  # noqa: T201 - what it is run for
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except BrokerError as exc:
        print(exc, file=sys.stderr)  # noqa: T201 - why there is none
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
