"""Counts what really reached the books and how fast the calls came. Reads the simulation, changes nothing."""

from collections import Counter
from typing import Any

from simulator.books import Books, Record, check_balanced
from simulator.errors import ApiError
from simulator.limits import worst_window
from simulator.money import text
from simulator.reports import trial_balance
from simulator.simulation import Simulation


def judge(
    simulation: Simulation, *, allowance: int | None = None, window_seconds: float | None = None
) -> dict[str, Any]:
    """The verdict; seeded records are not counted, balances include them (debits minus credits, as text).

    `worst_window` is over every call Solid received, refused ones too; `worst_window_accepted` leaves out
    those that the rate limit refused. `duplicated` are external ids that two records of one kind carry.
    """
    window = simulation.limiter.window_seconds if window_seconds is None else window_seconds
    allowed = simulation.limiter.allowance if allowance is None else allowance
    calls = simulation.calls
    written = [record for record in simulation.books.log if not record.seed]
    worst = worst_window([call.monotonic for call in calls], window)
    return {
        "calls": len(calls),
        "count_429": sum(call.rate_limited for call in calls),
        "allowance": allowed,
        "window_seconds": window,
        "worst_window": worst,
        "worst_window_accepted": worst_window([c.monotonic for c in calls if not c.rate_limited], window),
        "within_allowance": worst <= allowed,
        **_writes(written),
        "pending_late_commits": len(simulation.late),
        **_balances(simulation.books),
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
