"""Which version of a pay run follows the one that was told: pure, so that it can be asked inside a transaction.

A run that changed is told as the next version, which replaces the one before; one that was taken back is reversed; a
run that says what was said before is not told again. It must not read a clock, a database or a provider.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time

from producers.payroll.tally import fingerprint, paid, same_amounts
from schemas.envelope import Event, decode, encode
from schemas.payroll import PostedRun, RunPaid, RunReversed
from store.payroll_runs import NewVersion, RunDates, RunKey, RunRow

REVERSED = "reversed"
"""Stands where a version that is paid has its fingerprint."""

BY_A_PERSON = "cancelled_by_a_person"
"""The reason of a reversal that a person told, because the provider tells of none."""

Following = Callable[[RunRow | None], NewVersion | None]
"""What follows the newest version of a run; pure, as it is asked inside a transaction."""


def key_of(event: Event) -> RunKey:
    """Which run an event of a normaliser is of."""
    run = paid(event)
    return RunKey(event.company, run.provider, run.entity, run.run)


def following_paid(event: Event, *, deadline: datetime | None) -> Following:
    """What follows when the run is as `event` tells it. The event is a normaliser's, its version 1.

    Nothing where that was said before, or where a person has said that a run of these dates and amounts was cancelled:
    other options or names of departments do not make it one that is paid.
    """
    hashed, run = fingerprint(event), paid(event)

    def following(latest: RunRow | None) -> NewVersion | None:
        before = None if latest is None else cancelled(latest)
        if before is not None and same_amounts(run, before):
            return None
        if latest is not None and latest.fingerprint == hashed:
            return None
        return _paid_again(event, latest, deadline=deadline)

    return following


def following_restored(before: RunRow) -> Following:
    """What follows when a person takes back the word that `before` was cancelled: the same run, as the next version."""

    def following(latest: RunRow | None) -> NewVersion | None:
        if latest is None or cancelled(latest) is None:
            return None
        return _paid_again(decode(before.event or b""), latest, deadline=None)

    return following


def cancelled(row: RunRow) -> PostedRun | None:
    """What a person has said was cancelled; None where the version says something else."""
    if row.fingerprint != REVERSED:
        return None
    data = decode(row.event or b"").data
    if not isinstance(data, RunReversed) or data.reason != BY_A_PERSON:
        return None
    return data.taken_back


def _paid_again(event: Event, latest: RunRow | None, *, deadline: datetime | None) -> NewVersion:
    run, version = paid(event), 1 if latest is None else latest.version + 1
    told = {
        "fact": _fact(run, version),
        "version": version,
        "replaces": posted(latest) if latest is not None and latest.live else None,
        "deadline": run.deadline or deadline,
    }
    data = run.model_copy(update=told)
    return _version(data, data, like=event, hashed=fingerprint(event), at=event.time)


def following_reversed(*, day: date, reason: str) -> Following:
    """What follows when the provider, or a person, says that a run is not paid: nothing where none stands."""

    def following(latest: RunRow | None) -> NewVersion | None:
        if latest is None or not latest.live:
            return None
        before = decode(latest.event or b"")
        run, version = paid(before), latest.version + 1
        data = RunReversed(
            fact=_fact(run, version),
            provider=run.provider,
            entity=run.entity,
            run=run.run,
            version=version,
            taken_back=posted(latest),
            day=day,
            reason=reason,
        )
        return _version(data, run, like=before, hashed=REVERSED, at=datetime.combine(day, time(12), UTC))

    return following


def posted(row: RunRow) -> PostedRun:
    """What a stored version told, as its reversal needs it."""
    run = paid(decode(row.event or b""))
    return PostedRun(**{name: getattr(run, name) for name in PostedRun.model_fields})


def _fact(run: RunPaid, version: int) -> str:
    return f"{run.fact.rpartition(':v')[0]}:v{version}"


def _version(data: RunPaid | RunReversed, run: RunPaid, *, like: Event, hashed: str, at: datetime) -> NewVersion:
    """The version that `data` is, of a run with the dates of `run`."""
    kept = {name: getattr(like, name) for name in ("source", "subject", "partitionkey", "company")}
    event = Event.of(data, id=f"{data.fact}:{hashed[:16]}", time=at, **kept)
    return NewVersion(
        version=data.version,
        fact=data.fact,
        fingerprint=hashed,
        event=encode(event),
        live=isinstance(data, RunPaid),
        dates=RunDates(
            pay_date=run.pay_date,
            period_start=run.period_start,
            period_end=run.period_end,
            deadline=data.deadline if isinstance(data, RunPaid) else None,
            run_type=run.run_type,
        ),
    )
