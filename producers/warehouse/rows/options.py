"""The settings of warehouse rows: which column holds what, and how its text is read. It must not read any file."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from producers.reading.files import Words
from producers.warehouse.goods import BadLines
from runtime.time_zones import TimeZoneName
from schemas.money import EXPONENTS, read_decimal

Kind = Literal["adjusted", "counted", "receipt", "return", "order", "bill"]
"""What a row says happened."""

FIELDS: Final = (
    *("kind", "change", "id", "document", "line", "time", "day"),
    *("item", "place", "lot", "quantity", "out", "before", "unit", "reason", "unit_cost", "currency", "expires"),
    *("receipt", "order", "supplier", "ordered", "rejected", "short", "over"),
    *("bill", "amount", "tax", "total", "due"),
)
"""Our names of what a row can hold; a mapping goes from these to the source's columns."""

_ONLY_MAPPED: Final = frozenset({"out", "before"})
"""Fields that change what a quantity means: a column is one of them only where that is said."""

NEEDED: Final[Mapping[Kind, tuple[str, ...]]] = {
    "adjusted": ("item", "quantity", "reason"),
    "counted": ("item", "quantity"),
    "receipt": ("receipt", "item", "quantity"),
    "return": ("receipt", "item", "quantity"),
    "order": ("order", "item", "unit_cost"),
    "bill": ("bill", "order", "supplier", "item", "quantity"),
}
"""Fields without which a row of a kind says nothing; `time` or `day` is needed always, `amount` or `unit_cost` by a
bill."""

EPOCHS: Final[Mapping[str, int]] = {"unix": 1, "unix_ms": 1000}
"""Forms of times that are numbers, and how many of them make a second."""

ENCODINGS: Final[Mapping[str, str]] = {
    "utf-8": "utf-8-sig",
    **{name: name for name in ("utf-16", "utf-16-le", "utf-16-be", "latin-1", "iso-8859-2", "iso-8859-15")},
    **{f"windows-{page}": f"cp{page}" for page in (1250, 1251, 1252)},
    **{name: name for name in ("cp437", "cp850", "gb18030")},
    "shift_jis": "cp932",
    "big5": "cp950",
}
"""Encodings that may be declared, and Python's names of them."""

_Factor = Annotated[Decimal, BeforeValidator(read_decimal), Field(gt=0, le=1_000_000)]
_Word = Annotated[str, Field(min_length=1, max_length=100)]
_Words = Mapping[_Word, _Word]


class RowOptions(BaseModel):
    """What CSV and JSON have in common.

    `columns` maps our fields to the source's columns; a field that is not in it has our own name, and one of several
    columns is their texts with a space between. `kind` is that of all rows; without it each row has a `kind` (words of
    its own: `kinds`) or a `change` of a stock log (`changes`).
    `reasons` maps the source's reasons to ours, `reason` is that of rows which give none. `date_format` lists strptime
    forms, one with hours is an instant, as are `unix` and `unix_ms` (seconds or thousandths of them since 1970); ISO
    8601 where the list is empty. `time_zone` is that of times without offset.
    `units` maps each unit that may occur to how many `stock_unit` it is; where it is empty, any unit is kept as it is.
    `signed` false: quantities of changes have no sign, the word gives it. `currency_sign` may stand beside amounts.
    `system` is a word in every fact, for two sources that use the same ids. `bad_lines` says what becomes of a receipt,
    return or order of which a row is refused; a bill is always whole.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    columns: Mapping[str, Words] = Field(default_factory=dict)
    ignore_columns: tuple[str, ...] = ()
    kind: Kind | None = None
    kinds: Mapping[_Word, Kind | Literal["ignored"]] = Field(default_factory=dict)
    changes: _Words = Field(default_factory=dict)
    reasons: _Words = Field(default_factory=dict)
    reason: _Word | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    date_format: tuple[_Word, ...] = ()
    time_zone: TimeZoneName | None = None
    quantity_has_unit: bool = False
    units: Mapping[_Word, _Factor] = Field(default_factory=dict)
    stock_unit: _Word | None = None
    signed: bool = True
    currency: str | None = None
    currency_sign: _Word | None = None
    system: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")] | None = None
    bad_lines: BadLines = "whole"

    def columns_for(self, field: str) -> tuple[str, ...]:
        """Give the columns that make a field: those it is mapped to, else the one of its own name."""
        return self.columns.get(field, () if field in _ONLY_MAPPED else (field,))

    @field_validator("columns")
    @classmethod
    def _fields_are_ours(cls, columns: Mapping[str, Words]) -> Mapping[str, Words]:
        if unknown := sorted(columns.keys() - set(FIELDS)):
            msg = f"no field is called {', '.join(unknown)}; the fields are {', '.join(FIELDS)}"
            raise ValueError(msg)
        whole = [names[0].strip().casefold() for names in columns.values() if len(names) == 1]
        if len(set(whole)) < len(whole) or not all(columns.values()):
            msg = "one column cannot be two fields, and each field has one at least"
            raise ValueError(msg)
        return columns

    @field_validator("date_format", mode="before")
    @classmethod
    def _one_form_is_a_list_of_one(cls, forms: object) -> object:
        return (forms,) if isinstance(forms, str) else forms

    @field_validator("date_format")
    @classmethod
    def _forms_give_a_day(cls, forms: tuple[str, ...]) -> tuple[str, ...]:
        for form in set(forms) - EPOCHS.keys():
            plain = form.replace("%%", "")
            parts = (("%Y", "%y"), ("%m", "%b", "%B"), ("%d",))
            if not all(any(sign in plain for sign in signs) for signs in parts):
                msg = "a form names year, month and day, as %d.%m.%Y does, or is unix or unix_ms"
                raise ValueError(msg)
        return forms

    @field_validator("currency")
    @classmethod
    def _currency_exists(cls, currency: str | None) -> str | None:
        if currency is not None and currency not in EXPONENTS:
            msg = "must be a code of ISO 4217 in capitals, such as USD"
            raise ValueError(msg)
        return currency

    @model_validator(mode="after")
    def _separators_differ(self) -> Self:
        if self.decimal == self.thousands:
            msg = "decimal and thousands cannot be the same sign"
            raise ValueError(msg)
        if any(factor != 1 for factor in self.units.values()) and self.stock_unit is None:
            msg = "units that are converted need stock_unit, the unit of the result"
            raise ValueError(msg)
        return self


class CsvOptions(RowOptions):
    """How a CSV file is written.

    UTF-8 with or without a byte order mark, or UTF-16 with one, unless `encoding` declares another. `delimiter` is
    found where the header leaves no doubt, or in a first line such as `sep=;`. `skip_lines` stand above the header.
    `totals` is the word that marks the row of totals, in the column of field `totals_in`: its figures must be the sums
    of the rows above it.
    `bare_end` says that the last line has no line end, and is whole all the same.
    """

    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    skip_lines: Annotated[int, Field(ge=0, le=100)] = 0
    bare_end: bool = False
    totals: _Word | None = None
    totals_in: Literal["item", "id", "document", "line", "kind", "receipt", "order", "bill", "day", "place"] = "item"

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        if encoding not in ENCODINGS:
            msg = f"must be one of {', '.join(ENCODINGS)}"
            raise ValueError(msg)
        return encoding

    @field_validator("delimiter")
    @classmethod
    def _delimits(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (delimiter in '"\r\n \0' or delimiter.isalnum()):
            msg = "must be a sign such as ; or a tab"
            raise ValueError(msg)
        return delimiter


class JsonOptions(RowOptions):
    """How a JSON file is written.

    `rows` is the dotted path to the list of rows in an object. A document (not JSON lines) of more than `max_bytes` is
    refused. Columns may be dotted paths: `product.sku`.
    """

    rows: _Word | None = None
    max_bytes: Annotated[int, Field(gt=0, le=1 << 30)] = 64 << 20


class Cin7Options(BaseModel):
    """How an installation of Cin7 Core speaks.

    `adjustment` says what the field of that name in a line of existing stock is. `reasons` maps its accounts, by code
    or by name, to our reasons. A file of more than `max_bytes` is refused unread. `bad_lines` as of rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    max_bytes: Annotated[int, Field(gt=0, le=1 << 30)] = 64 << 20
    adjustment: Literal["new_quantity", "change"] = "new_quantity"
    reasons: _Words = Field(default_factory=dict)
    bad_lines: BadLines = "whole"
