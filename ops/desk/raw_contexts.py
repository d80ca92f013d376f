"""In which context raw input is normalised when it is replayed: that in which it came, as the settings are now."""

from ops.composing.feeds import context_of
from ops.composing.webhooks import mode_of, shops_of
from producers.normalising import NormaliseContext, Rejected
from producers.webhooks.builtin import SHOPIFY_PATH
from producers.webhooks.shopify_shops import UNMAPPED_SHOP
from runtime.settings import ConfigurationError, Settings
from store.letters.dead_letters import StoredLetter

FEEDS = "/feeds/"
"""How the source of an item begins that a polled feed kept; the feed and its source follow."""


def feed_of(letter: StoredLetter) -> str | None:
    """Which polled feed kept it; None where none did."""
    source = letter.event_source or ""
    return source.removeprefix(FEEDS).partition("/")[0] if source.startswith(FEEDS) else None


def context_for(letter: StoredLetter, settings: Settings, *, facts_of: str = "") -> NormaliseContext:
    """The context of one letter; of one that is no raw input, the company's own. `facts_of` is that of its feed.

    Raises:
        ConfigurationError: the settings no longer have its feed, or still have no company for its shop.
    """
    source = letter.event_source or ""
    if (name := feed_of(letter)) is not None:
        if name in settings.wrong_feeds:
            raise ConfigurationError(settings.wrong_feeds[name])
        if name not in settings.feeds:
            msg = f"it came from the feed {name}, which is not in [feeds] any more"
            raise ConfigurationError(msg)
        return context_of(name, settings.feeds[name], settings, facts_of=facts_of)
    if source != SHOPIFY_PATH:
        return NormaliseContext(company=settings.company, accounts=settings.stripe.accounts, mode=mode_of(settings))
    if letter.reason.startswith(UNMAPPED_SHOP):
        shop = letter.reason.removeprefix(UNMAPPED_SHOP)
        if shop not in settings.shopify.shops:
            msg = f"no company is set for the shop {shop}: add it to [shopify].shops, and replay it then"
            raise ConfigurationError(msg)
    else:
        shop = None
    try:
        company = shops_of(settings).company_of(letter.body, shop)
    except Rejected as rejected:
        raise ConfigurationError(f"{rejected}, and replay it then") from None
    return NormaliseContext(company=company, options=settings.shopify.options)
