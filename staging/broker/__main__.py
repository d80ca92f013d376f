"""`python -m staging.broker` prints a broker's URL and keeps the broker until Ctrl-C.

With `--prepare` it starts none and only makes sure that one can be found, installing the package if need be.
With `--rabbitmq 4` it is RabbitMQ 4, unpacked from Debian's packages, whatever else is here.
"""

import argparse
import signal
import sys
from types import FrameType

from staging.broker.errors import BrokerError
from staging.broker.finding import find_broker, find_rabbitmq_4, prepare, prepare_rabbitmq_4


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Run; exit code 1 and the reason on stderr when there is no broker."""
    parser = argparse.ArgumentParser(prog="python -m staging.broker", description=__doc__)
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--rabbitmq", choices=("4",))
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    try:
        if asked.prepare:
            (prepare_rabbitmq_4 if asked.rabbitmq else prepare)()
            return 0
        with (find_rabbitmq_4 if asked.rabbitmq else find_broker)() as broker:
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
