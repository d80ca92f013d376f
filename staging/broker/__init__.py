"""A RabbitMQ to work with, whatever this machine has: for the demo, the tests and `relay up` on one machine.

Finds one or starts one; knows nothing of events, exchanges or queues, and never imports the messaging layer.
"""

from staging.broker.errors import BrokerError, BrokerFailed, BrokerNotFound, BrokerNotOurs, Rabbit4NotFound
from staging.broker.finding import find_broker, find_own_broker, find_rabbitmq_4, prepare
from staging.broker.port import MANAGEMENT, Broker

__all__ = [
    "MANAGEMENT",
    "Broker",
    "BrokerError",
    "BrokerFailed",
    "BrokerNotFound",
    "BrokerNotOurs",
    "Rabbit4NotFound",
    "find_broker",
    "find_own_broker",
    "find_rabbitmq_4",
    "prepare",
]
