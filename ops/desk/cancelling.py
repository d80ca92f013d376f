"""`relay payroll reverse`: a person's word that a run was cancelled, which its provider does not tell, or was not.

The run is found and shown first; only what follows the version that was shown is told. It asks no provider.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any, Final

from ops.composing.payroll import open_teller
from ops.composing.workers import open_store
from producers.payroll.telling import Teller
from producers.payroll.versions import (
    BY_A_PERSON,
    Following,
    cancelled,
    following_restored,
    following_reversed,
)
from runtime.clock import Clock
from runtime.sections_payroll import EXPORTS
from runtime.settings import ConfigurationError, Settings
from schemas.envelope import decode
from schemas.money import Money
from schemas.payroll import RunPaid, RunReversed
from store.audit import AuditTrail
from store.payroll_runs import PayrollRuns, RunRow

_SHOWN: Final = 5
"""So many runs are named to somebody who asked for one that is not known."""


@dataclass(frozen=True, slots=True)
class Word:
    """Whose word it is, on which day; `undo`: that the run was not cancelled after all."""

    actor: str
    day: date
    undo: bool = False


async def find_run(  # noqa: PLR0913 - what names a run
    settings: Settings, clock: Clock, *, provider: str, run: str, company: str | None, entity: str | None
) -> list[RunRow]:
    """Every version of the one run that is meant, the oldest first. `provider`: a table, or a provider's name.

    Raises:
        ConfigurationError: there is no such run, it was never told, or there are several.
        StoreUnavailable: see there.
    """
    companies = [each for each in settings.fed if company in (None, each)]
    async with open_store(settings) as engine:
        rows = [row for row in await PayrollRuns(engine, clock).all(companies) if _is_of(row, provider, settings)]
    mine = [row for row in rows if row.run == run and entity in (None, row.entity)]
    versions = [row for row in mine if row.version]
    if not versions:
        raise ConfigurationError(_unknown(run, provider, rows, mine))
    whose = sorted({(row.company, row.provider, row.entity) for row in versions})
    if len(whose) > 1:
        several = "; ".join(f"{one} of company {of} ({by})" for of, by, one in whose)
        msg = f"several companies have a run {run}: {several}. Say which with --entity or --company."
        raise ConfigurationError(msg)
    return versions


def today(settings: Settings, clock: Clock, row: RunRow) -> date:
    """The day in the time zone of the account that a run is of."""
    own = next((each for each in settings.payroll.values() if row.entity in each.entities), None)
    return clock.now().astimezone(own.zone if own else UTC).date()


def must_follow(versions: Sequence[RunRow], *, undo: bool) -> RunRow:
    """The newest version, where a person's word changes something.

    Raises:
        ConfigurationError: the run is reversed already, or (`undo`) was not reversed by a person.
    """
    newest = versions[-1]
    if undo and cancelled(newest) is None:
        msg = f"run {newest.run} was not reversed by a person, so there is no word to take back"
        raise ConfigurationError(msg)
    if not undo and not newest.live:
        msg = f"run {newest.run} is reversed already, by its version {newest.version}: nothing to do"
        raise ConfigurationError(msg)
    return newest


async def say(settings: Settings, clock: Clock, versions: Sequence[RunRow], word: Word) -> RunRow:
    """Tell a word, on the store and broker of the settings. Raises as `tell_word`."""
    async with open_store(settings) as engine, open_teller(settings, engine, clock) as teller:
        trail = AuditTrail(engine, clock)
        return await tell_word(versions, word, runs=PayrollRuns(engine, clock), teller=teller, trail=trail)


async def tell_word(
    versions: Sequence[RunRow], word: Word, *, runs: PayrollRuns, teller: Teller, trail: AuditTrail
) -> RunRow:
    """Store and tell what follows the newest of these versions; give the new one.

    Raises:
        ConfigurationError: see `must_follow`; or another version has come since these were read.
        StoreUnavailable, PublishFailed: what was stored is told by the next pull or word.
    """
    newest = must_follow(versions, undo=word.undo)
    following = following_reversed(day=word.day, reason=BY_A_PERSON)
    if (taken_back := cancelled(newest)) is not None:
        following = following_restored(next(row for row in versions if row.version == taken_back.version))
    told = await runs.advance(newest.key, _only_after(newest, following))
    if told is None:
        msg = f"another version of run {newest.run} has come meanwhile; nothing was told. Look at it again."
        raise ConfigurationError(msg)
    act = "payroll.restored" if word.undo else "payroll.reversed"
    await trail.append(actor=word.actor, act=act, subject=told.fact or told.run)
    await teller.tell_run(newest.key)
    return told


def totals_of(row: RunRow) -> Mapping[str, str]:
    """What a version says (or takes back) by kind, such as `{"wages": "4000.00 USD"}`: totals of the run only."""
    data = decode(row.event or b"").data
    lines = data.lines if isinstance(data, RunPaid) else data.taken_back.lines if isinstance(data, RunReversed) else ()
    sums: dict[str, Money] = {}
    for line in lines:
        sums[line.kind] = sums.get(line.kind, Money.zero(line.amount.currency)) + line.amount
    return {kind: str(amount) for kind, amount in sums.items()}


def as_json(row: RunRow) -> dict[str, Any]:
    """A version for people and scripts."""
    names = ("company", "provider", "entity", "run", "version", "fact", "run_type", "pay_date")
    dates = ("period_start", "period_end", "missing_since")
    shown = {name: getattr(row, name) for name in (*names, *dates)}
    return shown | {"stands": row.live, "totals": totals_of(row)}


def _only_after(shown: RunRow, following: Following) -> Following:
    return lambda latest: following(latest) if latest is not None and latest.version == shown.version else None


def _is_of(row: RunRow, provider: str, settings: Settings) -> bool:
    """Whether a row is of this provider, or of the table of this name."""
    own = settings.payroll.get(provider)
    of_table = own is not None and row.entity in own.entities and own.provider in (row.provider, EXPORTS)
    return of_table or row.provider == provider


def _unknown(run: str, provider: str, rows: Sequence[RunRow], mine: Sequence[RunRow]) -> str:
    if mine:
        return f"run {run} was never told ({mine[0].state}: {mine[0].reason}), so there is nothing to reverse"
    standing = sorted((row for row in rows if row.live), key=lambda row: str(row.pay_date), reverse=True)
    known = ", ".join(f"{row.run} (paid {row.pay_date})" for row in standing[:_SHOWN]) or "none"
    return f"no run {run} of {provider} is known. The newest that stand: {known}. `relay payroll status` has all."
