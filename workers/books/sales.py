"""`[sales]` of `books.toml`: how sales are booked; an entry each where nothing is said. Pure."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from workers.books.payroll import Name


class SalesPolicy(BaseModel):
    """How sales are booked.

    `entries`: `each` fact by itself, or in one entry a `day` or a `payout`. `close_after_minutes`: how long after the
    end of the day, or after the payout was listed, its entry is made; and how long what comes later waits for more.
    `unlisted_after_days`: what no payout has listed by then is in the entry of its day.
    `taxed`: every sale has to be told with its tax before it is posted, and one that nobody tells comes before a
    person; else it is posted at once, and tax is split off when it is told. `tax_codes`: the account of a tax rate of
    the processor, where it is not that of `sales_tax_payable`. `items`: Solid's item, or its SKU, of a price or product
    of the processor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: Literal["each", "day", "payout"] = "each"
    close_after_minutes: Annotated[float, Field(ge=0, le=1440)] = 60
    unlisted_after_days: Annotated[int, Field(ge=1, le=365)] = 35
    taxed: bool = False
    tax_codes: Mapping[str, Name] = {}
    items: Mapping[str, Name] = {}
