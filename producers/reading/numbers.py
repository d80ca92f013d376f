"""Numbers as documents write them: one form for every format, and nothing is guessed.

What is lenient is decided here and nowhere else. Less than zero is `-5`, `5-`, `- 5` or `(5)`, also with the sign
U+2212 for the hyphen; `+5`, `5.` and `.5` are numbers, `1e3`, `5%` and digits other than 0 to 9 are none. It must not
know any format.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from producers.normalising import Rejected

MOST_DIGITS: Final = 16
MOST_DECIMALS: Final = 12

_FORMULA: Final = re.compile(r'="([^"]*)"|=\u201d([^\u201d]*)\u201d|=\u201c([^\u201d]*)\u201d')
_MINUS: Final = "-\u2212"
_SEPARATORS: Final = {" ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}
_WITH_UNIT: Final = re.compile(r"(.*?[0-9][-\u2212)]?)(?:\s*([^\W\d_][^\d]{0,19})|\s+([^\W\d_].{0,19}))", re.DOTALL)
"""A unit that holds a digit, such as m2, stands apart: `1e3` is no unit of `1`."""


@dataclass(frozen=True)
class NumberForm:
    """How numbers are written: the separators, and the signs of currency that may stand before or behind an amount."""

    decimal: str = "."
    thousands: str = ""
    signs: tuple[str, ...] = ()

    @cached_property
    def _written(self) -> re.Pattern[str]:
        point = re.escape(self.decimal)
        grouped = rf"|[0-9]{{1,3}}(?:{self._between}[0-9]{{3}})+" if self.thousands else ""
        size = rf"(?:[0-9]{{1,{MOST_DIGITS}}}{grouped})(?:{point}[0-9]{{0,{MOST_DECIMALS}}})?"
        size = rf"({size}|{point}[0-9]{{1,{MOST_DECIMALS}}})"
        return re.compile(rf"([-+(\u2212]?)\s*{size}\s*([-)\u2212]?)")

    @property
    def _between(self) -> str:
        return _SEPARATORS.get(self.thousands, re.escape(self.thousands))

    def read(self, text: str) -> Decimal | None:
        """Give the number of a text that is written so; None for any other."""
        written = self._written.fullmatch(text) or self._written.fullmatch(self.bare(text))
        if written is None:
            return None
        before, size, after = written.groups()
        if (before or after) and not _agree(before, after):
            return None
        if self.thousands:
            size = re.sub(self._between, "", size)
        number = Decimal(size if self.decimal == "." else size.replace(self.decimal, "."))
        return number if before + after in {"", "+"} else -number

    def __str__(self) -> str:
        """Say how numbers are written."""
        said = f"thousands separator {self.thousands!r}" if self.thousands else "no thousands separator"
        return f"decimal separator {self.decimal!r} and {said}"

    def bare(self, text: str) -> str:
        """Give the text without outer spaces, and without one sign of a currency at an end, or within its minus.

        `="00123"`, as spreadsheets keep leading zeros, is 00123: of a number that is no other.
        """
        text = text.strip()
        formula = _FORMULA.fullmatch(text)
        if formula is not None:
            text = next(part for part in formula.groups() if part is not None).strip()
        for sign in sorted(self.signs, key=len, reverse=True):
            bare = re.sub(
                rf"^([-+(\u2212]?\s*){re.escape(sign)}|{re.escape(sign)}(\s*[-)\u2212]?)$", r"\1\2", text, count=1
            )
            if bare != text:
                return bare.strip()
        return text


PLAIN: Final = NumberForm()
"""Numbers of formats for machines: a decimal point, and no thousands."""


def number_of(value: object, form: NumberForm = PLAIN) -> Decimal | None:
    """Give the number of a JSON value, a text or a number; None for anything else and for one out of bounds."""
    if isinstance(value, str):
        return form.read(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if is_bounded(number) else None


def is_bounded(number: Decimal) -> bool:
    """Whether a number has as few digits as a text may: sums and hashes of others could take all memory."""
    decimals = -int(number.as_tuple().exponent) if number.is_finite() else 0
    return number.is_finite() and number.adjusted() < MOST_DIGITS and decimals <= MOST_DECIMALS


def quantity_from(text: str | None, *, field: str, mark: str = ".") -> Decimal:
    """Give a quantity written with this decimal mark and no thousands separators.

    Raises Rejected: `missing_quantity`, `bad_quantity`.
    """
    if not (text or "").strip():
        raise Rejected("missing_quantity", "a quantity is needed here, and missing", field=field)
    number = NumberForm(mark).read(text or "")
    if number is None:
        message = f"a quantity is digits with the decimal mark {mark!r} at most, and no thousands separator"
        raise Rejected("bad_quantity", message, field=field)
    return number


def split_unit(text: str, unit: str | None) -> tuple[str, str | None]:
    """Split `12 EA` into its number and its unit, which must be that of the column of units; else give both back.

    Raises Rejected: `units_disagree`.
    """
    written = _WITH_UNIT.fullmatch(text)
    if written is None:
        return text, unit
    own = (written.group(2) or written.group(3)).strip()
    if unit is not None and unit.casefold() != own.casefold():
        raise Rejected("units_disagree", "the quantity and the column of units name two units", field="unit")
    return written.group(1), own


def _agree(before: str, after: str) -> bool:
    """Whether at most one sign is there: a bracket has its other, and nothing has two minuses."""
    return (before, after) == ("(", ")") or (after in {"", *_MINUS} and (not before or not after) and before != "(")
