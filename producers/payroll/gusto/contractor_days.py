"""Gusto's payments to contractors as runs: one for each day, of the payments that are funded.

Source: Gusto's API reference (`GET /v1/companies/{id}/contractor_payments`, filtered by the day of payment). A payment
by itself would be the pay of one person; a day of them is told as one total.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any, Final

import httpx2

from producers.calling.calling import json_of
from producers.calling.settled import SettledReading, settled
from producers.calling.shapes import day_of, object_of, rows_of
from producers.payroll.provider import ListedRun, Span

Pages = Callable[[str, Mapping[str, Any]], Awaitable[list[httpx2.Response]]]
"""Reads every page of a path."""

_NAME: Final = re.compile(r"contractors-(\d{4}-\d{2}-\d{2})")


class ContractorDays:
    """Days on which contractors are paid. Every method raises `PayrollError`."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @staticmethod
    def day_of(run: str) -> date | None:
        """The day of a run of contractors; None for any other run."""
        found = _NAME.fullmatch(run)
        return date.fromisoformat(found[1]) if found else None

    async def runs(self, entity: str, span: Span) -> list[ListedRun]:
        """A run for each day with payments: closed once one of them is funded."""
        days: dict[date, list[Mapping[str, Any]]] = {}
        payments, _ = await self._payments(entity, span)
        for payment in payments:
            day = day_of(payment, "date")
            if day is not None and span.holds(day):
                days.setdefault(day, []).append(payment)
        return [
            ListedRun(
                entity=entity,
                run=f"contractors-{day}",
                status="closed" if any(map(_is_funded, paid)) else "open",
                pay_date=day,
            )
            for day, paid in days.items()
        ]

    async def document(self, listed: ListedRun, day: date) -> bytes:
        """The funded payments of a day, as a group of payments; with Gusto's totals, where these are of the same."""
        payments, total = await self._payments(listed.entity, Span(day, day))
        funded = [payment for payment in payments if _is_funded(payment)]
        group: dict[str, Any] = {
            "uuid": listed.run,
            "company_uuid": listed.entity,
            "check_date": str(day),
            "status": "Funded",
            "contractor_payments": funded,
        }
        if total is not None and len(funded) == len(payments):
            totals = {"wage_amount": total.get("wages"), "reimbursement_amount": total.get("reimbursements")}
            group |= {"totals": totals}
        return json.dumps(group).encode()

    async def _payments(self, entity: str, span: Span) -> tuple[list[Mapping[str, Any]], Mapping[str, Any] | None]:
        """The payments of these days, and what Gusto says that they make."""
        query = {"start_date": str(span.first), "end_date": str(span.last)}

        async def read() -> SettledReading[tuple[list[Mapping[str, Any]], Mapping[str, Any] | None]]:
            answers = await self._pages(f"/v1/companies/{entity}/contractor_payments", query)
            bodies = [object_of(json_of(answer), "contractor payments") for answer in answers]
            each = [row for body in bodies for row in rows_of(body.get("contractor_payments"), "contractor_payments")]
            payments = [one for row in each for one in rows_of(row.get("payments"), "payments")]
            total = bodies[0].get("total")
            return SettledReading((payments, total if isinstance(total, dict) else None), len(answers))

        return await settled(read, what=f"the payments to contractors of {entity}")


def _is_funded(payment: Mapping[str, Any]) -> bool:
    return str(payment.get("status")).lower() in {"funded", "paid"}
