"""Reading the cells of one row: text, numbers, money, days and instants, exactly as declared and never guessed.

It must not know what a row means, nor where its cells came from. No refusal shows a cell.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Final, TypeVar

from producers.normalising import Rejected
from producers.reading.days import Moment
from producers.reading.numbers import NumberForm, is_bounded, split_unit
from producers.reading.texts import LONGEST
from producers.warehouse.reasons import KNOWN_REASONS, plain_word
from producers.warehouse.rows.options import RowOptions
from schemas.money import EXPONENTS, Money

T = TypeVar("T")
Cell = str | Decimal
"""What a cell holds: text, or a number where the format has numbers."""

_NUMBERS: Final = frozenset(
    {"quantity", "out", "before", "unit_cost", "ordered", "rejected", "short", "over", "amount", "tax", "total"}
)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOON: Final = timedelta(hours=12)
_LAST_SECOND: Final = timedelta(hours=23, minutes=59, seconds=59)
_COST_DECIMALS: Final = Decimal(1).scaleb(-12)


class RowForm:
    """The settings, made ready: how each kind of cell is read."""

    def __init__(self, options: RowOptions, *, currency: str, system_words: str) -> None:
        """Prepare; `currency` is that of costs which name none, `system_words` begins reasons that are not ours."""
        self.options = options
        self.currency = options.currency or currency
        self.prefix = system_words
        self.quantities = NumberForm(options.decimal, options.thousands)
        self.amounts = options.numbers
        self.moment = lru_cache(maxsize=4096)(options.days.read)
        self.when = lru_cache(maxsize=4096)(self._when)
        self.reasons = {word.casefold(): ours for word, ours in options.reasons.items()}
        self.units = {unit.casefold(): factor for unit, factor in options.units.items()}

    def _when(self, stamp: str | None, day_text: str | None, clock: timedelta) -> Moment:
        told = self.moment(day_text, "day") if day_text else None
        day = told.local_day if isinstance(told, Moment) else told
        found = self.moment(stamp, "time") if stamp else day
        if isinstance(found, Moment):
            return found if day is None else Moment(found.time, day, day)
        if found is None or (day is not None and day != found):
            raise Rejected("days_disagree", "the columns of fields time and day say two days", field="day")
        return Moment(datetime(found.year, found.month, found.day, tzinfo=UTC) + clock, found, found)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity as the row says it (`written`), in the unit of stock, and how many of that one unit is."""

    written: Decimal
    unit: str | None
    factor: Decimal

    @property
    def stock(self) -> Decimal:
        """The quantity in the unit of stock."""
        return self.written * self.factor


@dataclass(frozen=True, slots=True)
class RowCells:
    """One row, by our field names. An empty cell counts as absent everywhere.

    What must be there raises Rejected `missing_field`; what is not as it should be says so in every case: `bad_text`,
    `bad_number`, `bad_date`, `unknown_unit`, `units_disagree`, `unknown_currency`.
    """

    values: Mapping[str, Cell] = field(repr=False)
    how: RowForm = field(repr=False)

    def text(self, name: str) -> str:
        """Give a text of 1 to 255 printable characters."""
        return needed(self.text_or_none(name), name)

    def text_or_none(self, name: str) -> str | None:
        """Give such a text, or None."""
        value = self.values.get(name)
        if value is None:
            return None
        text = value.strip() if isinstance(value, str) else _whole_number(value, name)
        if not text:
            return None
        if len(text) > LONGEST or not (text.isprintable() or _UNPRINTABLE.search(text) is None):
            raise Rejected("bad_text", "a text has at most 255 characters, all printable", field=name)
        return text

    def number_or_none(self, name: str) -> Decimal | None:
        """Give a number."""
        return self._number(name, self.how.quantities)

    def _number(self, name: str, form: NumberForm) -> Decimal | None:
        value = self.values.get(name)
        if isinstance(value, Decimal) and not is_bounded(value):
            raise Rejected("bad_number", "a number has at most 16 digits and 12 decimals", field=name)
        if isinstance(value, str):
            return number_in(value, name, form) if value.strip() else None
        return value

    def amount(self) -> Quantity:
        """Give the quantity."""
        return needed(self.amount_or_none(), "quantity")

    def amount_or_none(self) -> Quantity | None:
        """Give the quantity, or None when absent."""
        value, unit = self.values.get("quantity"), self.text_or_none("unit")
        if isinstance(value, str) and self.how.options.quantity_has_unit:
            value, unit = split_unit(value.strip(), unit)
            written = number_in(value, "quantity", self.how.quantities) if value else None
        else:
            written = self.number_or_none("quantity")
        return None if written is None else Quantity(written, *self.unit(unit))

    def change(self) -> Quantity:
        """Give by how much stock changed: `quantity` less `out`, or less the level `before`.

        Raises Rejected as `amount`, and `negative_out`.
        """
        mapped = self.how.options.columns
        if "out" not in mapped and "before" not in mapped:
            return self.amount()
        found, out, before = self.amount_or_none(), self.number_or_none("out"), self.number_or_none("before")
        if "before" in mapped:
            needed(before, "before")
        if found is None:
            needed(None if before is not None else out, "quantity")
            found = Quantity(Decimal(0), *self.unit(self.text_or_none("unit")))
        if out is not None and out < 0:
            message = "how many left is not negative: map a signed column as quantity"
            raise Rejected("negative_out", message, field="out")
        return Quantity(found.written - (out or 0) - (before or 0), found.unit, found.factor)

    def unit(self, unit: str | None) -> tuple[str | None, Decimal]:
        """Give the unit of stock, and how many of it `unit` is."""
        if not self.how.units:
            return unit, Decimal(1)
        factor = self.how.units.get(needed(unit, "unit").casefold())
        if factor is None:
            raise Rejected("unknown_unit", "this unit is not declared: add it to the option units", field="unit")
        return self.how.options.stock_unit or unit, factor

    def cost_or_none(self, factor: Decimal) -> Money | None:
        """Give what one unit of stock costs; one of the row is `factor` of them. Raises Rejected: `negative_cost`."""
        cost = self.money_or_none("unit_cost")
        if cost is not None and cost.amount < 0:
            raise Rejected("negative_cost", "a cost is not negative", field="unit_cost")
        if cost is None or factor == 1:
            return cost
        return Money.of((cost.amount / factor).quantize(_COST_DECIMALS, ROUND_HALF_EVEN), cost.currency)

    def money_or_none(self, name: str) -> Money | None:
        """Give an amount in the row's currency."""
        amount = self._number(name, self.how.amounts)
        if amount is None:
            return None
        return _money(amount, self.text_or_none("currency") or self.how.currency, name)

    def when(self, *, end_of_day: bool = False) -> Moment:
        """Give when it happened; a day alone is noon of it, or its last second. Raises Rejected: `days_disagree`."""
        stamp, day = self.text_or_none("time"), self.text_or_none("day")
        needed(stamp or day, "day" if "day" in self.values and "time" not in self.values else "time")
        return self.how.when(stamp, day, _LAST_SECOND if end_of_day else _NOON)

    def day_or_none(self, name: str) -> date | None:
        """Give a calendar day."""
        text = self.text_or_none(name)
        found = self.how.moment(text, name) if text else None
        return found.local_day if isinstance(found, Moment) else found

    def reason_or_none(self) -> str | None:
        """Give the reason in our words: as declared, else the same word, else the source's own, as `csv:<word>`."""
        word = self.text_or_none("reason")
        if word is None:
            return self.how.options.reason
        plain = plain_word(word)
        return self.how.reasons.get(word.casefold()) or (
            plain if plain in KNOWN_REASONS else f"{self.how.prefix}:{word}"
        )


def needed(value: T | None, name: str) -> T:
    """Give what is there. Raises Rejected: `missing_field`."""
    if value is None:
        raise Rejected("missing_field", "needed, and empty or missing", field=name)
    return value


def number_in(text: str, name: str, form: NumberForm) -> Decimal:
    """Give the number of a cell of field `name`. Raises Rejected: `bad_number`."""
    number = form.read(text)
    if number is None:
        has_unit = name == "quantity" and split_unit(text, None)[1]
        hint = "; option quantity_has_unit reads a unit behind it" if has_unit else ""
        message = f"not a number with {form}: options decimal and thousands declare others{hint}"
        raise Rejected("bad_number", message, field=name)
    return number


def joined(values: Sequence[Cell], field: str) -> Cell | None:
    """Make one cell of several: texts with a space between, of those that hold anything. None where none does.

    Raises Rejected: `several_values` where two of a field of numbers do.
    """
    there = [value for value in values if not isinstance(value, str) or value.strip()]
    if len(there) < 2:  # noqa: PLR2004  (one needs no joining)
        return there[0] if there else None
    if field in _NUMBERS:
        raise Rejected("several_values", "two of its columns hold a number: which one counts is not said", field=field)
    return " ".join(value.strip() if isinstance(value, str) else _whole_number(value, field) for value in there)


@lru_cache(maxsize=4096)
def _money(amount: Decimal, currency: str, name: str) -> Money:
    if currency not in EXPONENTS:
        raise Rejected("unknown_currency", "not a code of ISO 4217 in capitals", field="currency")
    try:
        return Money(amount=amount, currency=currency)
    except ValueError:
        raise Rejected("bad_number", "an amount has at most 15 digits and 12 decimals", field=name) from None


def _whole_number(value: Decimal, name: str) -> str:
    if value != value.to_integral_value() or value.adjusted() > LONGEST:
        raise Rejected("bad_text", "a text or a whole number belongs here, not a fraction", field=name)
    return format(value.to_integral_value(), "f")
