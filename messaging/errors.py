"""What can go wrong between the relay and RabbitMQ.

MessagingError
├── BrokerUnreachable   no connection could be made or kept
├── PublishFailed       a message was not confirmed: it may or may not be stored, send it again
│   └── Unroutable      the broker returned it: no queue is bound for its routing key
└── UnsafeTopology      a queue exists with arguments that could lose or duplicate facts
"""


class MessagingError(Exception):
    """Base of all messaging errors."""


class BrokerUnreachable(MessagingError):
    """No connection to RabbitMQ could be made or kept."""


class PublishFailed(MessagingError):
    """The broker did not confirm the message in time; the caller still owns it and may publish it again."""


class Unroutable(PublishFailed):
    """The broker returned the message because no queue is bound for its routing key."""


class UnsafeTopology(MessagingError):
    """A queue exists with other arguments than the relay needs."""
