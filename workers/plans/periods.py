"""Late facts: what becomes of a write whose date lies before the first open day of the books. Pure.

Nothing is ever dated anew silently: either a person opens the period, or the memo says the true date.
"""

from datetime import date

from workers.books.books import Books
from workers.plans.writes import AnyWrite, ContactWrite, Parked, Plan


def period_key(day: date) -> str:
    """The key under which the facts of a closed month are parked."""
    return f"period_closed:{day:%Y-%m}"


def place_in_open_period(plan: Plan, books: Books, *, stream: str) -> Plan:
    """The plan with every write in an open period, as the setting of its stream says.

    Raises:
        Parked: the period of a write is closed and the stream's facts are held.
    """
    return plan.model_copy(update={"writes": tuple(_placed(write, books, stream) for write in plan.writes)})


def must_be_open(day: date, books: Books, *, stream: str) -> None:
    """Return where a fact of that day may be booked at all, on that day or on the first open one.

    Raises:
        Parked: its period is closed, and the stream's facts are held.
    """
    opened = books.open_from
    if opened is not None and day < opened and books.late.get(stream, "hold") == "hold":
        msg = f"{day} lies before {opened}, the first open day of the books (books.toml: open_from)"
        raise Parked(period_key(day), msg)


def _placed(write: AnyWrite, books: Books, stream: str) -> AnyWrite:
    opened = books.open_from
    if opened is None or write.date >= opened or isinstance(write, ContactWrite):
        return write
    must_be_open(write.date, books, stream=stream)
    memo = f"{write.memo} (of {write.date})"
    return write.model_copy(update={"date": opened, "true_date": write.date, "memo": memo})
