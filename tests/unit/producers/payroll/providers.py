"""Stand-ins for the providers' APIs: they answer as the public references say, and go wrong on demand.

Every body is made here. People stand in them with marks, so that a test can search for what got out.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx2

Json = dict[str, Any]

ENTITY = "6bf7807c-0000-4000-8000-0000000000a1"
MARKS = ("Zyxwina Marked", "987-65-4321", "12 Marked Lane", "NL91ABNA0417164300", "6543.21")
"""Of a person: a name, a tax number, an address, a bank account, and an amount that is only hers."""


def person(number: int = 1, net: str = "1500.00") -> Json:
    """One employee's part of a payroll, with all that must not get out."""
    return {
        "employee_uuid": f"e{number}",
        "first_name": MARKS[0].split()[0],
        "last_name": f"{MARKS[0].split()[1]} {number}",
        "ssn": MARKS[1],
        "home_address": MARKS[2],
        "bank_account": MARKS[3],
        "commission": MARKS[4],
        "gross_pay": "2000.00",
        "net_pay": net,
        "payment_method": "Direct Deposit",
        "excluded": False,
    }


def payroll(run: str = "run-1", *, people: int = 2, net: str = "3000.00", **changes: object) -> Json:
    """A processed payroll of Gusto: gross 4000.00, employees' taxes so that it adds up, employer's taxes 306.00."""
    taxes = f"{4000 - float(net):.2f}"
    totals = {
        "gross_pay": "4000.00",
        "net_pay": net,
        "net_pay_debit": net,
        "employee_taxes": taxes,
        "employer_taxes": "306.00",
        "tax_debit": f"{float(taxes) + 306:.2f}",
        "company_debit": f"{float(net) + float(taxes) + 306:.2f}",
        "reimbursements": "0.00",
        "reimbursement_debit": "0.00",
        "child_support_debit": "0.00",
        "check_amount": "0.00",
        "benefits": "0.00",
        "employee_benefits_deductions": "0.00",
        "other_deductions": "0.00",
        "imputed_pay": "0.00",
        "deferred_payroll_taxes": "0.00",
        "owners_draw": "0.00",
        "additional_earnings": "0.00",
        "employee_bonuses": "0.00",
        "employee_commissions": "0.00",
        "employee_cash_tips": "0.00",
        "employee_paycheck_tips": "0.00",
    }
    whole = {
        "payroll_uuid": run,
        "company_uuid": ENTITY,
        "processed": True,
        "off_cycle": False,
        "external": False,
        "check_date": "2026-04-15",
        "processed_date": "2026-04-13",
        "pay_period": {"start_date": "2026-04-01", "end_date": "2026-04-14"},
        "totals": totals,
        "employee_compensations": [person(number + 1) for number in range(people)],
    }
    return whole | changes


def contractor(payment: str, *, day: str = "2026-04-15", **changes: object) -> Json:
    """A funded payment of 500.00 to a contractor."""
    whole = {
        "uuid": payment,
        "contractor_uuid": f"of-{payment}",
        "date": day,
        "payment_method": "Direct Deposit",
        "status": "Funded",
        "wage_type": "Fixed",
        "wage": "500.00",
        "wage_total": "500.00",
        "reimbursement": "20.00",
    }
    return whole | changes


Fault = Callable[[httpx2.Request], httpx2.Response | None]


@dataclass
class FakeGusto:
    """Gusto with these payrolls. `faults` are asked first, each once; `tokens` are access tokens that still work."""

    payrolls: list[Json] = field(default_factory=list)
    tokens: set[str] = field(default_factory=lambda: {"access-1"})
    refresh: str = "refresh-1"
    faults: list[Fault] = field(default_factory=list)
    seen: list[httpx2.Request] = field(default_factory=list)
    after: Callable[["FakeGusto"], None] = lambda _: None
    grants: int = 0
    employees: list[Json] = field(default_factory=list)
    contractors: list[Json] = field(default_factory=list)
    total: Json | None = None

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request."""
        self.seen.append(request)
        while self.faults:
            broken = self.faults.pop(0)(request)
            if broken is not None:
                return broken
        if request.url.path == "/oauth/token":
            return self._granted(json.loads(request.content))
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return httpx2.Response(401, json={"error": "invalid_token"})
        assert request.headers["X-Gusto-API-Version"] == "2025-06-15"
        answer = self._answer(request)
        self.after(self)
        return answer

    def _granted(self, asked: Json) -> httpx2.Response:
        if asked["refresh_token"] != self.refresh or asked["client_secret"] != "made-up-secret":
            return httpx2.Response(400, json={"error": "invalid_grant"})
        self.grants += 1
        self.refresh, access = f"refresh-{self.grants + 1}", f"access-{self.grants + 1}"
        self.tokens = {access}
        return httpx2.Response(200, json={"access_token": access, "refresh_token": self.refresh, "expires_in": 7200})

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        page, per = int(query["page"]), int(query["per"])
        if re.fullmatch(r"/v1/companies/[^/]+/payrolls", request.url.path):
            kept = [row for row in self.payrolls if query["start_date"] <= row["check_date"] <= query["end_date"]]
            short = [{name: value for name, value in row.items() if name != "employee_compensations"} for row in kept]
            return _page(short, page, per, lambda rows: rows)
        if request.url.path.endswith("/contractor_payments"):
            kept = [one for one in self.contractors if query["start_date"] <= one["date"] <= query["end_date"]]
            each = [{"contractor_uuid": one["contractor_uuid"], "payments": [one]} for one in kept]
            return _page(each, page, per, lambda rows: {"total": self.total, "contractor_payments": rows})
        if request.url.path.endswith("/employees"):
            people = [person | {"uuid": person["employee_uuid"]} for person in self.employees]
            return _page(people, page, per, lambda rows: rows)
        run = request.url.path.rpartition("/")[2]
        found = next((row for row in self.payrolls if row["payroll_uuid"] == run), None)
        if found is None:
            return httpx2.Response(404, json={})
        people = found["employee_compensations"]
        return _page(people, page, per, lambda rows: found | {"employee_compensations": rows})


def _page(rows: list[Json], page: int, per: int, body: Callable[[list[Json]], Any]) -> httpx2.Response:
    headers = {"X-Page": str(page), "X-Total-Count": str(len(rows)), "X-Total-Pages": str(max(1, -(-len(rows) // per)))}
    return httpx2.Response(200, json=body(rows[(page - 1) * per : page * per]), headers=headers)


def answered(status: int, **headers: str) -> Fault:
    """A fault that answers the next request so."""
    return lambda _: httpx2.Response(status, headers=headers)


def broken(error: type[httpx2.TransportError]) -> Fault:
    """A fault that loses the next request."""

    def fail(request: httpx2.Request) -> httpx2.Response:
        raise error("made up", request=request)

    return fail
