"""What every kind of broker can do, and the one kind that can do nothing: the one somebody else runs."""

from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from staging.broker.errors import BrokerNotOurs

MANAGEMENT = "rabbitmq_management"
"""The plugin of the management API."""


class Broker(Protocol):
    """A RabbitMQ that answers. Every method blocks until it is done: call it in a thread from async code."""

    @property
    def url(self) -> str:
        """The AMQP URL with user and password; the same for the broker's whole life."""
        ...

    @property
    def management_url(self) -> str | None:
        """Where its management API listens; None unless the plugin rabbitmq_management was asked for."""
        ...

    @property
    def how(self) -> str:
        """Where it comes from, in words fit for a progress line; names no password."""
        ...

    def halt(self) -> None:
        """Shut the server down in good order and keep its data and port: `start` brings it back."""
        ...

    def start(self) -> None:
        """Start a halted server again and wait until it answers. Raises BrokerFailed."""
        ...

    def restart(self) -> None:
        """Halt and start: every connection breaks, durable queues and persistent messages stay."""
        ...

    def pause(self) -> None:
        """Freeze the server: connections stay open and nothing answers, as on a machine that hangs."""
        ...

    def resume(self) -> None:
        """End a pause."""
        ...

    def stop(self) -> None:
        """End it and remove its data. Safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class GivenBroker:
    """The broker of RABBITMQ_URL: ours to use, not to stop."""

    url: str = field(repr=False)
    how: str = "RABBITMQ_URL"
    management_url: str | None = None

    def halt(self) -> NoReturn:
        """Refuse: raises BrokerNotOurs."""
        raise BrokerNotOurs("halt")

    def start(self) -> NoReturn:
        """Refuse: raises BrokerNotOurs."""
        raise BrokerNotOurs("start")

    def restart(self) -> NoReturn:
        """Refuse: raises BrokerNotOurs."""
        raise BrokerNotOurs("restart")

    def pause(self) -> NoReturn:
        """Refuse: raises BrokerNotOurs."""
        raise BrokerNotOurs("pause")

    def resume(self) -> NoReturn:
        """Refuse: raises BrokerNotOurs."""
        raise BrokerNotOurs("resume")

    def stop(self) -> None:
        """Do nothing: it goes on without us."""
