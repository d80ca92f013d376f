"""Rows of a warehouse into events, one after the other: what CSV and JSON have in common.

Pure, and in memory no more than one document and a hash a row. It must not know how rows are written in a file.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, Literal, get_args

from pydantic import ValidationError

from producers.drafts import GoodsData, wrap
from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.warehouse.goods import incomplete
from producers.warehouse.rows.alone import RowDraft, adjusted, counted, put_away
from producers.warehouse.rows.cells import Cell, RowCells, RowForm
from producers.warehouse.rows.changes import RowMeaning, read_change
from producers.warehouse.rows.groups import GROUPINGS, RowGroup
from producers.warehouse.rows.names import SeenRows, digest, part
from producers.warehouse.rows.options import RowKind, RowOptions
from schemas.errors import SchemaError
from schemas.problems import first_problem

Piece = Taken | Refused

KINDS: Final[tuple[RowKind, ...]] = get_args(RowKind)
_OUR_NAMES: Final = {"delta": "quantity", "counted": "quantity"}


class RowReader:
    """Takes the rows of one file in their order, and gives what came of them."""

    def __init__(self, options: RowOptions, context: NormaliseContext, *, source: str, prefix: str, unit: str) -> None:
        """Begin a file. `source` is that of its events, `prefix` begins its facts, `unit` is the word for a row.

        `is_cut` may be set: whether the row in hand may have lost its end.
        """
        self._how = RowForm(options, currency=context.currency, system_words=prefix)
        own: dict[str, RowKind | Literal["ignored"]] = {kind: kind for kind in KINDS}
        self._kinds = own | {word.casefold(): kind for word, kind in options.kinds.items()}
        self._company = context.company
        self._source = source.removeprefix("/warehouse/")
        self._prefix = prefix
        self._system = f"{part(options.system)}:" if options.system else ""
        self._unit = unit
        self.is_cut: Callable[[], bool] = lambda: False
        self._seen = SeenRows()
        self._group: RowGroup | None = None
        self._doubt: str | None = None

    def take(self, values: Mapping[str, Cell], *, first: int, last: int) -> Iterator[Piece]:
        """Read the row that stands in lines `first` to `last`."""
        cells = RowCells(values, self._how)
        where = self.where(first, last)
        try:
            match self._kind(cells):
                case str(ignored):
                    yield from self._close()
                    yield Taken(where, (), ignored=ignored)
                case RowMeaning(kind=("receipt" | "return" | "order" | "bill") as kind):
                    yield from self._join(cells, kind, first=first, last=last)
                case meaning:
                    yield from self._close()
                    yield self._alone(cells, meaning, where=where, number=first)
            self._doubt = None
        except Rejected as error:
            yield from self.refuse(error, first=first, last=last)

    def refuse(self, error: Rejected, *, first: int, last: int) -> Iterator[Piece]:
        """Report a row that cannot be read. It may belong to the document before it or behind it: both are refused."""
        where = self.where(first, last)
        if self._group is not None:
            self._group.spoilt = where
        self._doubt = where
        yield Refused(where, error.reason, error.message, error.field)

    def end(self) -> Iterator[Piece]:
        """Finish the file's last document."""
        yield from self._close()

    def where(self, first: int, last: int) -> str:
        """Name the place of a row."""
        return f"{self._unit} {first}" if first == last else f"{self._unit}s {first}-{last}"

    def _kind(self, cells: RowCells) -> RowMeaning | str:
        fixed = self._how.options.kind
        if fixed is not None:
            return RowMeaning(fixed)
        if cells.text_or_none("change"):
            change = read_change(cells)
            return f"change_posts_nothing:{change}" if isinstance(change, str) else change
        kind = self._kinds.get(cells.text("kind").casefold())
        if kind is None:
            message = f"no kind of row; option kinds declares words other than {', '.join(KINDS)}"
            raise Rejected("unknown_kind", message, field="kind")
        return "kind_ignored" if kind == "ignored" else RowMeaning(kind)

    def _alone(self, cells: RowCells, meaning: RowMeaning, *, where: str, number: int) -> Piece:
        try:
            match meaning.kind:
                case "adjusted":
                    draft = adjusted(cells, meaning.reason)
                case "counted":
                    draft = counted(cells)
                case kind:
                    draft = put_away(cells, sign=-1 if kind == "sent_back" else 1)
            return Taken(where, (), ignored=draft) if isinstance(draft, str) else self._named(draft, where, number)
        except (Rejected, ValidationError, SchemaError) as error:
            return _refused(where, error)

    def _named(self, draft: RowDraft, where: str, number: int) -> Piece:
        said = digest((draft.word, *draft.said))
        fact = f"{self._prefix}:{draft.word}:{self._system}"
        if draft.named is None:
            if self.is_cut():
                message = "the last line has no end: it may be cut, and the whole row would then post beside it"
                raise Rejected("cut_row", f"{message}; end it, or set the option bare_end = true")
            times = self._seen.times(said)
            fact += said.hex()[:16] + (f":{times}" if times > 1 else "")
            return self._taken(draft.model(fact=fact, **draft.fields), where, at=draft.moment.time, name=fact)
        fact += draft.named
        content = digest((said.hex(), draft.fields))
        name = f"{fact}:v{content.hex()[:8]}"
        return self._claimed(fact, content, where, number) or self._taken(
            draft.model(fact=fact, **draft.fields), where, at=draft.moment.time, name=name
        )

    def _claimed(self, fact: str, content: bytes, where: str, number: int) -> Piece | None:
        earlier = self._seen.claim(digest((fact,)), content, number=number)
        if earlier is None:
            return None
        first, same = earlier
        if same:
            return Taken(where, (), ignored="repeated")
        message = f"{self._unit} {first} and {self._unit} {number} differ, and both are {fact}: only one can be right"
        return Refused(where, "id_twice", message)

    def _taken(self, data: GoodsData, where: str, *, at: datetime, name: str) -> Taken:
        return Taken(where, (wrap(data, source=self._source, company=self._company, at=at, name=name),))

    def _join(self, cells: RowCells, kind: RowKind, *, first: int, last: int) -> Iterator[Piece]:
        moment = cells.when()
        key = GROUPINGS[kind].key(cells, moment)
        group = self._group
        if group is None or (group.kind, group.key) != (kind, key):
            yield from self._close()
            group = self._group = RowGroup(kind, key, first, last, moment.time, spoilt=self._doubt)
        group.last = last
        try:
            if not group.take(cells, moment):
                yield Taken(self.where(first, last), (), ignored="quantity_zero")
        except (Rejected, ValidationError, SchemaError) as error:
            group.spoilt = self.where(first, last)
            yield _refused(group.spoilt, error)

    def _close(self) -> Iterator[Piece]:
        group, self._group = self._group, None
        if group is None or not group.lines:
            return
        where = self.where(group.first, group.last)
        if group.spoilt is not None and (group.kind == "bill" or self._how.options.bad_lines == "whole"):
            yield incomplete(where, group.spoilt)
            return
        try:
            yield self._document(group, where)
        except (Rejected, ValidationError, SchemaError) as error:
            yield _refused(where, error)

    def _document(self, group: RowGroup, where: str) -> Piece:
        grouping = GROUPINGS[group.kind]
        fact = f"{self._prefix}:{grouping.word}:{self._system}{grouping.name(group)}"
        content = digest((group.time, *sorted(group.head.items()), *sorted(repr(line) for line in group.lines)))
        identity = f"{fact}:{group.time.isoformat()}" if group.kind == "order" else fact
        claimed = self._claimed(identity, content, where, group.first)
        if claimed is not None:
            return claimed
        data = grouping.model(fact=fact, **grouping.fields(group))
        return self._taken(data, where, at=group.time, name=f"{fact}:v{content.hex()[:8]}")


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
