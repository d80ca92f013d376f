"""The part of `relay check` that looks at webhooks: whose they are, and which signing secrets are in use.

A secret is told by its fingerprint, so that a person can compare it with the one at hand.
"""

from collections.abc import Sequence

from pydantic import SecretStr

from ops.checks.findings import Checklist
from runtime.secret_files import fingerprint
from runtime.settings import Settings


async def check_webhooks(checklist: Checklist, settings: Settings) -> None:
    """A finding for each kind of webhook that has secrets."""
    if settings.stripe.configured:
        await checklist.look("stripe", _stripe(settings))
    if settings.shopify.configured:
        await checklist.look("shopify", _shopify(settings))


async def _stripe(settings: Settings) -> str:
    return _told(settings.stripe.signing_secrets())


async def _shopify(settings: Settings) -> str:
    shops = f"{len(settings.shopify.shops)} shops" if settings.shopify.shops else f"every shop is {settings.company}'s"
    return f"{_told(settings.shopify.signing_secrets())}; {shops}"


def _told(secrets: Sequence[SecretStr]) -> str:
    number = f"{len(secrets)} signing secret{'s' if len(secrets) > 1 else ''}"
    return f"{number}, fingerprint {', '.join(fingerprint(secret) for secret in secrets)}"
