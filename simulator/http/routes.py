"""The API without HTTP: a method, a path, a query and a body go in, an answer comes out; nothing waits.

Every refusal is an answer too. Keys, the rate limit and faults are not known here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from simulator.books import documents, reports, stock
from simulator.books.books import LEDGER, Record
from simulator.books.fields import Fields, day, load
from simulator.books.rows import Rows, rows_of
from simulator.errors import ApiError, invalid, not_found
from simulator.http.pages import cut
from simulator.http.render import as_entry, envelope, refusal, resource
from simulator.service.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for. `path` is without the prefix; of a repeated query parameter the last one counts."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; `committed` are the ids of the records that were made."""

    status: int
    body: bytes
    committed: tuple[str, ...] = ()
    external_id: str | None = None
    retry_after: int | None = None
    media_type: str = "application/json"
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of record behind one path."""

    kind: str
    build: documents.Builder


RESOURCES: Final = {
    "accounts": Resource("account", documents.account),
    "contacts": Resource("contact", documents.contact),
    "items": Resource("item", documents.item),
    "invoices": Resource("invoice", documents.invoice),
    "payments": Resource("payment", documents.payment),
    "entries": Resource("entry", documents.entry),
    "bills": Resource("bill", documents.bill),
    "inventory-adjustments": Resource("adjustment", stock.adjustment),
}
_DOCUMENTS: Final = ("invoice", "payment", "bill", "adjustment")
_DATED: Final = {"invoices", "payments", "entries", "bills", "inventory-adjustments"}


def answer(simulation: Simulation, ask: Ask) -> Answer:
    """Do what is asked, or answer why not."""
    try:
        return _dispatch(simulation, ask)
    except ApiError as exc:
        return refused(exc)


def refused(error: ApiError) -> Answer:
    """The answer that carries a refusal."""
    return Answer(error.status, refusal(error.code, error.message), retry_after=error.retry_after)


def _dispatch(simulation: Simulation, ask: Ask) -> Answer:
    report = _REPORTS.get(ask.path)
    parts = ask.path.strip("/").split("/")
    if report is None and (not _offered(simulation, parts[0]) or len(parts) > 2):  # noqa: PLR2004  # resource and id
        raise not_found(ask.path)
    match ask.method, parts:
        case "GET", _ if report is not None:
            return report(simulation, ask)
        case "GET", [name]:
            return _list(simulation, ask, name)
        case "GET", [name, record_id]:
            return _one(simulation, name, record_id)
        case "POST", [name] if name in RESOURCES:
            return _create(simulation, ask, name)
        case _:
            raise ApiError(405, "METHOD_NOT_ALLOWED", f"{ask.method} is not possible on {ask.path}")


def _offered(simulation: Simulation, name: str) -> bool:
    absent = simulation.switches.dialect.adjustments == "absent"
    return name in RESOURCES and not (absent and RESOURCES[name].kind == "adjustment")


def _create(simulation: Simulation, ask: Ask, name: str) -> Answer:
    dialect, books, made = simulation.switches.dialect, simulation.books, RESOURCES[name]
    body = load(ask.body)
    given = body.get("external_id")
    external_id = given if isinstance(given, str) else None
    try:
        record = simulation.commit(made.build(Fields(body, dialect.money), books, dialect))
    except ApiError as exc:
        return Answer(exc.status, refusal(exc.code, exc.message), external_id=external_id)
    shown = envelope(resource(record, books, dialect), made.kind, dialect)
    return Answer(201, shown, (record.id,), external_id)


def _one(simulation: Simulation, name: str, record_id: str) -> Answer:
    books, dialect, kind = simulation.books, simulation.switches.dialect, RESOURCES[name].kind
    record = books.get(kind, record_id.lower())
    if record is not None:
        return Answer(200, envelope(resource(record, books, dialect), kind, dialect))
    if name == "entries" and dialect.entries == "all":
        document = next(filter(None, (books.get(k, record_id.lower()) for k in _DOCUMENTS)), None)
        if document is not None:
            return Answer(200, envelope(as_entry(document, books, dialect), kind, dialect))
    what = f"the {kind} {record_id}"
    raise not_found(what)


def _list(simulation: Simulation, ask: Ask, name: str) -> Answer:
    books, dialect = simulation.books, simulation.switches.dialect
    rows, extra = cut(_rows(simulation, ask, name), ask.query, dialect, ask.path)
    show = as_entry if name == "entries" else resource
    shown = [show(row, books, dialect) for row in rows]
    return Answer(200, envelope(shown, name.removeprefix("inventory-"), dialect, extra))


def _rows(simulation: Simulation, ask: Ask, name: str) -> Rows[Record]:
    books, dialect, kind = simulation.books, simulation.switches.dialect, RESOURCES[name].kind
    external_id, display_name = ask.query.get("external_id"), ask.query.get("display_name")
    if external_id is not None and _filters(name, dialect.entries_external_id_filter):
        found = [] if dialect.external_id == "dropped" else books.with_external_id(kind, external_id)
        return rows_of(found)
    if name == "contacts" and display_name is not None:
        return rows_of(books.contacts_named(display_name, match=dialect.contact_match))
    if name not in _DATED:
        return rows_of(books.undated(kind))
    index = LEDGER if name == "entries" and dialect.entries == "all" else kind
    return books.dated(index, since=_day(ask, "from"), until=_day(ask, "to"))


def _filters(name: str, others: str) -> bool:
    if name == "invoices" or others == "supported":
        return True
    if others == "400":
        raise ApiError(400, "UNKNOWN_FILTER", f"{name} cannot be filtered by external_id")
    return False


def _day(ask: Ask, name: str) -> str | None:
    if name not in ask.query:
        return None
    try:
        return day(ask.query[name])
    except ValueError as exc:
        message = f"{name}: {exc}"
        raise invalid(message) from exc


def _balances(simulation: Simulation, ask: Ask) -> Answer:
    rows = reports.balances(simulation.books, as_of=_day(ask, "as_of"))
    return Answer(200, envelope(rows, "balances", simulation.switches.dialect))


def _trial_balance(simulation: Simulation, ask: Ask) -> Answer:
    report = reports.trial_balance(simulation.books, as_of=_day(ask, "as_of"))
    return Answer(200, envelope(report, "balances", simulation.switches.dialect))


def _receivables(simulation: Simulation, ask: Ask) -> Answer:
    report = reports.receivable_aging(simulation.books, as_of=_day(ask, "as_of") or simulation.now()[:10])
    return Answer(200, envelope(report, "ar_aging", simulation.switches.dialect))


def _payables(simulation: Simulation, ask: Ask) -> Answer:
    report = reports.payable_aging(simulation.books, as_of=_day(ask, "as_of") or simulation.now()[:10])
    return Answer(200, envelope(report, "ap_aging", simulation.switches.dialect))


_REPORTS: Final[dict[str, Callable[[Simulation, Ask], Answer]]] = {
    "/balances": _balances,
    "/reports/balances": _trial_balance,
    "/reports/ar-aging": _receivables,
    "/reports/ap-aging": _payables,
}
