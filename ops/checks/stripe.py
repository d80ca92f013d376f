"""What `relay check` asks Stripe: whose the key is, of which mode, what it may read, and which events are subscribed.

Without a key it says what no webhook tells, and so stays in clearing. Nothing is changed at Stripe.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from ops.checks.findings import Checklist
from ops.composing.stripe import Account, accounts_of, open_api
from producers.calling.errors import ProviderError
from producers.stripe.api.client import NoRight, Row, StripeApi
from producers.stripe.api.listing import Listing, read_whole
from producers.stripe.api.reading import OLDER
from producers.stripe.stripe import KINDS
from producers.stripe.subscribed import ALL, missing_of
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.sections_webhooks import WebhookSettings, table_of
from runtime.settings import Settings

READ: Final = (
    *("/v1/balance_transactions", "/v1/payouts", "/v1/events"),
    *(older.path for older in OLDER if older.type in KINDS),
)
"""What a reading asks for: to each the key needs the right to read."""

WITHOUT_KEY: Final = (
    "without a key (api_key_file) only what webhooks tell is booked: fees and exchange rates that no event carries, "
    "Stripe's own fees, reserves, adjustments and conversions stay in Stripe Clearing, and no payout is proved"
)


async def check_stripe(checklist: Checklist, settings: Settings, clock: Clock) -> None:
    """A finding for each table of source stripe that is used."""
    for name, own in settings.all_webhooks.items():
        if own.source != "stripe":
            continue
        if own.api_key_file is not None:
            await _with_key(checklist, name, settings, clock)
        elif name in settings.received:
            checklist.note(f"{table_of(name)} api", WITHOUT_KEY, f"subscribe to {_listed(ALL)}")


async def _with_key(checklist: Checklist, name: str, settings: Settings, clock: Clock) -> None:
    own, what = settings.all_webhooks[name], f"{table_of(name)} api"
    try:
        async with open_api(name, own, clock) as api:
            if not await checklist.look(what, _readable(api, name, settings)):
                return
            if name in settings.received:
                await _subscribed(checklist, api, own, what)
    except ConfigurationError as error:
        checklist.wrong(what, str(error))


async def _readable(api: StripeApi, name: str, settings: Settings) -> str:
    """Whose the key is, after each list was asked for one row. Raises ConfigurationError: all that is missing."""
    try:
        mine, accounts = await accounts_of(api, name, settings)
    except ProviderError as error:
        raise ConfigurationError(str(error)) from None
    if wrong := [problem for account in accounts async for problem in _refused(api, account)]:
        raise ConfigurationError(" ".join(dict.fromkeys(wrong)))
    of = f"account {mine}" if mine else "an account that it may not name"
    more = f", and {len(accounts) - 1} connected" if len(accounts) > 1 else ""
    mode = "live" if api.key.is_live else "test"
    return f"the key is of {of}{more}, in {mode} mode, and may read all that is needed"


async def _refused(api: StripeApi, account: Account) -> AsyncIterator[str]:
    """What the key may not read of an account; nothing more is asked of one that it may not read at all."""
    for path in READ:
        try:
            await api.get(path, (("limit", "1"),), account=account.id)
        except NoRight as error:
            yield str(error)
        except ProviderError as error:
            yield str(error)
            return


async def _subscribed(checklist: Checklist, api: StripeApi, own: WebhookSettings, what: str) -> None:
    endpoints: list[Row] = []

    async def take(rows: list[Row]) -> None:
        endpoints.extend(rows)

    try:
        await read_whole(api, Listing(path="/v1/webhook_endpoints"), take)
    except NoRight:
        said = "the key may not read webhook endpoints, so nobody sees what is subscribed; it should be"
        checklist.note(what, f"{said} {_listed(ALL)}")
        return
    except ProviderError as error:
        checklist.wrong(what, str(error))
        return
    mine = [each for each in endpoints if each.get("status") != "disabled" and own.url in (None, each.get("url"))]
    missing = missing_of(_sent(mine))
    if not mine:
        whose = f" at {own.url}" if own.url else ""
        checklist.note(what, f"Stripe has no webhook endpoint{whose}: make one, and subscribe to {_listed(ALL)}")
    elif missing:
        listed = "; ".join(f"{name} ({why})" for name, why in missing.items())
        checklist.note(what, f"Stripe's webhook endpoint lacks events that are used: subscribe to {listed}")
    else:
        checklist.right(what, f"all {len(ALL)} types of events that are needed are subscribed")


def _sent(endpoints: Sequence[Row]) -> frozenset[str]:
    """The types that any of these sends."""
    sent: set[str] = set()
    for endpoint in endpoints:
        types = endpoint.get("enabled_events")
        sent |= {each for each in types if isinstance(each, str)} if isinstance(types, list) else set()
    return frozenset(sent)


def _listed(types: Iterable[str]) -> str:
    return ", ".join(types)
