"""Where a dead letter came from: what reads its raw input again, and in which context, as the settings are now."""

from collections.abc import Mapping
from dataclasses import dataclass

from messaging.topology import RAW_DLQ
from ops.composing.feeds import FEEDS, context_of
from ops.composing.webhooks import PATHS, webhook_context, whose_of
from producers.normalising import NormaliseContext, Rejected
from producers.sources import SOURCES, queued
from runtime.settings import ConfigurationError, Settings
from store.dead_letters import Letter, StoredLetter


@dataclass(frozen=True, slots=True)
class Origin:
    """The context of a letter, and the name of the source that reads it; None of one that is an event already."""

    context: NormaliseContext
    source: str | None = None


def feed_of(letter: StoredLetter) -> str | None:
    """Which polled feed kept it; None where none did."""
    source = letter.event_source or ""
    return source.removeprefix(FEEDS).partition("/")[0] if source.startswith(FEEDS) else None


def told_in(letter: Letter, settings: Settings) -> bytes:
    """What a body told, without how it was delivered; the body itself where its source knows no difference."""
    name = (letter.event_source or "").removeprefix(PATHS)
    own = settings.all_webhooks.get(name) if letter.queue == RAW_DLQ else None
    source = SOURCES.get(own.source) if own is not None else None
    return letter.body if source is None or source.webhook is None else source.webhook.told(letter.body)


def origin_of(letter: StoredLetter, settings: Settings, *, facts_of: str = "") -> Origin:
    """Where it came from. `facts_of` is the name of the facts of its feed.

    Raises:
        ConfigurationError: the settings no longer have its feed or webhook, or still have no company for it.
    """
    source = letter.event_source or ""
    if letter.queue == RAW_DLQ and (feed := feed_of(letter)) is not None:
        return _of_feed(feed, source.rpartition("/")[2], settings, facts_of)
    if letter.queue == RAW_DLQ and source.startswith(PATHS):
        return _of_webhook(source.removeprefix(PATHS), letter, settings)
    return Origin(NormaliseContext(company=settings.company))


def _of_feed(name: str, source: str, settings: Settings, facts_of: str) -> Origin:
    _refuse_gone("feeds", name, settings.wrong_feeds, known=name in settings.feeds)
    return Origin(context_of(name, settings.feeds[name], settings, facts_of=facts_of), queued(source).name)


def _of_webhook(name: str, letter: StoredLetter, settings: Settings) -> Origin:
    _refuse_gone("webhooks", name, settings.wrong_webhooks, known=name in settings.all_webhooks)
    context = webhook_context(name, settings)
    try:
        again = whose_of(name, settings).again(letter.body, letter.reason, context)
        return Origin(again, settings.all_webhooks[name].source)
    except Rejected as rejected:
        raise ConfigurationError(f"{rejected}, and replay it then") from None


def _refuse_gone(table: str, name: str, wrong: Mapping[str, str], *, known: bool) -> None:
    if not known:
        gone = f"it came from {name} of [{table}], which is not in [{table}] any more"
        raise ConfigurationError(wrong.get(name, gone))
