"""What EDI, XML and EPCIS readers share: texts, quantities and days as they stand there, and events made of them.

It must not know any format, and it never guesses: what is not plainly a number or a day is refused.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from producers.normalising import Refused, Rejected, Taken
from schemas.envelope import Event
from schemas.inventory import ReceiptPosted, StockAdjusted, StockCounted

MOST_LINES: Final = 5_000
"""A receipt of more lines than this makes too large a message."""

StockData = StockAdjusted | StockCounted | ReceiptPosted

NOON: Final = time(12, tzinfo=UTC)
END_OF_DAY: Final = time(23, 59, 59, tzinfo=UTC)

_LONGEST: Final = 255
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,16}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})", re.ASCII)
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_FIRST_YEAR: Final = 2000
_YEARS: Final = 100
_PIVOT: Final = 80


def clean(text: str | None) -> str | None:
    """Give the text without control characters and outer spaces, cut at 255; None when nothing is left."""
    if text is None:
        return None
    if not text.isprintable():
        text = _UNPRINTABLE.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))
    return text.strip()[:_LONGEST].strip() or None


def quantity_from(text: str | None, *, field: str, mark: str = ".") -> Decimal:
    """Give a quantity written with this decimal mark and no thousands separators.

    Raises Rejected: `missing_quantity`, `bad_quantity`.
    """
    plain = (text or "").strip()
    if not plain:
        raise Rejected(reason="missing_quantity", message="a quantity is needed here, and missing", field=field)
    if mark != ".":
        plain = plain.replace(".", "x").replace(mark, ".")
    if not _NUMBER.fullmatch(plain):
        message = f"a quantity is digits with the decimal mark {mark!r} at most, and no thousands separator"
        raise Rejected(reason="bad_quantity", message=message, field=field)
    return Decimal(plain)


def compact_day(text: str, *, field: str) -> date:
    """Give the day of CCYYMMDD or YYMMDD, the two forms EDI has (80 to 99 are of the last century).

    Raises Rejected: `bad_date`.
    """
    plain = text.strip()
    if plain.isascii() and plain.isdigit() and len(plain) in {6, 8}:
        short = int(plain[:2]) if len(plain) == len("YYMMDD") else None
        year = int(plain[:4]) if short is None else short + _FIRST_YEAR - (_YEARS if short >= _PIVOT else 0)
        return _date(year, int(plain[-4:-2]), int(plain[-2:]), field=field)
    raise Rejected(reason="bad_date", message="a day is CCYYMMDD or YYMMDD", field=field)


def iso_day(text: str, *, field: str) -> date:
    """Give the day of an xsd:date, whose time zone is left out. Raises Rejected: `bad_date`."""
    found = _DAY.match(text.strip())
    if found is None:
        raise Rejected(reason="bad_date", message="a day is YYYY-MM-DD", field=field)
    return _date(*(int(part) for part in found.groups()), field=field)


def _date(year: int, month: int, day: int, *, field: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Rejected(reason="bad_date", message="there is no such day", field=field) from None


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
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or None
        raise Rejected(reason="invalid_event", message=first["msg"], field=field) from None


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
            yield refused(where, error)


def negative_receipt(quantity: Decimal, *, field: str) -> Rejected:
    """Build the refusal of a line that received less than nothing: sent back, or put right, and who knows which."""
    message = f"{quantity:f} were received: whether goods went back or a mistake is put right, a person must say"
    return Rejected(reason="negative_quantity", message=message, field=field)


def refused(where: str, error: Rejected) -> Refused:
    """Say of one part of a file what was rejected there."""
    message = str(error) if error.field is None else str(error).removeprefix(f"{error.field}: ")
    return Refused(where=where, reason=error.reason, message=message, field=error.field)


def only_one(values: Sequence[str | None]) -> str | None:
    """Give the value all agree on, those without one left out; None when there is none, or more than one."""
    different = {value for value in values if value is not None}
    return different.pop() if len(different) == 1 else None
