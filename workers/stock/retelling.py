"""A fact that is recorded, told again with other content: what that means. Pure.

A receipt or order of which the beginning was delivered first may grow: the lines that follow are taken, and the
beginning of what is known already posts nothing. Everything else is a conflict for a person, who gets the figures of
both. It must not guess which of two figures for one line is right.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from workers.errors import Conflicting
from workers.stock.movement import Movement, Told

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


def rest_of(told: Told, recorded: Sequence[Movement]) -> Sequence[Movement]:
    """The lines that are told and not recorded; none where all of them are.

    Raises:
        Conflicting: a line says something else than the same line of what is recorded.
    """
    known = {movement.number: _said(movement) for movement in recorded}
    if any(known.get(line.number, _said(line)) != _said(line) for line in told.movements):
        raise conflict(told, recorded)
    return [line for line in told.movements if line.number not in known]


def conflict(told: Told, recorded: Iterable[Movement]) -> Conflicting:
    """What a person is told, with the figures of both where they differ."""
    was, now = ({movement.number: movement for movement in each} for each in (recorded, told.movements))
    before, after = (_others(one, than=another) for one, another in ((was, now), (now, was)))
    figures = (
        f"Recorded: {_figures(before)}. Told now: {_figures(after)}." if before or after else "The day is another."
    )
    return Conflicting(
        f"{told.fact} is recorded already, and says something else now. {figures} If the new figures are right, tell "
        "the difference as a fact of its own (a receipt, a return, an adjustment or a bill under another number); this "
        "one never posts."
    )


def _said(movement: Movement) -> str:
    """What a movement says, under whatever fact."""
    return movement.model_dump_json(exclude={"fact", "number", "role"}, exclude_none=True)


def _others(lines: Mapping[int, Movement], *, than: Mapping[int, Movement]) -> list[Movement]:
    return [line for number, line in lines.items() if number not in than or _said(than[number]) != _said(line)]


def _figures(movements: Sequence[Movement]) -> str:
    more = f"; and {len(movements) - MOST_SHOWN} more" if len(movements) > MOST_SHOWN else ""
    return "; ".join(map(_figure, movements[:MOST_SHOWN])) + more if movements else "nothing"


def _figure(movement: Movement) -> str:
    said = [f"{movement.kind} of {movement.item}"]
    if movement.kind != "order":
        said.append(f"{movement.quantity:f}" if movement.kind in {"count", "opening"} else f"{movement.quantity:+f}")
    if movement.rejected:
        said.append(f"and {movement.rejected:f} not accepted")
    if movement.unit_cost is not None:
        said.append(f"at {_money(movement.unit_cost, movement.currency)}")
    if movement.kind == "bill":
        said.append(f"for {_money(movement.amount, movement.currency)}")
    named = (("place", movement.place), ("lot", movement.lot), ("order", movement.order), ("line", movement.line))
    said += [f"{word} {name}" for word, name in named if name is not None]
    return f"{' '.join(said)} ({movement.at.isoformat()})"


def _money(amount: Decimal, currency: str | None) -> str:
    return f"{amount:f} {currency}" if currency else f"{amount:f}"
