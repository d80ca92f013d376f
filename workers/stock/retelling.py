"""A fact that is recorded, told again with other content: what that means. Pure.

A receipt or order of which a part was delivered first may grow: the lines that are new are taken, wherever they stand,
and the beginning of what is known already posts nothing. Everything else is a conflict for a person, who gets the
figures of both. It must not guess which of two figures for one line is right.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from workers.errors import Conflicting
from workers.plans.movement import Movement, Told

MOST_SHOWN: Final = 5
"""Lines whose figures a message shows."""


def name_of_rest(told: Told) -> str:
    """The fact under which what is told more is recorded; another for each content."""
    return f"{told.fact}~more:{told.content_hash[:12]}"


def belongs_to(fact: str, movement: Movement) -> bool:
    """Whether a movement was recorded for the fact, by itself or as more of it."""
    return movement.fact == fact or movement.fact.startswith(f"{fact}~more:")


def may_grow(told: Told) -> bool:
    """Whether lines may be added to the fact: those of a receipt, and of an order. A bill is one amount."""
    return all(movement.kind in {"receipt", "order"} for movement in told.movements)


def rest_of(told: Told, recorded: Iterable[Movement]) -> Sequence[Movement]:
    """The lines that are told and not recorded; none where all of them are.

    Raises:
        Conflicting: a line that is recorded is not told now, and that is not because what is told was cut behind it.
    """
    recorded = list(recorded)
    rest = _without(told.movements, recorded)
    if _without(recorded, told.movements) and (rest or not _is_the_beginning(told, recorded)):
        raise conflict(told, recorded)
    return rest


def _is_the_beginning(told: Told, recorded: Sequence[Movement]) -> bool:
    known = {(movement.number, _said(movement)) for movement in recorded}
    return all((movement.number, _said(movement)) in known for movement in told.movements)


def conflict(told: Told, recorded: Sequence[Movement]) -> Conflicting:
    """What a person is told, with the figures of both where they differ."""
    before, after = _without(recorded, told.movements), _without(told.movements, recorded)
    figures = (
        f"Recorded: {_figures(before)}. Told now: {_figures(after)}." if before or after else "The day is another."
    )
    return Conflicting(
        f"{told.fact} is recorded already, and says something else now. {figures} If the new figures are right, tell "
        "the difference as a fact of its own (a receipt, a return, an adjustment or a bill under another number); this "
        "one never posts."
    )


def _without(lines: Iterable[Movement], others: Iterable[Movement]) -> list[Movement]:
    """The lines that the others do not say, or not as often, whatever their order."""
    left = Counter(map(_said, others))
    rest = []
    for line in lines:
        figures = _said(line)
        if left[figures]:
            left[figures] -= 1
        else:
            rest.append(line)
    return rest


def _said(movement: Movement) -> str:
    """What a movement says, under whatever fact."""
    return movement.model_dump_json(exclude={"fact", "number", "role"}, exclude_none=True)


def _figures(movements: Sequence[Movement]) -> str:
    more = f"; and {len(movements) - MOST_SHOWN} more" if len(movements) > MOST_SHOWN else ""
    return "; ".join(map(_figure, movements[:MOST_SHOWN])) + more if movements else "nothing"


def _figure(movement: Movement) -> str:
    words = [f"{movement.kind} of {movement.item}"]
    if movement.kind != "order":
        words.append(f"{movement.quantity:f}" if movement.kind in {"count", "opening"} else f"{movement.quantity:+f}")
    if movement.rejected:
        words.append(f"and {movement.rejected:f} not accepted")
    if movement.unit_cost is not None:
        words.append(f"at {_money(movement.unit_cost, movement.currency)}")
    if movement.kind == "bill":
        words.append(f"for {_money(movement.amount, movement.currency)}")
    named = (("place", movement.place), ("lot", movement.lot), ("order", movement.order), ("line", movement.line))
    words += [f"{word} {name}" for word, name in named if name is not None]
    return f"{' '.join(words)} ({movement.at.isoformat()})"


def _money(amount: Decimal, currency: str | None) -> str:
    return f"{amount:f} {currency}" if currency else f"{amount:f}"
