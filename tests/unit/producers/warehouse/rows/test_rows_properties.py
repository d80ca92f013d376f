"""Whatever the bytes: facts do not hang on cuts, order or repetition, and nothing but Rejected is ever raised."""

import contextlib
import json
import tracemalloc
from collections import Counter
from io import BytesIO
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from producers.normalising import FileReader, NormaliseContext, Normaliser, Refused, Rejected
from producers.reading.documents import split_documents
from producers.warehouse import shopify
from producers.warehouse.rows import csv_rows, json_rows
from producers.warehouse.rows.options import FIELDS, RowKind
from schemas.envelope import decode, encode
from tests.unit.producers.warehouse.reading import (
    DATA,
    events_of,
    facts_of,
    json_lines,
    normalise_cin7,
    read_csv,
    read_json,
)

HEADER = "item,place,quantity,reason,day\n"
rows = st.lists(
    st.builds(
        lambda item, place, quantity, reason, day: f"{item},{place},{quantity},{reason},2026-01-{day:02d}\n",
        st.sampled_from("ABC"),
        st.sampled_from(["", "MAIN"]),
        st.integers(-3, 3),
        st.sampled_from(["damage", "found", "Bruch"]),
        st.integers(1, 3),
    ),
    max_size=12,
)


@given(rows, st.data())
def test_a_file_cut_anywhere_and_delivered_again_whole_gives_the_same_facts(lines: list[str], data: Any) -> None:  # noqa: ANN401
    whole = (HEADER + "".join(lines)).encode()
    before = read_csv(whole[: data.draw(st.integers(len(HEADER), len(whole)))], kind="adjusted")
    after = {event.id: event for event in events_of(read_csv(whole, kind="adjusted"))}
    assert all(after[event.id] == event for event in events_of(before))
    assert len({event.data.fact for event in after.values()}) == len(after)


@given(rows, st.randoms())
def test_the_order_of_rows_does_not_matter(lines: list[str], random: Any) -> None:  # noqa: ANN401
    shuffled = list(lines)
    random.shuffle(shuffled)
    one, other = (read_csv(HEADER + "".join(some), kind="adjusted") for some in (lines, shuffled))
    assert sorted(facts_of(one)) == sorted(facts_of(other))
    assert {event.id: event for event in events_of(one)} == {event.id: event for event in events_of(other)}


@given(rows)
def test_every_row_is_an_event_an_ignored_row_or_a_refusal(lines: list[str]) -> None:
    found = read_csv(HEADER + "".join(lines), kind="adjusted")
    assert Counter(piece.where for piece in found) == Counter(f"line {n}" for n in range(2, len(lines) + 2))


cells = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["", "1", "-2", "1.5", "2026-01-15", "2026-01-15T10:00:00Z", "found", "USD", "A", "put away", "R1"]
    ),
)
kinds = st.sampled_from([*get_args(RowKind), None])


@given(kinds, st.lists(st.sampled_from(FIELDS), unique=True), st.data())
def test_no_cells_make_the_reader_of_csv_fail(kind: str | None, names: list[str], data: Any) -> None:  # noqa: ANN401
    table = data.draw(st.lists(st.lists(cells, min_size=len(names), max_size=len(names)), max_size=5))
    text = ",".join(names) + "\n" + "".join(",".join(row) + "\n" for row in table)
    mapped = {name: [name, name] for name in ("out", "before", "time") if name in names}
    _read_without_failing(csv_rows.read, text.encode("utf-8", "surrogatepass"), kind=kind, columns=mapped)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | cells,
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(kinds, st.lists(st.dictionaries(st.sampled_from(FIELDS), values), max_size=4))
def test_no_values_make_the_reader_of_json_fail(kind: str | None, table: list[dict[str, object]]) -> None:
    columns = {"out": "out", "before": ["before", "/before", "over.x"]}
    _read_without_failing(json_rows.read, json_lines(*table), kind=kind)
    _read_without_failing(json_rows.read, json.dumps(table).encode(), kind=kind, columns=columns)
    _read_without_failing(json_rows.read, json.dumps({"a": table}).encode(), kind=kind, rows="a", columns=columns)


@given(st.sampled_from([csv_rows.read, json_rows.read]), st.binary(max_size=300))
@example(csv_rows.read, b'item,quantity,reason,day\n\r\n"\r\x00')
@example(csv_rows.read, "item,quantity,reason,day\n\ud800,1,found,2026-01-15\n".encode("utf-8", "surrogatepass"))
@example(csv_rows.read, b'item,quantity,reason,day\n"A,1,found,2026-01-15\n')
@example(json_rows.read, b'{"quantity": 1e999999}\n{"quantity": 123}\n')
@example(json_rows.read, b'{"item": "a", "quantity": 1E+400, "reason": "found", "day": "2026-01-15"}')
@example(json_rows.read, b'{"item": "a", "quantity": 1E+99999999, "reason": "found", "day": "2026-01-15"}')
@example(json_rows.read, b'{"item": 1E+400, "quantity": 1, "reason": "found", "day": "2026-01-15"}')
def test_no_bytes_make_a_reader_fail(reader: FileReader, raw: bytes) -> None:
    _read_without_failing(reader, raw, kind="adjusted")
    _read_without_failing(reader, b"item,quantity,reason,day\n" + raw, kind="adjusted")


@given(st.sampled_from([normalise_cin7, shopify.normalise]), st.binary(max_size=200))
@example(normalise_cin7, b'{"NewStockLines": [{"Quantity": 1E+99999999}], "Status": "COMPLETED"}')
@example(normalise_cin7, b'{"NewStockLines": [{"Quantity": 1E-99999999}], "Status": "COMPLETED"}')
@example(shopify.normalise, b'{"inventory_item_id": 1E+99999999, "available": 1}')
def test_no_bytes_make_a_normaliser_fail(normaliser: Normaliser, raw: bytes) -> None:
    with contextlib.suppress(Rejected):
        normaliser(raw, NormaliseContext())


_DOCUMENTS = [
    *((normalise_cin7, path) for path in sorted((DATA / "cin7-core").glob("*.json"))),
    (shopify.normalise, DATA / "shopify-fixtures" / "inventory_levels.json"),
]


@given(st.sampled_from(_DOCUMENTS), st.data())
def test_no_spoilt_field_makes_a_normaliser_fail(document: tuple[Normaliser, Any], data: Any) -> None:  # noqa: ANN401
    normaliser, path = document
    parsed = json.loads(path.read_bytes())
    place, name = data.draw(st.sampled_from(list(_places(parsed))))
    place[name] = data.draw(values)
    with contextlib.suppress(Rejected):
        for event in normaliser(json.dumps(parsed).encode(), NormaliseContext()).events:
            assert decode(encode(event)) == event


def _places(value: Any) -> Any:  # noqa: ANN401
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield value, name
        yield from _places(inner)


def _read_without_failing(reader: FileReader, raw: bytes, **options: object) -> None:
    with contextlib.suppress(Rejected):
        for piece in reader(BytesIO(raw), NormaliseContext(options=options)):
            assert piece.where
            if isinstance(piece, Refused):
                assert piece.reason
                continue
            assert piece.events or piece.ignored
            assert all(decode(encode(event)) == event for event in piece.events)


def test_a_json_row_and_its_repetition_are_one_fact() -> None:
    row = {"id": 1, "item": "A", "quantity": "1", "reason": "found", "day": "2026-01-15"}
    assert facts_of(read_json([row, row], kind="adjusted")) == ["json:adjusted:1"]


@pytest.mark.parametrize("source", ["cin7-core", "shopify-fixtures", "shopify-webhook-inventory-level"])
def test_every_public_input_is_events_or_ignored_with_a_reason(source: str) -> None:
    normaliser = normalise_cin7 if source.startswith("cin7") else shopify.normalise
    paths = sorted((DATA / source).glob("*.json"))
    assert paths
    for path in paths:
        for document in split_documents(path.read_bytes()):
            found = normaliser(document, NormaliseContext())
            assert found.events or found.ignored, path.name


def test_memory_grows_by_a_hash_a_row_and_not_by_the_row() -> None:
    small, large = (_peak_memory(count) for count in (500, 2500))
    assert (large - small) / 2000 < 400  # bytes, of rows of 2 000


def _peak_memory(count: int) -> int:
    lines = "".join(f"{n:0>200},{'x' * 1800},1,found,2026-01-15\n" for n in range(count))
    stream = BytesIO(("item,note,quantity,reason,day\n" + lines).encode())
    options = {"kind": "adjusted", "ignored": ["note"]}
    tracemalloc.start()
    try:
        assert sum(1 for _ in csv_rows.read(stream, NormaliseContext(options=options))) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
