"""In which context a source reads what a feed or a webhook brings: options, currency, company, mode of books."""

from producers.normalising import Mode, NormaliseContext, Outside, Rejected
from producers.reading.options import read_options
from producers.sources import SOURCES
from runtime.sections_feeds import Fed
from runtime.sections_webhooks import WebhookSettings
from runtime.settings import ConfigurationError, Settings
from workers.books.books import load_books


def company_of(own: Fed, settings: Settings) -> str:
    """Whose books a feed or a webhook is for, as far as its documents do not say."""
    return own.company or settings.company


def mode_of(own: Fed, settings: Settings) -> Mode:
    """Whether the books take real money or tests: one rule, whichever way a document of a source comes.

    Of a feed, the webhooks of its source for the same company decide; where there is none, the table of that name.
    """
    if isinstance(own, WebhookSettings):
        return "test" if own.test_mode else "live"
    return mode_for(own.source, company_of(own, settings), settings)


def mode_for(source: str, company: str, settings: Settings) -> Mode:
    """Whether a company's books take real money or tests of a source, whatever brings them."""
    return "test" if any(table.test_mode for table in _webhooks_for(source, company, settings)) else "live"


def outside_of(own: Fed, settings: Settings) -> Outside:
    """What becomes of documents that tell of money which is not booked: by the same tables as the mode."""
    return "ignore" if any(table.outside == "ignore" for table in _tables(own, settings)) else "hold"


def _is_read(own: Fed, settings: Settings) -> bool:
    """Whether what moves the balance is read with a key besides: by the same tables."""
    return any(table.api_key_file is not None for table in _tables(own, settings))


def _tables(own: Fed, settings: Settings) -> list[WebhookSettings]:
    return [own] if isinstance(own, WebhookSettings) else _webhooks_for(own.source, company_of(own, settings), settings)


def _webhooks_for(source: str, company: str, settings: Settings) -> list[WebhookSettings]:
    webhooks = settings.all_webhooks
    of_source = [own for own in webhooks.values() if own.source == source]
    beside = [own for own in of_source if company in (company_of(own, settings), *own.companies)]
    return beside or [own for name, own in webhooks.items() if name == source]


def fed_context(where: str, own: Fed, settings: Settings, *, facts_of: str) -> NormaliseContext:
    """What a source is told besides its documents; `where` is the name of the table.

    Raises:
        ConfigurationError: the options of the source cannot be used, or there is no currency.
    """
    currency = own.currency or _base_currency(where, settings.of(company_of(own, settings)))
    return context_in(where, own, settings, currency=currency, facts_of=facts_of)


def context_in(where: str, own: Fed, settings: Settings, *, currency: str, facts_of: str) -> NormaliseContext:
    """The same in a known currency. Raises ConfigurationError."""
    try:
        options = own.source_options()
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}.options_file: {error}") from error
    company, mode = company_of(own, settings), mode_of(own, settings)
    context = NormaliseContext(
        company=company,
        accounts=own.accounts if isinstance(own, WebhookSettings) else {},
        currency=currency,
        options=options,
        mode=mode,
        facts_of=facts_of,
        outside=outside_of(own, settings),
        is_read=_is_read(own, settings),
    )
    try:
        read_options(SOURCES[own.source].options, options)
    except Rejected as rejected:
        file = f" (or in {own.options_file})" if own.options_file else ""
        msg = f"{where}.{rejected}{file}: see the page of the source in docs/feeds"
        raise ConfigurationError(msg) from None
    return context


def _base_currency(where: str, settings: Settings) -> str:
    try:
        settings.refuse_wrong()
        currency = load_books(settings.books).base_currency
    except ConfigurationError as error:
        msg = f"{where}.currency is not set, and the books cannot tell: {error}"
        raise ConfigurationError(msg) from error
    if currency is None:
        msg = f"{where}.currency is not set, and {settings.books} says no base_currency"
        raise ConfigurationError(msg)
    return currency
