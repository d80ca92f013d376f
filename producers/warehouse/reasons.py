"""Why stock changes, in our words, and the words of others written as ours are. It must not know any format."""

import re
from functools import lru_cache
from typing import Final

KNOWN_REASONS: Final = frozenset(
    {
        *("shrinkage", "lost", "missing", "stolen", "cycle_count", "stocktake", "level", "found", "opening"),
        *("damage", "damaged", "destroyed", "expired", "quality", "scrap", "customer_return", "shipment"),
        *("cost_of_goods_sold", "production_in", "production_out", "transfer_in", "transfer_out"),
    }
)
"""Reasons that are ours; every other word is the source's, and keeps its name."""


@lru_cache(maxsize=4096)
def plain_word(word: str) -> str:
    """Write a word of a source as ours are written: `Put Away`, `putAway` and `put-away` are `put_away`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word.strip())
    return re.sub(r"[\s_-]+", "_", apart).casefold()
