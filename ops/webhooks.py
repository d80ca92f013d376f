"""From the settings to the webhooks that the receiver takes: those that have a secret."""

from datetime import timedelta

from producers.webhooks.builtin import shopify_webhook, stripe_webhook
from producers.webhooks.intake import Source
from producers.webhooks.shopify_shops import Shops
from runtime.settings import Settings


def webhooks_wanted(settings: Settings) -> bool:
    """Whether there is something to receive; where nothing else brings events, a missing secret is a mistake."""
    has_a_secret = settings.stripe.configured or settings.shopify.configured
    return has_a_secret or not (settings.feeds or settings.payroll)


def shops_of(settings: Settings) -> Shops:
    """Whose which shop of Shopify is."""
    return Shops(settings.company, settings.shopify.shops, settings.shopify.locations)


def webhooks_of(settings: Settings) -> list[Source]:
    """The webhooks that have a secret.

    Raises:
        ConfigurationError: none has, or a file with secrets cannot be read.
    """
    shopify, stripe = settings.shopify, settings.stripe
    sources = []
    if stripe.configured or not shopify.configured:
        sources.append(
            stripe_webhook(
                secrets=stripe.signing_secrets(),
                tolerance_seconds=stripe.tolerance_seconds,
                accounts=stripe.accounts,
                company=settings.company,
                test_mode=stripe.test_mode,
            )
        )
    if shopify.configured:
        sources.append(
            shopify_webhook(
                secrets=shopify.signing_secrets(),
                shops=shops_of(settings),
                oldest=timedelta(hours=shopify.oldest_hours),
                options=shopify.options,
            )
        )
    return sources
