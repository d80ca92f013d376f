"""Payroll events: what a pay run cost and owes, by category and department, and that it was taken back.

Totals only: no name, tax number, address, bank detail or amount of a person may stand in any of them.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.dates import Day, Instant
from schemas.event_data import EventData, EventModel, Text
from schemas.money import Money

LineKind = Literal[
    "wages",
    "employer_tax",
    "employer_benefit",
    "reimbursement",
    "contractor",
    "employee_tax",
    "deduction",
    "garnishment",
    "net_pay",
    "rounding",
]
"""What an amount is. The first five are costs of the company, the next four are what it owes for them:

`employer_tax` and `employer_benefit` are cost and owed at the same time; `employee_tax`, `deduction` (benefits and
other deductions) and `garnishment` were withheld from wages; `net_pay` is what people get, reimbursements included;
`rounding` is what is missing between the two sides, within the limit that the producer was set.
"""

COSTS = frozenset({"wages", "employer_tax", "employer_benefit", "reimbursement", "contractor"})
OWED = frozenset({"employee_tax", "deduction", "garnishment", "net_pay"})


class RunLine(EventModel):
    """One total of a run. `category` is the provider's own word for it (`Regular`, `FUTA`, `Medical Insurance`).

    `amount` is positive in the usual direction of its kind, and negative in a run that takes back.
    `department` and `location` only where the provider splits by them.
    """

    kind: LineKind
    category: Text
    department: Text | None = None
    location: Text | None = None
    amount: Money


def _balanced(lines: tuple[RunLine, ...]) -> tuple[RunLine, ...]:
    if not lines:
        msg = "a run has at least one line"
        raise ValueError(msg)
    zero = Money.zero(lines[0].amount.currency)
    earned = {"wages", "reimbursement", "contractor", "rounding"}
    costs = sum((line.amount for line in lines if line.kind in earned), zero)
    owed = sum((line.amount for line in lines if line.kind in OWED), zero)
    if costs != owed:
        msg = f"wages, reimbursements and contractors make {costs}, and what is owed for them {owed}"
        raise ValueError(msg)
    return lines


RunLines = Annotated[tuple[RunLine, ...], AfterValidator(_balanced)]
"""The costs without employer's taxes and benefits (which are owed as well) equal what is owed, to the cent."""


class PostedRun(EventModel):
    """A version of a run as it was told before: what its reversal takes back."""

    fact: Text
    version: Annotated[int, Field(ge=1)]
    pay_date: Day
    period_start: Day | None = None
    period_end: Day | None = None
    lines: RunLines


class _Run(EventData):
    """What names a run. `entity` is the provider's id of the company, `run` its id of the run."""

    provider: Text
    entity: Text
    run: Text
    version: Annotated[int, Field(ge=1)]


class RunPaid(_Run):
    """A pay run as the provider closed it. `fact`: `gusto:run:<entity>:<run>:v1`.

    A run that changed afterwards comes as the next version, which `replaces` the one before it. `reverses` names the
    run that this one takes back in whole or in part, where the provider makes that a run of its own.
    """

    run_type: Literal["regular", "off_cycle", "bonus", "correction", "reversal", "contractor", "year_end"] = "regular"
    pay_date: Day
    period_start: Day | None = None
    period_end: Day | None = None
    lines: RunLines
    replaces: PostedRun | None = None
    reverses: Text | None = None
    deadline: Instant | None = None

    @model_validator(mode="after")
    def _replaces_an_earlier_version(self) -> Self:
        if self.replaces is not None and self.replaces.version >= self.version:
            msg = f"version {self.version} cannot replace version {self.replaces.version}"
            raise ValueError(msg)
        return self


class RunReversed(_Run):
    """A pay run that was cancelled after it had been told. `fact`: `gusto:run:<entity>:<run>:v2`.

    `taken_back` is the version it undoes, `day` when: its entry is the exact reversal.
    """

    taken_back: PostedRun
    day: Day
    reason: Text | None = None
