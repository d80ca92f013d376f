"""A document that says 9999-12-31 for "no date" is refused where it says so, like any other bad value."""

import re

import pytest

from producers.normalising import Rejected
from producers.sources import SOURCES
from tests.unit.producers.warehouse.reading_files import MADE, OUR_GLN, events_of, pieces, refusals

OPTIONS: dict[str, dict[str, object]] = {"ubl": {"ours": [OUR_GLN]}}
DASHED = re.compile(rb"20[0-3]\d-\d\d-\d\d")
COMPACT = re.compile(rb"(?<!\d)20[0-3]\d[01]\d[0-3]\d(?!\d)")


@pytest.mark.parametrize("year", [b"9999", b"0001", b"1999"])
@pytest.mark.parametrize("source", ["x12", "edifact", "ubl", "epcis"])
def test_a_date_that_is_none_is_refused_with_its_place(source: str, year: bytes) -> None:
    said = 0
    for file in sorted(MADE.glob(f"{source}-*")):
        raw = COMPACT.sub(year + b"1231", DASHED.sub(year + b"-12-31", file.read_bytes()))
        try:
            found = pieces(SOURCES[source].pieces, raw, **OPTIONS.get(source, {}))
        except Rejected as error:
            said += "from 2000 to 2099" in error.message
            continue
        assert all(event.time.year in range(2000, 2100) for event in events_of(found))
        for refusal in refusals(found):
            assert refusal.where
            said += "from 2000 to 2099" in refusal.message and refusal.field is not None
    assert said, "no file of this format has a date that is refused"
