"""Whatever the bytes, a reader of whole files gives pieces or rejects the file: nothing else ever comes out of it."""

import io
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.normalising import FileReader, NormaliseContext, Refused, Rejected, Taken
from producers.reading import xml_tree
from producers.sources import SOURCES
from producers.warehouse.edi import envelope as edi_envelope
from tests.searching import examples, search
from tests.unit.producers.warehouse.reading_files import MADE

NAMES = ("x12", "edifact", "ubl", "epcis")
OPTIONS: dict[str, dict[str, object]] = {
    "x12": {"control_counts": "warn", "post_tests": True, "encoding": "latin-1"},
    "edifact": {"control_counts": "warn", "post_tests": True, "encoding": "latin-1"},
    "ubl": {"ours": ["9501101530003"]},
    "epcis": {},
}
SEEDS = {source: sorted(file.read_bytes() for file in MADE.glob(f"{source}-*")) for source in NAMES}
SPLICES = [
    b"~",
    b"*",
    b"'",
    b"?",
    b"+",
    b":",
    b"<",
    b"]]>",
    b"\x00",
    b"\n",
    b"-",
    b"9" * 30,
    b"1e999999999",
    b"\xff",
    b'"',
]


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    raw = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 40)))
        raw[start:end] = draw(
            st.one_of(st.sampled_from(SPLICES), st.binary(max_size=6), st.just(bytes(raw[:start][-60:])))
        )
    return bytes(raw)


def read(reader: FileReader, raw: bytes, options: dict[str, object]) -> str | None:
    try:
        for piece in reader(io.BytesIO(raw), NormaliseContext(options=options)):
            assert isinstance(piece, (Taken, Refused))
            assert piece.where
            assert isinstance(piece, Refused) or piece.events or piece.ignored
    except Rejected as error:
        return error.reason
    return None


@search
@pytest.mark.parametrize("source", NAMES)
@given(raw=st.binary(max_size=400))
@settings(max_examples=examples(40), deadline=None)
def test_any_bytes_are_read_or_rejected(source: str, raw: bytes) -> None:
    read(SOURCES[source].pieces, raw, {})


@search
@pytest.mark.parametrize("source", NAMES)
@given(data=st.data())
@settings(max_examples=examples(60), deadline=None)
def test_damaged_files_are_read_or_rejected(source: str, data: st.DataObject) -> None:
    raw = data.draw(mutated(SEEDS[source]))
    for options in ({}, OPTIONS[source]):
        read(SOURCES[source].pieces, raw, dict(options))


@pytest.mark.parametrize("source", NAMES)
def test_every_cut_of_a_file_is_rejected_or_read_without_its_end(source: str) -> None:
    for seed in SEEDS[source]:
        for end in range(0, len(seed), 7):
            read(SOURCES[source].pieces, seed[:end], {})


def test_a_cut_interchange_is_never_taken_for_a_whole_one() -> None:
    for source, mark in (("x12", b"IEA*"), ("edifact", b"UNZ+")):
        for seed in SEEDS[source]:
            for end in range(1, seed.index(mark.replace(b"*", seed[3:4]) if source == "x12" else mark)):
                assert read(SOURCES[source].pieces, seed[:end], {}) is not None


@pytest.mark.parametrize(
    ("source", "module", "limit"),
    [
        ("x12", edi_envelope, "MOST_SEGMENTS"),
        ("edifact", edi_envelope, "MOST_SEGMENTS"),
        ("ubl", xml_tree, "_MOST"),
    ],
)
def test_a_document_of_countless_tiny_parts_is_rejected(
    source: str, module: ModuleType, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [read(SOURCES[source].pieces, seed, {}) for seed in SEEDS[source]]
    monkeypatch.setattr(module, limit, 5)
    assert "too_large" not in whole
    assert {read(SOURCES[source].pieces, seed, {}) for seed in SEEDS[source]} == {"too_large"}
