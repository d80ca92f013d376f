"""`[sales]` of `books.toml`: how sales come into the books; an entry each where nothing is said. Pure."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class SalesPolicy(BaseModel):
    """How sales are booked.

    `entries`: `each` fact by itself, or in one entry a `day` or a `payout`. `close_after_minutes`: how long after the
    end of the day, or after the payout was listed, its entry is made; and how long what comes later waits for more.
    `unlisted_after_days`: what no payout has listed by then is in the entry of its day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: Literal["each", "day", "payout"] = "each"
    close_after_minutes: Annotated[float, Field(ge=0, le=1440)] = 60
    unlisted_after_days: Annotated[int, Field(ge=1, le=365)] = 35
