"""Every mutant, in the order in which a fact travels."""

from typing import Final

from tests.mutants import moving, paying, reading, working, writing
from tests.mutants.mutant import Mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    *moving.MUTANTS,
    *working.MUTANTS,
    *writing.MUTANTS,
    *reading.MUTANTS,
    *paying.MUTANTS,
)
