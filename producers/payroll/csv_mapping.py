"""The mapping of a payroll export: which column means what. One TOML file a provider, in `mappings/`, to copy and edit.

The only module here that reads files: mappings, never payroll. It must not look at rows.
"""

import codecs
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from producers.normalising import NormaliseContext, Rejected
from producers.payroll.options import RunOptions, read_options
from producers.payroll.tally import RunType
from schemas.event_data import Text
from schemas.money import Currency
from schemas.payroll import LineKind

PROVIDERS: Final = ("adp", "gusto", "onpay", "paychex", "quickbooks")
"""The mappings that come with the relay."""

OneLetter = Annotated[str, Field(min_length=1, max_length=1)]


class Meaning(BaseModel):
    """What the amounts of a column are. `sign = -1` where the export writes what was withheld as negative."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: LineKind
    category: Text
    sign: Literal[1, -1] = 1


class CsvMapping(BaseModel):
    """How an export is written, and what its columns mean.

    Headers are compared as they are written, without spaces around them. `pay_date`, `people`, `run`, the period and
    the columns of net pay must be in the file, `amounts` may be; a column that is in none of the tables is refused.
    `people` are the columns that name a person, `total_words` what stands there instead in a row of totals. `checks`
    are columns that the file adds up itself, with the kinds (less those with a minus before them) that make them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    provider: Text
    encoding: Text = "utf-8-sig"
    delimiter: OneLetter = ","
    decimal: OneLetter = "."
    thousands: Annotated[str, Field(max_length=1)] = ","
    symbol: str = ""
    currency: Currency | None = None
    date_format: Text = "%Y-%m-%d"
    pay_date: Text
    period_start: Text | None = None
    period_end: Text | None = None
    run: tuple[Text, ...] = ()
    entity: Text | None = None
    type: Text | None = None
    types: Mapping[Text, RunType] = {}
    department: Text | None = None
    location: Text | None = None
    people: Annotated[tuple[Text, ...], Field(min_length=1)]
    total_words: tuple[Text, ...] = ("total", "totals", "grand total", "subtotal")
    ignored: tuple[Text, ...] = ()
    amounts: Annotated[Mapping[Text, Meaning], Field(min_length=1)]
    checks: Mapping[Text, tuple[Text, ...]] = {}

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except LookupError:
            message = "no encoding of this name is known"
            raise ValueError(message) from None
        return encoding

    @model_validator(mode="after")
    def _has_net_pay(self) -> Self:
        if not any(meaning.kind == "net_pay" for meaning in self.amounts.values()):
            message = "a mapping needs a column of the kind net_pay"
            raise ValueError(message)
        if self.decimal == self.thousands:
            message = "decimal and thousands are two different signs"
            raise ValueError(message)
        return self

    def required(self) -> tuple[str, ...]:
        """Name the columns without which a row is not the header."""
        net_pay = (header for header, meaning in self.amounts.items() if meaning.kind == "net_pay")
        single = (self.pay_date, self.period_start, self.period_end, self.entity)
        return tuple(dict.fromkeys([*(name for name in single if name), *self.people, *self.run, *net_pay]))

    def known(self) -> frozenset[str]:
        """Name every column that the mapping speaks of."""
        single = (self.type, self.department, self.location)
        return frozenset([*self.required(), *self.amounts, *self.checks, *self.ignored, *(n for n in single if n)])


class CsvOptions(RunOptions):
    """`provider` takes a mapping that comes with the relay, `mapping` a file (or its content as a table)."""

    provider: Literal["adp", "gusto", "onpay", "paychex", "quickbooks"] | None = None
    mapping: str | Mapping[str, Any] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.provider is None) == (self.mapping is None):
            message = f"give provider ({', '.join(PROVIDERS)}) or mapping (a file), and not both"
            raise ValueError(message)
        return self


def load(context: NormaliseContext) -> tuple[CsvOptions, CsvMapping]:
    """Read the options and the mapping that they name. Raises Rejected `bad_options`, `bad_mapping`."""
    options = read_options(CsvOptions, context)
    if options.provider is not None:
        text = (files(__package__) / "mappings" / f"{options.provider}.toml").read_text(encoding="utf-8")
        return options, _checked(_parsed(text))
    if isinstance(options.mapping, Mapping):
        return options, _checked(options.mapping)
    path = Path(options.mapping or "")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise Rejected(reason="bad_mapping", message=f"the mapping {path} cannot be read") from None
    return options, _checked(_parsed(text))


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Rejected(reason="bad_mapping", message=f"the mapping is not TOML: {error}") from None


def _checked(table: Mapping[str, Any]) -> CsvMapping:
    try:
        return CsvMapping.model_validate(dict(table))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Rejected(reason="bad_mapping", message=first["msg"], field=f"mapping.{where}") from None
