"""Whether a currency was current on the day of a fact: a code that ISO 4217 has withdrawn is refused afterwards."""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from producers.normalising import Piece, Rejected, Taken
from schemas.envelope import Event
from schemas.money import Money
from schemas.withdrawn import gone


def refuse_gone(event: Event) -> None:
    """Return where every amount is in a currency of its day. Raises Rejected `unknown_currency`."""
    day = event.time.date()
    for money in _amounts(event.data):
        found = gone(money.currency, day)
        if found is not None:
            was = f"{money.currency} was withdrawn, and its last day was {found.last_day}"
            message = f"{was}: on {day} it is {found.successor}"
            raise Rejected("unknown_currency", message)


def of_its_time(piece: Piece) -> Piece:
    """The part of a file, or why it is refused."""
    try:
        for event in piece.events if isinstance(piece, Taken) else ():
            refuse_gone(event)
    except Rejected as rejected:
        return rejected.at(piece.where)
    return piece


def _amounts(value: object) -> Iterator[Money]:
    if isinstance(value, Money):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _amounts(getattr(value, name))
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes | dict):
        for each in value:
            yield from _amounts(each)
