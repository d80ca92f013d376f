"""Every mutant, in the order in which a fact travels."""

from typing import Final

from tests.mutants.measures import (
    answering,
    bounding,
    calling,
    doubting,
    feeding,
    moving,
    parting,
    paying,
    reading,
    receiving,
    routing,
    showing,
    stocking,
    storing,
    sweeping,
    taxing,
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
    *doubting.MUTANTS,
    *sweeping.MUTANTS,
    *reading.MUTANTS,
    *answering.MUTANTS,
    *stocking.MUTANTS,
    *paying.MUTANTS,
    *taxing.MUTANTS,
    *showing.MUTANTS,
    *parting.MUTANTS,
    *calling.MUTANTS,
)
