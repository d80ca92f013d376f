"""Rows of a warehouse into events, one after the other: what CSV and JSON have in common.

Pure, and in memory no more than one document and a hash a row. It must not know how rows are written in a file.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, get_args

from pydantic import ValidationError

from producers.drafts import wrap
from producers.normalising import NormaliseContext, Piece, Refused, Rejected, Taken
from producers.warehouse.goods import incomplete
from producers.warehouse.rows.alone import ALONE, Alone, RowDraft, digest, part, read_change
from producers.warehouse.rows.cells import Cell, RowCells, RowForm
from producers.warehouse.rows.groups import GROUPINGS, Grouping, RowGroup
from producers.warehouse.rows.options import RowKind, RowOptions
from schemas.errors import SchemaError
from schemas.problems import first_problem

_KINDS: Final[tuple[RowKind, ...]] = get_args(RowKind)
_READINGS: Final[Mapping[str, Grouping | Alone]] = {**ALONE, **GROUPINGS, "ignored": lambda _: "kind_ignored"}
_LOW: Final = (1 << 40) - 1
_OUR_NAMES: Final = {"delta": "quantity", "counted": "quantity"}


class RowReader:
    """Takes the rows of one file in their order, and gives what came of them."""

    def __init__(self, options: RowOptions, context: NormaliseContext, *, prefix: str, unit: str) -> None:
        """Begin a file. `prefix` (`csv`) begins its facts and names its source, `unit` is the word for a row.

        `is_cut` may be set: whether the row in hand may have lost its end.
        """
        self._how = RowForm(options, currency=context.currency, system_words=prefix)
        declared = {word.casefold(): kind for word, kind in options.kinds.items()}
        self._kinds: Mapping[str, str] = {**dict(zip(_KINDS, _KINDS, strict=True)), **declared}
        self._company = context.company
        self._prefix = prefix
        self._system = f"{part(options.system)}:" if options.system else ""
        self._unit = unit
        self.is_cut: Callable[[], bool] = lambda: False
        self._seen: dict[bytes, int] = {}
        self._group: RowGroup | None = None
        self._doubt: str | None = None

    def take(self, values: Mapping[str, Cell], *, first: int, last: int) -> Iterator[Piece]:
        """Read the row that stands in lines `first` to `last`."""
        cells = RowCells(values, self._how)
        try:
            reading = self._reading(cells)
            if isinstance(reading, Grouping):
                yield from self._join(cells, reading, first=first, last=last)
            else:
                yield from self.end()
                yield self._piece(lambda: reading(cells), self.where(first, last), first)
            self._doubt = None
        except Rejected as error:
            yield from self.refuse(error, first=first, last=last)

    def refuse(self, error: Rejected, *, first: int, last: int) -> Iterator[Piece]:
        """Report a row that cannot be read. It may belong to the document before it or behind it: both are refused."""
        self._doubt = self.where(first, last)
        if self._group is not None:
            self._group.spoilt = self._doubt
        yield error.at(self._doubt)

    def end(self) -> Iterator[Piece]:
        """Finish the document in hand; the file's last one needs it too."""
        group, self._group = self._group, None
        if group is None or not group.lines:
            return
        where = self.where(group.first, group.last)
        if group.spoilt is not None and (group.how.word == "bill" or self._how.options.bad_lines == "whole"):
            yield incomplete(where, group.spoilt)
        else:
            yield self._piece(group.draft, where, group.first)

    def where(self, first: int, last: int) -> str:
        """Name the place of a row."""
        return f"{self._unit} {first}" if first == last else f"{self._unit}s {first}-{last}"

    def _reading(self, cells: RowCells) -> Grouping | Alone:
        """How a row is read, by its kind."""
        kind: str | None = self._how.options.kind
        if kind is None and cells.text_or_none("change"):
            return read_change(cells)
        kind = kind or self._kinds.get(cells.text("kind").casefold())
        if kind is None:
            message = f"no kind of row; option kinds declares words other than {', '.join(_KINDS)}"
            raise Rejected("unknown_kind", message, field="kind")
        return _READINGS[kind]

    def _join(self, cells: RowCells, how: Grouping, *, first: int, last: int) -> Iterator[Piece]:
        moment = cells.when()
        key = how.ids(cells), how.when(moment)
        group = self._group
        if group is None or (group.how, group.key) != (how, key):
            yield from self.end()
            group = self._group = RowGroup(how, key, first, last, moment.time, spoilt=self._doubt)
        group.last = last
        try:
            if not group.take(cells, moment):
                yield Taken(self.where(first, last), (), ignored="quantity_zero")
        except (Rejected, ValidationError, SchemaError) as error:
            group.spoilt = self.where(first, last)
            yield _refused(group.spoilt, error)

    def _piece(self, draft: Callable[[], RowDraft | str], where: str, number: int) -> Piece:
        try:
            found = draft()
            return Taken(where, (), ignored=found) if isinstance(found, str) else self._named(found, where, number)
        except (Rejected, ValidationError, SchemaError) as error:
            return _refused(where, error)

    def _named(self, draft: RowDraft, where: str, number: int) -> Piece:
        """Name a draft, and make its event. Raises Rejected, and the refusals of models."""
        fact = f"{self._prefix}:{draft.word}:{self._system}"
        if draft.named is None:
            name = fact = fact + self._hashed(draft.content)
        else:
            fact += draft.named
            name = f"{fact}:v{draft.content.hex()[:8]}"
            identity = f"{fact}:{draft.time.isoformat()}" if draft.word == "order" else fact
            if repeated := self._repeated(identity, draft.content, where, number):
                return repeated
        data, source = draft.make(fact=fact), f"warehouse-{self._prefix}"
        return Taken(where, (wrap(data, source=source, company=self._company, at=draft.time, name=name),))

    def _hashed(self, content: bytes) -> str:
        """The name of a row that has none: its hash, and which of the rows that say the same it is."""
        if self.is_cut():
            message = "the last line has no end: it may be cut, and the whole row would then post beside it"
            raise Rejected("cut_row", f"{message}; end it, or set the option bare_end = true")
        key = content[:16]
        times = self._seen[key] = self._seen.get(key, 0) + 1
        return content.hex()[:16] + (f":{times}" if times > 1 else "")

    def _repeated(self, identity: str, content: bytes, where: str, number: int) -> Piece | None:
        """What becomes of row `number` where another row was of this identity; None where it is the first."""
        packed = int.from_bytes(content[:8]) << 40 | number
        first = self._seen.setdefault(digest((identity,))[:16], packed)
        if first == packed:
            return None
        if first >> 40 == packed >> 40:
            return Taken(where, (), ignored="repeated")
        rows = f"{self._unit} {first & _LOW} and {self._unit} {number}"
        return Refused(where, "id_twice", f"{rows} differ, and both are {identity}: only one can be right")


def _refused(where: str, error: Rejected | ValidationError | SchemaError) -> Refused:
    """Say what is wrong; a model's refusal holds the input, of which only the field's name is kept."""
    match error:
        case Rejected():
            return error.at(where)
        case ValidationError():
            problem = first_problem(error)
            name = problem.field and problem.field.partition(".")[0]
            return Refused(where, "invalid_event", problem.message, name and _OUR_NAMES.get(name, name))
        case _:
            return Refused(where, "invalid_event", str(error))
