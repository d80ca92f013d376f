"""How a file is written: one vocabulary for every source of rows, whatever the rows mean.

It must not read any file. Settings of before have other names: both work, and `renamed` says what they are called now.
"""

import codecs
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from producers.reading.days import EPOCHS, DateForms
from producers.reading.files import Words
from producers.reading.numbers import NumberForm
from runtime.time_zones import TimeZoneName

ENCODINGS: Final[Mapping[str, str]] = {
    "utf-8": "utf-8-sig",
    **{name: name for name in ("utf-16", "utf-16-le", "utf-16-be", "latin-1", "iso-8859-2", "iso-8859-15")},
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259)},
    **{name: name for name in ("cp437", "cp850", "koi8-r", "gb18030")},
    "mac-roman": "mac_roman",
    "shift_jis": "cp932",
    "big5": "cp950",
}
"""Encodings that may be declared, and Python's names of them."""

_OURS: Final = {codecs.lookup(python).name: ours for ours, python in ENCODINGS.items()} | {
    "utf-8": "utf-8",
    "ascii": "utf-8",
}


class Written(BaseModel):
    """How texts of a file are written.

    `signs` are the signs of currency that may stand beside amounts. `dates` lists strptime forms, one with hours is an
    instant, as are `unix` and `unix_ms` (seconds or thousandths of them since 1970); ISO 8601 where the list is empty,
    and besides forms that do not begin with `%Y-`. `time_zone` is that of times without offset. `ignored` are
    columns that are not read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    OLD_NAMES: ClassVar[Mapping[str, str]] = {}

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    signs: Words = ()
    dates: Words = ()
    time_zone: TimeZoneName | None = None
    ignored: tuple[str, ...] = ()

    @property
    def numbers(self) -> NumberForm:
        """How numbers are written."""
        return NumberForm(self.decimal, self.thousands, self.signs)

    @property
    def days(self) -> DateForms:
        """How days and instants are written."""
        return DateForms(self.dates, self.time_zone)

    @model_validator(mode="before")
    @classmethod
    def _take_old_names(cls, options: object) -> object:
        if not isinstance(options, Mapping):
            return options
        return renewed(cls.OLD_NAMES, options)

    @field_validator("dates")
    @classmethod
    def _forms_give_a_day(cls, forms: tuple[str, ...]) -> tuple[str, ...]:
        for form in set(forms) - EPOCHS.keys():
            plain = form.replace("%%", "")
            parts = (("%Y", "%y"), ("%m", "%b", "%B"), ("%d",))
            if not all(any(sign in plain for sign in signs) for signs in parts):
                msg = "a form names year, month and day, as %d.%m.%Y does, or is unix or unix_ms"
                raise ValueError(msg)
        return forms

    @model_validator(mode="after")
    def _separators_differ(self) -> Self:
        if self.decimal == self.thousands:
            msg = "decimal and thousands cannot be the same sign"
            raise ValueError(msg)
        return self


class WrittenTable(Written):
    """How a table of text is written.

    UTF-8 with or without a byte order mark, or UTF-16 with one, unless `encoding` declares another. `title_lines` stand
    above the header; `search` finds the first line that is one. `totals` are the words that mark a row of totals.
    """

    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    title_lines: Annotated[int, Field(ge=0, le=100)] | Literal["search"] = 0
    totals: Words = ()

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            return encoding if encoding in ENCODINGS else _OURS[codecs.lookup(encoding).name]
        except LookupError:
            msg = f"must be one of {', '.join(ENCODINGS)}"
            raise ValueError(msg) from None

    @field_validator("delimiter")
    @classmethod
    def _delimits(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (delimiter in '"\r\n \0' or delimiter.isalnum()):
            msg = "must be a sign such as ; or a tab"
            raise ValueError(msg)
        return delimiter


def renewed(old_names: Mapping[str, str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings by their names of now; an empty sign of before is none. Raises ValueError where both are given."""
    for old, new in old_names.items():
        if old in options and new in options:
            msg = f"{old} is called {new} now: give one of them"
            raise ValueError(msg)
    return {
        old_names.get(name, name): () if name in old_names and value == "" else value for name, value in options.items()
    }


def renamed(model: type[BaseModel], options: Mapping[str, Any]) -> list[str]:
    """Give a sentence for each setting that has another name now."""
    names: Mapping[str, str] = getattr(model, "OLD_NAMES", {})
    return [f"{old} is called {names[old]} now; both work" for old in options if old in names]
