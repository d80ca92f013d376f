"""The fence before a call: it renews a claim that could end before the call does, whichever clock tells of it."""

from collections.abc import Callable

import pytest

from store.errors import LeaseLost
from tests.fakes import FakeClock
from workers.fence import Fence

GOOD_FOR = 60.0


class Claim:
    """Counts its renewals, or refuses them."""

    def __init__(self, *, lost: bool = False) -> None:
        self.renewals = 0
        self.lost = lost

    async def renew(self) -> None:
        """Start the lease again."""
        if self.lost:
            raise LeaseLost("main", "fact:fee", 1)
        self.renewals += 1


def asleep(clock: FakeClock) -> None:
    """A laptop that sleeps: its monotonic clock stands still."""
    clock.step(GOOD_FOR)


def set_back_meanwhile(clock: FakeClock) -> None:
    """A minute goes by, and an administrator takes it off the wall clock."""
    clock.advance(GOOD_FOR)
    clock.step(-GOOD_FOR)


def set_back(clock: FakeClock) -> None:
    """The wall clock alone goes back."""
    clock.step(-GOOD_FOR)


def a_while(clock: FakeClock) -> None:
    """Wait for a token."""
    clock.advance(GOOD_FOR)


@pytest.mark.parametrize("passes", [a_while, asleep, set_back, set_back_meanwhile])
async def test_a_claim_is_renewed_whichever_clock_says_that_it_may_end(passes: Callable[[FakeClock], None]) -> None:
    clock, claim = FakeClock(), Claim()
    fence = Fence(1, claim.renew, good_for=GOOD_FOR, clock=clock)
    passes(clock)
    await fence()
    assert (claim.renewals, fence.passed) == (1, True)
    await fence()
    assert claim.renewals == 1, "renewed a moment ago"


async def test_a_young_claim_costs_no_commit() -> None:
    clock, claim = FakeClock(), Claim()
    await Fence(1, claim.renew, good_for=GOOD_FOR, clock=clock)()
    assert claim.renewals == 0


async def test_a_claim_that_is_lost_lets_nothing_pass() -> None:
    clock, claim = FakeClock(), Claim(lost=True)
    fence = Fence(1, claim.renew, good_for=GOOD_FOR, clock=clock)
    clock.advance(GOOD_FOR)
    with pytest.raises(LeaseLost):
        await fence()
    assert fence.passed is False
