"""The settings of warehouse rows: which column holds what, and how its text is read. It must not read any file."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from producers.reading.files import Words
from producers.reading.options import shipped
from producers.reading.written import Written, WrittenTable, renewed
from producers.warehouse.goods import BadLines
from schemas.money import EXPONENTS, read_decimal

RowKind = Literal["adjusted", "counted", "receipt", "return", "order", "bill"]
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

NEEDED: Final[Mapping[RowKind, tuple[str, ...]]] = {
    "adjusted": ("item", "quantity", "reason"),
    "counted": ("item", "quantity"),
    "receipt": ("receipt", "item", "quantity"),
    "return": ("receipt", "item", "quantity"),
    "order": ("order", "item", "unit_cost"),
    "bill": ("bill", "order", "supplier", "item", "quantity"),
}
"""Fields without which a row of a kind says nothing; `time` or `day` is needed always, `amount` or `unit_cost` by a
bill."""

_Factor = Annotated[Decimal, BeforeValidator(read_decimal), Field(gt=0, le=1_000_000)]
_Word = Annotated[str, Field(min_length=1, max_length=100)]
_Words = Mapping[_Word, _Word]


class RowOptions(Written):
    """What CSV and JSON have in common, besides how texts are written.

    `provider` takes a mapping that comes with the relay; what stands beside it is added to it, or replaces it.
    `columns` maps our fields to the source's columns; a field that is not in it has our own name, and one of several
    columns is their texts with a space between. `kind` is that of all rows; without it each row has a `kind` (words of
    its own: `kinds`) or a `change` of a stock log (`changes`).
    `reasons` maps the source's reasons to ours, `reason` is that of rows which give none.
    `units` maps each unit that may occur to how many `stock_unit` it is; where it is empty, any unit is kept as it is.
    `signed` false: quantities of changes have no sign, the word gives it.
    `system` is a word in every fact, for two sources that use the same ids. `bad_lines` says what becomes of a receipt,
    return or order of which a row is refused; a bill is always whole.
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = {
        "currency_sign": "signs",
        "date_format": "dates",
        "ignore_columns": "ignored",
    }

    provider: str | None = None
    columns: Mapping[str, Words] = Field(default_factory=dict)
    kind: RowKind | None = None
    kinds: Mapping[_Word, RowKind | Literal["ignored"]] = Field(default_factory=dict)
    changes: _Words = Field(default_factory=dict)
    reasons: _Words = Field(default_factory=dict)
    reason: _Word | None = None
    quantity_has_unit: bool = False
    units: Mapping[_Word, _Factor] = Field(default_factory=dict)
    stock_unit: _Word | None = None
    signed: bool = True
    currency: str | None = None
    system: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")] | None = None
    bad_lines: BadLines = "whole"

    def columns_for(self, field: str) -> tuple[str, ...]:
        """Give the columns that make a field: those it is mapped to, else the one of its own name."""
        return self.columns.get(field, () if field in _ONLY_MAPPED else (field,))

    @model_validator(mode="before")
    @classmethod
    def _take_the_providers(cls, options: object) -> object:
        if not isinstance(options, Mapping) or not isinstance(options.get("provider"), str):
            return options
        mapping = shipped(__package__, options["provider"])
        for name, value in renewed(cls.OLD_NAMES, options).items():
            table = mapping.get(name)
            mapping[name] = {**table, **value} if isinstance(table, dict) and isinstance(value, Mapping) else value
        return mapping

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

    @field_validator("currency")
    @classmethod
    def _currency_exists(cls, currency: str | None) -> str | None:
        if currency is not None and currency not in EXPONENTS:
            msg = "must be a code of ISO 4217 in capitals, such as USD"
            raise ValueError(msg)
        return currency

    @model_validator(mode="after")
    def _result_has_a_unit(self) -> Self:
        if any(factor != 1 for factor in self.units.values()) and self.stock_unit is None:
            msg = "units that are converted need stock_unit, the unit of the result"
            raise ValueError(msg)
        return self


class CsvOptions(RowOptions, WrittenTable):
    """How a CSV file is written.

    `delimiter` is found where the header leaves no doubt, or in a first line such as `sep=;`. A word of `totals` marks
    the row of totals in the column of field `totals_in`: its figures must be the sums of the rows above it.
    `bare_end` says that the last line has no line end, and is whole all the same.
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = {**RowOptions.OLD_NAMES, "skip_lines": "title_lines"}

    bare_end: bool = False
    totals_in: Literal["item", "id", "document", "line", "kind", "receipt", "order", "bill", "day", "place"] = "item"


class JsonOptions(RowOptions):
    """How a JSON file is written.

    `rows` is the dotted path to the list of rows in an object. A document (not JSON lines) of more than `max_bytes` is
    refused. Columns may be dotted paths: `product.sku`.
    """

    rows: _Word | None = None
    max_bytes: Annotated[int, Field(gt=0, le=1 << 30)] = 64 << 20
