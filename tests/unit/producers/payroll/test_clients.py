"""The clients of Finch and Xero, against answers made after their public references; and how tokens are kept."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from ops.composing.payroll import account_of, open_client
from producers.calling.errors import NotReady, TokenRefused, UnexpectedAnswer
from producers.calling.tokens import RenewedTokens, write_whole
from producers.normalising import NormaliseContext
from producers.payroll.provider import ListedRun, Provider, Span
from runtime.sections_payroll import PayrollSettings
from schemas.payroll import RunPaid
from tests.fakes import FakeClock
from tests.unit.producers.payroll.providers import ENTITY, payroll
from tests.unit.producers.payroll.pulls import gusto_settings

DATA = Path(__file__).parents[3] / "data"
XERO_AU, MADE = DATA / "xero-payroll-au", DATA / "payroll-made"
APRIL = Span(date(2026, 4, 1), date(2026, 4, 30))
Handler = Callable[[httpx2.Request], httpx2.Response]


def cents(amount: int) -> dict[str, object]:
    return {"amount": amount, "currency": "usd"}


PAYMENT = {
    "id": "payment-1",
    "pay_period": {"start_date": "2026-04-01", "end_date": "2026-04-15"},
    "pay_date": "2026-04-20",
    "debit_date": "2026-04-20",
    "company_debit": cents(330000),
    "gross_pay": cents(300000),
    "net_pay": cents(240000),
    "employer_taxes": cents(30000),
    "employee_taxes": cents(60000),
    "individual_ids": ["p1", "p2", "p3"],
}


def statement(person: str) -> dict[str, Any]:
    return {
        "individual_id": person,
        "type": "regular_payroll",
        "payment_method": "direct_deposit",
        "gross_pay": cents(100000),
        "net_pay": cents(80000),
        "earnings": [{"type": "salary", "name": "Salary", **cents(100000)}],
        "taxes": [
            {"type": "federal", "name": "Federal Income Tax", "employer": False, **cents(20000)},
            {"type": "federal", "name": "FUTA", "employer": True, **cents(10000)},
        ],
        "employee_deductions": [],
        "employer_contributions": [],
    }


class FakeFinch:
    """Finch with one payment, whose statements come `at_once` at a time."""

    def __init__(self) -> None:
        self.statements = [statement(f"p{number}") for number in (1, 2, 3)]
        self.at_once = 2
        self.code = 200
        self.introspect: dict[str, Any] = {"connection_id": "c1", "company_id": "c1", "entities": [{"id": "entity-1"}]}
        self.directory: list[dict[str, Any]] = []
        self.seen: list[httpx2.Request] = []

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        assert request.headers["Finch-API-Version"] == "2020-09-17"
        if request.headers["Authorization"] != "Bearer finch-token":
            return httpx2.Response(401)
        if request.url.path == "/introspect":
            return httpx2.Response(200, json=self.introspect)
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        assert query.get("entity_ids[]") == "entity-1"
        if request.url.path == "/employer/payment":
            assert (query["start_date"], query["end_date"]) == ("2026-04-01", "2026-04-30")
            return httpx2.Response(200, json=[PAYMENT])
        if request.url.path == "/employer/directory":
            rows = self.directory[int(query["offset"]) :][: self.at_once]
            paging = {"count": len(self.directory), "offset": int(query["offset"])}
            return httpx2.Response(200, json={"paging": paging, "individuals": rows})
        [asked] = json.loads(request.content)["requests"]
        rows = self.statements[asked["offset"] : asked["offset"] + self.at_once]
        body = {"paging": {"count": len(self.statements), "offset": asked["offset"]}, "pay_statements": rows}
        answer = {"payment_id": asked["payment_id"], "code": self.code, "body": body}
        return httpx2.Response(200, json={"responses": [answer]})


def finch_settings(folder: Path) -> PayrollSettings:
    (folder / "token").write_text("finch-token\n")
    said = {"provider": "finch", "entities": {"entity-1": "main"}, "token_file": folder / "token"}
    return PayrollSettings.model_validate(said | {"base_url": "http://finch.test", "calls_per_minute": 10_000})


def xero_settings(folder: Path, region: str) -> PayrollSettings:
    (folder / "tokens").write_text('{"access_token": "access-1", "refresh_token": "refresh-1"}')
    (folder / "secret").write_text("made-up-secret")
    said = {"provider": "xero-payroll", "entities": {"tenant-1": "main"}, "token_file": folder / "tokens"}
    client = {"client_id": "relay", "client_secret_file": folder / "secret", "region": region}
    return PayrollSettings.model_validate(
        said | client | {"base_url": "http://xero.test", "calls_per_minute": 10_000, "currency": "AUD"}
    )


async def with_client(own: PayrollSettings, handle: Handler, use: Callable[[Provider], Awaitable[Any]]) -> Any:  # noqa: ANN401
    """Use a client of the account on a fake provider."""
    transport = httpx2.MockTransport(handle)
    async with open_client("made", own, FakeClock(), transport=transport) as client:
        return await use(client)


def normalised(own: PayrollSettings, entity: str, document: bytes) -> RunPaid:
    """What the account's normaliser makes of a document."""
    account = account_of("made", own)
    options = {"entity": entity, **account.options}
    context = NormaliseContext(company="main", accounts=own.entities, currency=own.currency, options=options)
    [event] = account.normalise(document, context).events
    assert isinstance(event.data, RunPaid)
    return event.data


async def test_a_finch_payment_comes_with_the_statements_of_all_pages(tmp_path: Path) -> None:
    finch, own = FakeFinch(), finch_settings(tmp_path)

    async def use(client: Provider) -> tuple[ListedRun, bytes]:
        [run] = await client.runs("entity-1", APRIL)
        return run, await client.document(run)

    run, document = await with_client(own, finch.handle, use)
    assert (run.run, run.status, run.pay_date) == ("payment-1", "closed", date(2026, 4, 20))
    told = normalised(own, "entity-1", document)
    assert told.fact == "finch:run:entity-1:payment-1:v1"
    assert sum(line.amount.amount for line in told.lines if line.kind == "net_pay") == 2400
    assert sum(request.url.path == "/introspect" for request in finch.seen) == 1


async def test_the_directory_of_finch_gives_departments_and_nothing_else(tmp_path: Path) -> None:
    finch = FakeFinch()
    finch.directory = [
        {"id": "p1", "first_name": "Zyxwina", "department": {"name": "Kitchen"}, "is_active": True},
        {"id": "p2", "last_name": "Marked", "department": None, "is_active": False},
        {"id": "p3", "department": {"name": None}},
        {"id": "p4", "department": {"name": "Bar"}},
    ]
    found = await with_client(finch_settings(tmp_path), finch.handle, lambda client: client.departments("entity-1"))
    assert found == {"p1": "Kitchen", "p4": "Bar"}


async def test_what_is_still_fetched_as_a_whole_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    def handle(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"entities": [{"id": "entity-1"}]}) if _is_introspect(request) else SOON

    with pytest.raises(NotReady, match="/employer/payment was answered with 202"):
        await with_client(finch_settings(tmp_path), handle, lambda client: client.runs("entity-1", APRIL))


SOON = httpx2.Response(202, json={"finch_code": "data_sync_in_progress"})


def _is_introspect(request: httpx2.Request) -> bool:
    return request.url.path == "/introspect"


@pytest.mark.parametrize(("code", "error"), [(202, NotReady), (404, UnexpectedAnswer)])
async def test_statements_that_are_not_there_are_told_so(tmp_path: Path, code: int, error: type[Exception]) -> None:
    finch = FakeFinch()
    finch.code = code
    run = ListedRun(entity="entity-1", run="payment-1", status="closed")
    with pytest.raises(error, match="payment-1"):
        await with_client(finch_settings(tmp_path), finch.handle, lambda client: client.document(run))


async def test_a_finch_token_of_another_company_reads_nothing(tmp_path: Path) -> None:
    finch = FakeFinch()
    finch.introspect = {"connection_id": "c2", "entities": [{"id": "entity-2"}, {"id": "entity-3"}]}
    with pytest.raises(TokenRefused, match="entity-2, entity-3"):
        await with_client(finch_settings(tmp_path), finch.handle, lambda client: client.runs("entity-1", APRIL))
    assert [request.url.path for request in finch.seen] == ["/introspect"]


async def test_without_introspection_each_entity_is_asked_for_by_its_id(tmp_path: Path) -> None:
    finch = FakeFinch()

    def handle(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(404) if request.url.path == "/introspect" else finch.handle(request)

    [run] = await with_client(finch_settings(tmp_path), handle, lambda client: client.runs("entity-1", APRIL))
    assert run.run == "payment-1"


async def test_a_finch_token_that_is_refused_must_be_replaced(tmp_path: Path) -> None:
    own = finch_settings(tmp_path)
    (tmp_path / "token").write_text("old-token")
    with pytest.raises(TokenRefused, match="Connect the account anew"):
        await with_client(own, FakeFinch().handle, lambda client: client.runs("entity-1", APRIL))


async def test_gusto_without_pages_gives_every_person_once(tmp_path: Path) -> None:
    whole = payroll(people=150)
    run = ListedRun(entity=ENTITY, run="run-1", status="closed")
    found = await with_client(
        gusto_settings(tmp_path), lambda _: httpx2.Response(200, json=whole), lambda client: client.document(run)
    )
    assert len(json.loads(found)["employee_compensations"]) == 150


class FakeXero:
    """Xero with the pay runs of a file, and tokens that ran out."""

    def __init__(self, root: str, listed: bytes, one: bytes) -> None:
        self.root, self.listed, self.one = root, listed, one
        self.token = "access-1"

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/connect/token":
            assert request.headers["Authorization"].startswith("Basic ")
            assert parse_qs(request.content.decode()) == {
                "grant_type": ["refresh_token"],
                "refresh_token": ["refresh-1"],
            }
            self.token = "access-2"
            return httpx2.Response(200, json={"access_token": "access-2", "refresh_token": "refresh-2"})
        if request.headers["Authorization"] != f"Bearer {self.token}":
            return httpx2.Response(401)
        assert request.headers["Xero-Tenant-Id"] == "tenant-1"
        if request.url.path == f"{self.root}/PayRuns":
            return httpx2.Response(200, content=self.listed)
        if request.url.path.startswith(f"{self.root}/PayRuns/"):
            return httpx2.Response(200, content=self.one)
        return httpx2.Response(404)


async def test_an_australian_pay_run_of_the_public_examples(tmp_path: Path) -> None:
    one = (XERO_AU / "payruns-payrunid.json").read_bytes()
    xero, own = FakeXero("/payroll.xro/1.0", one, one), xero_settings(tmp_path, "au")
    xero.token = "run out"

    async def use(client: Provider) -> tuple[ListedRun, ListedRun | None, bytes]:
        [run] = await client.runs("tenant-1", Span(date(2019, 11, 1), date(2019, 11, 30)))
        return run, await client.find("tenant-1", run.run), await client.document(run)

    run, found, document = await with_client(own, xero.handle, use)
    assert run == found
    assert (run.status, run.pay_date) == ("closed", date(2019, 11, 8))
    told = normalised(own, "tenant-1", document)
    assert told.fact == "xero-payroll:run:tenant-1:21d6317b-5319-4b3d-8d78-48904db6b665:v1"
    assert json.loads((tmp_path / "tokens").read_text())["refresh_token"] == "refresh-2"


@pytest.mark.parametrize("region", ["nz", "uk"])
async def test_pay_runs_of_new_zealand_and_the_united_kingdom(tmp_path: Path, region: str) -> None:
    one = (MADE / f"xero-{region}.json").read_bytes()
    row = json.loads(one)["payRun"]
    listed = {"pagination": {"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 1}, "payRuns": [row]}
    xero = FakeXero("/payroll.xro/2.0", json.dumps(listed).encode(), one)
    own = xero_settings(tmp_path, region)

    async def use(client: Provider) -> bytes:
        [run] = await client.runs("tenant-1", Span(date(2020, 1, 1), date(2030, 1, 1)))
        assert run.status == "closed"
        return await client.document(run)

    document = await with_client(own, xero.handle, use)
    assert normalised(own, "tenant-1", document).entity == "tenant-1"


async def test_a_list_of_a_full_page_that_has_no_other_ends(tmp_path: Path) -> None:
    rows = [{"PayRunID": f"r{n}", "PayRunStatus": "POSTED", "PaymentDate": "2026-04-15"} for n in range(100)]
    listed = json.dumps({"PayRuns": rows}).encode()
    xero = FakeXero("/payroll.xro/1.0", listed, listed)
    own = xero_settings(tmp_path, "au")
    assert len(await with_client(own, xero.handle, lambda client: client.runs("tenant-1", APRIL))) == 100


async def test_a_status_that_is_not_known_is_not_guessed(tmp_path: Path) -> None:
    listed = json.dumps({"PayRuns": [{"PayRunID": "r1", "PayRunStatus": "HALF"}]}).encode()
    xero = FakeXero("/payroll.xro/1.0", listed, listed)
    with pytest.raises(UnexpectedAnswer, match="pay run r1 in a status that this relay does not know"):
        await with_client(xero_settings(tmp_path, "au"), xero.handle, lambda client: client.runs("tenant-1", APRIL))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reversal_payroll_uuids", 5),
        ("reversal_payroll_uuids", ["Zyxwina Marked"]),
        ("payroll_uuid", "Zyxwina Marked"),
        ("payroll_uuid", ["Zyxwina Marked"]),
        ("company_uuid", "Zyxwina Marked"),
        ("employee_compensations", 5),
        ("employee_compensations", ["Zyxwina Marked"]),
    ],
)
async def test_a_field_of_another_kind_is_told_by_its_name_and_never_by_its_value(
    tmp_path: Path, field: str, value: object
) -> None:
    row = payroll() | {"reversal_payroll_uuids": [], field: value}

    async def use(client: Provider) -> bytes:
        [run] = await client.runs(ENTITY, APRIL)
        return await client.document(run)

    def handle(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=[row] if request.url.path.endswith("/payrolls") else row)

    with pytest.raises(UnexpectedAnswer, match=field) as caught:
        await with_client(gusto_settings(tmp_path), handle, use)
    assert "Marked" not in str(caught.value)


async def test_several_who_find_the_token_refused_renew_it_once(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text('{"access_token": "a1", "refresh_token": "r1"}')
    grants: list[str] = []

    async def grant(refresh: str) -> dict[str, str]:
        grants.append(refresh)
        await asyncio.sleep(0)
        return {"access_token": "a2", "refresh_token": "r2"}

    tokens = [RenewedTokens(path, where="payroll.made", grant=grant) for _ in range(2)]
    await tokens[0].renew("a1")
    await asyncio.gather(*(each.renew("a1") for each in tokens))
    assert grants == ["r1"]
    assert {each.current() for each in tokens} == {"a2"}
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tokens"
    write_whole(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["tokens"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"access_token": "a"}', "not json"])
def test_a_token_file_that_is_none_says_what_belongs_there(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokens").write_text(content)

    async def never(_: str) -> dict[str, str]:
        raise AssertionError

    with pytest.raises(TokenRefused, match="must hold JSON with access_token and refresh_token"):
        RenewedTokens(tmp_path / "tokens", where="payroll.made", grant=never).current()
