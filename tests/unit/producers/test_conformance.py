"""What every source of the table keeps to, on a real example of its own and on damaged ones.

An example is as a provider or partner sends it, byte for byte where one is at hand (SOURCE.txt of its folder says).
"""

import copy
import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import BaseModel

from producers.feeds.reading import read_document
from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.source import Source, refuse_people
from producers.sources import SOURCES, queued
from producers.webhooks.intake import Hook
from runtime.errors import ConfigurationError
from schemas.envelope import encode
from tests.unit.producers.receiving import stripe_hook
from tests.unit.producers.webhooks.recipes import recipe

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data"
DAMAGES: Final = 20
"""Damaged examples of each kind, drawn anew for each source and always the same."""
MARK: Final = "Zebediah Quackenbush"
"""Stands in for a person: in every object of a document, and in every row of a file."""
TYPES: Final[tuple[object, ...]] = (MARK, None, True, -1, 10.005, [], {MARK: MARK}, "9" * 40)


@dataclass(frozen=True)
class Example:
    """A document that a source reads, its options, and the page that tells of them."""

    body: bytes
    page: str
    options: Mapping[str, Any] = field(default_factory=dict)


def of_file(name: str, page: str, **options: object) -> Example:
    return Example((ROOT / name).read_bytes(), page, options)


EXAMPLES: Final[Mapping[str, Example]] = {
    "cin7": of_file("tests/data/cin7-core/stockadjustment.get.completed.json", "feeds/cin7.md"),
    "edifact": of_file("tests/data/warehouse-made/edifact-invrpt.edi", "feeds/edi.md"),
    "epcis": of_file("tests/data/warehouse-made/epcis-events.json", "feeds/epcis.md", ours=["0614141000005"]),
    "finch": of_file("tests/data/payroll-made/finch-run.json", "payroll-sources.md"),
    "gusto": of_file("tests/data/payroll-made/gusto-full.json", "payroll-sources.md"),
    "payroll-csv": of_file("tests/data/payroll-made/adp.csv", "payroll-sources.md", provider="adp"),
    "shopify": of_file("tests/data/shopify-fixtures/inventory_levels.json", "feeds/shopify.md"),
    "square": of_file("tests/data/square-api/get-payment.json", "square.md"),
    "stripe": of_file("tests/data/stripe-ruby-mock/charge.succeeded.json", "postings.md"),
    "ubl": of_file("tests/data/ubl-made/receipt-advice-2.0.xml", "feeds/ubl.md"),
    "warehouse-csv": Example(*recipe("NetSuite: adjustments as a saved search", "feeds/csv.md")),
    "warehouse-json": Example(*recipe("Square: changes of stock", "feeds/json.md")),
    "x12": of_file("tests/data/warehouse-made/x12-944.edi", "feeds/edi.md"),
    "xero-payroll": of_file("tests/data/xero-payroll-au/payruns-payrunid.json", "payroll-sources.md"),
}


@dataclass
class Outcome:
    """What came of a body: the facts, and all that was said."""

    facts: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def outcome_of(name: str, body: bytes) -> Outcome:
    """Read it; whatever else than Rejected is raised goes through, as a mistake of ours."""
    outcome, context, source = Outcome(), NormaliseContext(options=EXAMPLES[name].options), SOURCES[name]
    try:
        for piece in parts_of(source, body, context):
            if isinstance(piece, Taken):
                outcome.facts += map(encode, piece.events)
                outcome.said += [piece.where, str(piece.ignored)]
            else:
                outcome.said += [str(part) for part in (piece.where, piece.reason, piece.field, piece.message)]
    except Rejected as rejected:
        outcome.said += [rejected.reason, str(rejected.field), *chained(rejected)]
    return outcome


def parts_of(source: Source, body: bytes, context: NormaliseContext) -> Iterable[Taken | Refused]:
    """A document is not cut up: what is wrong with it is raised, with all that led to it."""
    if source.document is None:
        return source.pieces(BytesIO(body), context)
    whole = source.document(body, context)
    return [Taken("document", whole.events, whole.ignored)]


def chained(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{error} {error!r} {error.args}"
        error = error.__cause__ or error.__context__


by_name = pytest.mark.parametrize("name", SOURCES)
of_people = pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.people])


def test_the_suite_has_an_example_of_every_source() -> None:
    assert EXAMPLES.keys() == SOURCES.keys()


@by_name
def test_the_same_bytes_give_the_same_facts(name: str) -> None:
    once, again = (outcome_of(name, EXAMPLES[name].body) for _ in range(2))
    assert once.facts
    assert once == again


@by_name
def test_a_document_is_read_alike_whole_and_piece_by_piece(name: str) -> None:
    example = EXAMPLES[name]
    context = NormaliseContext(options=example.options)
    normalised, rejected = read_document(name, example.body, context)
    facts = [encode(event) for event in normalised.events]
    assert facts == outcome_of(name, example.body).facts
    if rejected is None:
        assert [encode(event) for event in SOURCES[name].normalise(example.body, context).events] == facts


@by_name
def test_whatever_is_damaged_is_refused_in_words_and_told_alike_again(name: str) -> None:
    for body in damaged(name, EXAMPLES[name].body):
        assert outcome_of(name, body) == outcome_of(name, body)


@of_people
def test_of_people_nothing_is_said_whatever_is_damaged(name: str) -> None:
    planted = with_people(name)
    for body in (planted, *damaged(name, planted)):
        told = " ".join(outcome_of(name, body).said).casefold()
        assert not [word for word in MARK.casefold().split() if word in told], "a person is named"


@by_name
def test_an_unknown_option_is_refused_by_the_model_of_the_source(name: str) -> None:
    model = SOURCES[name].options
    assert issubclass(model, BaseModel)
    with pytest.raises(ValueError, match="Extra inputs"):
        model.model_validate({**EXAMPLES[name].options, "no_such_option": 1})


@by_name
def test_every_option_is_documented(name: str) -> None:
    page = (ROOT / "docs" / EXAMPLES[name].page).read_text("utf-8")
    rows = (ROOT / "docs" / "feeds" / "csv.md").read_text("utf-8")  # JSON says what it has beyond CSV
    text = page + (rows if name == "warehouse-json" else "")
    assert [option for option in SOURCES[name].options.model_fields if f"`{option}" not in text] == []


@of_people
def test_people_cannot_be_made_a_feed_or_a_webhook(name: str) -> None:
    source = SOURCES[name]
    for refuses in (lambda: queued(name), lambda: refuse_people(source), lambda: hook_on(source)):
        with pytest.raises(ConfigurationError, match="names people"):
            refuses()


@by_name
def test_every_other_source_can_be_both(name: str) -> None:
    if not SOURCES[name].people:
        assert queued(name) is SOURCES[name]
        assert hook_on(SOURCES[name]).source.name == name


@by_name
def test_who_is_pulled_says_what_it_needs_and_holds_people(name: str) -> None:
    pulled = SOURCES[name].pulled
    if pulled is not None:
        assert SOURCES[name].people
        assert "token_file" in pulled.needs
        assert pulled.base_url.startswith("https://")


def hook_on(source: Source) -> Hook:
    return replace(stripe_hook(), source=source)


def damaged(name: str, body: bytes) -> Iterator[bytes]:
    """Bits are turned over, ends are missing, and values are of another type."""
    drawn = random.Random(name)  # noqa: S311 - damages, and no keys
    for _ in range(DAMAGES):
        place = drawn.randrange(len(body))
        yield body[:place] + bytes([body[place] ^ (1 << drawn.randrange(8))]) + body[place + 1 :]
        yield body[: drawn.randrange(len(body))]
    yield from mistyped(body, drawn)


def mistyped(body: bytes, drawn: random.Random) -> Iterator[bytes]:
    """Of JSON a value in place of another; of any other text a cell, an element or a field."""
    try:
        document = json.loads(body)
    except ValueError:
        cells = list(re.finditer(rb"[^,;*+~'\r\n<>\"]+", body))
        for cell in drawn.sample(cells, min(DAMAGES, len(cells))):
            word = "Other" if cell.start() < body.find(b"\n") else MARK  # a header is no person
            for text in (word, "", "-1e5", "9" * 40):
                yield body[: cell.start()] + text.encode() + body[cell.end() :]
        return
    ways = list(places(document))
    for way in drawn.sample(ways, min(DAMAGES, len(ways))):
        for value in TYPES:
            yield json.dumps(changed(document, way, value)).encode()


def places(value: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, held in inner:
        yield (*way, step)
        yield from places(held, (*way, step))


def changed(document: object, way: tuple[str | int, ...], value: object) -> object:
    copied: Any = copy.deepcopy(document)
    inner = copied
    for step in way[:-1]:
        inner = inner[step]
    inner[way[-1]] = value
    return copied


def with_people(name: str) -> bytes:
    """The example, with the marked person in every object, or as the person of every row."""
    body = EXAMPLES[name].body
    try:
        return json.dumps(planted(json.loads(body))).encode()
    except ValueError:
        return re.sub(rb'^"[^"]*"', f'"{MARK}"'.encode(), body, count=1, flags=re.MULTILINE)


def planted(value: object) -> object:
    if isinstance(value, dict):
        person = {"first_name": MARK, "ssn": MARK, "iban": MARK, "address": f"1 {MARK} Way"}
        return {name: planted(inner) for name, inner in value.items()} | person
    return [planted(inner) for inner in value] if isinstance(value, list) else value
