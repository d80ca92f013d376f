"""One reading of EDI: a file to its documents, and each, by the layout of its kind, to what it says of goods.

It must not know a standard, nor one set or message from another.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, BinaryIO, Generic, TypeVar

from producers.drafts import digest, wrap
from producers.normalising import NormaliseContext, Piece, Rejected, Taken
from producers.reading.files import read_whole
from producers.reading.numbers import quantity_from
from producers.reading.options import read_options
from producers.warehouse.edi.envelope import Document, EdiOptions, Standard, Walk, check_envelope, first
from producers.warehouse.edi.syntax import Segment
from producers.warehouse.goods import GoodsDocument, GoodsKind, GoodsLine, events_of, ignored, lines_of, several

O = TypeVar("O", bound=EdiOptions)  # noqa: E741
Segments = Sequence[Segment]
Find = Callable[[Segments], str | None]
GoodsLines = Iterator[GoodsLine | Taken]


@dataclass(frozen=True, slots=True)
class EdiLine(Generic[O]):
    """One line of a document: its first segment `head`, and all that belong to it.

    `number` counts from 1; `fact` is what it posts.
    """

    options: O
    segments: Segments
    number: int
    fact: str
    order: str | None = None

    @property
    def head(self) -> Segment:
        """The segment that it begins with."""
        return self.segments[0]

    def line(self, **values: Any) -> GoodsLine:  # noqa: ANN401  (fields of a line)
        """Make the line of what it says."""
        return GoodsLine(where=self.head.where, fact=self.fact, order=self.order, **values)

    def item(self, ids: Mapping[str, str], *, at: str) -> str:
        """Choose the SKU of these ids, which stand by their qualifiers. Raises Rejected: `no_item`."""
        item = next((ids[wanted] for wanted in self.options.item_qualifiers if wanted in ids), None)
        if item is None:
            has = names(ids)
            message = f"no item id of a qualifier in item_qualifiers (it has: {has}): name the one that is your SKU"
            raise Rejected("no_item", message, field=at)
        return item


def not_on_hand(qualifiers: Iterable[str | None], *, at: str) -> Rejected:
    """Build the refusal of a level of which no quantity has a qualifier of stock on hand; it has these."""
    has = names(qualifiers)
    message = f"no quantity of a qualifier in level_qualifiers (it has: {has}): name the one that is stock on hand"
    return Rejected("no_on_hand_quantity", message, field=at)


def names(qualifiers: Iterable[str | None]) -> str:
    """Show qualifiers to people, each cut at 4; `none` where there are none."""
    return ", ".join(sorted({(qualifier or "?")[:4] for qualifier in qualifiers})) or "none"


@dataclass(frozen=True, slots=True)
class Head(Generic[O]):
    """Where the head of a document, and what stands before its lines, say what holds for all of it.

    `numbers` are elements of the segment `tag` that name the document, of each group the first that is there. `check`
    refuses the document, or says why it posts nothing.
    """

    tag: str
    numbers: tuple[tuple[int, ...], ...]
    day: Callable[[Segment, Segments], date | None]
    place: Find
    check: Callable[[Document, Segment, O], str | None]


@dataclass(frozen=True, slots=True)
class Lines(Generic[O]):
    """How the lines of a document are read: one is a `tag` with what follows it, up to the next one or to `ends`.

    `order` finds the order of a line, or before the lines, else the element `order_at` of the head has it; without it
    each line is a fact of its own. `total` is the tag and the element that says what the lines make.
    """

    tag: str
    ends: Collection[str]
    read: Callable[[EdiLine[O]], GoodsLines]
    order: Find | None = None
    order_at: int = 0
    total: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Layout(Generic[O]):
    """Where in a set or message stands what it says. `turned` makes another document of it where the head says so."""

    kind: GoodsKind
    head: Head[O]
    lines: Lines[O]
    reason: str | None = None
    supplier: Find = lambda _: None
    turned: Callable[[GoodsDocument, Segment], GoodsDocument] = lambda goods, _: goods


@dataclass(slots=True)
class Reading(Generic[O]):
    """One file being read, and how often a document without a number was seen."""

    options: O
    layouts: Mapping[str, Layout[O]]
    company: str
    seen: Counter[str] = field(default_factory=Counter)

    def take(self, document: Document) -> Iterator[Piece]:
        """Give what a document posts; one without a layout is ignored, by its kind."""
        where, name = document.segments[0].where, document.standard.name
        event = partial(wrap, source=name, company=self.company)
        try:
            yield from events_of(self._goods(document), event, where=where, bad_lines=self.options.bad_lines)
        except Rejected as error:
            yield error.at(where)

    def _goods(self, document: Document) -> GoodsDocument:
        layout = self.layouts.get(document.kind)
        if layout is None:
            return ignored(f"{document.standard.word}:{document.kind[:10]}")
        element, mark = document.standard.test
        if document.interchange.get(element) == mark and not self.options.post_tests:
            return ignored("test_interchange")
        head = first(document.segments, layout.head.tag)
        if head is None:
            message = f"a {document.kind} has a {layout.head.tag} segment, and this one has none"
            raise Rejected("missing_segment", message, field=layout.head.tag)
        nothing = layout.head.check(document, head, self.options)
        loops = document.loops(layout.lines.tag, layout.lines.ends)
        if nothing or not (loops or layout.lines.order):
            return ignored(nothing or "no_lines", where=head.where)
        return self._said(document, layout, head, loops)

    def _said(self, document: Document, layout: Layout[O], head: Segment, loops: Sequence[Segments]) -> GoodsDocument:
        header = document.header(layout.lines.tag)
        numbers = [next(filter(None, map(head.get, group)), None) for group in layout.head.numbers]
        number = next(filter(None, reversed(numbers)), None)
        facts = _facts(layout.lines, head, header, loops, partial(self._fact, document, *numbers))
        parts = [
            EdiLine(self.options, loop, index, *fact)
            for index, (loop, fact) in enumerate(zip(loops, facts, strict=True), 1)
        ]
        goods = GoodsDocument(
            kind=layout.kind,
            lines=lines_of(parts, layout.lines.read, where=lambda part: part.head.where),
            number=number,
            document=number,
            supplier=layout.supplier(header),
            day=layout.head.day(head, header),
            place=layout.head.place(header),
            reason=layout.reason,
            total=_total(document, *layout.lines.total) if layout.lines.total else None,
        )
        return layout.turned(goods, head)

    def _fact(self, document: Document, *numbers: str | None) -> str:
        """Name a document by its sender, kind and numbers; where it has none, by what it says."""
        given = [number for number in numbers if number]
        if not given:
            said = digest(*(segment.body for segment in document.segments[1:-1]))
            self.seen[said] += 1
            given = [said if self.seen[said] == 1 else f"{said}:{self.seen[said]}"]
        sender = document.interchange.get(document.standard.parties[0]) or "unknown"
        return ":".join((document.standard.name, sender, document.kind.lower(), *given))


def _facts(
    lines: Lines[O], head: Segment, header: Segments, loops: Sequence[Segments], fact: Callable[..., str]
) -> list[tuple[str, str | None]]:
    """The fact and the order of each line."""
    if lines.order is None:
        named = fact()
        return [(f"{named}:{index}", None) for index in range(1, len(loops) + 1)]
    if not loops:
        message = f"a receipt without a line ({lines.tag}): what was received is not said, or not where it belongs"
        raise Rejected("no_lines", message, field=lines.tag)
    whole = lines.order(header) or (head.get(lines.order_at) if lines.order_at else None)
    orders = [lines.order(loop) or whole for loop in loops]
    apart = several(orders)
    facts = {order: fact(order if apart else None) for order in dict.fromkeys(orders)}
    return [(facts[order], order) for order in orders]


def _total(document: Document, tag: str, element: int) -> tuple[Decimal, str] | None:
    segment = first(document.segments, tag)
    text = segment.get(element) if segment else None
    return (quantity_from(text, field=segment.field(element)), segment.field(element)) if segment and text else None


def read_edi(
    stream: BinaryIO,
    context: NormaliseContext,
    *,
    standard: Standard,
    options: type[O],
    layouts: Mapping[str, Layout[O]],
) -> Iterator[Piece]:
    """Read every document of every interchange of the file.

    The whole envelope is checked before the first piece is given: Rejected is raised there and nowhere later. The
    documents whose own count is wrong are refused first, if `control_counts` is strict. A `Refused` whose reason begins
    with `warning:` says what is wrong with an envelope, and stops nothing.
    """
    settings = read_options(options, context.options)
    raw = read_whole(stream, max_bytes=settings.max_bytes)
    yield from check_envelope(raw, standard, settings)
    reading, empty = Reading(settings, layouts, context.company), True
    for document in Walk(standard).documents(raw, settings.encoding):
        empty = False
        if not (document.faults and settings.control_counts == "strict"):
            yield from reading.take(document)
    if empty:
        yield Taken("file", (), ignored=f"no_{standard.word}s")
