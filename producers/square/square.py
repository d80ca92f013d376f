"""Square as a source: webhooks, and answers of its API, into our events; and whose webhook it is, and of which mode.

A document is known by what its object holds. Signatures are checked elsewhere, on the raw body and the address. Which
environment calls stands in a header that is not signed, but sandbox and production sign with keys of their own.
Source: the shapes were read off the examples of Square's API description in tests/data/square-api.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from producers.drafts import rejecting, wrap_sale
from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.reading.fields import Fields, open_object
from producers.source import Arrived, NoOptions, Signature, Source, Webhook
from producers.square import disputes, orders, payments, payouts
from producers.square.content import Content

if TYPE_CHECKING:
    from schemas.envelope import Event

_Reader = Callable[[Fields, NormaliseContext], Content]

_READERS: Final[Mapping[str, _Reader]] = {
    "payment": payments.payment,
    "refund": payments.refund,
    "dispute": disputes.dispute,
    "payout": payouts.payout,
    "payout_entry": payouts.entry,
    "order": orders.order,
}
"""By what an object is called in Square's wrappers, a list of them with an `s` or `payout_entries`."""

_LISTS: Final[Mapping[str, str]] = {
    **{f"{name}s": name for name in _READERS if name != "payout_entry"},
    "payout_entries": "payout_entry",
}
_MARKS: Final[Mapping[str, frozenset[str]]] = {
    "payout_entry": frozenset({"payout_id", "gross_amount_money"}),
    "payout": frozenset({"arrival_date", "amount_money"}),
    "dispute": frozenset({"disputed_payment", "state"}),
    "refund": frozenset({"amount_money", "payment_id", "status"}),
    "payment": frozenset({"amount_money", "status", "version_token"}),
    "order": frozenset({"location_id", "net_amounts"}),
}
"""What an object without its wrapper is, by fields that its kind has."""
_TYPES: Final = frozenset(
    {
        *("payment.created", "payment.updated", "refund.created", "refund.updated"),
        *("dispute.created", "dispute.state.updated", "dispute.state.changed"),
        *("payout.sent", "payout.paid", "payout.failed"),
    }
)
"""The webhooks that count; every other type is acknowledged and ignored."""

_ENVIRONMENT: Final = "Square-Environment"


def normalise(document: bytes, context: NormaliseContext) -> Normalised:
    """Turn a webhook, or an answer of the API, into events. Raises Rejected; the same body gives the same result."""
    body = open_object(document, reason="unknown_document", message="a document of Square's is a JSON object")
    event_type = body.token_or_none("type") if "event_id" in body.values else None
    if event_type is None:
        return _found(_objects(body), context)
    if event_type not in _TYPES:
        return Normalised((), ignored=f"type_not_used:{event_type}")
    name = event_type.partition(".")[0]
    data = body.section("data")
    inner = data.section("object") if data else None
    held = inner.section(name) if inner else None
    if held is None:
        raise Rejected("not_an_event", f"a {event_type} holds a {name}", field=f"data.object.{name}")
    return _found([(name, held)], context, company=_company(body, context))


def _objects(body: Fields) -> list[tuple[str, Fields]]:
    """The objects of an answer of the API, in their wrapper or without. Raises Rejected: it has none that is known."""
    bare = next((name for name, marks in _MARKS.items() if body.values.keys() >= marks), None)
    if bare is not None:
        return [(bare, body)]
    found = [(name, inner) for name in _READERS if name in body.values and (inner := body.section(name))]
    for name, kind in _LISTS.items():
        found += [(kind, inner) for inner in body.sections(name) or ()]
    if not found and not body.values.keys() & _LISTS.keys():
        message = f"none of Square's documents that are known: {', '.join(_READERS)}, or a webhook with its event_id"
        raise Rejected("unknown_document", message)
    _check_payout(body)
    return found


def _check_payout(body: Fields) -> None:
    """Refuse a payout that stands beside all its entries, and is not their sum."""
    payout, entries = body.section("payout"), body.sections("payout_entries")
    if payout is None or entries is None or body.get("cursor") is not None:
        return
    said = payouts.amount_of(payout)
    made = payouts.sum_of_entries(entries, like=said)
    if made != said:
        message = f"its entries make {made}, the payout is {said}"
        raise Rejected("payout_does_not_add_up", message, field=payout.at("amount_money"))


def _found(objects: list[tuple[str, Fields]], context: NormaliseContext, *, company: str | None = None) -> Normalised:
    events: list[Event] = []
    ignored = "nothing_listed"
    for name, held in objects:
        with rejecting():
            content = _READERS[name](held, context)
        if isinstance(content, str):
            ignored = content
            continue
        whose = company or context.company
        events += [wrap_sale(told.data, source="square", company=whose, at=told.at) for told in content]
    return Normalised(tuple(events)) if events else Normalised((), ignored=ignored)


def _company(body: Fields, context: NormaliseContext) -> str:
    """Whose books it is for: every merchant's are the company's own, unless merchants are named."""
    merchant = body.identifier_or_none("merchant_id")
    if not context.accounts:
        return context.company
    if merchant is None or merchant not in context.accounts:
        message = "no company is set for this merchant: add it to the accounts of the webhook"
        raise Rejected(f"unmapped:square_account:{merchant or ''}", message, field="merchant_id")
    return context.accounts[merchant]


@dataclass(frozen=True, slots=True)
class Environment:
    """Which of Square's environments calls. Satisfies `Whose`: a test posts nothing in books of real money."""

    told: str = "what Square's sandbox sends posts nothing"

    def arrived(self, arrived: Arrived, context: NormaliseContext) -> NormaliseContext | str:
        """See `Whose`."""
        said = arrived.headers.get(_ENVIRONMENT.lower(), "").strip().lower()
        if said == "sandbox" and context.mode == "live":
            return "test_mode"
        if said == "production" and context.mode == "test":
            message = "it is real money, and these are trial books: see test_mode of the webhook"
            raise Rejected("live_mode", message, field=_ENVIRONMENT)
        return context

    def again(self, _body: bytes, _reason: str, context: NormaliseContext) -> NormaliseContext:
        """See `Whose`."""
        return context


def identify(payload: bytes) -> tuple[str | None, str | None]:
    """Give the id and type of a webhook for logs, as far as they can be read. Never raises."""
    try:
        body = open_object(payload, reason="unknown_document", message="no JSON object")
        return body.identifier_or_none("event_id"), body.token_or_none("type")
    except Rejected:
        return None, None


SQUARE: Final = Source(
    name="square",
    document=normalise,
    options=NoOptions,
    people=False,
    lists=frozenset(_LISTS),
    webhook=Webhook(
        signature=Signature(header="x-square-hmacsha256-signature", signs="{url}{body}", encoding="base64"),
        identify=lambda body, _: identify(body),
        takes=frozenset({"accounts", "test_mode", "outside"}),
        whose=lambda _table, _company: Environment(),
    ),
)
