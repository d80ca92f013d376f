"""The forecast: exact where nothing changes, and right within a tenth at the median of a simulated day."""

import math
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from statistics import median

import pytest

from messaging.lanes import Lane, Turns, lane_of
from ops.standing.forecast import Recent, forecast
from runtime.settings import BucketSettings

PACE = BucketSettings()
NOTHING = Recent(60, {}, {})
CALLS = {"sales": 2, "inventory": 1, "payroll": 1}


def test_one_backlog_takes_its_calls_over_the_rate() -> None:
    assert forecast({"inventory": 500}, rate=10, weights=PACE.lanes, recent=NOTHING) == {"inventory": 50.0}


def test_a_sale_costs_two_calls_unless_it_was_measured() -> None:
    assert forecast({"sales": 500}, rate=10, weights=PACE.lanes, recent=NOTHING) == {"sales": 100.0}
    measured = Recent(60, {"live": 90}, {"live": 30})
    assert forecast({"sales": 500}, rate=10, weights=PACE.lanes, recent=measured) == {"sales": 150.0}


def test_lanes_share_by_weight_until_one_is_done() -> None:
    found = forecast({"sales": 200, "inventory": 1000}, rate=12, weights=PACE.lanes, recent=NOTHING)
    assert found == {"sales": 50.0, "inventory": pytest.approx(1400 / 12, abs=0.1)}


def test_what_other_lanes_use_is_not_there_for_the_backlog() -> None:
    recent = Recent(60, {"background": 120, "batch": 300}, {})
    assert forecast({"inventory": 800}, rate=10, weights=PACE.lanes, recent=recent) == {"inventory": 100.0}


def test_however_busy_the_others_are_a_lane_has_what_its_weight_says() -> None:
    recent = Recent(60, {"live": 600}, {})
    assert forecast({"inventory": 400}, rate=10, weights=PACE.lanes, recent=recent)["inventory"] == 150.0


def test_nothing_waits_nothing_is_to_be_done() -> None:
    assert forecast({"sales": 0, "payroll": 0}, rate=10, weights=PACE.lanes, recent=NOTHING) == {
        "sales": 0,
        "payroll": 0,
    }


@dataclass(slots=True)
class Day:
    """A day in steps of a second: sales by the hour, stock in bulk, pay runs; the mint's own turns serve them."""

    chance: random.Random
    turns: Turns = field(default_factory=lambda: Turns(PACE.lanes))
    waiting: Counter[str] = field(default_factory=Counter)  # calls
    arrived: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)
    used: deque[Counter[Lane]] = field(default_factory=lambda: deque(maxlen=60))
    said: list[tuple[int, str, int, float]] = field(default_factory=list)
    ended: dict[tuple[str, int], int] = field(default_factory=dict)
    credit: float = 0.0

    def play(self, seconds: int = 86_400) -> list[float]:
        """Give the relative error of every forecast that came due."""
        open_forecasts: dict[str, list[tuple[int, int, float]]] = {}
        errors: list[float] = []
        for now in range(seconds):
            self._arrive(now)
            self._serve()
            if now % 60 == 0:
                for stream, after in self._forecast().items():
                    if after >= 60:
                        open_forecasts.setdefault(stream, []).append((now, self.arrived[stream], after))
            for stream, entries in open_forecasts.items():
                while entries and self.served[stream] >= entries[0][1]:
                    at, _, after = entries.pop(0)
                    errors.append(abs(after - (now - at)) / max(now - at, 1))
        return errors

    def _arrive(self, now: int) -> None:
        hour = now / 3600
        busy = max(0.0, math.sin((hour - 6) / 16 * math.pi))
        if self.chance.random() < 0.02 + 1.2 * busy:
            self._add("sales", 1)
        if now in (2 * 3600, 11 * 3600):
            self._add("inventory", 30_000 if now < 10_000 else 8_000)
        if now in (9 * 3600, 11 * 3600 + 300):
            self._add("payroll", 200)
        if hour > 15 and hour < 15.2:
            self._add("sales", self.chance.randrange(8))

    def _add(self, stream: str, events: int) -> None:
        self.waiting[stream] += events * CALLS[stream]
        self.arrived[stream] += events * CALLS[stream]

    def _serve(self) -> None:
        self.credit = min(self.credit + PACE.rate, PACE.burst + PACE.rate)
        used: Counter[Lane] = Counter()
        while self.credit >= 1 and +self.waiting:
            self.credit -= 1
            lane = self.turns.next({lane_of(stream, replayed=False) for stream in +self.waiting})
            streams = [stream for stream in +self.waiting if lane_of(stream, replayed=False) == lane]
            stream = self.chance.choice(streams)
            self.waiting[stream] -= 1
            self.served[stream] += 1
            used[lane] += 1
        self.used.append(used)

    def _forecast(self) -> dict[str, float]:
        tokens: Counter[Lane] = sum(self.used, Counter())
        events = {stream: -(-calls // CALLS[stream]) for stream, calls in self.waiting.items()}
        return forecast(events, rate=PACE.rate, weights=PACE.lanes, recent=Recent(60, tokens, {}))


def test_on_a_simulated_day_the_forecast_is_right_within_a_tenth_at_the_median() -> None:
    errors = Day(random.Random(4)).play()  # noqa: S311 - a day that can be had again
    assert len(errors) > 60, "forecasts that were long enough to be judged"
    assert median(errors) < 0.10
