"""A write in doubt whose date has changed since: Solid may have it under the date it was first sent with."""

from datetime import date, timedelta

import pytest

from solid.errors import OutcomeUnknown
from solid.lookups import Lookup
from solid.models import NewRecord
from tests.unit.workers.bench import DAY, TIMING, Bench, entry, fact
from tests.unit.workers.solid import FakeSolid
from workers.plans.writes import Plan


class AskedByDate(FakeSolid):
    """Notes from which day on it was asked."""

    asked_since: date | None = None

    async def find(self, record: NewRecord, *, since: date | None = None) -> Lookup:
        """See `FakeSolid.find`."""
        self.asked_since = since
        return await super().find(record, since=since)


async def test_a_doubt_that_was_dated_anew_is_looked_up_from_its_first_date(bench: Bench) -> None:
    bench.solid = solid = AskedByDate()
    solid.faults.append("answer_lost")
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(1), Plan(writes=(entry(),)))
    bench.clock.advance(TIMING.settle)
    opened = DAY + timedelta(days=40)
    anew = entry().model_copy(update={"date": opened, "true_date": DAY})
    await bench.applier().apply(fact(2), Plan(writes=(anew,)))
    assert solid.asked_since == DAY
    assert solid.counts == {"fact:fee": 1}
