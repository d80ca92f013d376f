"""Which faults come when. Pure: the same number of faults and events and the same seed give the same schedule.

Moments are counted in events posted or records written, never in seconds, so that a slow machine sees the same.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Count = Literal["posted", "written"]

_FIRST, _LAST = 0.03, 0.95


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of fault. `seconds` are the least and the most it lasts, `choices` what else is drawn for it.

    `kind` names the act in `faults.acts`. `target` is a process by its part (`active` and `standby` worker, `minting`
    worker, `receiver`, `solid`), or a connection from one to another (`active>broker`), or what it hits.
    """

    kind: str
    target: str
    weight: int
    seconds: tuple[float, float]
    choices: Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. It begins when `after` events have been posted, or records written."""

    number: int
    kind: str
    target: str
    counted: Count
    after: int
    seconds: float
    details: Mapping[str, object]

    def __str__(self) -> str:
        """One line for people."""
        details = "".join(f", {name}={value}" for name, value in self.details.items())
        return f"{self.after:5d} {self.counted:7}  {self.kind} {self.target}, {self.seconds:.1f} s{details}"


def _sort(kind: str, target: str, weight: int, seconds: tuple[float, float], **choices: Sequence[object]) -> Sort:
    return Sort(kind, target, weight, seconds, choices)


_OFFSETS: Final = (-7_200, -600, -20, -4, 4, 20, 600, 7_200)
_FEW: Final = (1, 2, 3, 5)
_POLICIES: Final = ({"message-ttl": 50}, {"max-length": 1}, {"message-ttl": 0})
_POSTED: Final = ("POST", "POST", "POST /invoices", "POST /payments", "POST /entries", "POST /contacts")

SORTS: Final = (
    _sort("kill", "active", 6, (0.2, 2)),
    _sort("kill", "standby", 2, (0.2, 2)),
    _sort("kill", "minting", 3, (0.2, 2)),
    _sort("kill", "receiver", 3, (0.2, 2)),
    _sort("kill", "solid", 4, (0.2, 3)),
    _sort("freeze", "active", 6, (0.5, 8)),
    _sort("freeze", "standby", 1, (0.5, 6)),
    _sort("freeze", "minting", 3, (0.5, 6)),
    _sort("freeze", "receiver", 2, (0.5, 5)),
    _sort("freeze", "solid", 3, (0.3, 2.5)),
    _sort("restart", "broker", 2, (0, 1)),
    _sort("kill", "broker", 2, (0, 1)),
    _sort("freeze", "broker", 3, (0.5, 5)),
    _sort("cut", "active>broker", 4, (0, 1.5)),
    _sort("cut", "receiver>broker", 2, (0, 1.5)),
    _sort("cut", "active>solid", 4, (0, 1.5)),
    _sort("hush", "active>broker", 3, (0.5, 6), then=("cut", "deliver")),
    _sort("hush", "minting>broker", 2, (0.5, 6), then=("cut", "deliver")),
    _sort("hush", "receiver>broker", 2, (0.5, 4), then=("cut", "deliver")),
    _sort("hush", "active>solid", 3, (0.3, 2.5), then=("cut", "deliver")),
    _sort("half_open", "active>broker", 3, (1, 6), side=("near", "far")),
    _sort("half_open", "minting>broker", 2, (1, 6), side=("near", "far")),
    _sort("half_open", "receiver>broker", 1, (1, 6), side=("near", "far")),
    _sort("half_open", "active>solid", 2, (1, 6), side=("near", "far")),
    _sort("lose_answers", "solid", 5, (0, 0), count=_FEW, only=_POSTED),
    _sort("hold_answers", "solid", 3, (0.5, 4.5), count=_FEW, only=_POSTED),
    _sort("late_commits", "solid", 5, (0.2, 2.5), count=_FEW, only=_POSTED, late_hangs=(True, False)),
    _sort("slow", "solid", 4, (0.2, 1.6), count=(3, 10, 20), only=("*", "POST", "GET")),
    _sort("errors", "solid", 4, (0, 0), count=_FEW, status=(502, 504), html=(True,), commit=(True, False)),
    _sort("errors", "solid", 4, (0, 0), count=_FEW, status=(503,), html=(True, False), commit=(True, False)),
    _sort("errors", "solid", 2, (0, 0), count=_FEW, status=(500,), html=(False,), commit=(True, False)),
    _sort("hang", "solid", 2, (0, 0), count=_FEW, only=("*", "POST", "GET")),
    _sort("close", "solid", 4, (0.5, 5)),
    _sort("rate_limit", "solid", 5, (0.5, 3), answer=("429", "429 with Retry-After", "200")),
    _sort("revoke_key", "solid", 3, (0.5, 4)),
    _sort("fill_disk", "store", 4, (0.5, 4)),
    _sort("set_clock", "active", 3, (1.5, 4), offset=_OFFSETS),
    _sort("set_clock", "standby", 1, (1.5, 4), offset=_OFFSETS),
    _sort("set_clock", "receiver", 1, (1.5, 4), offset=_OFFSETS),
    _sort("lose", "store", 2, (2, 5)),
    _sort("restore", "store", 2, (2, 6)),
    _sort("unbind", "stream", 2, (0.5, 2), stream=(0, 0, 0, 1)),
    _sort("unbind", "retry", 2, (0.5, 2), delay=(0, 1, 2, 3)),
    _sort("delete", "events exchange", 2, (0.5, 2)),
    _sort("purge", "mint", 2, (0.2, 1)),
    _sort("policy", "mint", 2, (1, 4), definition=_POLICIES),
)
"""Every sort of fault there is. Late landings stay within the settle time: later ones nothing can guard against."""


def draw_schedule(count: int, seed: int, *, posts: int, records: int, kinds: Collection[str] = ()) -> list[Fault]:
    """Draw so many faults. Sorts come by their weights; none comes twice before it could have come once.

    `posts` and `records` are how many there will be in all. `kinds` are the only ones wanted, if there are any.

    Raises:
        ValueError: there is no such kind.
    """
    sorts = [sort for sort in SORTS if not kinds or sort.kind in kinds]
    if unknown := set(kinds) - {sort.kind for sort in SORTS}:
        raise ValueError(f"no fault is called {', '.join(sorted(unknown))}")
    chance = random.Random(f"{seed}/faults")  # noqa: S311 - a campaign, not a secret
    faults = []
    for index, sort in enumerate(_pick(sorts, count, chance)):
        share = _FIRST + (_LAST - _FIRST) * (index + chance.random()) / count
        counted: Count = chance.choice(("posted", "written"))
        whole = posts if counted == "posted" else records
        details = {name: chance.choice(values) for name, values in sort.choices.items()}
        shortest, longest = sort.seconds
        seconds = round(chance.triangular(shortest, longest, shortest), 1)  # most are short, a few outlast a lease
        faults.append(Fault(index + 1, sort.kind, sort.target, counted, round(share * whole), seconds, details))
    return faults


def _pick(sorts: Sequence[Sort], count: int, chance: random.Random) -> list[Sort]:
    """Go through the sorts in rounds; in each, those of greater weight come first, as a rule."""
    picked: list[Sort] = []
    while len(picked) < count:
        picked += sorted(sorts, key=lambda sort: chance.random() ** (1 / sort.weight), reverse=True)
        picked += chance.choices(sorts, [sort.weight for sort in sorts], k=len(sorts) // 2)
    picked = picked[:count]
    chance.shuffle(picked)
    return picked
