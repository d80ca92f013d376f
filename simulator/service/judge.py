"""Counts what really reached the books and how fast the calls came. Reads the simulation, changes nothing."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from math import inf
from typing import Any, Final

from simulator.books.books import Books, Record, check_balanced
from simulator.books.money import text
from simulator.books.reports import trial_balance
from simulator.errors import ApiError, SwitchError
from simulator.service.calls import Call
from simulator.service.limits import worst_window
from simulator.service.simulation import Simulation

NO_KEY: Final = "none"
"""What stands for the key of calls that came without one."""


def judge(  # noqa: PLR0913  # every one narrows the question, none is needed
    simulation: Simulation,
    *,
    allowance: int | None = None,
    window_seconds: float | None = None,
    key: str | None = None,
    since: float = -inf,
    until: float = inf,
) -> dict[str, Any]:
    """The verdict; seeded records are not counted, balances include them (debits minus credits, as text).

    `worst_window` is over every call Solid received, refused ones too; `worst_window_accepted` leaves out
    those that the rate limit refused. `duplicated` are external ids that two records of one kind carry.
    `key` (a short name) and `since` <= time < `until` (monotonic seconds) narrow it to some of the calls, and to
    the records that these made; balances are always of the whole books. Strangers' calls are nowhere but in
    `stranger`. Raises SwitchError when no call and no key has that name.
    """
    simulation.settle_strangers()
    limit = simulation.limiter.limit
    window = limit.window_seconds if window_seconds is None else window_seconds
    allowed = limit.allowance if allowance is None else allowance
    calls = calls_of(simulation, key=key, since=since, until=until)
    written = [record for record in simulation.books.log if not record.seed]
    if (key, since, until) != (None, -inf, inf):
        made = committed_by(calls)
        written = [record for record in written if record.id in made]
    strange = [c for c in simulation.strangers.calls if key in (None, c.key) and since <= c.monotonic < until]
    let_in = sum(each.let_in for each in strange)
    refused = sum(call.rate_limited for call in calls)
    worst = worst_window([call.monotonic for call in calls], window)
    return {
        "calls": len(calls),
        "answers": sum(call.status is not None for call in calls),
        "rate_limited": refused,
        "count_429": refused,
        "allowance": allowed,
        "window_seconds": window,
        "worst_window": worst,
        "worst_window_accepted": worst_window([c.monotonic for c in calls if not c.rate_limited], window),
        "within_allowance": worst <= allowed,
        "by_key": _by_key(calls, window),
        "stranger": {"let_in": let_in, "refused": len(strange) - let_in},
        **_writes(written),
        "pending_late_commits": len(simulation.late),
        **_balances(simulation.books),
    }


def calls_of(
    simulation: Simulation, *, key: str | None = None, since: float = -inf, until: float = inf
) -> Sequence[Call]:
    """The calls of a key (its short name) in `since` <= time < `until`.

    Raises SwitchError when no call and no key has that name.
    """
    calls = simulation.calls
    if key is not None:
        calls = [call for call in calls if _name(call) == key]
        if not calls and key not in simulation.keys:
            msg = f"key: no API key has the short name {key!r}; see keys in /state"
            raise SwitchError(msg)
    if (since, until) != (-inf, inf):
        calls = [call for call in calls if since <= call.monotonic < until]
    return calls


def committed_by(calls: Sequence[Call]) -> Collection[str]:
    """The ids of the records that these calls made."""
    return {record_id for call in calls for record_id in call.committed}


def _name(call: Call) -> str:
    return NO_KEY if call.key is None else call.key


def _by_key(calls: Sequence[Call], window_seconds: float) -> dict[str, dict[str, int]]:
    sorted_out: defaultdict[str, list[Call]] = defaultdict(list)
    for call in calls:
        sorted_out[_name(call)].append(call)
    return {
        name: {
            "calls": len(its),
            "refused": sum(call.rate_limited for call in its),
            "worst_window": worst_window([call.monotonic for call in its], window_seconds),
        }
        for name, its in sorted(sorted_out.items())
    }


def _writes(written: list[Record]) -> dict[str, Any]:
    named = [record for record in written if record.draft.external_id is not None]
    per_kind = Counter((record.draft.kind, str(record.draft.external_id)) for record in named)
    return {
        "writes": len(written),
        "writes_by_kind": dict(Counter(record.draft.kind for record in written)),
        "by_external_id": dict(Counter(str(record.draft.external_id) for record in named)),
        "without_external_id": len(written) - len(named),
        "duplicated": sorted({external_id for (_, external_id), count in per_kind.items() if count > 1}),
    }


def _balances(books: Books) -> dict[str, Any]:
    report = trial_balance(books, as_of=None)
    totals = books.totals()
    names = {account.id: str(account.draft.fields["name"]) for account in books.undated("account")}
    return {
        "balanced": bool(report["balanced"]) and all(_is_balanced(record) for record in books.log),
        "balances": {names[account_id]: text(total.balance) for account_id, total in totals.items()},
        "trial_balance": {
            "debit_total": text(sum(max(total.balance, 0) for total in totals.values())),
            "credit_total": text(sum(max(-total.balance, 0) for total in totals.values())),
            "accounts": {
                names[account_id]: {
                    "debit": text(max(total.balance, 0)),
                    "credit": text(max(-total.balance, 0)),
                }
                for account_id, total in totals.items()
                if total.debit or total.credit
            },
        },
    }


def _is_balanced(record: Record) -> bool:
    try:
        check_balanced(record.draft)
    except ApiError:
        return False
    return True
