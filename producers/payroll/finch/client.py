"""Finch's API: payments of a company, and the pay statements of each.

Source: Finch's API reference, version 2020-09-17 (`GET /employer/payment` filtered by pay date, `POST
/employer/pay-statement` with a batch of requests, `GET /employer/directory`, `GET /introspect`).
Money is in minor units.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from producers.calling.calling import Caller, json_of
from producers.calling.errors import NotReady, NotThere, TokenRefused, UnexpectedAnswer
from producers.calling.settled import SettledReading, Shifted, settled
from producers.calling.shapes import day_of, name_of, object_of, rows_of
from producers.payroll.provider import ListedRun, Provider, Span

STATEMENTS: Final = 250
"""Pay statements asked for at once."""
PEOPLE: Final = 100
"""People of the directory asked for at once."""


class Finch(Provider):
    """Payments of the entities that a token may read. There is no call for one of them."""

    def __init__(self, caller: Caller, *, api_version: str) -> None:
        self._caller = caller
        self._headers = {"Finch-API-Version": api_version}
        self._payments: dict[str, Mapping[str, Any]] = {}
        self._whose: Mapping[str, Any] | None = None

    async def runs(self, entity: str, span: Span) -> Sequence[ListedRun]:
        """See `Provider.runs`. Finch shows payments only once they are final."""
        query = {"start_date": str(span.first), "end_date": str(span.last), **await self._of(entity)}
        rows = rows_of(json_of(await self._caller.get("/employer/payment", query, self._headers)), "payments")
        self._payments |= {name_of(row, "id"): row for row in rows}
        return [_listed(row, entity) for row in rows if span.holds(day_of(row, "pay_date"))]

    async def departments(self, entity: str) -> Mapping[str, str]:
        """See `Provider.departments`: of the directory, nothing else is kept."""
        query = await self._of(entity)

        async def read() -> SettledReading[dict[str, str]]:
            people: list[Mapping[str, Any]] = []
            pages, total = 0, 1
            while len(people) < total:
                asked = {**query, "limit": PEOPLE, "offset": len(people)}
                answer = await self._caller.get("/employer/directory", asked, self._headers)
                body = object_of(json_of(answer), "directory")
                more = rows_of(body.get("individuals"), "individuals")
                pages, total = pages + 1, _count(body, otherwise=len(people) + len(more))
                if not more and len(people) < total:
                    raise Shifted
                people += more
            named = {name_of(row, "id"): row.get("department") for row in people}
            found = {of: str(row["name"]) for of, row in named.items() if isinstance(row, dict) and row.get("name")}
            return SettledReading(found, pages)

        return await settled(read, what=f"the directory of {entity}")

    async def document(self, listed: ListedRun) -> bytes:
        """See `Provider.document`: `{"entity_id", "payment", "pay_statements"}`."""
        query = await self._of(listed.entity)

        async def read() -> SettledReading[list[Mapping[str, Any]]]:
            found, total = await self._statements(listed.run, query, offset=0)
            pages = 1
            while len(found) < total:
                more, count = await self._statements(listed.run, query, offset=len(found))
                if not more or count != total:
                    raise Shifted
                found, pages = [*found, *more], pages + 1
            return SettledReading(found, pages)

        statements = await settled(read, what=f"the pay statements of payment {listed.run}")
        whole = {"entity_id": listed.entity, "payment": self._payments[listed.run], "pay_statements": statements}
        return json.dumps(whole).encode()

    async def _statements(
        self, payment: str, query: Mapping[str, str], *, offset: int
    ) -> tuple[list[Mapping[str, Any]], int]:
        """Some pay statements of a payment from an index on, and how many it has in all."""
        asked = {"requests": [{"payment_id": payment, "limit": STATEMENTS, "offset": offset}]}
        answer = await self._caller.post("/employer/pay-statement", asked, query, self._headers)
        responses = rows_of(object_of(json_of(answer), "pay statements").get("responses"), "responses")
        mine = [each for each in responses if each.get("payment_id") == payment]
        code = mine[0].get("code") if len(mine) == 1 else None
        if code == HTTPStatus.ACCEPTED:
            msg = f"Finch is still fetching the pay statements of payment {payment}"
            raise NotReady(msg)
        if code != HTTPStatus.OK:
            msg = f"Finch has no pay statements of payment {payment} (code {code if isinstance(code, int) else 'none'})"
            raise UnexpectedAnswer(msg)
        body = object_of(mine[0].get("body"), "body")
        rows = rows_of(body.get("pay_statements"), "pay_statements")
        return rows, _count(body, otherwise=offset + len(rows))

    async def _of(self, entity: str) -> dict[str, str]:
        """What limits a call to one entity. Raises TokenRefused when the token is of other companies."""
        if self._whose is None:
            try:
                found = json_of(await self._caller.get("/introspect", None, self._headers))
                self._whose = object_of(found, "introspect")
            except NotThere:  # nothing to compare with: the provider itself refuses an entity that is not the token's
                return {"entity_ids[]": entity}
        entities = {name_of(row, "id") for row in rows_of(self._whose.get("entities") or [], "entities")}
        if entity in entities:
            return {"entity_ids[]": entity}
        if entity not in (self._whose.get("company_id"), self._whose.get("connection_id")) or len(entities) > 1:
            known = ", ".join(sorted(entities)) or self._whose.get("connection_id") or "none"
            msg = f"Finch's token does not say that it is of {entity} alone, but of: {known}. Set entities to those."
            raise TokenRefused(msg)
        return {}


def _count(body: Mapping[str, Any], *, otherwise: int) -> int:
    """How many there are in all, where the answer says so."""
    paging = body.get("paging")
    count = paging.get("count") if isinstance(paging, dict) else None
    return count if isinstance(count, int) else otherwise


def _listed(row: Mapping[str, Any], entity: str) -> ListedRun:
    period = row.get("pay_period")
    period = period if isinstance(period, dict) else {}
    return ListedRun(
        entity=entity,
        run=name_of(row, "id"),
        status="closed",
        pay_date=day_of(row, "pay_date"),
        period_start=day_of(period, "start_date"),
        period_end=day_of(period, "end_date"),
    )
