"""Pulling: each run told once, each change as the next version, and what goes wrong told plainly with nothing lost."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest

from messaging.errors import PublishFailed
from producers.calling.errors import KeepsChanging, UnexpectedAnswer
from producers.payroll.provider import Span
from schemas.payroll import RunPaid, RunReversed
from store.payroll_runs import NewVersion, RunDates, RunKey
from tests.unit.producers.payroll.made_runs import GUSTO
from tests.unit.producers.payroll.providers import (
    ENTITY,
    MARKS,
    FakeGusto,
    answered,
    contractor,
    payroll,
    person,
)
from tests.unit.producers.payroll.pulls import APRIL, Bench, bench, open_bench, standing

__all__ = ["bench"]


async def test_a_run_is_told_once_however_often_it_is_pulled(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll()]
    became = [(await bench.pull())[0].became for _ in range(5)]
    assert became == ["told", *["unchanged"] * 4]
    [run] = bench.broker.data
    assert isinstance(run, RunPaid)
    assert (run.fact, run.version, run.replaces) == (f"gusto:run:{ENTITY}:run-1:v1", 1, None)


@pytest.mark.long
async def test_a_hundred_pulls_with_changes_in_between_leave_one_live_posting(bench: Bench) -> None:
    for number in range(100):
        bench.gusto.payrolls = [payroll(net=f"{3000 + number // 7 % 5}.00"), payroll("run-2", net="2900.00")]
        await bench.pull()
    told = bench.broker.data
    assert len({each.fact for each in told}) == len(told) == 15 + 1
    assert standing(told) == {"run-1": [15], "run-2": [1]}


async def test_what_changes_there_and_back_is_three_versions(bench: Bench) -> None:
    for net in ("3000.00", "2900.00", "3000.00"):
        bench.gusto.payrolls = [payroll(net=net)]
        await bench.pull()
    versions = [(each.version, each.replaces.version if each.replaces else None) for each in _paid(bench)]
    assert versions == [(1, None), (2, 1), (3, 2)]
    first, second, third = _paid(bench)
    assert second.replaces is not None
    assert second.replaces.lines == first.lines
    assert third.lines == first.lines
    assert len({event.id for event in bench.broker.events}) == 3


async def test_a_run_that_is_opened_again_is_reversed_and_told_anew_when_it_is_closed(bench: Bench) -> None:
    for processed in (True, False, False, True):
        bench.gusto.payrolls = [payroll(processed=processed)]
        await bench.pull()
    kinds = [type(each) for each in bench.broker.data]
    assert kinds == [RunPaid, RunReversed, RunPaid]
    back, again = bench.broker.data[1:]
    assert isinstance(back, RunReversed)
    assert (back.taken_back.version, back.version, back.reason) == (1, 2, "reopened")
    assert isinstance(again, RunPaid)
    assert (again.version, again.replaces) == (3, None)
    assert standing(bench.broker.data) == {"run-1": [3]}


async def test_a_run_that_is_still_open_is_not_told_and_is_known_to_be(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll(processed=False)]
    [outcome] = await bench.pull()
    assert (outcome.became, outcome.reason) == ("open", "run_open")
    assert bench.broker.bodies == []
    assert [row.state for row in await bench.runs.all(["main"])] == ["open"]
    bench.gusto.payrolls = [payroll()]
    assert [outcome.became for outcome in await bench.pull()] == ["told"]
    assert [row.state for row in await bench.runs.all(["main"])] == ["told"]


async def test_a_told_run_is_not_reversed_where_the_provider_says_nothing_of_its_status(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll()]
    await bench.pull()
    bench.gusto.payrolls = [payroll(processed=None)]
    with pytest.raises(UnexpectedAnswer, match="does not say"):
        await bench.pull()
    assert standing(bench.broker.data) == {"run-1": [1]}


@pytest.mark.long
async def test_a_run_that_is_merely_missing_is_reported_and_stays(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll(), payroll("run-2")]
    await bench.pull()
    bench.gusto.payrolls = [payroll()]
    assert [(each.run, each.became) for each in await bench.pull()] == [("run-1", "unchanged"), ("run-2", "missing")]
    assert standing(bench.broker.data) == {"run-1": [1], "run-2": [1]}
    bench.gusto.payrolls = [payroll(), payroll("run-2")]
    assert {each.became for each in await bench.pull()} == {"unchanged"}
    assert {row.missing_since for row in await bench.runs.all(["main"])} == {None}


async def test_a_run_that_moved_to_another_month_is_found_and_replaced(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll()]
    await bench.pull()
    bench.gusto.payrolls = [payroll(check_date="2026-05-01")]
    assert [each.became for each in await bench.pull()] == ["told"]
    assert standing(bench.broker.data) == {"run-1": [2]}


async def test_a_run_of_which_nothing_is_left_is_reversed(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll()]
    await bench.pull()
    zero = payroll(net="0.00")
    zero["totals"] = dict.fromkeys(zero["totals"], "0.00")
    bench.gusto.payrolls = [zero]
    [outcome] = await bench.pull()
    assert (outcome.became, outcome.reason) == ("reversed", "zero_run")


async def test_a_reversal_is_a_run_of_its_own_that_names_what_it_takes_back(bench: Bench) -> None:
    taken = {name: f"-{value}" if float(value) else value for name, value in payroll()["totals"].items()}
    back = payroll("run-2", totals=taken, off_cycle=True, employee_compensations=[], check_date="2026-05-04")
    bench.gusto.payrolls = [payroll(reversal_payroll_uuids=["run-2"]), back]
    await bench.pull()
    first, second = sorted(_paid(bench), key=lambda run: run.run)
    assert (first.reverses, first.run_type) == (None, "regular")
    assert (second.reverses, second.run_type) == ("run-1", "reversal")
    assert [outcome.became for outcome in await bench.pull()] == ["unchanged", "unchanged"]


async def test_a_reversal_that_is_pulled_without_the_month_of_its_run_names_it_too(bench: Bench) -> None:
    taken = {name: f"-{value}" if float(value) else value for name, value in payroll()["totals"].items()}
    back = payroll("run-2", totals=taken, employee_compensations=[], check_date="2026-05-04")
    bench.gusto.payrolls = [payroll(reversal_payroll_uuids=["run-2"]), back]
    [outcome] = await bench.pull(Span(date(2026, 5, 1), date(2026, 5, 31)))
    [run] = _paid(bench)
    assert (outcome.run, run.run, run.reverses) == ("run-2", "run-2", "run-1")


@pytest.mark.long
async def test_a_list_that_changes_while_it_is_read_is_read_again_until_it_stands(bench: Bench) -> None:
    """One payroll goes and one comes between two pages: every count is right, and yet a row would be passed over."""
    bench.gusto.payrolls = [payroll(f"run-{number:03}", people=0) for number in range(150)]

    def change(gusto: FakeGusto) -> None:
        del gusto.payrolls[0]
        gusto.payrolls.append(payroll("run-new", people=0))
        gusto.after = lambda _: None

    bench.gusto.after = change
    outcomes = await bench.pull()
    assert {outcome.run for outcome in outcomes} == {*(f"run-{number:03}" for number in range(1, 150)), "run-new"}


async def test_a_list_that_never_stands_still_is_not_used(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll(f"run-{number:03}", people=0) for number in range(150)]

    def change(gusto: FakeGusto) -> None:
        gusto.payrolls[:] = [*gusto.payrolls[1:], payroll(f"run-{len(gusto.seen)}-new", people=0)]

    bench.gusto.after = change
    with pytest.raises(KeepsChanging, match="changed at each of 6 readings"):
        await bench.pull()
    assert bench.broker.bodies == []
    assert await bench.runs.all(["main"]) == []


async def test_a_list_that_is_shorter_than_it_says_is_not_used(bench: Bench) -> None:
    headers = {"X-Total-Pages": "1", "X-Total-Count": "2"}
    bench.gusto.faults = [lambda _: httpx2.Response(200, json=[payroll()], headers=headers)] * 6
    with pytest.raises(KeepsChanging):
        await bench.pull()
    assert bench.broker.bodies == []


async def test_a_payroll_that_changes_between_its_pages_is_told_as_it_is_in_the_end(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll(people=150)]

    def change(gusto: FakeGusto) -> None:
        if gusto.seen[-1].url.path.endswith("/run-1"):
            gusto.payrolls = [payroll(people=150, net="2900.00")]

    bench.gusto.after = change
    await bench.pull()
    assert [str(line.amount) for line in _paid(bench)[0].lines if line.kind == "net_pay"] == ["2900.00 USD"]


async def test_a_payroll_of_many_people_is_read_over_all_its_pages(bench: Bench) -> None:
    people = [person(number) for number in range(2000)]
    totals = payroll()["totals"]
    bench.gusto.payrolls = [payroll(employee_compensations=people, totals=totals)]
    [outcome] = await bench.pull()
    assert outcome.became == "told"
    assert len(bench.broker.bodies[0]) < 5000
    pages = [request for request in bench.gusto.seen if request.url.path.endswith("/run-1")]
    assert len(pages) == 2 * 20


async def test_a_run_is_not_told_to_a_second_company_when_its_entity_is_given_to_that(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll()]
    await bench.pull()
    bench.settings = bench.settings.model_copy(update={"entities": {ENTITY: "other"}})
    [outcome] = await bench.pull()
    assert (outcome.became, outcome.reason) == ("refused", "company_changed")
    assert standing(bench.broker.data) == {"run-1": [1]}


async def test_a_second_company_in_the_answer_is_refused_and_never_booked_elsewhere(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll(), payroll("run-2", company_uuid="another-company")]
    outcomes = {outcome.run: outcome for outcome in await bench.pull()}
    assert outcomes["run-1"].became == "told"
    assert (outcomes["run-2"].became, outcomes["run-2"].reason) == ("refused", "unknown_entity")
    assert [each.run for each in bench.broker.data] == ["run-1"]


async def test_what_cannot_be_normalised_is_kept_as_a_reference_and_tried_at_each_pull(bench: Bench) -> None:
    wrong = payroll()
    wrong["totals"] = wrong["totals"] | {"net_pay": "2999.00"}
    bench.gusto.payrolls = [wrong, payroll("run-2")]
    for _ in range(3):
        refused = {outcome.run: outcome for outcome in await bench.pull()}["run-1"]
        assert refused.became == "refused"
    [raw] = bench.broker.raw
    assert json.loads(raw["body"]).keys() <= {"provider", "entity", "run", "reason", "field"}
    assert json.loads(raw["body"])["run"] == "run-1"
    assert [(row.run, row.state) for row in await bench.runs.all(["main"])] == [("run-1", "refused"), ("run-2", "told")]
    bench.gusto.payrolls = [payroll(), payroll("run-2")]
    assert [outcome.became for outcome in await bench.pull()] == ["told", "unchanged"]


async def test_a_told_run_that_cannot_be_read_any_more_stays_told(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll()]
    await bench.pull()
    bench.gusto.payrolls = [payroll(totals=None)]
    assert [outcome.became for outcome in await bench.pull()] == ["refused"]
    assert standing(bench.broker.data) == {"run-1": [1]}


async def test_a_version_that_was_stored_and_not_published_goes_first_with_the_same_bytes(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll()]
    bench.broker.down = True
    with pytest.raises(PublishFailed):
        await bench.pull()
    [stored] = await bench.outbox.unpublished("payroll", ["main"])
    bench.broker.down = False
    bench.gusto.payrolls = [payroll(net="2900.00")]
    await bench.pull()
    assert bench.broker.bodies[0] == stored.body
    assert [run.version for run in _paid(bench)] == [1, 2]


async def test_a_run_of_another_account_or_one_that_cannot_be_read_holds_up_no_pull(bench: Bench) -> None:
    """A company that is gone, another provider's, and what another version of the relay stored of this account."""
    for company, provider, run in (("gone", "gusto", "a"), ("main", "finch", "b"), ("main", "gusto", "run-1")):
        new = NewVersion(version=1, fact=run, fingerprint="", event=b"{}", live=False, dates=RunDates())
        await bench.runs.advance(RunKey(company, provider, ENTITY, run), lambda _, new=new: new)  # type: ignore[misc]  # mypy infers no type for defaults of a lambda
    bench.gusto.payrolls = [payroll("run-1"), payroll("run-2")]
    with pytest.raises(PublishFailed, match="gusto pay run run-1 of"):
        await bench.pull()
    assert standing(bench.broker.data) == {"run-2": [1]}


async def test_a_dry_run_tells_and_stores_nothing(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll(), payroll("run-2", processed=False), payroll("run-3", totals=None)]
    assert [outcome.became for outcome in await bench.pull(dry=True)] == ["told", "open", "refused"]
    assert bench.broker.bodies == []
    assert bench.broker.raw == []
    assert await bench.runs.all(["main"]) == []


async def test_wages_are_split_by_the_departments_that_the_provider_gives_its_people(tmp_path: Path) -> None:
    async with open_bench(tmp_path, options={"split": "department"}) as bench:
        bench.gusto.payrolls = [payroll(), payroll("run-2")]
        bench.gusto.employees = [person(1) | {"department": "Kitchen"}, person(2) | {"department": "Bar"}]
        await bench.pull()
        wages = {line.department: str(line.amount) for line in _paid(bench)[0].lines if line.kind == "wages"}
        assert wages == {"Kitchen": "2000.00 USD", "Bar": "2000.00 USD"}
        assert sum(request.url.path.endswith("/employees") for request in bench.gusto.seen) == 1


async def test_runs_are_asked_for_by_every_date_that_gusto_may_filter_by(bench: Bench) -> None:
    bench.gusto.contractors = [contractor("c-1")]
    await bench.pull()
    [query] = [parse_qs(request.url.query.decode()) for request in bench.gusto.seen]
    assert (query["start_date"], query["end_date"]) == (["2026-01-29"], ["2026-05-28"])
    assert query["include"] == ["totals,payroll_status_meta,reversals"]


async def test_a_year_is_pulled_in_pieces_that_gusto_takes(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll()]
    outcomes = await bench.pull(Span(date(2026, 1, 1), date(2026, 12, 31)))
    assert [each.became for each in outcomes] == ["told"]
    listed = [request for request in bench.gusto.seen if request.url.path.endswith("/payrolls")]
    assert len(listed) == 2


async def test_a_deadline_is_hours_before_the_close_of_the_pay_date(tmp_path: Path) -> None:
    async with open_bench(tmp_path, deadline_hours=3, time_zone="America/New_York") as bench:
        bench.gusto.payrolls = [payroll()]
        await bench.pull()
        [run] = _paid(bench)
        assert run.deadline is not None
        assert run.deadline.isoformat() == "2026-04-15T18:00:00+00:00"


async def test_nothing_of_a_person_gets_out(
    bench: Bench, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    wrong = payroll("run-2")
    wrong["totals"] = wrong["totals"] | {"net_pay": "1.00"}
    negative = payroll("run-3", employee_compensations=[person(net="-6543.21")])
    bench.gusto.payrolls = [payroll(), wrong, negative]
    outcomes = await bench.pull()
    assert [outcome.became for outcome in outcomes] == ["told", "refused", "refused"]
    files = b"".join(path.read_bytes() for path in bench.folder.iterdir() if path.name.startswith("relay.db"))
    printed = "".join((*capsys.readouterr(), caplog.text)).encode()  # where logs go is set once a process
    assert b"payroll.pulled" in printed
    places = (files, printed, *bench.broker.bodies, repr(bench.broker.raw).encode(), repr(outcomes).encode())
    for mark in MARKS:
        for word in {mark, *(word for word in mark.split() if len(word) > 4)}:
            assert all(word.encode() not in place for place in places), word


def _paid(bench: Bench) -> list[RunPaid]:
    return [each for each in bench.broker.data if isinstance(each, RunPaid)]


async def test_months_are_noted_as_pulled_only_after_a_whole_pull(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll()]
    bench.gusto.faults = [answered(404)]
    with pytest.raises(UnexpectedAnswer):
        await bench.pull()
    assert await bench.runs.pulls("main", "gusto", ENTITY) == {}
    await bench.pull()
    assert list(await bench.runs.pulls("main", "gusto", ENTITY)) == [APRIL.first]


async def test_the_public_examples_are_pulled_as_they_are(tmp_path: Path) -> None:
    files = ("payroll-show-object.processed", "payroll-show-object.unprocessed", "schema-payroll-show.success-status")
    payrolls = [json.loads((GUSTO / f"{name}.json").read_text()) for name in files]
    payrolls[1]["payroll_uuid"] = "unprocessed"  # the examples share one id
    entities = {each["company_uuid"]: "main" for each in payrolls}
    span = Span(min(_day(each) for each in payrolls), max(_day(each) for each in payrolls))
    async with open_bench(tmp_path, entities=entities) as bench:
        became = []
        for each in payrolls:
            bench.settings = bench.settings.model_copy(update={"entities": {each["company_uuid"]: "main"}})
            bench.gusto.payrolls = [each]
            became += [(out.became, out.reason) for out in await bench.pull(span) if out.became != "missing"]
        assert became == [("told", None), ("open", "run_open"), ("ignored", "zero_run")]
        amounts = {line.kind: Decimal(0) for line in _paid(bench)[0].lines}
        for line in _paid(bench)[0].lines:
            amounts[line.kind] += line.amount.amount
        assert (amounts["wages"], amounts["net_pay"]) == (Decimal("130635.89"), Decimal("81752.94"))


def _day(payroll: Mapping[str, str]) -> date:
    return date.fromisoformat(payroll["check_date"])


async def test_a_run_that_is_in_no_books_a_day_after_it_was_told_is_told_again(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll()]
    await bench.pull()
    bench.clock.advance(3600)
    assert {outcome.became for outcome in await bench.pull()} == {"unchanged"}
    bench.clock.advance(24 * 3600)
    assert {outcome.became for outcome in await bench.pull()} == {"told"}
    assert {outcome.became for outcome in await bench.pull()} == {"unchanged"}
    assert len(bench.broker.bodies) == 2 * len(set(bench.broker.bodies))
