"""Stripe's API stood in for, with sales, payouts and a key in a file, and readers of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from aiolimiter import AsyncLimiter

from producers.calling.calling import Paced
from producers.normalising import NormaliseContext
from producers.stripe.api.client import KeyFile, StripeApi
from producers.stripe.api.reading import Reader
from producers.stripe.api.telling import Known, NothingKnown, Teller
from staging.stripe_api import KEY, StripeApiServer
from tests.fakes import FakeClock
from tests.unit.producers.made import CREATED, Json, charge, transaction
from tests.unit.producers.receiving import FakePublisher

TRANSACTIONS, PAYOUTS, EVENTS = "/v1/balance_transactions", "/v1/payouts", "/v1/events"
DAY = 86_400


@contextmanager
def stripe(key: str = KEY) -> Iterator[StripeApiServer]:
    """A running stand-in that knows one key."""
    with StripeApiServer(key=key).running() as server:
        yield server


def key_file(folder: Path, key: str = KEY) -> Path:
    """A file that holds a key."""
    path = folder / "stripe_key"
    path.write_text(f"{key}\n")
    path.chmod(0o600)
    return path


@asynccontextmanager
async def api_of(
    server: StripeApiServer, folder: Path, clock: FakeClock, *, is_live: bool = False, key: str = KEY
) -> AsyncIterator[StripeApi]:
    """A client of it; nothing is waited for."""
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as http:
        file = KeyFile("stripe.api_key_file", key_file(folder, key), is_live=is_live)
        yield StripeApi(Paced("stripe", http, AsyncLimiter(10_000, 1), clock), file)


def reader_of(
    api: StripeApi,
    clock: FakeClock,
    publisher: FakePublisher | None,
    *,
    known: Known | None = None,
    **more: Any,  # noqa: ANN401 - of any field
) -> Reader:
    """A reader of the key's own account."""
    teller = Teller(publisher, known or NothingKnown(), "/webhooks/stripe")
    context = NormaliseContext(mode="live" if api.key.is_live else "test", accounts={"acct_1": "second"})
    return Reader(api=api, context=context, teller=teller, clock=clock, **more)


def sold(number: int, *, at: int = CREATED, amount: int = 2000, fee: int = 88, payout: str | None = None) -> Json:
    """The balance transaction of a sale, with its charge; `payout` is where it belongs."""
    name = f"txn_{number}"
    source = charge(id=f"ch_{number}", amount=amount, amount_captured=amount, balance_transaction=name, livemode=False)
    row = transaction(amount, fee, id=name, type="charge", created=at, available_on=at, source=source)
    return row | {"status": "available", "payout": payout}


def paid_out(number: int, amount: int, *, at: int = CREATED, **fields: object) -> Json:
    """A payout that arrived."""
    return {
        "id": f"po_{number}",
        "object": "payout",
        "amount": amount,
        "currency": "usd",
        "created": at,
        "arrival_date": at,
        "automatic": True,
        "status": "paid",
        "reconciliation_status": "completed",
        "livemode": False,
        "balance_transaction": f"txn_po_{number}",
    } | fields


def own_of(payout: Json) -> Json:
    """The balance transaction of a payout itself, which its own list holds too."""
    amount = -payout["amount"]
    row = transaction(amount, id=payout["balance_transaction"], type="payout", created=payout["created"])
    return row | {"source": payout, "payout": payout["id"]}


def event(number: int, kind: str, obj: Json, *, at: int = CREATED) -> Json:
    """An event as Stripe lists it."""
    return {
        "id": f"evt_{number}",
        "object": "event",
        "type": kind,
        "created": at,
        "livemode": False,
        "data": {"object": obj},
    }
