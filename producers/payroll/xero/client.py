"""Xero Payroll: pay runs of an organisation in Australia (API 1.0), New Zealand or the United Kingdom (2.0).

Source: Xero's OpenAPI documents (`GET /PayRuns`, 100 a page, and `GET /PayRuns/{id}`; an organisation is chosen by the
header `Xero-Tenant-Id`). Lists are read whole: one limited by `If-Modified-Since` cannot show what is missing.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from producers.calling.calling import Caller, json_of
from producers.calling.errors import NotThere, UnexpectedAnswer
from producers.calling.settled import SettledReading, settled
from producers.calling.shapes import day_of, name_of, object_of, rows_of
from producers.payroll.provider import ListedRun, Provider, RunStatus, Span

Region = Literal["au", "nz", "uk"]
PER_PAGE: Final = 100
STATUSES: Final[Mapping[str, RunStatus]] = {
    "posted": "closed",
    "draft": "open",
    "cancelled": "cancelled",
    "voided": "cancelled",
    "deleted": "cancelled",
}


class Xero(Provider):
    """Pay runs of the organisations that a token may read."""

    def __init__(self, caller: Caller, *, region: Region) -> None:
        self._caller = caller
        self._root = "/payroll.xro/1.0" if region == "au" else "/payroll.xro/2.0"

    async def runs(self, entity: str, span: Span) -> Sequence[ListedRun]:
        """See `Provider.runs`."""

        async def read() -> SettledReading[list[Mapping[str, Any]]]:
            found: dict[str, Mapping[str, Any]] = {}
            pages, last = 0, False
            while not last:
                pages += 1
                body = object_of(json_of(await self._get(entity, "/PayRuns", {"page": pages})), "pay runs")
                rows = rows_of(_either(body, "PayRuns", "payRuns") or [], "PayRuns")
                new = {_id(row): row for row in rows if _id(row) not in found}
                found |= new
                said = _pages(body)
                last = len(rows) < PER_PAGE or not new if said is None else pages >= said
            return SettledReading(list(found.values()), pages)

        rows = await settled(read, what=f"the list of pay runs of {entity}")
        return [run for run in (_listed(row, entity) for row in rows) if span.holds(run.pay_date)]

    async def find(self, entity: str, run: str) -> ListedRun | None:
        """See `Provider.find`."""
        try:
            return _listed(await self._run(entity, run), entity)
        except NotThere:
            return None

    async def document(self, listed: ListedRun) -> bytes:
        """See `Provider.document`: the pay run with its payslips, as the body of the answer has it."""
        run = await self._run(listed.entity, listed.run)
        return json.dumps({"PayRuns": [run]} if "PayRunID" in run else {"payRun": run}).encode()

    async def _run(self, entity: str, run: str) -> Mapping[str, Any]:
        body = object_of(json_of(await self._get(entity, f"/PayRuns/{run}", {})), "pay run")
        several = _either(body, "PayRuns", "payRuns")
        rows = rows_of(several if several is not None else [_either(body, "payRun", "PayRun")], "PayRuns")
        if len(rows) != 1 or _id(rows[0]) != run:
            msg = f"Xero's answer to GET /PayRuns/{run} is not that pay run"
            raise UnexpectedAnswer(msg)
        return rows[0]

    async def _get(self, entity: str, path: str, query: Mapping[str, Any]) -> Any:  # noqa: ANN401 - httpx2.Response
        headers = {"Xero-Tenant-Id": entity, "Accept": "application/json"}
        return await self._caller.get(f"{self._root}{path}", query, headers)


def _either(row: Mapping[str, Any], *fields: str) -> Any:  # noqa: ANN401 - any JSON
    """The field under Australia's name or the others'."""
    return next((row[field] for field in fields if row.get(field) is not None), None)


def _pages(body: Mapping[str, Any]) -> int | None:
    pagination = body.get("pagination")
    count = pagination.get("pageCount") if isinstance(pagination, dict) else None
    return count if isinstance(count, int) and count > 0 else None


def _id(row: Mapping[str, Any]) -> str:
    return name_of(row, "PayRunID", "payRunID")


def _listed(row: Mapping[str, Any], entity: str) -> ListedRun:
    said = str(_either(row, "PayRunStatus", "payRunStatus")).lower()
    if said not in STATUSES:
        msg = f"Xero shows pay run {_id(row)} in a status that this relay does not know; known: {', '.join(STATUSES)}"
        raise UnexpectedAnswer(msg)
    return ListedRun(
        entity=entity,
        run=_id(row),
        status=STATUSES[said],
        pay_date=day_of(row, "PaymentDate") or day_of(row, "paymentDate"),
        period_start=day_of(row, "PayRunPeriodStartDate") or day_of(row, "periodStartDate"),
        period_end=day_of(row, "PayRunPeriodEndDate") or day_of(row, "periodEndDate"),
    )
