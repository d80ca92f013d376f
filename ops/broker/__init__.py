"""A RabbitMQ to work with, whatever this machine has: for the demo, the tests and `relay up` on one machine.

Finds one or starts one; knows nothing of events, exchanges or queues, and never imports the messaging layer.
"""

from ops.broker.errors import BrokerError, BrokerFailed, BrokerNotFound, BrokerNotOurs
from ops.broker.finding import find_broker, find_own_broker, prepare
from ops.broker.port import Broker

__all__ = [
    "Broker",
    "BrokerError",
    "BrokerFailed",
    "BrokerNotFound",
    "BrokerNotOurs",
    "find_broker",
    "find_own_broker",
    "prepare",
]
