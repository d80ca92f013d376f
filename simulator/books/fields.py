"""Reads a request body strictly, one field at a time; a wrong field is an answer that names it.

Unknown fields are passed over, as most servers do. No knowledge of documents or of the books.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from simulator.books.money import Cents, MoneyDialect, parse
from simulator.errors import ApiError, invalid

MAX_TEXT: Final = 4000
MAX_NUMBER: Final = 10**12
MAX_DECIMALS: Final = 12
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def load(body: bytes) -> Mapping[str, object]:
    """The JSON object in `body`, its numbers as Decimal. Raises ApiError (INVALID_JSON, VALIDATION_ERROR)."""
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as exc:
        raise ApiError(400, "INVALID_JSON", "the body is not JSON") from exc
    if not isinstance(value, dict):
        message = "the body must be a JSON object"
        raise invalid(message)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def day(value: str) -> str:
    """`value` if it is a real calendar day written YYYY-MM-DD. Raises ValueError."""
    if not _DATE.fullmatch(value):
        msg = "must be a date written YYYY-MM-DD"
        raise ValueError(msg)
    return date.fromisoformat(value).isoformat()


def _is_sensible(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return abs(number) <= MAX_NUMBER and isinstance(exponent, int) and exponent >= -MAX_DECIMALS


class Fields:
    """One JSON object of a request. A missing and a null field are the same thing."""

    __slots__ = ("_path", "_values", "money_dialect")

    def __init__(self, values: Mapping[str, object], money_dialect: MoneyDialect, path: str = "") -> None:
        """Read from `values`; `path` is put before the names in messages."""
        self._values = values
        self._path = path
        self.money_dialect: MoneyDialect = money_dialect

    def wrong(self, *, field: str, problem: str) -> ApiError:
        """The refusal for one field."""
        return invalid(f"{self._path}{field}: {problem}")

    def has(self, name: str) -> bool:
        """Is the field there, and not null."""
        return self._values.get(name) is not None

    def raw(self, name: str) -> object:
        """The value as parsed."""
        return self._values.get(name)

    def required(self, name: str) -> Any:  # noqa: ANN401  # any JSON value
        """The value, which must be there."""
        value = self._values.get(name)
        if value is None:
            raise self.wrong(field=name, problem="is required")
        return value

    def text(self, name: str) -> str:
        """Text that is not blank."""
        value = self.required(name)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(field=name, problem="must be text that is not blank")
        if len(value) > MAX_TEXT:
            raise self.wrong(field=name, problem=f"is longer than {MAX_TEXT} characters")
        return value

    def text_or_none(self, name: str) -> str | None:
        """Text that is not blank, or nothing; empty text is nothing."""
        return None if self.raw(name) == "" or not self.has(name) else self.text(name)

    def uuid(self, name: str) -> str:
        """The id of another record. A name instead of an id is refused."""
        value = self.required(name)
        try:
            return str(uuid.UUID(value))
        except (ValueError, AttributeError, TypeError) as exc:
            raise self.wrong(field=name, problem="must be the UUID of a record, not its name") from exc

    def date(self, name: str) -> str:
        """A calendar day, YYYY-MM-DD."""
        value = self.required(name)
        try:
            return day(value if isinstance(value, str) else "")
        except ValueError as exc:
            raise self.wrong(field=name, problem=str(exc)) from exc

    def date_or_none(self, name: str) -> str | None:
        """A calendar day or nothing."""
        return self.date(name) if self.has(name) else None

    def money(self, name: str) -> Cents:
        """An amount in the dialect's encoding, of any sign."""
        try:
            return parse(self.required(name), self.money_dialect)
        except ValueError as exc:
            raise self.wrong(field=name, problem=str(exc)) from exc

    def money_or_none(self, name: str) -> Cents | None:
        """An amount or nothing."""
        return self.money(name) if self.has(name) else None

    def positive(self, name: str) -> Cents:
        """An amount above zero."""
        amount = self.money(name)
        if amount <= 0:
            raise self.wrong(field=name, problem="must be above zero")
        return amount

    def unit_cost_or_none(self, name: str) -> Decimal | None:
        """What one piece costs, in whole units of the currency; or nothing.

        Written as amounts are, but with as many decimals as it takes, except in a dialect of whole cents.
        """
        if not self.has(name):
            return None
        if self.money_dialect == "cents":
            return Decimal(self.money(name)) / 100
        if isinstance(self.raw(name), str) != (self.money_dialect == "decimal_string"):
            raise self.wrong(field=name, problem=f"must be a {self.money_dialect.replace('_', ' ')}")
        return self.number_or_none(name)

    def number_or_none(self, name: str) -> Decimal | None:
        """A quantity or a unit price, with any number of decimals, as a number or as text; or nothing."""
        if not self.has(name):
            return None
        value: Any = self.raw(name)
        try:
            number = None if isinstance(value, bool) else Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            number = None
        if number is None or not number.is_finite() or not _is_sensible(number):
            raise self.wrong(field=name, problem="must be a number of a sensible size")
        return number

    def objects(self, name: str, *, at_least: int = 0) -> Iterator["Fields"]:
        """The objects of a list."""
        value = self.required(name) if at_least else self._values.get(name) or []
        if not isinstance(value, list) or len(value) < at_least:
            raise self.wrong(field=name, problem=f"must be a list of at least {at_least}")
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                raise self.wrong(field=f"{name}[{index}]", problem="must be an object")
            yield Fields(item, self.money_dialect, f"{self._path}{name}[{index}].")
