"""Marked people are planted in every document and in every damaged one; then everything that comes out is searched."""

import json
from collections.abc import Iterator
from io import BytesIO
from itertools import product
from pathlib import Path

import pytest

from producers.normalising import NormaliseContext, Rejected
from producers.sources import SOURCES
from schemas.envelope import encode
from tests.searching import search, some
from tests.unit.producers.payroll.made_people import (
    CSV_HEADER,
    DOCUMENTS,
    MARK,
    Person,
    csv_bytes,
    csv_rows,
    money,
)
from tests.unit.producers.payroll.made_runs import (
    GUSTO,
    XERO_AU,
    changed,
    made,
    only_run,
    raw,
    tried,
)
from tests.unit.producers.payroll.test_run_properties import places, spoilt

PEOPLE = [
    Person(3_123_457, 301_139, 207_191, 101_117, 51_131, 11_113, 203_221, 91_127),
    Person(4_321_679, 403_141, 309_193, 203_119, 53_133, 13_117, 305_223, 93_129),
    Person(5_987_653, 505_143, 411_197, 307_121, 57_137, 17_119, 407_227, 95_131),
]
AMOUNTS = {
    money(amount)
    for person in PEOPLE
    for amount in (
        person.gross,
        person.tax,
        person.social,
        person.pension,
        person.garnished,
        person.reimbursed,
        person.employer,
        person.benefit,
        person.net,
        person.net + person.reimbursed,
    )
}
NAMES = (f"Jane {MARK}", f"{MARK} {MARK}", f"078-05-1120 {MARK}")
BAD = (*NAMES, [f"{MARK}"], {"amount": f"{MARK} x", "id": f"{MARK} x"}, None, -1, 10.005, {f"{MARK}": 1})


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def told(source: str, body: bytes, **options: object) -> str:
    """Everything that comes out of a normaliser for a document."""
    context = NormaliseContext(options=options)
    try:
        if SOURCES[source].document:
            found = SOURCES[source].normalise(body, context)
            return " ".join([str(found.ignored), *(encode(event).decode() for event in found.events)])
        pieces = list(SOURCES[source].pieces(BytesIO(body), context))
        return " ".join(repr(piece) for piece in pieces)
    except Rejected as rejected:
        errors = [f"{e} {e!r} {e.args} {vars(e)}" for e in chain(rejected)]
        return " ".join([rejected.reason, str(rejected.field), *errors])


def assert_silent(text: str, *, amounts: bool = True) -> None:
    assert MARK.casefold() not in text.casefold()
    assert "078-05" not in text
    if amounts:
        shown = {amount for amount in AMOUNTS if amount in text or amount.replace(".", "") in text}
        assert not shown


@pytest.mark.parametrize("split", ["none", "department"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_event_holds_anything_of_a_person(name: str, split: str) -> None:
    source, make = DOCUMENTS[name]
    text = told(source, raw(make(PEOPLE)), split=split)
    assert "payroll.run.paid" in text or "split_not_possible" in text
    assert_silent(text)


@search
@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_refusal_of_a_damaged_document_holds_anything_of_a_person(name: str) -> None:
    source, make = DOCUMENTS[name]
    document = make(PEOPLE)
    for path, bad in some(product(places(document), BAD)):
        assert_silent(told(source, raw(spoilt(document, path, bad))))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_breaks_off_shows_nothing(name: str) -> None:
    source, make = DOCUMENTS[name]
    body = raw(make(PEOPLE))
    for cut in range(0, len(body), 37):
        assert_silent(told(source, body[:cut]))
        assert_silent(told(source, body[:cut] + b'"' + MARK.encode() + b"\xff"))


@pytest.mark.parametrize(
    "word", [f"Loan {MARK}", f"{MARK}'s car", "Loan 078-05-1120", "IBAN 000123456789", "jane@example.org"]
)
@pytest.mark.parametrize("name", ["gusto", "finch"])
def test_a_deduction_that_is_named_after_a_person_is_not_a_category(name: str, word: str) -> None:
    source, make = DOCUMENTS[name]
    body = raw(make(PEOPLE)).replace(b'"Child Support"', json.dumps(word).encode())
    text = told(source, body)
    assert word not in text
    assert_silent(text)
    assert ("unnamed_deductions" if name == "gusto" else "missing_field") in text


def _planted(value: object) -> object:
    """Put people into every object of a document."""
    if isinstance(value, dict):
        people = {"first_name": MARK, "ssn": f"{MARK} 078-05-1120", "iban": f"{MARK}", "address": f"1 {MARK} Way"}
        return {name: _planted(inner) for name, inner in value.items()} | people
    return [_planted(inner) for inner in value] if isinstance(value, list) else value


FILES = [
    *(("xero-payroll", path) for path in sorted(XERO_AU.glob("*.json"))),
    *(("gusto", path) for path in sorted(GUSTO.glob("*.json"))),
]


@search
@pytest.mark.parametrize(("source", "path"), FILES, ids=lambda value: getattr(value, "stem", value))
def test_the_real_files_with_people_planted_show_none(source: str, path: Path) -> None:
    document = _planted(json.loads(path.read_text()))
    assert_silent(told(source, raw(document)), amounts=False)
    for place in some(list(places(document))[:400]):
        assert_silent(told(source, raw(spoilt(document, place, NAMES[0]))), amounts=False)


@search
@pytest.mark.parametrize(
    ("source", "name"),
    [("gusto", "gusto-full"), ("xero-payroll", "xero-nz"), ("xero-payroll", "xero-uk"), ("finch", "finch-run")],
)
def test_the_made_files_with_people_planted_show_none(source: str, name: str) -> None:
    document = _planted(made(name))
    for place in some(places(document)):
        assert_silent(told(source, raw(spoilt(document, place, NAMES[1]))), amounts=False)


def test_no_export_shows_a_person_whatever_its_cells() -> None:
    rows = csv_rows(PEOPLE)
    assert "RunPaid" in told("payroll-csv", csv_bytes(rows), provider="adp")
    for line in range(1, len(rows)):
        for column in range(len(CSV_HEADER)):
            for bad in (NAMES[0], "", f"{MARK}7", "x" * 300_000, f'"{MARK}'):
                if bad == f"{MARK}7" and CSV_HEADER[column] in {"Co Code", "Payroll Number"}:
                    continue  # an id may be any word with a digit
                changed = [list(row) for row in rows]
                changed[line][column] = bad
                assert_silent(told("payroll-csv", csv_bytes(changed), provider="adp"))
            shifted = [list(row) for row in rows]
            shifted[line].insert(column, NAMES[0])
            assert_silent(told("payroll-csv", csv_bytes(shifted), provider="adp"))
            assert_silent(
                told(
                    "payroll-csv",
                    csv_bytes([[*row[:-1]] if row is shifted[line] else row for row in shifted]),
                    provider="adp",
                )
            )


def test_an_export_without_a_header_shows_no_one() -> None:
    rows = csv_rows(PEOPLE)
    assert_silent(told("payroll-csv", csv_bytes(rows[1:]), provider="adp"))
    assert_silent(told("payroll-csv", csv_bytes([[*rows[0], NAMES[2]], *rows[1:]]), provider="adp"))
    assert_silent(told("payroll-csv", csv_bytes(rows).decode().encode("utf-16"), provider="adp"))
    assert_silent(told("payroll-csv", csv_bytes(rows) + b"\xff" + MARK.encode(), provider="adp"))


@pytest.mark.parametrize("typed", ["Loan Zebediah 240", "Quackenbush advance"])
def test_what_was_typed_for_one_employee_is_no_category_though_the_name_stands_nowhere_else(typed: str) -> None:
    at_gusto = changed(made("gusto-full"), "employee_compensations.0.deductions.1.name", typed)
    at_finch = changed(made("finch-run"), "pay_statements.0.employee_deductions.0.name", typed)
    for source, document in (("gusto", at_gusto), ("finch", at_finch)):
        said = repr(tried(source, document))
        assert not [word for word in typed.split() if word in said and word not in {"Loan", "advance"}]
        assert only_run(source, document).lines, "the run is told all the same"
