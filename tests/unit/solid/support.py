"""What the tests of `solid` share: a scripted Solid, a limiter that writes down, sample records."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import httpx2

from solid.client import SolidClient
from solid.dialect import Dialect, Paths
from solid.models import (
    Application,
    BillLine,
    EntryLine,
    InvoiceLine,
    NewAdjustment,
    NewBill,
    NewContact,
    NewEntry,
    NewInvoice,
    NewPayment,
)
from solid.transport import PacedTransport
from tests.fakes import FakeClock

KEY = "k" * 60 + "9Zq7"
BASE_URL = "http://127.0.0.1:21384"
DIALECT = Dialect(money="decimal_string")
TIMEOUT = httpx2.Timeout(30, connect=5)
DAY = date(2026, 4, 26)

INVOICE = NewInvoice(
    external_id="stripe:charge:ch_1",
    customer_id="c-1",
    date=DAY,
    currency="USD",
    lines=(InvoiceLine(account_id="a-income", description="Plan", amount=Decimal("20.00")),),
)
CONTACT = NewContact(external_id="stripe:customer:cus_1", display_name="Ann & Sons", email="ann@example.com")
PAYMENT = NewPayment(
    external_id="stripe:charge:ch_1:payment",
    customer_id="c-1",
    date=DAY,
    currency="USD",
    amount=Decimal("20.00"),
    deposit_account_id="a-clearing",
    applications=(Application(invoice_id="i-1", amount=Decimal("20.00")),),
)
ENTRY = NewEntry(
    external_id="stripe:payout:po_1",
    date=DAY,
    currency="USD",
    memo="Payout",
    lines=(
        EntryLine(account_id="a-bank", debit=Decimal("96.80")),
        EntryLine(account_id="a-fees", debit=Decimal("3.20"), memo="Fees"),
        EntryLine(account_id="a-clearing", credit=Decimal("100.00")),
    ),
)
VENDOR = NewContact(external_id="warehouse:vendor:v_1", display_name="Acme", contact_type="vendor")
BILL = NewBill(
    external_id="warehouse:bill:b_1",
    vendor_id="c-2",
    date=DAY,
    due_date=date(2026, 5, 26),
    currency="USD",
    number="INV-4711",
    lines=(
        BillLine(account_id="a-grni", description="Order 7", amount=Decimal("90.00")),
        BillLine(account_id="a-ppv", description="Order 7", amount=Decimal("1.50")),
    ),
    memo="Bill INV-4711",
)
ADJUSTMENT = NewAdjustment(
    external_id="warehouse:adjustment:17",
    date=DAY,
    item_id="i-1",
    quantity_delta=Decimal("-2.50"),
    account_id="a-shrinkage",
    unit_cost=Decimal("10.00"),
    currency="USD",
    reason="damage",
    memo="Damage",
)
RECORDS = (CONTACT, INVOICE, PAYMENT, ENTRY, VENDOR, BILL)
ADJUSTING = Dialect(money="decimal_string", paths=Paths(adjustments="/inventory-adjustments"))


@dataclass(frozen=True, slots=True)
class CountedToken:
    number: int
    probe: bool = False


@dataclass(slots=True)
class WritingLimiter:
    """Gives tokens at once; `log` shows, in order, what happened to them."""

    log: list[object] = field(default_factory=list)
    taken: int = 0

    async def take(self) -> CountedToken:
        self.taken += 1
        self.log.append("take")
        return CountedToken(self.taken)

    async def report(self, token: CountedToken, *, cause: str | None, retry_after: float | None) -> None:
        self.log.append(("report", token.number, cause, retry_after))

    @property
    def reports(self) -> list[tuple[object, ...]]:
        return [each for each in self.log if isinstance(each, tuple)]


Answer = httpx2.Response | Exception
Handler = Callable[[httpx2.Request], Answer]


@dataclass(slots=True)
class ScriptedSolid:
    """Gives its answers one after another, the last one again and again; remembers the requests."""

    answers: Sequence[Answer] | Handler
    requests: list[httpx2.Request] = field(default_factory=list)
    limiter: WritingLimiter = field(default_factory=WritingLimiter)
    clock: FakeClock = field(default_factory=FakeClock)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        self.limiter.log.append("send")
        if callable(self.answers):
            answer = self.answers(request)
        else:
            answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        # A fresh one each time: a response object can be read only once.
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(
        self,
        dialect: Dialect = DIALECT,
        *,
        api_key: Callable[[], str] = lambda: KEY,
        base_url: str = BASE_URL,
    ) -> AbstractAsyncContextManager[SolidClient]:
        return SolidClient(
            base_url=base_url,
            api_key=api_key,
            dialect=dialect,
            transport=PacedTransport(httpx2.MockTransport(self.handle), self.limiter),
            timeout=TIMEOUT,
            clock=self.clock,
        )


def ok(payload: object, *, status: int = 200, **more: Any) -> httpx2.Response:  # noqa: ANN401 - any JSON
    """Solid's envelope around a payload; `more` stands beside it."""
    return httpx2.Response(status, json={"success": True, "data": payload, **more})


def refusal(code: str, message: str = "no", *, status: int = 200) -> httpx2.Response:
    return httpx2.Response(
        status, json={"success": False, "error": {"code": code, "message": message}, "api_version": "26.2"}
    )


def rows(count: int, *, start: int = 0) -> list[Mapping[str, object]]:
    """So many records that are none of ours."""
    return [
        {"id": f"other-{number}", "external_id": f"other:{number}", "reference_number": None}
        for number in range(start, start + count)
    ]


def body_of(request: httpx2.Request) -> dict[str, object]:
    """Read a request's body with its numbers as Decimal."""
    parsed: dict[str, object] = json.loads(request.content, parse_float=Decimal)
    return parsed
