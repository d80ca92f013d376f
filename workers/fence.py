"""The fence before a call: no call leaves under a claim that could end before the call does.

It knows claims and clocks, and nothing of Solid.
"""

from collections.abc import Awaitable, Callable

from runtime.clock import Clock


class Fence:
    """Runs right before a call leaves: renews the claim when it could end before the call does.

    A claim that somebody else has taken over meanwhile raises LeaseLost, and nothing is sent. Both clocks are asked:
    one stands still while a laptop sleeps, the other jumps when it is set. A lease is as old as the question for it,
    which this is made before: the answer may come late. `passed` says that the call may have left.
    """

    def __init__(self, epoch: int, renew: Callable[[], Awaitable[None]], *, good_for: float, clock: Clock) -> None:
        self.epoch = epoch
        self.passed = False
        self._renew = renew
        self._good_for = good_for
        self._clock = clock
        self._wall, self._steady = clock.now(), clock.monotonic()

    async def __call__(self) -> None:
        """Renew if needed, again where the answer came too late. Raises LeaseLost."""
        while self._age() >= self._good_for / 2:
            asked = self._clock.now(), self._clock.monotonic()
            await self._renew()
            self._wall, self._steady = asked
        self.passed = True

    def _age(self) -> float:
        """Seconds since the lease was asked for, by whichever clock says more."""
        wall = (self._clock.now() - self._wall).total_seconds()
        steady = self._clock.monotonic() - self._steady
        return max(abs(wall), steady)
