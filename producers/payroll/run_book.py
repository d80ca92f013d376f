"""What was told of the runs of one account, and what becomes of one that is found: told, taken back, or refused.

It asks no provider and reads no file; whether anything is stored and published is its teller's affair.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from producers.normalising import Normaliser, Rejected
from producers.payroll.tally import paid
from producers.payroll.telling import Tells
from producers.payroll.versions import following_paid, following_reversed, key_of
from runtime.clock import Clock
from schemas.envelope import Event
from store.payroll_runs import Reference, RunDates, RunKey

COMPANY_CHANGED: Final = "company_changed"

Became = Literal["told", "unchanged", "reversed", "open", "ignored", "refused", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayrollAccount:
    """One account at a provider. `companies`: its ids of companies → ours; `name` is that of its settings."""

    name: str
    provider: str
    companies: Mapping[str, str]
    normalise: Normaliser
    zone: ZoneInfo
    currency: str = "USD"
    options: Mapping[str, Any]
    deadline: Callable[[date], datetime | None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What became of one run in a pull. `version` is the one told or standing; `reason` and `field` are words."""

    company: str
    entity: str
    run: str
    became: Became
    version: int | None = None
    pay_date: date | None = None
    reason: str | None = None
    field: str | None = None
    message: str | None = None

    @classmethod
    def of(cls, key: RunKey, became: Became, **more: Any) -> "RunOutcome":  # noqa: ANN401 - the fields, by name
        """That of the run with this key."""
        return cls(company=key.company, entity=key.entity, run=key.run, became=became, **more)


@dataclass(frozen=True, slots=True)
class RunBook:
    """The runs of one account. Every method gives the outcome of one run; raises as `Teller`; may be repeated."""

    account: PayrollAccount
    teller: Tells
    clock: Clock

    async def told(self, event: Event) -> RunOutcome:
        """A run that is paid, as a normaliser gives it: told as the version that follows, unless it was told so."""
        key, run = key_of(event), paid(event)
        following = following_paid(event, deadline=self.account.deadline(run.pay_date))
        version = await self.teller.advance(key, following)
        return RunOutcome.of(key, "unchanged" if version is None else "told", version=version, pay_date=run.pay_date)

    async def taken_back(self, key: RunKey, why: str, *, dates: RunDates, is_open: bool) -> RunOutcome:
        """A run that is open, cancelled or empty: reversed where it stands in the books, else only noted."""
        day = self.clock.now().astimezone(self.account.zone).date()
        version = await self.teller.advance(key, following_reversed(day=day, reason=why))
        if version is not None:
            return RunOutcome.of(key, "reversed", version=version, pay_date=dates.pay_date, reason=why)
        state: Literal["open", "ignored"] = "open" if is_open else "ignored"
        reason = "run_open" if is_open else why
        reference = Reference(state=state, reason=reason, dates=dates)
        await self.teller.note(lambda runs: runs.refer(key, reference))
        return RunOutcome.of(key, state, pay_date=dates.pay_date, reason=reason)

    async def refused(self, key: RunKey, why: Rejected, *, said: str, dates: RunDates | None = None) -> RunOutcome:
        """What cannot be told comes before a person, once, as what is `said` of it; its body does not."""
        dates = dates or RunDates()
        reference = Reference(state="refused", reason=why.reason, field=why.field, dates=dates)
        source = f"/payroll/{self.account.name}/reference"
        await self.teller.refuse(key, reference, source=source, error=said)
        shown = {"pay_date": dates.pay_date, "reason": why.reason, "field": why.field, "message": str(why)}
        return RunOutcome.of(key, "refused", **shown)


def counted(outcomes: Sequence[RunOutcome]) -> dict[str, int]:
    """How many runs became what, for those that occur."""
    words = [outcome.became for outcome in outcomes]
    return {word: words.count(word) for word in sorted(set(words))}
