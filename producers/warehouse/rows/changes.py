"""What the words of a warehouse's stock log mean: which change posts, and why. It must not read any row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from producers.normalising import Rejected
from producers.warehouse.reasons import plain_word
from producers.warehouse.rows.cells import RowCells
from producers.warehouse.rows.options import RowKind


@dataclass(frozen=True, slots=True)
class RowMeaning:
    """What kind a row is; `reason` is that of a stock log's change.

    `put_away` and `sent_back` are receipts that stand alone, the second a negative one.
    """

    kind: RowKind | Literal["put_away", "sent_back"]
    reason: str | None = None


_NOTHING: Final = (
    "reserve reserved reservation unreserve unreserved allocate allocated allocation deallocate deallocated"
    " deallocation unallocate release released hold unhold relabel relabeled relabelled relabeling label move moved"
    " movement bin_move bin_transfer replenish replenishment pick picked picking unpick pack packed packing"
    " inbound_created inbound_order_created outbound_created outbound_order_created outbound_cancelled order_created"
    " order_cancelled"
)
_RECEIPTS: Final = "put_away putaway receive received receipt inbound_received inbound"
_RETURNS: Final = "vendor_return return_to_vendor supplier_return returned_to_vendor"
_REASONS: Final[Mapping[str, str]] = {
    "found": "found",
    "missing": "missing",
    "lost": "lost",
    "stolen": "stolen",
    "theft": "stolen",
    "damage": "damaged",
    "damaged": "damaged",
    "destroy": "destroyed",
    "destroyed": "destroyed",
    "dispose": "destroyed",
    "disposed": "destroyed",
    "expire": "expired",
    "expired": "expired",
    "scrap": "scrap",
    "scrapped": "scrap",
    "quality": "quality",
    "count": "cycle_count",
    "counted": "cycle_count",
    "cycle_count": "cycle_count",
    "recount": "cycle_count",
    "stocktake": "stocktake",
    "shrinkage": "shrinkage",
    "ship": "shipment",
    "shipped": "shipment",
    "shipment": "shipment",
    "dispatched": "shipment",
    "outbound_shipped": "shipment",
    "customer_return": "customer_return",
    "returned": "customer_return",
    "transfer_in": "transfer_in",
    "transfer_out": "transfer_out",
}
CHANGES: Final[Mapping[str, str]] = {
    **dict.fromkeys(_NOTHING.split(), "nothing"),
    **dict.fromkeys(_RECEIPTS.split(), "put_away"),
    **dict.fromkeys(_RETURNS.split(), "sent_back"),
    "level": "counted",
    **dict.fromkeys(("adjust", "adjusted", "adjustment", "correction"), "adjusted"),
    **_REASONS,
}
"""A change's word to `nothing`, `put_away` (a receipt where an order is named), `sent_back` (to the vendor), `counted`
(the quantity is a level), `adjusted` (the row gives the reason), or the reason for which it adjusts."""

DIRECTIONS: Final[Mapping[str, int]] = {
    **dict.fromkeys(["found", "customer_return", "transfer_in", "production_in"], 1),
    **dict.fromkeys(
        ["missing", "lost", "stolen", "damage", "damaged", "destroyed", "expired", "scrap", "shipment"], -1
    ),
    **dict.fromkeys(["shipment", "production_out"], -1),
}
"""Which way a reason moves stock; a reason that is not here goes either way."""


def read_change(cells: RowCells) -> RowMeaning | str:
    """Give what a change of a stock log means, or the word of a change that posts nothing.

    Raises Rejected: `unknown_change`, `put_away_without_order`.
    """
    word = cells.text("change")
    plain = plain_word(word)
    declared = {plain_word(theirs): plain_word(ours) for theirs, ours in cells.how.options.changes.items()}
    meaning = CHANGES.get(declared.get(plain, plain), declared.get(plain))
    match meaning:
        case None:
            message = "no change of a stock log that is known: say in the option changes what it means"
            raise Rejected("unknown_change", message, field="change")
        case "nothing":
            return plain
        case "put_away" if cells.text_or_none("order") is None:
            message = "stock was put away without an inbound order: no receipt can be booked against it"
            raise Rejected("put_away_without_order", message, field="order")
        case "put_away" | "sent_back" | "counted" | "adjusted" as kind:
            return RowMeaning(kind)
        case reason:
            return RowMeaning("adjusted", reason)
