"""Currencies that ISO 4217 has withdrawn: facts of their time must still be read, and nothing later may name them.

The iso4217 package knows only what is current, so this is the one table of ours. `last_day` is that on which it was
last legal tender. Source: ISO 4217, list three (codes for historic denominations), and the central banks' own dates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A code that is no more: its last day, its decimals, and what came in its place."""

    last_day: date
    decimals: int
    successor: str


WITHDRAWN: Final[Mapping[str, Withdrawn]] = {
    "ANG": Withdrawn(date(2025, 6, 30), 2, "XCG"),
    "AZM": Withdrawn(date(2006, 12, 31), 2, "AZN"),
    "BGN": Withdrawn(date(2026, 1, 31), 2, "EUR"),
    "BYR": Withdrawn(date(2016, 12, 31), 0, "BYN"),
    "CSD": Withdrawn(date(2006, 10, 24), 2, "RSD"),
    "CUC": Withdrawn(date(2021, 12, 30), 2, "CUP"),
    "CYP": Withdrawn(date(2008, 1, 31), 2, "EUR"),
    "EEK": Withdrawn(date(2011, 1, 14), 2, "EUR"),
    "GHC": Withdrawn(date(2007, 12, 31), 2, "GHS"),
    "HRK": Withdrawn(date(2023, 1, 14), 2, "EUR"),
    "LTL": Withdrawn(date(2015, 1, 15), 2, "EUR"),
    "LVL": Withdrawn(date(2014, 1, 14), 2, "EUR"),
    "MRO": Withdrawn(date(2018, 6, 30), 2, "MRU"),
    "MTL": Withdrawn(date(2008, 1, 31), 2, "EUR"),
    "MZM": Withdrawn(date(2006, 12, 31), 2, "MZN"),
    "ROL": Withdrawn(date(2006, 12, 31), 2, "RON"),
    "SDD": Withdrawn(date(2007, 6, 30), 2, "SDG"),
    "SIT": Withdrawn(date(2007, 1, 14), 2, "EUR"),
    "SKK": Withdrawn(date(2009, 1, 16), 2, "EUR"),
    "SLL": Withdrawn(date(2024, 3, 31), 2, "SLE"),
    "STD": Withdrawn(date(2018, 6, 30), 2, "STN"),
    "TMM": Withdrawn(date(2009, 12, 31), 2, "TMT"),
    "TRL": Withdrawn(date(2005, 12, 31), 0, "TRY"),
    "VEB": Withdrawn(date(2008, 6, 30), 2, "VEF"),
    "VEF": Withdrawn(date(2018, 12, 4), 2, "VES"),
    "ZMK": Withdrawn(date(2013, 6, 30), 2, "ZMW"),
    "ZWD": Withdrawn(date(2008, 12, 31), 2, "ZWR"),
    "ZWL": Withdrawn(date(2024, 8, 31), 2, "ZWG"),
    "ZWR": Withdrawn(date(2009, 6, 30), 2, "ZWL"),
}
"""By code. What is current again, or still, is not here."""


def gone(code: str, day: date) -> Withdrawn | None:
    """What became of a currency that was no more on that day; None where it was current, or was never known."""
    found = WITHDRAWN.get(code)
    return found if found is not None and day > found.last_day else None
