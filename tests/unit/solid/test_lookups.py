"""Looking a record up: present, absent only when that is certain, else inconclusive with the reason."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import httpx2
import pytest
from pydantic import ValidationError

from solid.client import Absent, Inconclusive, Lookup, Present
from solid.dialect import Dialect, LookupRule, Lookups, Parameters
from solid.errors import OutcomeUnknown, Unavailable
from solid.models import NewEntry, NewPayment, NewRecord
from tests.unit.solid.support import (
    CONTACT,
    DAY,
    DIALECT,
    ENTRY,
    INVOICE,
    PAYMENT,
    RECORDS,
    ScriptedSolid,
    ok,
    refusal,
    rows,
)


def ours(record: NewRecord, number: int = 1, **more: object) -> Mapping[str, object]:
    return {"id": f"ours-{number}", "external_id": record.external_id, **more}


async def found(record: NewRecord, *answers: httpx2.Response, dialect: Dialect = DIALECT) -> Lookup:
    async with ScriptedSolid(answers).client(dialect) as client:
        return await client.find(record)


@pytest.mark.parametrize("record", RECORDS)
async def test_a_record_that_is_there_is_present(record: NewRecord) -> None:
    assert await found(record, ok([ours(record)])) == Present(("ours-1",))


@pytest.mark.parametrize("record", RECORDS)
async def test_an_empty_list_is_absent(record: NewRecord) -> None:
    assert await found(record, ok([])) == Absent()


@pytest.mark.parametrize("record", RECORDS)
async def test_rows_of_an_ignored_filter_are_compared_here(record: NewRecord) -> None:
    others = rows(7)
    assert await found(record, ok(others)) == Absent()
    assert await found(record, ok([*others, ours(record), *rows(3, start=7)])) == Present(("ours-1",))


async def test_nearly_the_same_key_is_another_record() -> None:
    near = [
        {"id": str(number), "external_id": key}
        for number, key in enumerate(
            [
                f"{INVOICE.external_id}0",
                INVOICE.external_id.upper(),
                f" {INVOICE.external_id}",
                "ch_1",
                None,
                1,
            ]
        )
    ]
    assert await found(INVOICE, ok(near)) == Absent()


@pytest.mark.parametrize("record", [PAYMENT, ENTRY])
async def test_the_reference_number_tells_where_external_id_is_not_kept(
    record: NewPayment | NewEntry,
) -> None:
    row = {"id": "ours-1", "external_id": None, "reference_number": record.external_id}
    assert await found(record, ok([row])) == Present(("ours-1",))


async def test_an_invoices_reference_number_is_not_ours() -> None:
    row = {"id": "x", "external_id": None, "reference_number": INVOICE.external_id}
    assert await found(INVOICE, ok([row])) == Absent()


@pytest.mark.parametrize(
    ("record", "path", "query"),
    [
        (INVOICE, "/api/v1/invoices", {"external_id": INVOICE.external_id}),
        (CONTACT, "/api/v1/contacts", {"display_name": "Ann & Sons"}),
        (PAYMENT, "/api/v1/payments", {"from": "2026-04-25"}),
        (ENTRY, "/api/v1/entries", {"from": "2026-04-25"}),
    ],
)
async def test_each_kind_is_asked_for_in_its_own_way(record: NewRecord, path: str, query: dict[str, str]) -> None:
    solid = ScriptedSolid([ok([])])
    async with solid.client() as client:
        await client.find(record)
    (request,) = solid.requests
    assert (request.url.path, dict(request.url.params)) == (path, query)


async def test_the_end_of_the_range_is_sent_only_where_the_dialect_knows_it() -> None:
    dialect = Dialect(money="cents", parameters=Parameters(until="to"))
    solid = ScriptedSolid([ok([])])
    async with solid.client(dialect) as client:
        await client.find(ENTRY)
    assert dict(solid.requests[0].url.params) == {"from": "2026-04-25", "to": "2026-04-27"}


async def test_rows_outside_of_the_range_are_compared_too() -> None:
    moved = ours(ENTRY, date=(DAY - timedelta(days=400)).isoformat())
    assert await found(ENTRY, ok([*rows(2), moved])) == Present(("ours-1",))


async def test_several_are_all_given_the_oldest_first() -> None:
    listed = [
        ours(INVOICE, 3, created_at="2026-04-26T12:00:02Z"),
        ours(INVOICE, 1, created_at="2026-04-26T12:00:00Z"),
        ours(INVOICE, 2, created_at="2026-04-26T12:00:01Z"),
    ]
    assert await found(INVOICE, ok(listed)) == Present(("ours-1", "ours-2", "ours-3"))


async def test_without_times_they_keep_solids_order() -> None:
    listed = [ours(INVOICE, 2), ours(INVOICE, 1, created_at="2026-04-26T12:00:00Z")]
    assert await found(INVOICE, ok(listed)) == Present(("ours-2", "ours-1"))


async def test_two_on_different_pages_are_both_found() -> None:
    pages = [ok([ours(INVOICE, 1)], page=1, pages=2), ok([ours(INVOICE, 2)], page=2, pages=2)]
    assert await found(INVOICE, *pages) == Present(("ours-1", "ours-2"))


async def test_rows_that_show_no_key_cannot_be_compared() -> None:
    answer = await found(INVOICE, ok([{"id": "1", "number": "INV-1"}]))
    assert isinstance(answer, Inconclusive)
    assert "external_id" in answer.why


async def test_some_rows_without_a_key_are_rows_made_by_hand() -> None:
    assert await found(INVOICE, ok([{"id": "1"}, *rows(1)])) == Absent()


async def test_our_row_without_an_id_is_inconclusive() -> None:
    assert isinstance(await found(INVOICE, ok([{"external_id": INVOICE.external_id}])), Inconclusive)


@pytest.mark.parametrize("count", [20, 25, 50, 100, 200, 250, 500, 1000])
async def test_a_full_looking_page_without_hints_is_never_absent(count: int) -> None:
    answer = await found(ENTRY, ok(rows(count)))
    assert isinstance(answer, Inconclusive)
    assert str(count) in answer.why
    assert await found(ENTRY, ok(rows(count - 1))) == Absent()


async def test_a_full_looking_page_that_holds_it_is_present() -> None:
    assert await found(ENTRY, ok([*rows(49), ours(ENTRY)])) == Present(("ours-1",))


@pytest.mark.parametrize(("count", "certain"), [(6, True), (7, False), (8, False)])
async def test_the_dialect_may_know_a_page_size(count: int, *, certain: bool) -> None:
    dialect = Dialect(money="cents", page_size_hint=7)
    assert (await found(ENTRY, ok(rows(count)), dialect=dialect) == Absent()) is certain


@pytest.mark.parametrize(
    "answer",
    [
        refusal("UNKNOWN_FILTER", "external_id", status=400),
        refusal("NOT_FOUND", status=404),
        httpx2.Response(307, headers={"Location": "https://elsewhere.example/"}),
        ok("a text"),
        ok([1, 2]),
    ],
)
async def test_a_question_that_solid_does_not_take_is_inconclusive(answer: httpx2.Response) -> None:
    assert isinstance(await found(INVOICE, answer), Inconclusive)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx2.Response(502, text="<html>"), Unavailable),
        (httpx2.Response(500, text="<html>"), OutcomeUnknown),
        (httpx2.Response(200, json={"success": True}), OutcomeUnknown),
        (httpx2.ReadTimeout("slow"), OutcomeUnknown),
        (httpx2.ConnectError("refused"), Unavailable),
        (httpx2.Response(429), Unavailable),
    ],
)
async def test_a_question_without_an_answer_is_an_error(answer: httpx2.Response, error: type[Exception]) -> None:
    with pytest.raises(error):
        await found(INVOICE, answer)


async def test_a_failure_on_the_second_page_is_an_error_not_an_absence() -> None:
    with pytest.raises(OutcomeUnknown):
        await found(ENTRY, ok(rows(3), page=1, pages=2), httpx2.Response(500))


async def test_a_kind_that_a_person_looks_for_is_inconclusive_without_a_call() -> None:
    dialect = Dialect(money="cents", lookups=Lookups(entries=LookupRule(by="hold")))
    solid = ScriptedSolid([ok([])])
    async with solid.client(dialect) as client:
        assert isinstance(await client.find(ENTRY), Inconclusive)
    assert solid.requests == []


@pytest.mark.parametrize(
    "rules",
    [
        {"contacts": LookupRule(by="date_range", compare=("external_id",))},
        {"contacts": LookupRule(by="display_name")},
        {"invoices": LookupRule(by="display_name")},
    ],
)
def test_a_rule_that_does_not_fit_its_record_is_refused(rules: Mapping[str, LookupRule]) -> None:
    with pytest.raises(ValidationError):
        Lookups(**rules)


@pytest.mark.parametrize(
    ("lines", "amounts"),
    [
        (
            [{"debit": "100.10"}, {"debit": "0.05", "credit": None}, {"credit": "100.15", "debit": None}],
            "-100.15 0.05 100.10",
        ),
        ([{"debit": "5"}, {"credit": 5}, {"credit": "0.00"}], "-5 5"),
        ([{"debit": "ten", "credit": None}], None),
        ([{"amount": "100.10"}], None),
        (None, None),
    ],
)
async def test_what_an_entry_moves_is_told_where_the_list_shows_it(lines: object, amounts: str | None) -> None:
    found_one = await found(ENTRY, ok([{**ours(ENTRY), "lines": lines}]))
    assert isinstance(found_one, Present)
    assert found_one.amounts == (None if amounts is None else tuple(Decimal(each) for each in amounts.split()),)
