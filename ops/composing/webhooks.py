"""From the settings to the webhooks that the receiver takes, whatever their source. Part of the composition root."""

import functools
from collections.abc import Callable
from typing import NoReturn

from pydantic import ValidationError

from ops.composing.contexts import company_of, context_in, fed_context
from producers.normalising import NormaliseContext
from producers.source import Signature, Source, Webhook, Whose
from producers.sources import queued
from producers.webhooks.intake import Hook, WaitingHook
from runtime.sections_webhooks import OF_SOME_SOURCES, SHORT_NAMES, WebhookSettings, table_of
from runtime.settings import ConfigurationError, Settings
from schemas.problems import first_problem

PATHS = "/webhooks/"
"""How the path of a webhook begins, and the source of what it kept; its name follows."""


def webhooks_wanted(settings: Settings) -> bool:
    """Whether there is something to receive; where nothing else brings events, a missing secret is a mistake."""
    read = any(own.api_key_file for own in settings.all_webhooks.values())
    others = settings.feeds or settings.payroll or settings.wrong_feeds or settings.wrong_payroll or read
    return bool(settings.received or settings.wrong_webhooks or not others)


def webhooks_of(settings: Settings) -> list[Hook | WaitingHook]:
    """The webhooks that are taken in. One that cannot be used as it is set waits for that, and the others are taken.

    Raises:
        ConfigurationError: there is none.
    """
    refused = {name: wrong for name, wrong in settings.wrong_webhooks.items() if name not in settings.received}
    waiting = [
        *(_waiting(name, functools.partial(hook_of, name, settings)) for name in settings.received),
        *(_waiting(name, functools.partial(_refuse, wrong)) for name, wrong in refused.items()),
    ]
    if not waiting:
        tables = ", ".join(f"[{name}]" for name in SHORT_NAMES)
        msg = f"no signing secret for any webhook: name a file with one a line with secrets_file in {tables}"
        raise ConfigurationError(f"{msg} or [webhooks.<name>] (docs/webhooks.md).")
    return [each.made() or each for each in waiting]


def hook_of(name: str, settings: Settings) -> Hook:
    """One webhook as it is set.

    Raises:
        ConfigurationError: its source, signature, secrets, options or currency cannot be used.
    """
    own, where = settings.all_webhooks[name], table_of(name)
    source = webhook_source(name, settings)
    kind = source.webhook or Webhook()
    signature = _signature(where, own, kind)
    if signature.over_url and own.url is None:
        msg = f"{where}.url is missing: the address is signed too, so say it exactly as it was given to the sender"
        raise ConfigurationError(msg)
    return Hook(
        name=name,
        path=f"{PATHS}{name}",
        source=source,
        signature=signature,
        url=own.url or "",
        secrets=own.signing_secrets(name, kind.secret),
        context=webhook_context(name, settings),
        identify=kind.identify,
        whose=whose_of(name, settings),
    )


def webhook_source(name: str, settings: Settings) -> Source:
    """The source of a webhook.

    Raises:
        ConfigurationError: there is none of that name, it holds people's data, or takes no such settings.
    """
    own, where = settings.all_webhooks[name], table_of(name)
    try:
        source = queued(own.source)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}.source: {error}") from error
    takes = (source.webhook or Webhook()).takes
    if strange := sorted(own.model_fields_set & OF_SOME_SOURCES - takes):
        raise ConfigurationError(f"{where}.{strange[0]}: it means nothing to the source {source.name}: leave it out")
    return source


def whose_of(name: str, settings: Settings) -> Whose:
    """What says whose a body is. Raises ConfigurationError: see `webhook_source`."""
    own, kind = settings.all_webhooks[name], webhook_source(name, settings).webhook or Webhook()
    return kind.whose(own, company_of(own, settings))


def webhook_context(name: str, settings: Settings) -> NormaliseContext:
    """What the source of a webhook is told besides the body.

    The facts of a provider's own webhook have ids of their own; of others the webhook's name is part, as a feed's is.

    Raises:
        ConfigurationError: its options cannot be used, or there is no currency.
    """
    own, where = settings.all_webhooks[name], table_of(name)
    if webhook_source(name, settings).webhook is not None:  # its documents say their currency
        currency = own.currency or NormaliseContext().currency
        return context_in(where, own, settings, currency=currency, facts_of="")
    return fed_context(where, own, settings, facts_of=name if own.facts_of is None else own.facts_of)


def _signature(where: str, own: WebhookSettings, kind: Webhook) -> Signature:
    """As it is set, else that of the source's own webhook. Raises ConfigurationError."""
    if own.signature is None and kind.signature is None:
        msg = f'{where}.signature is missing: say how bodies are signed, for example {{ header = "x-signature" }}'
        raise ConfigurationError(f"{msg} (docs/webhooks.md)")
    try:
        signature = Signature.model_validate(kind.signature if own.signature is None else own.signature)
    except ValidationError as error:
        problem = first_problem(error, under="signature")
        said = problem.message.removeprefix("Value error, ")
        raise ConfigurationError(f"{where}.{problem.field}: {said}") from None
    if "tolerance_seconds" in own.model_fields_set:
        return signature.model_copy(update={"tolerance_seconds": own.tolerance_seconds})
    return signature


def _waiting(name: str, make: Callable[[], Hook]) -> WaitingHook:
    return WaitingHook(name, f"{PATHS}{name}", make)


def _refuse(problem: str) -> NoReturn:
    raise ConfigurationError(problem)
