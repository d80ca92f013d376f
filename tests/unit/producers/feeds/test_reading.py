"""What every source has in common: the feed's name in its facts."""

from io import BytesIO

import pytest

from producers.feeds.reading import normalise_document, read, read_document
from producers.normalising import NormaliseContext, Refused, Taken
from schemas.envelope import decode, encode


def facts(source: str, text: bytes, facts_of: str) -> list[tuple[str, str]]:
    pieces = list(read(source, BytesIO(text), NormaliseContext(facts_of=facts_of), max_bytes=1000))
    return [(event.data.fact, event.id) for piece in pieces if isinstance(piece, Taken) for event in piece.events]


def test_two_feeds_with_the_same_ids_are_two_sources() -> None:
    north, south = (facts("lines", b"one\ntwo\n", name) for name in ("north", "south"))
    assert north == [("north/lines:one", "north/lines:one"), ("north/lines:two", "north/lines:two")]
    assert not {name for pair in north for name in pair} & {name for pair in south for name in pair}


def test_a_feed_that_is_older_than_that_goes_on_telling_the_same_facts() -> None:
    assert facts("lines", b"one\n", "") == [("lines:one", "lines:one")]


def test_what_is_refused_is_told_as_it_is() -> None:
    [piece] = read("lines", BytesIO(b"bad\n"), NormaliseContext(facts_of="north"), max_bytes=1000)
    assert isinstance(piece, Refused)


def test_a_polled_item_has_the_name_too_and_can_be_sent() -> None:
    context = NormaliseContext(facts_of="shop")
    normalised, _ = read_document("lines", b"one", context)
    [event] = normalised.events
    assert event.data.fact == "shop/lines:one"
    assert decode(encode(event)) == event
    assert normalise_document("lines", b"one", context).events == (event,)


@pytest.mark.parametrize("facts_of", ["", "shop"])
def test_what_also_comes_by_webhook_keeps_its_own_name(facts_of: str) -> None:
    assert facts("line", b'"one"', facts_of) == [('lines:"one"', 'lines:"one"')]
