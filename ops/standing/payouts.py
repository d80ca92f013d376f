"""What `relay payouts` shows: for each payout that was read with a key, whether it adds up to the cent.

It reads what is kept of payouts, the inbox and the dead letters, and asks neither the processor nor Solid.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from ops.composing.workers import open_store
from ops.standing.payout_proof import Lacking, Proof, judge, units_of_payout
from runtime.clock import Clock
from runtime.settings import ConfigurationError, Settings
from store.dead_letters import DeadLetters
from store.inbox import Inbox
from store.sales.payouts import Payout, Payouts
from store.sales.summaries import SummaryStore
from workers.in_books import InBooks

SHOWN: Final = 100
"""So many payouts of a company are judged, the youngest first."""

_AT_A_TIME: Final = 500


async def payouts_status(
    settings: Settings, clock: Clock, *, company: str | None, payout: str | None
) -> dict[str, Any]:
    """The payouts, ready for JSON: the one that is named, or the latest of each company.

    Raises:
        ConfigurationError: the company is not known.
        StoreUnavailable: see there.
    """
    companies = [each for each in settings.fed if company in (None, each)]
    if not companies:
        msg = f"company {company} is not known; known: {', '.join(settings.fed)}"
        raise ConfigurationError(msg)
    async with open_store(settings) as engine:
        kept = Payouts(engine, clock)
        waiting = {
            letter.subject: letter.reason for letter in await DeadLetters(engine, clock).list() if letter.subject
        }
        judging = _Judging(engine, clock, waiting)
        shown = []
        for each in companies:
            found = [await kept.one(each, payout)] if payout else await kept.latest(each, limit=SHOWN)
            shown += [await judging.shown(each, one) for one in found if one is not None]
    return {"payouts": shown}


class _Judging:
    """Judges payouts by one store; `waiting` are the reasons of dead letters by what they are about."""

    def __init__(self, engine: AsyncEngine, clock: Clock, waiting: Mapping[str, str]) -> None:
        self._kept = Payouts(engine, clock)
        inbox = Inbox(engine, owner="payouts", lease=timedelta(seconds=1), clock=clock)
        self._in_books = InBooks(inbox, SummaryStore(engine, clock, inbox.marks))
        self._waiting = waiting

    async def shown(self, company: str, payout: Payout) -> dict[str, Any]:
        items = await self._kept.items(company, payout.payout)
        states = await self._states(company, units_of_payout(payout, items))
        applied, void = _in(states, "applied"), _in(states, "void")
        bank = await self._bank(company, payout) if payout.fact in applied else None
        proof = judge(payout, items, applied=applied, bank=bank, void=void)
        return _as_json(company, proof, {each.transaction: self._why(each) for each in proof.lacking})

    async def _states(self, company: str, units: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        wanted = list(units)
        for some in (wanted[start : start + _AT_A_TIME] for start in range(0, len(wanted), _AT_A_TIME)):
            found |= await self._in_books.state_of(company, some)
        return found

    async def _bank(self, company: str, payout: Payout) -> Decimal | None:
        """What its own entry moved: the inbox knows how much, and the payout's sign says which way."""
        for row in await self._in_books.trace(payout.fact):
            if (row.company, row.external_id) == (company, payout.fact) and row.amount is not None:
                return row.amount.copy_sign(payout.amount)
        return None

    def _why(self, lacking: Lacking) -> str | None:
        """The reason of the dead letter that waits for it."""
        return self._waiting.get(lacking.source or "") or self._waiting.get(lacking.transaction)


def _in(states: Mapping[str, str], state: str) -> frozenset[str]:
    return frozenset(unit for unit, found in states.items() if found == state)


def _as_json(company: str, proof: Proof, why: Mapping[str, str | None]) -> dict[str, Any]:
    payout = proof.payout
    return {
        "company": company,
        "payout": payout.payout,
        "arrival": payout.arrival,
        "state": proof.state,
        "holds": proof.holds,
        "status": payout.status,
        "automatic": payout.automatic,
        "currency": payout.currency,
        "amount": payout.amount,
        "fee": payout.fee,
        "left_the_balance": proof.left,
        "listed": proof.listed,
        "bank_line": proof.bank,
        "transactions": proof.count,
        "sums": [asdict(each) for each in proof.sums],
        "missing": [asdict(each) | {"why": why[each.transaction]} for each in proof.lacking],
        "other_currencies": list(proof.other),
        "read_at": payout.read_at,
    }
