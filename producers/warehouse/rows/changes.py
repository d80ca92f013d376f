"""What the words of a warehouse's stock log mean: which change posts, and why. It must not read any row."""

from collections.abc import Mapping
from typing import Final

_WORDS: Final = {
    "nothing": (
        "reserve reserved reservation unreserve unreserved allocate allocated allocation deallocate deallocated"
        " deallocation unallocate release released hold unhold relabel relabeled relabelled relabeling label move moved"
        " movement bin_move bin_transfer replenish replenishment pick picked picking unpick pack packed packing"
        " inbound_created inbound_order_created outbound_created outbound_order_created outbound_cancelled"
        " order_created order_cancelled"
    ),
    "put_away": "put_away putaway receive received receipt inbound_received inbound",
    "sent_back": "vendor_return return_to_vendor supplier_return returned_to_vendor",
    "counted": "level",
    "adjusted": "adjust adjusted adjustment correction",
    "found": "found",
    "missing": "missing",
    "lost": "lost",
    "stolen": "stolen theft",
    "damaged": "damage damaged",
    "destroyed": "destroy destroyed dispose disposed",
    "expired": "expire expired",
    "scrap": "scrap scrapped",
    "quality": "quality",
    "cycle_count": "count counted cycle_count recount",
    "stocktake": "stocktake",
    "shrinkage": "shrinkage",
    "shipment": "ship shipped shipment dispatched outbound_shipped",
    "customer_return": "customer_return returned",
    "transfer_in": "transfer_in",
    "transfer_out": "transfer_out",
}
CHANGES: Final[Mapping[str, str]] = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}
"""A change's word to `nothing`, `put_away` (a receipt where an order is named), `sent_back` (to the vendor), `counted`
(the quantity is a level), `adjusted` (the row gives the reason), or the reason for which it adjusts."""

DIRECTIONS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("found", "customer_return", "transfer_in", "production_in"), 1),
    **dict.fromkeys(("missing", "lost", "stolen", "damage", "damaged", "destroyed", "expired", "scrap"), -1),
    **dict.fromkeys(("shipment", "production_out"), -1),
}
"""Which way a reason moves stock; a reason that is not here goes either way."""
