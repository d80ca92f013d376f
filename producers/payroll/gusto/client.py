"""Gusto's REST API: a company's payrolls, processed and not, each with the compensations of all pages.

Source: Gusto's API reference, version 2025-06-15 (`GET /v1/companies/{id}/payrolls`, `GET .../payrolls/{id}`, both
paginated by `page` and `per`, at most 100 a page; totals in `X-Total-Pages` and `X-Total-Count`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import httpx2

from producers.calling.calling import Caller, json_of
from producers.calling.errors import NotThere, UnexpectedAnswer
from producers.calling.settled import SettledReading, Shifted, settled
from producers.calling.shapes import day_of, name_of, names_of, object_of, rows_of
from producers.payroll.gusto.contractor_days import ContractorDays
from producers.payroll.provider import ListedRun, Span

PER_PAGE: Final = 100
REACH: Final = timedelta(days=62)
"""Runs are listed from so much earlier on: only regular processed ones are filtered by their check date, and all others
by their pay period, which may end long before that."""
AHEAD: Final = timedelta(days=28)
"""Runs are listed to so much later: a pay period may end after its check date. Gusto refuses what lies more than three
months ahead."""

_LIST: Final = {
    "processing_statuses": "processed,unprocessed",
    "payroll_types": "regular,off_cycle",
    "date_filter_by": "check_date",
    "include": "totals,payroll_status_meta,reversals",
}
_ONE: Final = {"include": "totals,taxes,payroll_taxes,benefits,deductions"}


class Gusto:
    """Payrolls of the companies that a token may read. Fits `producers.payroll.provider.Provider`."""

    def __init__(self, caller: Caller, *, api_version: str, contractors: bool = False) -> None:
        """`contractors`: whether payments to contractors are runs too."""
        self._caller = caller
        self._headers = {"X-Gusto-API-Version": api_version, "Accept": "application/json"}
        self._contractors = ContractorDays(self._pages) if contractors else None

    async def runs(self, entity: str, span: Span) -> Sequence[ListedRun]:
        """See `Provider.runs`. A reversal that a payroll of these days names is listed too, whenever it is paid."""
        query = _LIST | {"start_date": str(span.first - REACH), "end_date": str(span.last + AHEAD)}

        async def read() -> SettledReading[list[Mapping[str, Any]]]:
            answers = await self._pages(f"/v1/companies/{entity}/payrolls", query)
            rows = [row for answer in answers for row in rows_of(json_of(answer), "payrolls")]
            _complete(answers, len({name_of(row, "payroll_uuid", "uuid") for row in rows}))
            return SettledReading(rows, len(answers))

        rows = await settled(read, what=f"the list of payrolls of {entity}")
        found = await self._with_reversals(entity, rows, span)
        return [*found, *(await self._contractors.runs(entity, span))] if self._contractors else found

    async def _with_reversals(self, entity: str, rows: Sequence[Mapping[str, Any]], span: Span) -> list[ListedRun]:
        """The runs of the span and what takes one of them back; what takes an earlier run back says which."""
        asked = [row for row in rows if span.holds(day_of(row, "check_date"))]
        found = {run.run: run for run in (_listed(row, entity) for row in asked)}
        for row in rows:
            for reversal in names_of(row, "reversal_payroll_uuids"):
                run = found.get(reversal) or (await self.find(entity, reversal) if row in asked else None)
                if run is not None:
                    found[run.run] = replace(run, reverses=name_of(row, "payroll_uuid", "uuid"))
        return list(found.values())

    async def find(self, entity: str, run: str) -> ListedRun | None:
        """See `Provider.find`."""
        if self._contractors and (day := ContractorDays.day_of(run)) is not None:
            return next(iter(await self._contractors.runs(entity, Span(day, day))), None)
        try:
            answer = await self._get(f"/v1/companies/{entity}/payrolls/{run}", {"page": 1, "per": 1})
        except NotThere:
            return None
        return _listed(object_of(json_of(answer), "payroll"), entity)

    async def departments(self, entity: str) -> Mapping[str, str]:
        """See `Provider.departments`: a payroll names employees by their ids only. Nothing else of them is kept."""

        async def read() -> SettledReading[dict[str, str]]:
            answers = await self._pages(f"/v1/companies/{entity}/employees", {})
            rows = [row for answer in answers for row in rows_of(json_of(answer), "employees")]
            _complete(answers, len(rows))
            found = {name_of(row, "uuid"): str(row["department"]) for row in rows if row.get("department")}
            return SettledReading(found, len(answers))

        return await settled(read, what=f"the list of employees of {entity}")

    async def document(self, listed: ListedRun) -> bytes:
        """See `Provider.document`: the payroll, its `employee_compensations` those of all pages."""
        if self._contractors and (day := ContractorDays.day_of(listed.run)) is not None:
            return await self._contractors.document(listed, day)
        path = f"/v1/companies/{listed.entity}/payrolls/{listed.run}"

        async def read() -> SettledReading[dict[str, Any]]:
            answers = await self._pages(path, _ONE)
            pages = [dict(object_of(json_of(answer), "payroll")) for answer in answers]
            of_each = [page.pop("employee_compensations", None) or [] for page in pages]
            people = [person for some in of_each for person in rows_of(some, "employee_compensations")]
            if len(answers) > 1:
                _complete(answers, len(people))
            return SettledReading(pages[0] | {"employee_compensations": people}, len(answers))

        whole = await settled(read, what=f"payroll {listed.run}")
        return json.dumps(whole).encode()

    async def _pages(self, path: str, query: Mapping[str, Any]) -> list[httpx2.Response]:
        """Every page, as many as the first says, or until one is not full where it says nothing."""
        answers = [await self._get(path, {**query, "page": 1, "per": PER_PAGE})]
        while not _last(answers):
            answers.append(await self._get(path, {**query, "page": len(answers) + 1, "per": PER_PAGE}))
        return answers[:-1] if _repeated(answers) else answers

    async def _get(self, path: str, query: Mapping[str, Any]) -> httpx2.Response:
        return await self._caller.get(path, query, self._headers)


def _last(answers: Sequence[httpx2.Response]) -> bool:
    said = answers[-1].headers.get("X-Total-Pages", "")
    if said.isdigit():
        return len(answers) >= int(said)
    body = json_of(answers[-1])
    if isinstance(body, dict):
        body = body.get("employee_compensations") or body.get("contractor_payments")
    return _repeated(answers) or not isinstance(body, list) or len(body) < PER_PAGE


def _repeated(answers: Sequence[httpx2.Response]) -> bool:
    """Whether the last page says what the one before said: all there is comes at once, whatever page is asked for."""
    return len(answers) > 1 and answers[-1].content == answers[-2].content


def _complete(answers: Sequence[httpx2.Response], found: int) -> None:
    """Compare what came with what the headers announce, where they do. Raises Shifted."""
    said = {answer.headers.get("X-Total-Count") for answer in answers}
    if said not in ({None}, {str(found)}):
        raise Shifted


def _listed(row: Mapping[str, Any], entity: str) -> ListedRun:
    period = row.get("pay_period")
    period = period if isinstance(period, dict) else {}
    processed = row.get("processed")
    if not isinstance(processed, bool):  # not a word that a told run is open again: nothing is reversed for it
        msg = f"Gusto does not say whether payroll {name_of(row, 'payroll_uuid', 'uuid')} is processed"
        raise UnexpectedAnswer(msg)
    return ListedRun(
        entity=name_of(row, "company_uuid") if row.get("company_uuid") else entity,
        run=name_of(row, "payroll_uuid", "uuid"),
        status="closed" if processed else "open",
        pay_date=day_of(row, "check_date"),
        period_start=day_of(period, "start_date"),
        period_end=day_of(period, "end_date"),
    )
