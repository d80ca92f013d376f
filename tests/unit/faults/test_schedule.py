"""The schedule: drawn from the seed alone, and never a fault that nobody could guard against."""

from collections import Counter

import pytest

from faults.acts import ACTS
from faults.scale import CALL_SECONDS, SETTLE_SECONDS
from faults.schedule import SORTS, Fault, draw_schedule


def drawn(count: int = 100, seed: int = 1) -> list[Fault]:
    return draw_schedule(count, seed, posts=2_600, records=2_650)


def test_the_same_seed_draws_the_same_faults_and_another_seed_others() -> None:
    assert drawn() == drawn()
    assert drawn(seed=2) != drawn()


@pytest.mark.parametrize("count", [0, 1, 12, 100])
def test_there_are_as_many_as_asked_for_in_the_order_of_their_moments(count: int) -> None:
    faults = drawn(count)
    assert [fault.number for fault in faults] == list(range(1, count + 1))
    for counted in ("posted", "written"):
        moments = [fault.after for fault in faults if fault.counted == counted]
        assert moments == sorted(moments)
        assert all(0 < moment < 2_600 for moment in moments)


def test_a_long_campaign_has_every_sort() -> None:
    assert {(fault.kind, fault.target) for fault in drawn()} == {(sort.kind, sort.target) for sort in SORTS}


def test_only_kinds_that_are_asked_for_are_drawn() -> None:
    kinds = ("lose", "restore")
    faults = draw_schedule(6, 1, posts=100, records=100, kinds=kinds)
    assert {fault.kind for fault in faults} == set(kinds)
    assert len(faults) == 6
    with pytest.raises(ValueError, match="no fault is called loose"):
        draw_schedule(1, 1, posts=100, records=100, kinds=["loose"])


def test_a_short_campaign_has_no_sort_twice() -> None:
    for seed in range(20):
        sorts = Counter((f.kind, f.target, f.details.get("status")) for f in drawn(12, seed))
        assert max(sorts.values()) <= 2  # 502 and 504 are one sort


@pytest.mark.parametrize("sort", SORTS, ids=lambda sort: f"{sort.kind} {sort.target}")
def test_every_sort_has_an_act(sort: object) -> None:
    known = {(s.kind, s.target) for s in SORTS} & {(getattr(sort, "kind", ""), getattr(sort, "target", ""))}
    assert known
    assert all((kind, target) in ACTS or (kind, "*") in ACTS for kind, target in known)


def test_what_solid_does_late_it_does_within_the_settle_time() -> None:
    """Later than that nothing can tell a write that is lost from one that is late."""
    for sort in SORTS:
        if sort.kind == "late_commits" or (sort.kind, sort.target) in {("freeze", "solid"), ("hush", "active>solid")}:
            assert sort.seconds[1] < SETTLE_SECONDS
        if sort.kind == "slow":
            assert sort.seconds[1] < CALL_SECONDS


def test_a_fault_reads_as_a_line() -> None:
    fault = Fault(3, "kill", "active", "written", 120, 0.7, {})
    assert str(fault) == "  120 written  kill active, 0.7 s"
