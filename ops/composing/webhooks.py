"""From the settings to the webhooks that the receiver takes: those that have a secret."""

import functools
from datetime import timedelta

from producers.normalising import Mode
from producers.stripe.stripe import SOURCE as STRIPE_PATH
from producers.webhooks.builtin import SHOPIFY_PATH, shopify_webhook, stripe_webhook
from producers.webhooks.intake import Source
from producers.webhooks.shopify_shops import Shops
from producers.webhooks.waiting import WaitingSource
from runtime.settings import Settings


def webhooks_wanted(settings: Settings) -> bool:
    """Whether there is something to receive; where nothing else brings events, a missing secret is a mistake."""
    has_a_secret = settings.stripe.configured or settings.shopify.configured
    others = settings.feeds or settings.payroll or settings.wrong_feeds or settings.wrong_payroll
    return has_a_secret or not others


def mode_of(settings: Settings) -> Mode:
    """Whether the books take real money or tests: one rule, whichever way a document of Stripe comes."""
    return "test" if settings.stripe.test_mode else "live"


def shops_of(settings: Settings) -> Shops:
    """Whose which shop of Shopify is."""
    return Shops(settings.company, settings.shopify.shops, settings.shopify.locations)


def webhooks_of(settings: Settings) -> list[Source | WaitingSource]:
    """The webhooks that have a secret. One whose secrets cannot be read waits for them, and the others are taken.

    Raises:
        ConfigurationError: none has.
    """
    waiting = []
    if settings.stripe.configured:
        waiting.append(WaitingSource("stripe", STRIPE_PATH, functools.partial(_stripe, settings)))
    if settings.shopify.configured:
        waiting.append(WaitingSource("shopify", SHOPIFY_PATH, functools.partial(_shopify, settings)))
    if not waiting:
        settings.stripe.signing_secrets()
    return [each.made() or each for each in waiting]


def _stripe(settings: Settings) -> Source:
    stripe = settings.stripe
    return stripe_webhook(
        secrets=stripe.signing_secrets(),
        tolerance_seconds=stripe.tolerance_seconds,
        accounts=stripe.accounts,
        company=settings.company,
        mode=mode_of(settings),
    )


def _shopify(settings: Settings) -> Source:
    shopify = settings.shopify
    return shopify_webhook(
        secrets=shopify.signing_secrets(),
        shops=shops_of(settings),
        oldest=timedelta(hours=shopify.oldest_hours),
        options=shopify.options,
    )
