"""A write in doubt whose date has changed since: Solid may have it under the date it was first sent with."""

from datetime import timedelta

import pytest

from solid.errors import OutcomeUnknown
from solid.lookups import Days, Lookup
from solid.models import NewRecord
from tests.unit.workers.bench import DAY, TIMING, Bench, entry, fact
from tests.unit.workers.solid import FakeSolid
from workers.plans.writes import Plan
from workers.sweeping import sought_of


class AskedByDate(FakeSolid):
    """Notes between which days it was asked."""

    asked: Days = None

    async def find(self, record: NewRecord, *, days: Days = None) -> Lookup:
        """See `FakeSolid.find`."""
        self.asked = days
        return await super().find(record, days=days)


@pytest.mark.parametrize("later_first", [False, True])
async def test_a_doubt_that_was_dated_anew_is_looked_up_under_every_date_it_had(
    bench: Bench, *, later_first: bool
) -> None:
    opened = DAY + timedelta(days=40)
    anew = entry().model_copy(update={"date": opened, "true_date": DAY})
    first, second = (anew, entry()) if later_first else (entry(), anew)
    bench.solid = solid = AskedByDate()
    solid.faults.append("answer_lost")
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(1), Plan(writes=(first,)))
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await bench.applier().apply(fact(2), Plan(writes=(second,)))
    assert solid.asked == (DAY, opened)
    assert solid.counts == {"fact:fee": 1}
    sought = sought_of(await bench.row("fact:fee"))
    assert (sought.since, sought.until) == (DAY, opened), "and the sweep looks there too"
