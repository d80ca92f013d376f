"""Events made of what a document says: their id and time, and the refusals that more than one format has.

It must not know any format.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from producers.normalising import Refused, Rejected, Taken
from schemas.envelope import Event
from schemas.inventory import ReceiptPosted, StockAdjusted, StockCounted
from schemas.problems import first_problem

MOST_LINES: Final = 5_000
"""A receipt of more lines than this makes too large a message."""

StockData = StockAdjusted | StockCounted | ReceiptPosted

NOON: Final = time(12, tzinfo=UTC)
END_OF_DAY: Final = time(23, 59, 59, tzinfo=UTC)


def digest(*parts: str) -> str:
    """Give 16 hexadecimal digits that stand for these texts."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def wrap(data: StockData, *, source: str, company: str, at: datetime | None = None) -> Event:
    """Make the event of its data: at this instant, else at noon of its day, and a count at the day's end.

    The id is the fact and a hash of what it says: the same document in two versions makes two events of one fact.
    """
    if isinstance(data, ReceiptPosted) and len(data.lines) > MOST_LINES:
        message = f"a receipt of {len(data.lines)} lines, and it has at most {MOST_LINES}: split it"
        raise Rejected(reason="too_many_lines", message=message)
    with rejecting():
        subject = (data.order or data.receipt) if isinstance(data, ReceiptPosted) else data.item
        return Event.of(
            data,
            id=f"{data.fact}:v{digest(data.model_dump_json())}",
            source=f"/warehouse/{source}",
            time=at or _of_day(data),
            subject=subject,
            partitionkey=subject,
            company=company,
        )


def _of_day(data: StockData) -> datetime:
    if data.day is None:
        raise Rejected(reason="missing_date", message="it says neither when nor on which day it happened")
    return datetime.combine(data.day, END_OF_DAY if isinstance(data, StockCounted) else NOON)


@contextmanager
def rejecting() -> Iterator[None]:
    """Turn a model's refusal, which holds the input, into Rejected: `invalid_event`, which names the field only."""
    try:
        yield
    except ValidationError as error:
        problem = first_problem(error)
        raise Rejected(reason="invalid_event", message=problem.message, field=problem.field) from None


def counted_once(
    counted: Sequence[tuple[str, StockCounted]], event: Callable[[StockCounted], Event]
) -> Iterator[Taken | Refused]:
    """Give the counts of one report; an item counted twice in one place and lot has no level that is certain."""
    times = Counter((data.item, data.place, data.lot) for _, data in counted)
    for where, data in counted:
        if times[data.item, data.place, data.lot] > 1:
            message = "one report counts this item twice in the same place and lot: which is its level is not said"
            yield Refused(where, "counted_twice", message, "item")
            continue
        try:
            yield Taken(where, (event(data),))
        except Rejected as error:
            yield error.at(where)


def negative_receipt(quantity: Decimal, *, field: str) -> Rejected:
    """Build the refusal of a line that received less than nothing: sent back, or put right, and who knows which."""
    message = f"{quantity:f} were received: whether goods went back or a mistake is put right, a person must say"
    return Rejected(reason="negative_quantity", message=message, field=field)


def only_one(values: Sequence[str | None]) -> str | None:
    """Give the value all agree on, those without one left out; None when there is none, or more than one."""
    different = {value for value in values if value is not None}
    return different.pop() if len(different) == 1 else None
