"""What can be wrong with an event or an amount.

SchemaError (a ValueError)
├── InvalidJson           the bytes are not one JSON document we read
├── InvalidEvent          the envelope or the data breaks a rule
│   └── UnknownEventType  the envelope is in order, but the catalog has no such type
└── MoneyError
    ├── UnknownCurrency   not an ISO 4217 code with a minor unit
    ├── CurrencyMismatch  two currencies in one sum or comparison
    └── AmountRefused     not a whole number of minor units, too large, or not possible in this currency

Messages may name fields, ids, event types, amounts and currency codes. They never hold any other value of a
payload.
"""


class SchemaError(ValueError):
    """Base of all errors of `schemas`."""


class InvalidJson(SchemaError):
    """The bytes are not one JSON document in UTF-8."""


class InvalidEvent(SchemaError):
    """The document is not an event we can use.

    `field` is the attribute or the dotted path inside `data`; None when the whole document is at fault.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        """Keep the field beside the message."""
        super().__init__(message if field is None else f"{field}: {message}")
        self.field = field


class UnknownEventType(InvalidEvent):
    """The envelope keeps the rules, but nothing here knows this type. `type` is the type as it was sent."""

    def __init__(self, event_type: str) -> None:
        """Name the type, cut to 100 characters."""
        super().__init__(f"the catalog has no event type {event_type[:100]!r}", field="type")
        self.type = event_type


class MoneyError(SchemaError):
    """Base of what can be wrong with money."""


class UnknownCurrency(MoneyError):
    """Not the code of a currency with a known minor unit."""


class CurrencyMismatch(MoneyError):
    """Amounts in two currencies were added or compared."""


class AmountRefused(MoneyError):
    """The amount cannot be one of this currency. `reason` is for machines, such as `amount_not_integer`."""

    def __init__(self, *, reason: str, message: str) -> None:
        """Keep the reason beside the message."""
        super().__init__(message)
        self.reason = reason
