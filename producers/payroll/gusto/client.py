"""Gusto's REST API: a company's payrolls, processed and not, each with the compensations of all pages.

Payments to contractors are runs too where that is asked for: one of a day, as a payment by itself would be the pay of
one person. Source: Gusto's API reference, version 2025-06-15 (`GET /v1/companies/{id}/payrolls`, `.../payrolls/{id}`,
`.../employees`, `.../contractor_payments`, all paginated by `page` and `per`, at most 100 a page; totals in
`X-Total-Pages` and `X-Total-Count`).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final, TypeVar

import httpx2

from producers.calling.calling import Caller, json_of
from producers.calling.errors import NotThere, UnexpectedAnswer
from producers.calling.settled import SettledReading, Shifted, settled
from producers.calling.shapes import day_of, name_of, names_of, object_of, rows_of
from producers.payroll.provider import ListedRun, Provider, Span

T = TypeVar("T")
Row = Mapping[str, Any]
Answers = Sequence[httpx2.Response]

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
_CONTRACTORS: Final = re.compile(r"contractors-(\d{4}-\d{2}-\d{2})")
"""The name of a run of payments to contractors: that of its day."""


class Gusto(Provider):
    """Payrolls of the companies that a token may read. `contractors`: whether payments to contractors are runs too."""

    def __init__(self, caller: Caller, *, api_version: str, contractors: bool = False) -> None:
        self._caller = caller
        self._headers = {"X-Gusto-API-Version": api_version, "Accept": "application/json"}
        self._contractors = contractors

    async def runs(self, entity: str, span: Span) -> Sequence[ListedRun]:
        """See `Provider.runs`. A reversal that a payroll of these days names is listed too, whenever it is paid."""
        query = _LIST | {"start_date": str(span.first - REACH), "end_date": str(span.last + AHEAD)}
        what = f"the list of payrolls of {entity}"
        rows = await self._settled(f"/v1/companies/{entity}/payrolls", query, _payrolls, what=what)
        found = await self._with_reversals(entity, rows, span)
        return [*found, *(await self._contractor_days(entity, span))] if self._contractors else found

    async def _with_reversals(self, entity: str, rows: Sequence[Row], span: Span) -> list[ListedRun]:
        """The runs of the span and what takes one of them back; what takes an earlier run back says which."""
        asked = [row for row in rows if span.holds(day_of(row, "check_date"))]
        found = {run.run: run for run in (_listed(row, entity) for row in asked)}
        for row in rows:
            for reversal in names_of(row, "reversal_payroll_uuids"):
                run = found.get(reversal) or (await self.find(entity, reversal) if row in asked else None)
                if run is not None:
                    found[run.run] = replace(run, reverses=_id(row))
        return list(found.values())

    async def _contractor_days(self, entity: str, span: Span) -> list[ListedRun]:
        """A run for each day with payments to contractors: closed once one of them is funded."""
        days: dict[date, list[Row]] = {}
        payments, _ = await self._payments(entity, span)
        for payment in payments:
            day = day_of(payment, "date")
            if day is not None and span.holds(day):
                days.setdefault(day, []).append(payment)
        closed = {day: any(map(_is_funded, paid)) for day, paid in days.items()}
        return [
            ListedRun(entity=entity, run=f"contractors-{day}", status="closed" if closed[day] else "open", pay_date=day)
            for day in days
        ]

    async def find(self, entity: str, run: str) -> ListedRun | None:
        """See `Provider.find`."""
        if (day := self._day_of_contractors(run)) is not None:
            return next(iter(await self._contractor_days(entity, Span(day, day))), None)
        try:
            answer = await self._get(f"/v1/companies/{entity}/payrolls/{run}", {"page": 1, "per": 1})
        except NotThere:
            return None
        return _listed(object_of(json_of(answer), "payroll"), entity)

    async def departments(self, entity: str) -> Mapping[str, str]:
        """See `Provider.departments`: a payroll names employees by their ids only. Nothing else of them is kept."""
        what = f"the list of employees of {entity}"
        return await self._settled(f"/v1/companies/{entity}/employees", {}, _departments, what=what)

    async def document(self, listed: ListedRun) -> bytes:
        """See `Provider.document`: the payroll, its `employee_compensations` those of all pages."""
        if (day := self._day_of_contractors(listed.run)) is not None:
            return json.dumps(await self._group(listed, day)).encode()
        path = f"/v1/companies/{listed.entity}/payrolls/{listed.run}"
        return json.dumps(await self._settled(path, _ONE, _payroll, what=f"payroll {listed.run}")).encode()

    def _day_of_contractors(self, run: str) -> date | None:
        found = _CONTRACTORS.fullmatch(run) if self._contractors else None
        return date.fromisoformat(found[1]) if found else None

    async def _group(self, listed: ListedRun, day: date) -> dict[str, Any]:
        """The funded payments of a day, as a group of payments; with Gusto's totals, where these are of the same."""
        payments, total = await self._payments(listed.entity, Span(day, day))
        funded = [payment for payment in payments if _is_funded(payment)]
        group = {
            "uuid": listed.run,
            "company_uuid": listed.entity,
            "check_date": str(day),
            "status": "Funded",
            "contractor_payments": funded,
        }
        if total is None or len(funded) < len(payments):
            return group
        return group | {
            "totals": {"wage_amount": total.get("wages"), "reimbursement_amount": total.get("reimbursements")}
        }

    async def _payments(self, entity: str, span: Span) -> tuple[list[Row], Row | None]:
        """The payments to contractors of these days, and what Gusto says that they make."""
        query = {"start_date": str(span.first), "end_date": str(span.last)}
        what = f"the payments to contractors of {entity}"
        return await self._settled(f"/v1/companies/{entity}/contractor_payments", query, _payments, what=what)

    async def _settled(self, path: str, query: Row, read: Callable[[Answers], T], *, what: str) -> T:
        """What `read` makes of all pages. It raises Shifted where they do not fit together."""

        async def reading() -> SettledReading[T]:
            answers = await self._pages(path, query)
            return SettledReading(read(answers), len(answers))

        return await settled(reading, what=what)

    async def _pages(self, path: str, query: Row) -> Answers:
        """Every page, as many as the first says, or until one is not full where it says nothing."""
        answers = [await self._get(path, {**query, "page": 1, "per": PER_PAGE})]
        while not _last(answers):
            answers.append(await self._get(path, {**query, "page": len(answers) + 1, "per": PER_PAGE}))
        return answers[:-1] if _repeated(answers) else answers

    async def _get(self, path: str, query: Row) -> httpx2.Response:
        return await self._caller.get(path, query, self._headers)


def _payrolls(answers: Answers) -> list[Row]:
    rows = [row for answer in answers for row in rows_of(json_of(answer), "payrolls")]
    _complete(answers, len({_id(row) for row in rows}))
    return rows


def _departments(answers: Answers) -> dict[str, str]:
    rows = [row for answer in answers for row in rows_of(json_of(answer), "employees")]
    _complete(answers, len(rows))
    return {name_of(row, "uuid"): str(row["department"]) for row in rows if row.get("department")}


def _payroll(answers: Answers) -> dict[str, Any]:
    pages = [dict(object_of(json_of(answer), "payroll")) for answer in answers]
    of_each = [page.pop("employee_compensations", None) or [] for page in pages]
    people = [person for some in of_each for person in rows_of(some, "employee_compensations")]
    if len(answers) > 1:
        _complete(answers, len(people))
    return pages[0] | {"employee_compensations": people}


def _payments(answers: Answers) -> tuple[list[Row], Row | None]:
    bodies = [object_of(json_of(answer), "contractor payments") for answer in answers]
    each = [row for body in bodies for row in rows_of(body.get("contractor_payments"), "contractor_payments")]
    total = bodies[0].get("total")
    payments = [one for row in each for one in rows_of(row.get("payments"), "payments")]
    return payments, total if isinstance(total, dict) else None


def _last(answers: Answers) -> bool:
    said = answers[-1].headers.get("X-Total-Pages", "")
    if said.isdigit():
        return len(answers) >= int(said)
    body = json_of(answers[-1])
    if isinstance(body, dict):
        body = body.get("employee_compensations") or body.get("contractor_payments")
    return _repeated(answers) or not isinstance(body, list) or len(body) < PER_PAGE


def _repeated(answers: Answers) -> bool:
    """Whether the last page says what the one before said: all there is comes at once, whatever page is asked for."""
    return len(answers) > 1 and answers[-1].content == answers[-2].content


def _complete(answers: Answers, found: int) -> None:
    """Compare what came with what the headers announce, where they do. Raises Shifted."""
    said = {answer.headers.get("X-Total-Count") for answer in answers}
    if said not in ({None}, {str(found)}):
        raise Shifted


def _id(row: Row) -> str:
    return name_of(row, "payroll_uuid", "uuid")


def _is_funded(payment: Row) -> bool:
    return str(payment.get("status")).lower() in {"funded", "paid"}


def _listed(row: Row, entity: str) -> ListedRun:
    period = row.get("pay_period")
    period = period if isinstance(period, dict) else {}
    processed = row.get("processed")
    if not isinstance(processed, bool):  # not a word that a told run is open again: nothing is reversed for it
        msg = f"Gusto does not say whether payroll {_id(row)} is processed"
        raise UnexpectedAnswer(msg)
    return ListedRun(
        entity=name_of(row, "company_uuid") if row.get("company_uuid") else entity,
        run=_id(row),
        status="closed" if processed else "open",
        pay_date=day_of(row, "check_date"),
        period_start=day_of(period, "start_date"),
        period_end=day_of(period, "end_date"),
    )
