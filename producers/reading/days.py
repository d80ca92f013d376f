"""Days as they stand in documents: what is not plainly a day is refused, and nothing is guessed.

It must not know any format.
"""

import re
from datetime import date
from typing import Final

from producers.normalising import Rejected

_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_FIRST_YEAR: Final = 2000
_YEARS: Final = 100
_PIVOT: Final = 80


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
