"""Events made of what a document says: their id and time, and the refusals that more than one format has.

It must not know any format.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from producers.normalising import Rejected
from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.inventory import BillReceived, OrderPlaced, ReceiptPosted, StockAdjusted, StockCounted
from schemas.problems import first_problem

MOST_LINES: Final = 5_000
"""A receipt of more lines than this makes too large a message."""

GoodsData = StockAdjusted | StockCounted | ReceiptPosted | OrderPlaced | BillReceived

_SUBJECTS: Final = ("credit_note", "refund", "dispute", "payout", "charge", "invoice", "payment_intent", "transaction")
"""By which of its names an event of sales is known, the first that it has."""

NOON: Final = time(12, tzinfo=UTC)
END_OF_DAY: Final = time(23, 59, 59, tzinfo=UTC)


def digest(*parts: str) -> str:
    """Give 16 hexadecimal digits that stand for these texts."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def wrap(data: GoodsData, *, source: str, company: str, at: datetime | None = None, name: str | None = None) -> Event:
    """Make the event of its data: at this instant, else at noon of its day, and a count at the day's end.

    Its id is `name`, else the fact and a hash of what it says: the same document in two versions makes two events of
    one fact. Raises Rejected: `too_many_lines`, `missing_date`, `invalid_event`.
    """
    if isinstance(data, ReceiptPosted) and len(data.lines) > MOST_LINES:
        message = f"a receipt of {len(data.lines)} lines, and it has at most {MOST_LINES}: split it"
        raise Rejected("too_many_lines", message)
    with rejecting():
        subject = _subject(data)
        return Event.of(
            data,
            id=name or f"{data.fact}:v{version_of(data)}",
            source=f"/warehouse/{source}",
            time=at or _of_day(data),
            subject=subject,
            partitionkey=subject,
            company=company,
        )


def wrap_sale(data: EventData, *, source: str, company: str, at: datetime, name: str | None = None) -> Event:
    """Make the event of what was sold, given back or paid out: its key is that of the payment whose order matters.

    Its id is `name`, else as in `wrap`. Raises Rejected: `invalid_event`.
    """
    with rejecting():
        named = [str(value) for field in _SUBJECTS if (value := getattr(data, field, None))]
        subject = named[0] if named else data.fact
        return Event.of(
            data,
            id=name or f"{data.fact}:v{version_of(data)}",
            source=f"/sales/{source}",
            time=at,
            subject=subject,
            partitionkey=getattr(data, "charge", None) or subject,
            company=company,
        )


def at_noon(day: date) -> datetime:
    """The instant of what happened on a day, and nobody says when."""
    return datetime.combine(day, NOON)


def version_of(data: EventData) -> str:
    """Give 16 hexadecimal digits that stand for what the data say."""
    return digest(data.model_dump_json())


def _subject(data: GoodsData) -> str:
    match data:
        case ReceiptPosted():
            return data.order or data.receipt
        case OrderPlaced() | BillReceived():
            return data.order
        case _:
            return data.item


def _of_day(data: GoodsData) -> datetime:
    if isinstance(data, OrderPlaced) or data.day is None:
        raise Rejected("missing_date", "it says neither when nor on which day it happened")
    return datetime.combine(data.day, END_OF_DAY if isinstance(data, StockCounted) else NOON)


@contextmanager
def rejecting() -> Iterator[None]:
    """Turn a model's refusal, which holds the input, into Rejected: `invalid_event`, which names the field only."""
    try:
        yield
    except ValidationError as error:
        problem = first_problem(error)
        raise Rejected("invalid_event", problem.message, field=problem.field) from None


def must_be_in(unit: str | None, of_line: str | None, *, field: str) -> None:
    """Return where a quantity is in the unit of its line, or either is not said. Raises Rejected: `units_differ`."""
    if unit is not None and of_line is not None and unit != of_line:
        message = f"its unit is {unit[:10]}, and the line's is {of_line[:10]}: they are not converted here"
        raise Rejected("units_differ", message, field=field)


def negative_receipt(quantity: Decimal, *, field: str) -> Rejected:
    """Build the refusal of a line that received less than nothing: sent back, or put right, and who knows which."""
    message = f"{quantity:f} were received: whether goods went back or a mistake is put right, a person must say"
    return Rejected("negative_quantity", message, field=field)


def only_one(values: Sequence[str | None]) -> str | None:
    """Give the value all agree on, those without one left out; None when there is none, or more than one."""
    different = {value for value in values if value is not None}
    return different.pop() if len(different) == 1 else None
