"""Every mutant, in the order in which a fact travels."""

from typing import Final

from tests.mutants.measures import (
    answering,
    balancing,
    bounding,
    calling,
    doubting,
    feeding,
    moving,
    parting,
    paying,
    proving,
    reading,
    reading_stripe,
    receiving,
    routing,
    showing,
    stocking,
    storing,
    sweeping,
    warehousing,
    watching,
    working,
    writing,
)
from tests.mutants.mutant import Mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    *receiving.MUTANTS,
    *moving.MUTANTS,
    *routing.MUTANTS,
    *feeding.MUTANTS,
    *watching.MUTANTS,
    *bounding.MUTANTS,
    *warehousing.MUTANTS,
    *storing.MUTANTS,
    *working.MUTANTS,
    *writing.MUTANTS,
    *balancing.MUTANTS,
    *doubting.MUTANTS,
    *sweeping.MUTANTS,
    *reading.MUTANTS,
    *reading_stripe.MUTANTS,
    *answering.MUTANTS,
    *stocking.MUTANTS,
    *paying.MUTANTS,
    *proving.MUTANTS,
    *showing.MUTANTS,
    *parting.MUTANTS,
    *calling.MUTANTS,
)
