"""Completing: what finishes a plan that the event alone does not decide. One table of the streams that need it.

Nothing is sent to Solid here: a completion asks what this relay has recorded, or records what is told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.envelope import Event
from workers.in_books import InBooks
from workers.parts import Parts
from workers.payroll.run_versions import PayRuns
from workers.plans.writes import Plan
from workers.sales.exchange import ExchangeBook
from workers.sales.summaries import STREAM as SALES_STREAM
from workers.sales.summaries import Summaries
from workers.sales.told import SalesBook
from workers.stock.book import STREAM as STOCK_STREAM
from workers.stock.book import StockBook
from workers.stock.items import Items


class Completion(Protocol):
    """Finishes the plans of one stream of a company. Idempotent; safe to cancel."""

    async def complete(self, plan: Plan, event: Event) -> Plan:
        """The plan as it is to be applied.

        Raises:
            Parked, PrerequisiteMissing, Conflicting, StoreUnavailable: see there.
        """
        ...


@dataclass(frozen=True, slots=True)
class InTurn:
    """Several completions of one stream, each of what the one before it made."""

    each: Sequence[Completion]

    async def complete(self, plan: Plan, event: Event) -> Plan:
        """See `Completion.complete`."""
        for completion in self.each:
            plan = await completion.complete(plan, event)
        return plan


def _stock_book(parts: Parts) -> Completion:
    return StockBook(
        records=parts.stock,
        books=parts.books,
        company=parts.company,
        items=Items(parts.solid.items, overrides=parts.books.items, clock=parts.clock),
        adjusts=parts.dialect.adjustments is not None,
        earlier=parts.earlier,
    )


def _sales(parts: Parts) -> Completion:
    """What others know of a sale, before how it is booked."""
    in_books = InBooks(parts.inbox, parts.summaries)
    return InTurn(
        (
            ExchangeBook(inbox=in_books, books=parts.books, company=parts.company),
            SalesBook(
                records=parts.sales,
                inbox=in_books,
                books=parts.books,
                company=parts.company,
                items=Items(parts.solid.items, overrides=parts.books.items, clock=parts.clock),
                earlier=parts.earlier,
            ),
        )
    )


def _summaries(parts: Parts) -> Completion:
    return Summaries(
        records=parts.summaries, books=parts.books, company=parts.company, clock=parts.clock, earlier=parts.earlier
    )


def _pay_runs(parts: Parts) -> Completion:
    return PayRuns(parts.inbox, parts.company)


COMPLETIONS: Final[Mapping[str, Callable[[Parts], Completion]]] = {
    STOCK_STREAM: _stock_book,
    "payroll": _pay_runs,
    SALES_STREAM: _sales,
}
"""Each stream whose plans need it, and what finishes them, made anew at each session. Other streams are not here."""

RECORDINGS: Final[Mapping[str, Callable[[Parts], Completion]]] = {SALES_STREAM: _summaries}
"""Each stream whose writes may be recorded instead of being sent: asked of whatever is to be sent, and last of all."""
