"""What can go wrong while a broker is looked for or driven.

BrokerError
├── BrokerNotFound   this machine has none, and none may be installed; says which three things would help
├── BrokerFailed     one is here, but it did not start or does not answer; carries the end of its log
└── BrokerNotOurs    it was asked to stop or pause, but somebody else runs it (RABBITMQ_URL)
"""

_THREE_THINGS = """No RabbitMQ is within reach. Any one of these three helps:
  1. A RabbitMQ that already runs: set RABBITMQ_URL=amqp://user:password@host:5672/ in the environment.
  2. A running Docker engine that this user may use: start it; `docker version` then shows a server.
  3. An installed RabbitMQ, which need not run: the package `rabbitmq-server` of this system
     (Debian, Ubuntu: `apt-get install rabbitmq-server` as root; macOS: `brew install rabbitmq`)."""


class BrokerError(Exception):
    """Base of all errors of this package."""


class BrokerNotFound(BrokerError):
    """No broker is here and none could be installed."""

    def __init__(self, *tried: str) -> None:
        """Say what was tried and failed, if anything was, and then what would help."""
        super().__init__("\n".join([*tried, _THREE_THINGS]))


class BrokerFailed(BrokerError):
    """A broker is here but did not start, or does not answer."""


class BrokerNotOurs(BrokerError):
    """Stopping, restarting and pausing are for brokers that we started."""

    def __init__(self, act: str) -> None:
        """Name the act that was refused."""
        super().__init__(f"cannot {act} the broker of RABBITMQ_URL: somebody else runs it")
