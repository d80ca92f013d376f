"""What is known of a whole EPCIS document before its events are read one by one: what may be told of it twice.

Pure. It must not decide what an event posts.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from producers.normalising import Rejected
from producers.reading.files import FileOptions, Words
from producers.warehouse.epcis.event import EpcisEvent, GoodsQuantity
from producers.warehouse.epcis.ids import party

GOODS_EVENTS: Final = frozenset({"ObjectEvent", "TransactionEvent"})


class EpcisOptions(FileOptions):
    """How EPCIS is read.

    `ours` are our own parties (GLN, URN or Digital Link): only what they own counts as received or shipped. Without it
    every receipt is ours, where one document names no two owners, and no shipment is. `receipt_steps` and
    `shipment_steps` are the business steps that post: a document with both receiving and accepting is refused until
    one of them is named.
    """

    ours: Words = ()
    receipt_steps: Annotated[Words, Field(min_length=1)] = ("receiving", "accepting")
    shipment_steps: Words = ("shipping", "departing")


@dataclass(frozen=True, slots=True)
class Known:
    """The receipts of a document: their `steps`, the `owners` of what they bring, and which may be told `twice`.

    `twice` names the events that share a piece (an EPC) with another, or that an event of the other kind tells alike.
    """

    options: EpcisOptions
    ours: frozenset[str]
    steps: frozenset[str]
    owners: frozenset[str]
    twice: frozenset[str]

    @classmethod
    def of(cls, events: Iterable[EpcisEvent], options: EpcisOptions) -> "Known":
        """Look through the events of a document; one that cannot be read is left to its own reading."""
        ours = frozenset(party(name) for name in options.ours)
        receipts = [
            (event, owners)
            for event in events
            if event.kind in GOODS_EVENTS
            and event.step in options.receipt_steps
            and ((owners := _owners(event)) & ours or not ours)
        ]
        return cls(
            options,
            ours,
            steps=frozenset(event.step for event, _ in receipts),
            owners=frozenset(owner for _, owners in receipts for owner in owners),
            twice=_told_twice(event for event, _ in receipts if event.values.get("errorDeclaration") is None),
        )


def _owners(event: EpcisEvent) -> frozenset[str]:
    with suppress(Rejected):
        return event.owners("destination")
    return frozenset()


def _told_twice(receipts: Iterable[EpcisEvent]) -> frozenset[str]:
    pieces: dict[str, set[str]] = {}
    classes: dict[GoodsQuantity, dict[str, str]] = {}
    for event in receipts:
        with suppress(Rejected):
            name, kind = event.name, event.kind
            for piece in event.pieces():
                pieces.setdefault(piece, set()).add(name)
            for amount in event.classes():
                classes.setdefault(amount, {})[kind] = name
    alike = (*pieces.values(), *(set(kinds.values()) for kinds in classes.values()))
    return frozenset(name for names in alike if len(names) > 1 for name in names)
