"""Solid's REST API as the relay uses it: create a record, find one, read accounts, contacts and balances.

Every call goes through the transport given, which is where pacing happens. Nothing is retried here, no
redirect is followed, and nothing is remembered between calls. Which failure means what is in `solid.answers`.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from decimal import Decimal
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, Self, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from runtime.clock import Clock, SystemClock
from runtime.settings import ConfigurationError
from solid.answers import KEY_HEADER, from_exception, payload_of, read_document, systemic
from solid.bodies import encode
from solid.dialect import RESOURCES, Dialect, Resource
from solid.errors import DialectMismatch, OutcomeUnknown, Refused, RefusedInDoubt, Unavailable
from solid.lookups import (
    Absent,
    Days,
    Everything,
    Inconclusive,
    Lookup,
    Present,
    Sought,
    collect,
    conclude,
    days_between,
    question,
)
from solid.models import Account, Contact, Item, NewRecord, RecordKind
from solid.pages import MOST_PAGES, Listing, Page, read_all, read_page
from solid.transport import BEFORE_SEND, JUDGE, SIGN, PacedTransport

__all__ = ["Absent", "BeforeSend", "Days", "Everything", "Inconclusive", "Lookup", "Present", "SolidClient", "Sought"]

Model = TypeVar("Model", bound=BaseModel)
BeforeSend = Callable[[], Awaitable[None]]
"""Awaited after the token was taken, just before the request is sent; if it raises, nothing is sent."""

MOST_PAGES_AT_ONCE: Final = 50
"""So many calls reading everything may cost; past that, one look-up a write is cheaper or kinder."""


class SolidClient:
    """One company's Solid. An async context manager; safe for many tasks at once.

    `base_url` is the server's root, with the reverse proxy's path if it has one; the dialect's prefix may be
    given with it. `api_key` is asked before every request, so that a new key takes effect at once. Every call
    may raise Unavailable, OutcomeUnknown, Refused and DialectMismatch. Cancelling a `create` leaves its
    outcome unknown.
    """

    def __init__(  # noqa: PLR0913 - one keyword each, of the contract
        self,
        *,
        base_url: str,
        api_key: Callable[[], str],
        dialect: Dialect,
        transport: PacedTransport,
        timeout: httpx2.Timeout,
        clock: Clock | None = None,
    ) -> None:
        """Raise ValueError for a base URL that is not plain http(s)://host[:port][/path]."""
        self._root = _server_root(base_url, dialect)
        self._api_key = api_key
        self._dialect = dialect
        self._clock = clock or SystemClock()
        self._http = httpx2.AsyncClient(
            transport=transport,
            timeout=timeout,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            trust_env=False,
        )

    def __repr__(self) -> str:
        """Name the server, nothing else."""
        return f"<SolidClient {self._root}>"

    async def __aenter__(self) -> Self:
        """Start; no call is made."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the transport."""
        await self._http.aclose()

    async def create(self, record: NewRecord, *, before_send: BeforeSend | None = None) -> str:
        """Create one record with one call, and give its Solid id. NOT idempotent: a repeat makes a duplicate.

        Raises Unavailable (`sent` says whether a doubt remains), OutcomeUnknown (also where success comes
        without an id), Refused (also, before anything is sent, where the dialect has no way to say it), PeriodClosed,
        RefusedInDoubt, and unchanged whatever `before_send` raises. Solid's pages: no idempotency keys.
        """
        resource = RESOURCES[record.kind]
        content = _encoded(record, self._dialect)
        url, call = self._url(resource), f"POST {self._dialect.path(resource)} ({record.external_id})"
        response = await self._send("POST", url, call=call, content=content, before_send=before_send)
        document = self._read(response, call)
        payload = payload_of(document, call=call, dialect=self._dialect, resource=resource)
        solid_id = payload.get("id") if isinstance(payload, dict) else None
        if not isinstance(solid_id, str | int) or isinstance(solid_id, bool) or not solid_id:
            raise OutcomeUnknown(stage="answer", message=f"{call}: success, but the answer shows no id")
        return str(solid_id)

    async def find(self, record: NewRecord, *, days: Days = None) -> Lookup:
        """Look up a record at hand, which may once have been sent with another date, within `days`. See `look_up`."""
        return await self.look_up(Sought.of(record, days=days))

    async def look_up(self, sought: Sought) -> Lookup:
        """Look a record up by its external id, comparing every row here. As many calls as there are pages.

        Absent only when every page was read and nothing suggests that another exists; Inconclusive also where
        Solid refuses the question. Raises Unavailable and OutcomeUnknown: ask again later.
        """
        asked = question(sought, self._dialect)
        if isinstance(asked, Inconclusive):
            return asked
        try:
            listing = await self._list(RESOURCES[sought.kind], asked)
        except (Refused, DialectMismatch) as error:
            return Inconclusive(str(error))
        return conclude(sought, listing, self._dialect)

    async def everything(
        self, kind: RecordKind, *, since: date, until: date | None = None
    ) -> Everything | Inconclusive:
        """Read all records of a kind that carry a key, by it: those dated `since` or later, where Solid can tell.

        At most `MOST_PAGES_AT_ONCE` calls, with `until` as many as a look-up on those days. Inconclusive as for
        `look_up`, and where the list is longer. Whether the dialect holds the kind for a person does not matter: a list
        that was read to its end, and shows keys, tells.

        Raises RefusedInDoubt for a no that may be a passing one, of whoever: it has no code of `refusal_codes`.
        """
        by_date = self._dialect.lookup(kind).by == "date_range"
        query = days_between(since, until, self._dialect) if by_date else {}
        most_pages = MOST_PAGES if by_date and until is not None else MOST_PAGES_AT_ONCE
        try:
            listing = await self._list(RESOURCES[kind], query, most_pages=most_pages)
        except Refused as error:
            if error.code.lower() not in self._dialect.refusal_codes:
                raise RefusedInDoubt(error.code, error.message, status=error.status) from error
            return Inconclusive(str(error))
        except DialectMismatch as error:
            return Inconclusive(str(error))
        return collect(kind, listing, self._dialect)

    async def accounts(self) -> list[Account]:
        """Read all accounts. Raises DialectMismatch where Solid says there is more but does not give it."""
        listing = await self._list("accounts")
        _refuse_promised(listing, "accounts")
        return [_parsed(Account, row, "accounts") for row in listing.rows]

    async def items(self) -> list[Item]:
        """Read all items.

        A SKU must be known to stand once, so a list that may be cut is an error: DialectMismatch where Solid says
        that there is more but does not give it, Refused (code `list_may_be_cut`) where it may be so.
        """
        listing = await self._list("items")
        _refuse_promised(listing, "items")
        if listing.cut is not None:
            raise Refused("list_may_be_cut", f"items of one SKU cannot be counted: {listing.cut}", status=200)
        return [_parsed(Item, row, "items") for row in listing.rows]

    async def contacts_named(self, display_name: str) -> list[Contact]:
        """Give the contacts of exactly this name; several may have it. The name is compared here.

        The answer decides whether a contact is created, so a list that may be cut is an error: Refused (code
        `list_may_be_cut`) where too many contacts have a similar name, DialectMismatch where Solid ignored
        the name altogether.
        """
        listing = await self._list("contacts", {self._dialect.parameters.display_name: display_name})
        if listing.cut is not None:
            raise _cut_contacts(display_name, listing)
        namesakes = [row for row in listing.rows if row.get("display_name") == display_name]
        return [_parsed(Contact, row, "contacts") for row in namesakes]

    async def balances(self, as_of: date | None = None) -> dict[str, Decimal]:
        """Read the balance of each account by its id, in whole units of the dialect's currency.

        The signs are Solid's. Raises DialectMismatch for an amount that is not written as `money` says, or an
        account listed twice.
        """
        query = {} if as_of is None else {self._dialect.parameters.as_of: as_of.isoformat()}
        listing = await self._list("balances", query)
        _refuse_promised(listing, "balances")
        balances: dict[str, Decimal] = {}
        for row in listing.rows:
            account, amount = row.get("account_id", row.get("id")), row.get("balance", row.get("amount"))
            if not isinstance(account, str) or account in balances:
                msg = "GET balances: rows are not one an account, with account_id and balance"
                raise DialectMismatch(msg)
            balances[account] = self._dialect.decode_money(amount, self._dialect.currency)
        return balances

    async def openapi(self) -> dict[str, object]:
        """Read `/openapi.json`, which is at the server's root and has no envelope; the key is sent along."""
        call = "GET /openapi.json"
        response = await self._send("GET", self._at("/openapi.json"), call=call)
        return self._read(response, call)

    async def probe(self) -> None:
        """Ask the smallest harmless question, `GET /accounts`, and return if it is answered."""
        await self._page("accounts", self._url("accounts"))

    async def _list(
        self, resource: Resource, query: Mapping[str, str] | None = None, *, most_pages: int = MOST_PAGES
    ) -> Listing:
        url = self._url(resource)
        url = url.copy_merge_params(query) if query else url
        return await read_all(lambda url: self._page(resource, url), url, self._dialect, most_pages=most_pages)

    async def _page(self, resource: Resource, url: httpx2.URL) -> Page:
        call = f"GET {self._dialect.path(resource)}"
        response = await self._send("GET", url, call=call)
        document = self._read(response, call)
        payload = payload_of(document, call=call, dialect=self._dialect, resource=resource)
        link = response.links.get("next", {}).get("url")
        return read_page(document, payload, resource=resource, call=call, link=link)

    async def _send(
        self,
        method: str,
        url: httpx2.URL,
        *,
        call: str,
        content: bytes | None = None,
        before_send: BeforeSend | None = None,
    ) -> httpx2.Response:
        request = self._http.build_request(
            method,
            url,
            content=content,
            headers={"Accept": "application/json"} | ({} if content is None else {"Content-Type": "application/json"}),
            extensions={SIGN: self._sign, BEFORE_SEND: before_send, JUDGE: self._judge},
        )
        try:
            return await self._http.send(request)
        except httpx2.HTTPError as error:
            raise from_exception(error, call) from error

    def _sign(self, request: httpx2.Request) -> None:
        """Add the key. Its text is in no local variable, so that no traceback with locals can show it."""
        try:
            request.headers[KEY_HEADER] = self._api_key().strip()
        except ConfigurationError as error:
            message = f"no API key, nothing was sent: {error}"
            raise Unavailable(cause="unauthorised", message=message) from None
        if not re.fullmatch("[!-~]+", request.headers[KEY_HEADER]):
            del request.headers[KEY_HEADER]
            message = "the API key is empty, or not one word of ASCII; nothing was sent: see solid.api_key_file"
            raise Unavailable(cause="unauthorised", message=message)

    def _judge(self, response: httpx2.Response) -> Unavailable | None:
        return systemic(response, self._dialect, self._clock)

    def _read(self, response: httpx2.Response, call: str) -> dict[str, object]:
        return read_document(response, call=call, dialect=self._dialect, clock=self._clock)

    def _url(self, resource: Resource) -> httpx2.URL:
        return self._at(self._dialect.path(resource))

    def _at(self, path: str) -> httpx2.URL:
        return self._root.copy_with(path=self._root.path.rstrip("/") + path)


def _encoded(record: NewRecord, dialect: Dialect) -> bytes:
    """Write the body; what this dialect cannot say is refused here, for good and with nothing sent."""
    resource = RESOURCES[record.kind]
    if not dialect.offers(resource):
        message = f"{record.external_id} was not sent: solid.dialect.paths.{resource} is not set"
        raise Refused("no_endpoint", message, status=0)
    try:
        return encode(record, dialect)
    except ValueError as error:
        raise Refused("cannot_be_written", f"{record.external_id} was not sent: {error}", status=0) from error


def _server_root(base_url: str, dialect: Dialect) -> httpx2.URL:
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        msg = f"solid.base_url cannot be read: {error}"
        raise ValueError(msg) from error
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query or url.fragment:
        msg = "solid.base_url must be http(s)://host[:port][/path], without a user, a query or a fragment"
        raise ValueError(msg)
    return url.copy_with(path=url.path.rstrip("/").removesuffix(dialect.prefix).rstrip("/") or "/")


def _parsed(model: type[Model], row: Mapping[str, object], resource: Resource) -> Model:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, problem["loc"])) for problem in error.errors()}))
        msg = f"GET {resource}: a row without a usable {fields}"
        raise DialectMismatch(msg) from None


def _cut_contacts(display_name: str, listing: Listing) -> Refused | DialectMismatch:
    similar = display_name.casefold()
    message = f"contacts of one name cannot be counted: {listing.cut}"
    if all(similar in str(row.get("display_name", "")).casefold() for row in listing.rows):
        return Refused("list_may_be_cut", message, status=200)
    return DialectMismatch(f"{message}; Solid ignores the filter by display_name")


def _refuse_promised(listing: Listing, resource: Resource) -> None:
    if listing.promised:
        msg = f"GET {resource}: {listing.cut}"
        raise DialectMismatch(msg)
