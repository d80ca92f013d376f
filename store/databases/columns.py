"""Column types that mean the same on SQLite and PostgreSQL: UTC times, exact decimals, text that always fits.

They must not round or guess, and shorten nothing but what no index can hold.
"""

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import DateTime, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from store.databases.storable import key_of, storable


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC to the microsecond. A naive one is refused with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; SQLite keeps no time zone, so it gets none."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "the store takes aware datetimes only"
            raise ValueError(message)
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC, whatever the session's time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class DecimalText(TypeDecorator[Decimal]):
    """A finite Decimal, kept digit for digit as text (SQLite has no exact number type)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as TypeDecorator
        """Plain digits, never an exponent."""
        return None if value is None else f"{value:f}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - as TypeDecorator
        """The same digits back."""
        return None if value is None else Decimal(value)


class ForeignText(TypeDecorator[str]):
    """Text that others wrote. What a database cannot hold (NUL, lone surrogates) is replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as TypeDecorator
        """The text with unstorable characters replaced."""
        return None if value is None else storable(value)


class KeyText(ForeignText):
    """Text that others wrote and that an index holds: a very long one is kept, and looked for, as `key_of` says."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as TypeDecorator
        """The text as an index can hold it."""
        return None if value is None else key_of(value)
