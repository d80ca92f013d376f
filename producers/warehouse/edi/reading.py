"""One reading of EDI: a file to its documents, and each, by the layout of its kind, to what it says of goods.

It must not know a standard, nor one set or message from another.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, BinaryIO, Generic, Literal, TypeVar

from pydantic import Field

from producers.drafts import digest, wrap
from producers.normalising import NormaliseContext, Rejected, Taken
from producers.reading.files import Words, read_whole
from producers.reading.numbers import quantity_from
from producers.reading.options import read_options
from producers.warehouse.edi.envelope import Document, Parties, S, Standard, Walk, check_envelope
from producers.warehouse.goods import (
    GoodsDocument,
    GoodsKind,
    GoodsLine,
    GoodsOptions,
    Pieces,
    events_of,
    ignored,
    lines_of,
    several,
)


class EdiOptions(GoodsOptions):
    """How EDI is read.

    `control_counts` strict: a file whose counts or control numbers are wrong is rejected; warn: it is read, and each
    is reported. `item_qualifiers` says which id of an item is its SKU, `level_qualifiers` which quantity of a report of
    levels is stock on hand: the first that is there. `ours` are our own ids as a party: what is received from them is
    no receipt of ours. `post_tests` takes interchanges that are marked as tests. `senders` and `receivers` are the only
    ids that envelopes may give.
    """

    encoding: Literal["utf-8", "ascii", "latin-1", "windows-1252"] | None = None
    control_counts: Literal["strict", "warn"] = "strict"
    item_qualifiers: Annotated[Words, Field(min_length=1)]
    level_qualifiers: Annotated[Words, Field(min_length=1)]
    ours: Words = ()
    senders: Words = ()
    receivers: Words = ()
    post_tests: bool = False


O = TypeVar("O", bound=EdiOptions)  # noqa: E741


@dataclass(slots=True)
class Reading(Generic[O]):
    """One file being read: its settings, and how often a document without a number was seen."""

    options: O
    seen: Counter[str] = field(default_factory=Counter)

    def item(self, ids: Mapping[str, str], *, at: str) -> str:
        """Choose the SKU of these ids, which stand by their qualifiers. Raises Rejected: `no_item`."""
        item = next((ids[wanted] for wanted in self.options.item_qualifiers if wanted in ids), None)
        if item is None:
            has = names(ids)
            message = f"no item id of a qualifier in item_qualifiers (it has: {has}): name the one that is your SKU"
            raise Rejected("no_item", message, field=at)
        return item

    def not_on_hand(self, qualifiers: Iterable[str | None], *, at: str) -> Rejected:
        """Build the refusal of a level of which no quantity has a qualifier of stock on hand; it has these."""
        has = names(qualifiers)
        message = f"no quantity of a qualifier in level_qualifiers (it has: {has}): name the one that is stock on hand"
        return Rejected("no_on_hand_quantity", message, field=at)

    def fact(self, document: Document[S], *numbers: str | None) -> str:
        """Name a document by its sender, kind and numbers; where it has none, by what it says."""
        given = [number for number in numbers if number]
        if not given:
            said = digest(*(segment.body for segment in document.segments[1:-1]))
            self.seen[said] += 1
            given = [said if self.seen[said] == 1 else f"{said}:{self.seen[said]}"]
        return ":".join((document.standard.name, document.sender, document.kind.lower(), *given))


def names(qualifiers: Iterable[str | None]) -> str:
    """Show qualifiers to people, each cut at 4; `none` where there are none."""
    return ", ".join(sorted({(qualifier or "?")[:4] for qualifier in qualifiers})) or "none"


@dataclass(frozen=True, slots=True)
class Part(Generic[S]):
    """One line of a document, with all segments that belong to it. `number` counts from 1; `fact` is what it posts."""

    segments: tuple[S, ...]
    number: int
    fact: str
    order: str | None = None

    @property
    def head(self) -> S:
        """The segment that it begins with."""
        return self.segments[0]

    def line(self, **values: Any) -> GoodsLine:  # noqa: ANN401  (fields of a line)
        """Make the line of what it says."""
        return GoodsLine(where=self.head.where, fact=self.fact, order=self.order, **values)


Read = Iterator[GoodsLine | Taken]


@dataclass(frozen=True, slots=True)
class Head(Generic[S, O]):
    """Where the head of a document, and what stands before its lines, say what holds for all of it.

    `numbers` are elements of the segment `tag` that name the document, of each group the first that is there. `check`
    refuses the document, or says why it posts nothing.
    """

    tag: str
    numbers: tuple[tuple[int, ...], ...]
    day: Callable[[S, Sequence[S]], date | None]
    place: Callable[[Sequence[S]], str | None]
    check: Callable[[Document[S], S, Reading[O]], str | None]


@dataclass(frozen=True, slots=True)
class Lines(Generic[S, O]):
    """How the lines of a document are read: one is a `tag` with what follows it, up to the next one or to `ends`.

    `order` finds the order of a line, or before the lines, else the element `order_at` of the head has it; without it
    each line is a fact of its own. `total` is the tag and the element that says what the lines make.
    """

    tag: str
    ends: Collection[str]
    read: Callable[[Part[S], Reading[O]], Read]
    order: Callable[[Sequence[S]], str | None] | None = None
    order_at: int | None = None
    total: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Layout(Generic[S, O]):
    """Where in a set or message stands what it says. `turned` makes another document of it where the head says so."""

    kind: GoodsKind
    head: Head[S, O]
    lines: Lines[S, O]
    reason: str | None = None
    supplier: Callable[[Sequence[S]], str | None] = lambda _: None
    turned: Callable[[GoodsDocument, S], GoodsDocument] = lambda goods, _: goods


def goods_of(document: Document[S], layout: Layout[S, O], reading: Reading[O]) -> GoodsDocument:
    """Read a document. Raises Rejected for the whole of it: `missing_segment`, `no_lines`, and what `check` raises."""
    head, header = document.must(layout.head.tag), document.header(layout.lines.tag)
    nothing = layout.head.check(document, head, reading)
    loops = document.loops(layout.lines.tag, layout.lines.ends)
    if nothing or not (loops or layout.lines.order):
        return ignored(nothing or "no_lines", where=head.where)
    numbers = [next(filter(None, map(head.get, group)), None) for group in layout.head.numbers]
    number = next(filter(None, reversed(numbers)), None)
    parts = _parts(loops, document, layout.lines, head, partial(reading.fact, document, *numbers))
    goods = GoodsDocument(
        kind=layout.kind,
        lines=lines_of(parts, lambda part: layout.lines.read(part, reading), where=lambda part: part.head.where),
        number=number,
        document=number,
        supplier=layout.supplier(header),
        day=layout.head.day(head, header),
        place=layout.head.place(header),
        reason=layout.reason,
        total=_total(document, *layout.lines.total) if layout.lines.total else None,
    )
    return layout.turned(goods, head)


def _parts(
    loops: Sequence[tuple[S, ...]], document: Document[S], lines: Lines[S, O], head: S, fact: Callable[..., str]
) -> Iterable[Part[S]]:
    if lines.order is None:
        named = fact()
        return [Part(loop, index, f"{named}:{index}") for index, loop in enumerate(loops, start=1)]
    if not loops:
        message = f"a receipt without a line ({lines.tag}): what was received is not said, or not where it belongs"
        raise Rejected("no_lines", message, field=lines.tag)
    whole = lines.order(document.header(lines.tag)) or (head.get(lines.order_at) if lines.order_at else None)
    orders = [lines.order(loop) or whole for loop in loops]
    apart = several(orders)
    facts = {order: fact(order if apart else None) for order in dict.fromkeys(orders)}
    numbered = enumerate(zip(loops, orders, strict=True), start=1)
    return [Part(loop, index, facts[order], order) for index, (loop, order) in numbered]


def _total(document: Document[S], tag: str, element: int) -> tuple[Decimal, str] | None:
    segment = document.first(tag)
    text = segment.get(element) if segment else None
    name = segment.field(element) if segment else tag
    return (quantity_from(text, field=name), name) if text else None


def read_edi(
    stream: BinaryIO,
    context: NormaliseContext,
    *,
    standard: Standard[S],
    options: type[O],
    layouts: Mapping[str, Layout[S, O]],
) -> Pieces:
    """Read every document of every interchange of the file; one without a layout is ignored, by its kind.

    The whole envelope is checked before the first piece is given: Rejected is raised there and nowhere later. The
    documents whose own count is wrong are refused first, if `control_counts` is strict. A `Refused` whose reason begins
    with `warning:` says what is wrong with an envelope, and stops nothing.
    """
    settings = read_options(options, context.options)
    strict, encoding = settings.control_counts == "strict", settings.encoding
    raw = read_whole(stream, max_bytes=settings.max_bytes)
    parties = Parties(settings.senders, settings.receivers)
    yield from check_envelope(raw, standard, encoding=encoding, strict=strict, parties=parties)
    reading, empty = Reading(settings), True
    for document in Walk(standard).documents(raw, encoding):
        empty = False
        if document.sound or not strict:
            yield from _take(document, layouts.get(document.kind), reading, company=context.company)
    if empty:
        yield Taken("file", (), ignored=f"no_{standard.word}s")


def _take(document: Document[S], layout: Layout[S, O] | None, reading: Reading[O], *, company: str) -> Pieces:
    where, standard, options = document.segments[0].where, document.standard, reading.options
    event = partial(wrap, source=standard.name, company=company)
    try:
        if layout is None:
            goods = ignored(f"{standard.word}:{document.kind[:10]}")
        elif document.test and not options.post_tests:
            goods = ignored("test_interchange")
        else:
            goods = goods_of(document, layout, reading)
        yield from events_of(goods, event, where=where, bad_lines=options.bad_lines)
    except Rejected as error:
        yield error.at(where)
