"""Any series of faults, crashes and takeovers ends with exactly one record a write."""

import asyncio
from collections import Counter
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.bucket import NoToken
from solid.errors import OutcomeUnknown, Refused, Unavailable
from store.engine import connect
from store.errors import LeaseLost, StoreUnavailable
from tests.fakes import FakeClock
from tests.searching import examples, search
from tests.unit.workers.bench import Bench, fact, sale
from tests.unit.workers.solid import Crash, Fault
from workers.errors import NotYet
from workers.plans.writes import Parked

faults = st.lists(st.none() | st.sampled_from(get_args(Fault)), max_size=8)
store_breaks = st.lists(st.sampled_from([None, None, StoreUnavailable, Crash]), max_size=6)
waits = st.lists(st.sampled_from([0.0, 1.0, 29.0, 59.0, 61.0, 89.0, 91.0]), min_size=1, max_size=12)
owners = st.lists(st.sampled_from("abc"), min_size=1, max_size=12)

EXPECTED = (NotYet, OutcomeUnknown, Refused, Unavailable, NoToken, StoreUnavailable, LeaseLost, Parked, Crash)


@search
@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(series=faults, breaks=store_breaks, waits=waits, owners=owners)
def test_whatever_happens_there_is_one_record_a_write_in_the_end(
    migrated_file: Path,
    series: list[Fault | None],
    breaks: list[type[BaseException] | None],
    waits: list[float],
    owners: list[str],
) -> None:
    with TemporaryDirectory() as folder:
        copyfile(migrated_file, Path(folder) / "relay.db")
        url = f"sqlite:///{folder}/relay.db"
        errors = [None if error is None else error() for error in breaks]
        counts = asyncio.run(_campaign(url, series, errors, waits=waits, owners=owners))
    assert counts == {"stripe:customer:cus_1": 1, "fact:invoice": 1, "fact:payment": 1}


async def _campaign(
    url: str,
    series: list[Fault | None],
    breaks: list[BaseException | None],
    *,
    waits: list[float],
    owners: list[str],
) -> Counter[str]:
    """The event is delivered again and again, to one process or another; what is under way lands in time."""
    engine = connect(url)
    try:
        bench = Bench(engine, FakeClock())
        bench.solid.faults.extend(series)
        bench.breaks.extend(breaks)
        for turn in range(200):
            applier = bench.applier(owners[turn % len(owners)])
            try:
                await applier.apply(fact(turn), sale())
            except EXPECTED:
                bench.solid.land()
                bench.clock.advance(waits[turn % len(waits)] + turn)
            else:
                return bench.solid.counts
        raise AssertionError
    finally:
        await engine.dispose()
