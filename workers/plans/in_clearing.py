"""Under which external ids a fact of sales is in the books, without the books: what a proof looks for in the inbox.

A test keeps it and the plans alike.
"""

from typing import Final

_OF_THE_FACT: Final = {"sales.payment.succeeded.v1": ":payment"}
"""How the write that moves clearing is called behind its fact; for all others it is the fact itself."""

_FEE_INSIDE: Final = frozenset({"sales.dispute.opened.v1", "sales.dispute.won.v1"})
"""Types whose fee is a line of the entry itself."""


def ids_in_clearing(event_type: str, fact: str, *, gross: bool, fee: bool) -> tuple[str, ...]:
    """The external ids of what moves clearing for a fact: its amount and what was kept of it, where there is either."""
    moved = gross or event_type in _FEE_INSIDE
    apart = fee and event_type not in _FEE_INSIDE
    main = (f"{fact}{_OF_THE_FACT.get(event_type, '')}",) if moved else ()
    return (*main, f"{fact}:fee") if apart else main
