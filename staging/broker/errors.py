"""What can go wrong while a broker is looked for or driven.

BrokerError
├── BrokerNotFound   this machine has none, and none may be installed; says which three things would help
│   └── Rabbit4NotFound  RabbitMQ 4 was asked for and cannot be unpacked here; says what it takes
├── BrokerFailed     one is here, but it did not start or does not answer; carries the end of its log
└── BrokerNotOurs    it was asked to stop or pause, but somebody else runs it (RABBITMQ_URL)
"""

_THREE_THINGS = """No RabbitMQ is within reach. Any one of these three helps:
  1. A RabbitMQ that already runs: set RABBITMQ_URL=amqp://user:password@host:5672/ in the environment.
  2. A running Docker engine that this user may use: start it; `docker version` then shows a server.
  3. An installed RabbitMQ, which need not run: the package `rabbitmq-server` of this system
     (Debian, Ubuntu: `apt-get install rabbitmq-server` as root; macOS: `brew install rabbitmq`)."""

_WHAT_4_TAKES = """It takes Debian (12 or newer), root, and its packages debootstrap and debian-archive-keyring
(`apt-get install debootstrap debian-archive-keyring`; as root they are installed when they are missing).
Or start a RabbitMQ 4 yourself, set RABBITMQ_URL, and do not ask for version 4."""


class BrokerError(Exception):
    """Base of all errors of this package."""


class BrokerNotFound(BrokerError):
    """No broker is here and none could be installed."""

    def __init__(self, *tried: str) -> None:
        """Say what was tried and failed, if anything was, and then what would help."""
        super().__init__("\n".join([*tried, _THREE_THINGS]))


class Rabbit4NotFound(BrokerNotFound):
    """RabbitMQ 4 was asked for by name, and cannot be unpacked here."""

    def __init__(self, why: str) -> None:
        """Say what is in the way, and then what it takes."""
        BrokerError.__init__(self, f"RabbitMQ 4 is not here and cannot be unpacked: {why}\n{_WHAT_4_TAKES}")


class BrokerFailed(BrokerError):
    """A broker is here but did not start, or does not answer."""


class BrokerNotOurs(BrokerError):
    """Stopping, restarting and pausing are for brokers that we started."""

    def __init__(self, act: str) -> None:
        """Name the act that was refused."""
        super().__init__(f"cannot {act} the broker of RABBITMQ_URL: somebody else runs it")
