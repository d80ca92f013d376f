"""The mapping of a payroll export: which column means what. One TOML file a provider, in `mappings/`, to copy and edit.

The only module here that reads files: mappings, never payroll. It must not look at rows.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from producers.normalising import NormaliseContext, Rejected
from producers.payroll.options import RunOptions
from producers.payroll.tally import RunType
from producers.reading.files import Words
from producers.reading.options import providers, read_options, shipped
from producers.reading.written import WrittenTable, renamed
from schemas.event_data import Text
from schemas.money import Currency
from schemas.payroll import LineKind
from schemas.problems import first_problem

PROVIDERS: Final = providers(__package__)
"""The mappings that come with the relay."""

OneLetter = Annotated[str, Field(min_length=1, max_length=1)]
Names = Annotated[tuple[Text, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
"""One name, or several of which a file has one."""


class ColumnMeaning(BaseModel):
    """What the amounts of a column are. `sign = -1` where the export writes what was withheld as negative.

    A star in the category is what the star of the header stands for. `unless` names another column: where the file has
    that one, this one is not counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: LineKind
    category: Text
    sign: Literal[1, -1] = 1
    unless: Text | None = None


class CsvMapping(WrittenTable):
    """How an export is written, and what its columns mean; a line above the header may say days and the company.

    Headers are compared without regard to capitals and spaces. `pay_date`, `run`, the period, the company, one of
    `people` and one column of net pay must be in the file (dates and the company may stand in a line above the header
    instead), `amounts` may be. A column that is in none of the tables is refused once something stands in it.
    A star in `amounts` and `ignored` stands for any text. `people` are the columns that name a person, `totals`
    what stands there instead in a row of totals; `unlabelled_totals = "people"` says that every row of totals has one.
    `checks` are columns that the file adds up itself, with the kinds (less those with a minus before them) that make
    them. `item` is a column of words that say what `item_amount` is, where a person has several rows: the column
    `<item>: <word>` of `amounts` has its meaning, and `item_totals` is where a word of totals begins a person's sums.
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = {"symbol": "signs", "date_format": "dates", "total_words": "totals"}

    provider: Text
    delimiter: OneLetter = ","
    thousands: Literal["", ".", ",", " ", "'"] = ","
    title_lines: Annotated[int, Field(ge=0, le=100)] | Literal["search"] = "search"
    dates: Words = ("%Y-%m-%d",)
    currency: Currency | None = None
    pay_date: Annotated[Names, Field(min_length=1)]
    period: Names = ()
    period_start: Names = ()
    period_end: Names = ()
    run: Names = ()
    entity: Names = ()
    type: Names = ()
    types: Mapping[Text, RunType] = {}
    department: Names = ()
    location: Names = ()
    people: Annotated[Names, Field(min_length=1)]
    totals: Words = ("total", "totals", "grand total", "subtotal")
    unlabelled_totals: Literal["refuse", "people"] = "refuse"
    item: Text | None = None
    item_amount: Text | None = None
    item_totals: Text | None = None
    amounts: Annotated[Mapping[Text, ColumnMeaning], Field(min_length=1)]
    checks: Mapping[Text, tuple[Text, ...]] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not any(meaning.kind == "net_pay" for meaning in self.amounts.values()):
            message = "a mapping needs a column of the kind net_pay"
            raise ValueError(message)
        for header, meaning in self.amounts.items():
            if header.count("*") > 1 or meaning.category.count("*") > header.count("*"):
                message = f"{header} has one star at most, and its category no more than that"
                raise ValueError(message)
        if (self.item is None) != (self.item_amount is None):
            message = "item and item_amount go together"
            raise ValueError(message)
        return self

    def says_total(self, text: str) -> bool:
        """Whether a word for totals stands anywhere in the text ("Sales Total")."""
        words = "|".join(re.escape(word) for word in self.totals)
        return bool(words) and re.search(rf"(?<!\w)(?:{words})(?!\w)", text, re.IGNORECASE) is not None


class ExportOptions(RunOptions):
    """`provider` takes a mapping that comes with the relay, `mapping` a file (or its content as a table)."""

    provider: str | None = None
    mapping: str | Mapping[str, Any] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.provider is None) == (self.mapping is None):
            message = f"give provider ({', '.join(PROVIDERS)}) or mapping (a file), and not both"
            raise ValueError(message)
        if self.provider not in {None, *PROVIDERS}:
            message = f"there is no mapping of this provider; there are {', '.join(PROVIDERS)}"
            raise ValueError(message)
        return self


def renamed_in(context: NormaliseContext) -> list[str]:
    """Give a sentence for each setting of the mapping that has another name now. Raises as `load`."""
    return renamed(CsvMapping, _table(read_options(ExportOptions, context.options)))


def load(context: NormaliseContext) -> tuple[ExportOptions, CsvMapping]:
    """Read the options and the mapping that they name. Raises Rejected `bad_options`, `bad_mapping`."""
    options = read_options(ExportOptions, context.options)
    try:
        return options, CsvMapping.model_validate(dict(_table(options)))
    except ValidationError as error:
        problem = first_problem(error, under="mapping")
    raise Rejected("bad_mapping", problem.message, field=problem.field)


def _table(options: ExportOptions) -> Mapping[str, Any]:
    if options.provider is not None:
        return shipped(__package__, options.provider)
    if isinstance(options.mapping, Mapping):
        return options.mapping
    path = Path(options.mapping or "")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise Rejected("bad_mapping", f"the mapping is not TOML: {error}") from None
    except (OSError, ValueError):
        raise Rejected("bad_mapping", f"the mapping {path} cannot be read") from None
