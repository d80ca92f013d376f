"""What a pay run posts: one balanced entry on its pay date; a changed or cancelled run, its exact reversal. Pure.

External ids: `<fact>` the entry, `<fact>:accrual` on the last day of the period, `<fact>:release` which takes the
accrual back on the pay date; each of them with `:reversal` once a later version replaces the run, or it is cancelled.

Dates: what a later version takes back has the date of what it reverses, so that every month shows what the last
version says. A cancelled run is taken back on the day of the cancellation, but never before its pay date; what was
accrued for it, on its own days. Whatever of that lies in a closed period is parked or moved by `workers.plans.periods`.
Writes stand in the order of their dates: a month that Solid finds closed stops an event before any of it is posted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

from schemas.envelope import Event
from schemas.money import Money
from schemas.payroll import COSTS, PostedRun, RunLine, RunPaid, RunReversed
from workers.books.books import Books
from workers.external_ids import external_id_of
from workers.plans.ledger import account_of
from workers.plans.payroll_lines import Share, entry_lines, shares
from workers.plans.writes import EntryWrite, Plan, Prerequisite, mirrored

Version = RunPaid | PostedRun
Run = RunPaid | RunReversed


def run_paid(event: Event, data: RunPaid, books: Books) -> Plan:
    """DR wages, taxes, benefits, expenses / CR what is owed for them, in one entry; the version it replaces, reversed.

    Raises:
        Parked: a category, a department or an account is not mapped; the currency is another; a rounding difference is
            over the limit.
    """
    del event
    memo = _name(data, data.version)
    old = data.replaces
    if data.reverses is not None:
        memo += f", takes back run {data.reverses}"
    if old is None:
        return Plan(writes=_by_date(_entries(data, data, memo=memo, books=books)), deadline=data.deadline)
    back = _entries(old, data, memo=f"{_name(data, old.version)} ({old.fact}), replaced by {data.fact}", books=books)
    taken_back = [_reversal(entry, on=entry.date) for entry in back]
    posted = _entries(data, data, memo=f"{memo} ({data.fact}), replaces {old.fact}", books=books)
    return Plan(writes=_by_date([*taken_back, *posted]), requires=_first(old, back), deadline=data.deadline)


def run_reversed(event: Event, data: RunReversed, books: Books) -> Plan:
    """The exact reversal of the run, and of what was accrued for it.

    Raises:
        Parked: see `run_paid`.
    """
    del event
    old = data.taken_back
    back = _entries(old, data, memo=f"{_name(data, old.version)} ({old.fact}), cancelled by {data.fact}", books=books)
    cancelled, run_id = max(data.day, old.pay_date), external_id_of(old.fact)
    writes = [_reversal(entry, on=cancelled if entry.external_id == run_id else entry.date) for entry in back]
    return Plan(writes=_by_date(writes), requires=_first(old, back))


def _entries(version: Version, run: Run, *, memo: str, books: Books) -> list[EntryWrite]:
    """The entries of one version: that of its pay date, and around it the accrual where there is one.

    None where every amount is zero.
    """
    shared = list(shares(version.lines, run.provider, books))
    entries = _entry(version.fact, shared, version, day=version.pay_date, memo=memo)
    if not _accrues(version, books) or version.period_end is None:
        return entries
    costs = list(_accrued(shared, books))
    accrual = _entry(f"{version.fact}:accrual", costs, version, day=version.period_end, memo=f"Accrued: {memo}")
    release = [_mirror(entry, f"{version.fact}:release", version.pay_date, f"Released: {memo}") for entry in accrual]
    return [*accrual, *release, *entries]


def _accrues(version: Version, books: Books) -> bool:
    """Whether the period ends in a month before the one that it is paid in, and the books want that shown."""
    end, paid = version.period_end, version.pay_date
    return books.payroll.accrual and end is not None and (end.year, end.month) < (paid.year, paid.month)


def _accrued(shares: Iterable[Share], books: Books) -> Iterator[Share]:
    """The debits of what the period cost, each with its credit to what is accrued."""
    for share in shares:
        if share.kind in COSTS and share.side == "debit":
            yield share
            account = account_of(books, "accrued_payroll", share.amount)
            yield replace(share, side="credit", role="accrued_payroll", account=account)


def _entry(external_id: str, shares: list[Share], version: Version, *, day: date, memo: str) -> list[EntryWrite]:
    lines = entry_lines(shares)
    if not lines:
        return []
    currency, totals = version.lines[0].amount.currency, _totals(version.lines)
    return [
        EntryWrite(external_id=external_id, date=day, currency=currency, memo=memo, lines=lines, totals=totals),
    ]


def _reversal(entry: EntryWrite, *, on: date) -> EntryWrite:
    back = _mirror(entry, f"{entry.external_id}:reversal", on, f"Reversal: {entry.memo}")
    return back.model_copy(update={"reverses": entry.external_id})


def _mirror(entry: EntryWrite, external_id: str, day: date, memo: str) -> EntryWrite:
    changes = {"external_id": external_id_of(external_id), "date": day, "memo": memo, "lines": mirrored(entry.lines)}
    return entry.model_copy(update=changes)


def _totals(lines: Iterable[RunLine]) -> dict[str, Decimal]:
    """What a run says by kind: the same however the books split it."""
    sums: dict[str, Money] = {}
    for line in lines:
        sums[line.kind] = sums.get(line.kind, Money.zero(line.amount.currency)) + line.amount
    return {kind: amount.amount for kind, amount in sorted(sums.items())}


def _first(old: PostedRun, back: list[EntryWrite]) -> tuple[Prerequisite, ...]:
    """What is taken back must be there; a version without amounts has posted nothing."""
    return (Prerequisite(external_id=old.fact),) if back else ()


def _by_date(entries: list[EntryWrite]) -> tuple[EntryWrite, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.date))


def _name(run: Run, version: int) -> str:
    """What the memo calls a run: ids only, no person."""
    return f"Pay run {run.run} of {run.entity} ({run.provider}, version {version})"
