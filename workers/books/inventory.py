"""`[inventory]` of `books.toml`: what becomes of stock in the books; conservative where nothing is said. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

USUAL_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("shrinkage", "lost", "missing", "stolen", "found", "cycle_count", "stocktake", "level"), "shrinkage"
        ),
        **dict.fromkeys(("damage", "damaged", "destroyed", "expired", "quality", "scrap"), "write_off"),
        **dict.fromkeys(("customer_return", "shipment", "cost_of_goods_sold"), "cogs"),
        **dict.fromkeys(("transfer_in", "transfer_out", "production_in", "production_out", "opening"), ""),
    }
)
"""Reason → role of the account against which Inventory is booked; no role: the quantity moves, nothing is posted."""


class InventoryPolicy(BaseModel):
    """How stock is booked.

    `value_entries` opts in to adjustments as entries of their value: Solid's quantities do not move with them.
    `opening`: `zero` when all stock there is came through the relay; else an item's level must be told before a count
    of it is believed. `negative_stock`: `park` what would take out more than there is, or `allow` it. `zero_value`:
    `park` what moves goods without value, or `skip` its posting. `default_place`: where stock is that is said to be
    nowhere. `merge_seconds`: adjustments of one day told within it become one entry; 0 for an entry each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value_entries: bool = False
    opening: Literal["zero", "told"] = "told"
    negative_stock: Literal["park", "allow"] = "park"
    zero_value: Literal["park", "skip"] = "park"
    default_place: str | None = None
    merge_seconds: Annotated[float, Field(ge=0, le=3600)] = 5
    most_lines: Annotated[int, Field(ge=2, le=5000)] = 400
    reasons: Mapping[str, str] = {}

    @field_validator("reasons")
    @classmethod
    def _with_the_usual(cls, reasons: Mapping[str, str]) -> Mapping[str, str]:
        return {**USUAL_REASONS, **reasons}

    def role_of(self, reason: str) -> str | None:
        """The role for a reason, empty where nothing is posted; None where the reason is not known."""
        return (self.reasons or USUAL_REASONS).get(reason)
