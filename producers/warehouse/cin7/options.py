"""The settings of Cin7 Core. It must not read any file."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from producers.warehouse.goods import BadLines

_Word = Annotated[str, Field(min_length=1, max_length=100)]


class Cin7Options(BaseModel):
    """How an installation of Cin7 Core speaks.

    `adjustment` says what the field of that name in a line of existing stock is. `reasons` maps its accounts, by code
    or by name, to our reasons. A file of more than `max_bytes` is refused unread. `bad_lines` as of rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    max_bytes: Annotated[int, Field(gt=0, le=1 << 30)] = 64 << 20
    adjustment: Literal["new_quantity", "change"] = "new_quantity"
    reasons: Mapping[_Word, _Word] = Field(default_factory=dict)
    bad_lines: BadLines = "whole"
