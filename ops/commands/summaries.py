"""`relay summaries`: sales that share an entry."""

from typing import Any

from ops.commands.running import AsJson, Company, run
from runtime.clock import SystemClock
from runtime.settings import Settings


def summaries(*, company: Company = None, as_json: AsJson = False) -> None:
    """Sales that share an entry: what waits for one, and the entries that were made last.

    Only where books.toml says [sales] entries = "day" or "payout". `relay trace` tells which entry holds a charge.

    Example: relay summaries --company north
    """

    async def ask(settings: Settings) -> dict[str, Any]:
        from ops.standing.summaries import summaries as look  # noqa: PLC0415

        return await look(settings, SystemClock())

    found = run(ask, company=company)
    from ops.showing.summaries import show_summaries  # noqa: PLC0415

    show_summaries(found, as_json=as_json)
