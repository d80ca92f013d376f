"""The part of `relay check` that looks at webhooks: whose they are, and which signing secrets are in use.

A secret is told by its fingerprint, so that a person can compare it with the one at hand.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from pydantic import SecretStr

from ops.checks.findings import Checklist
from ops.composing.webhooks import hook_of
from producers.reading.written import renamed
from runtime.secret_files import fingerprint
from runtime.sections_webhooks import table_of
from runtime.settings import Settings


async def check_webhooks(checklist: Checklist, settings: Settings) -> None:
    """A finding for each webhook that is received, and for each whose table is wrong."""
    for name in settings.received:
        notes: list[str] = []
        await checklist.look(table_of(name), _usable(name, settings, notes))
        checklist.note(table_of(name), *notes)
    for name, problem in settings.wrong_webhooks.items():
        checklist.wrong(f"webhooks.{name}", problem)


async def _usable(name: str, settings: Settings, notes: list[str]) -> str:
    hook = hook_of(name, settings)
    notes += renamed(hook.source.options, hook.context.options)
    return "; ".join(filter(None, (_told(hook.secrets), hook.whose.told, hook.url and f"called at {_shown(hook.url)}")))


def _shown(url: str) -> str:
    """Without a user and a query, where a secret may stand."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _told(secrets: Sequence[SecretStr]) -> str:
    number = f"{len(secrets)} signing secret{'s' if len(secrets) > 1 else ''}"
    return f"{number}, fingerprint {', '.join(fingerprint(secret) for secret in secrets)}"
