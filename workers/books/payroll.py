"""The `[payroll]` of `books.toml`: where each category of a pay run goes, and the few choices about its entry.

Categories are matched exactly, provider by provider. The words that are certain by themselves stand in
`payroll_categories.toml`, in the same form; a line in `books.toml` wins over it. Nothing here guesses a category.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    field_validator,
    model_validator,
)

from schemas.payroll import LineKind
from workers.books.account_kinds import ALLOWED, PAY_COST, PAY_OWED, Named

COST_ROLES: Final = ("wages", "payroll_tax_expense", "benefits_expense", "reimbursement_expense", "contractor_expense")
OWED_ROLES: Final = (
    "payroll_tax_payable",
    "benefits_payable",
    "deductions_payable",
    "garnishments_payable",
    "reimbursements_payable",
    "net_pay_payable",
    "bank",
)

SIDES: Final[Mapping[LineKind, tuple[str | None, str | None]]] = {
    "wages": ("wages", None),
    "employer_tax": ("payroll_tax_expense", "payroll_tax_payable"),
    "employer_benefit": ("benefits_expense", "benefits_payable"),
    "reimbursement": ("reimbursement_expense", None),
    "contractor": ("contractor_expense", None),
    "employee_tax": (None, "payroll_tax_payable"),
    "deduction": (None, "deductions_payable"),
    "garnishment": (None, "garnishments_payable"),
    "net_pay": (None, "net_pay_payable"),
    "rounding": ("payroll_rounding", None),
}
"""Kind → the role that is debited with its cost, the role that is credited with what is owed."""

CERTAIN: Final = frozenset({"net_pay", "rounding"})
"""Kinds whose category adds nothing: it need not be known."""

Name = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Target:
    """A role of `[accounts]`, or a role with an account of its own."""

    role: str
    account: str | None = None
    class_id: str | None = None
    location_id: str | None = None


def _from_text(value: object) -> object:
    """Plain text is a role where it looks like one, and else the name of an account."""
    if not isinstance(value, str):
        return value
    return {"role": value} if _looks_like_role(value) else {"account": value}


def _looks_like_role(text: str) -> bool:
    """Whether a text is a role. Raises ValueError where it seems meant as one and is none."""
    if text in COST_ROLES or text in OWED_ROLES:
        return True
    if re.fullmatch(r"[a-z]+(_[a-z]+)+", text):
        near = difflib.get_close_matches(text, (*COST_ROLES, *OWED_ROLES), n=1, cutoff=0)
        msg = f"{text!r} is no role of payroll; nearest: {near[0]!r}"
        raise ValueError(msg)
    return False


class Destination(BaseModel):
    """Where one category goes.

    `role` and `account` say what is owed for it, or its cost, as the role says; `cost` (a role or an account) says the
    cost of what is cost and owed at the same time, such as an employer's tax. What is not said follows from the kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str | None = None
    account: Name | None = None
    cost: Name | None = None

    @field_validator("role")
    @classmethod
    def _role_exists(cls, role: str | None) -> str | None:
        if role is not None and not _looks_like_role(role):
            msg = f"{role!r} is no role of payroll; an account goes under `account`"
            raise ValueError(msg)
        return role

    @field_validator("cost")
    @classmethod
    def _cost_is_a_cost(cls, cost: str | None) -> str | None:
        if cost is not None and _looks_like_role(cost) and cost not in COST_ROLES:
            msg = f"{cost!r} is owed, and no cost"
            raise ValueError(msg)
        return cost

    def targets(self, kind: LineKind) -> tuple[Target | None, Target | None] | None:
        """What is debited and what is credited for a kind; None where the place does not fit the kind."""
        cost_role, owed_role = SIDES[kind]
        cost = None if cost_role is None else self._cost(cost_role, owed_too=owed_role is not None)
        owed = None if owed_role is None else self._owed(owed_role, cost_too=cost_role is not None)
        fits = (cost is None) == (cost_role is None) and (owed is None) == (owed_role is None)
        return (cost, owed) if fits else None

    def _cost(self, usual: str, *, owed_too: bool) -> Target | None:
        if self.cost is not None:
            return Target(self.cost) if self.cost in COST_ROLES else Target(usual, self.cost)
        if self.role in COST_ROLES:
            return Target(str(self.role), self.account)
        if owed_too:
            return Target(usual)
        return Target(usual, self.account) if self.role is None else None

    def _owed(self, usual: str, *, cost_too: bool) -> Target | None:
        if self.role in COST_ROLES:
            return Target(usual) if cost_too else None
        return Target(self.role or usual, self.account)


def _from_account(value: object) -> object:
    """Plain text is the name of an account."""
    return {"account": value} if isinstance(value, str) else value


Uuid = Annotated[str, AfterValidator(lambda text: str(UUID(text)))]


class Split(BaseModel):
    """The wages of one department or location: an account of their own, Solid's ids of a class or location, or all."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    account: Name | None = None
    class_id: Annotated[Uuid | None, Field(alias="class")] = None
    location_id: Annotated[Uuid | None, Field(alias="location")] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            msg = "say an account, a class or a location"
            raise ValueError(msg)
        return self


Splits = Mapping[str, Annotated[Split, BeforeValidator(_from_account)]]
"""Department or location → where its wages go."""

Destinations = Mapping[Name, Mapping[Name, Annotated[Destination, BeforeValidator(_from_text)]]]
"""Provider → its category → where that goes."""


@cache
def known_destinations() -> Mapping[str, Mapping[str, Destination]]:
    """The categories that are certain by themselves, of every provider; `any` holds those of all."""
    text = resources.files("workers.books").joinpath("payroll_categories.toml").read_text("utf-8")
    return TypeAdapter[Mapping[str, Mapping[str, Destination]]](Destinations).validate_python(tomllib.loads(text))


def _exact(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    if isinstance(value, float):
        msg = 'write it as text, such as "0.05": a float is not exact'
        raise ValueError(msg)  # noqa: TRY004 - pydantic wants a ValueError
    return value


class PayrollPolicy(BaseModel):
    """How the entry of a pay run looks in the books of one company.

    `net_pay`: the role that is credited with what people get. `accrual`: whether a run whose period ends in an earlier
    month than it is paid is accrued on the period's last day. `rounding_limit`, in the company's currency: up to which
    amount a difference that the producer has named may go to `payroll_rounding`. `departments` and `locations`: the
    account, class or location of the wages of each; where there are any, every wage must say one of them, or `""` must
    say where the others go.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    net_pay: Literal["net_pay_payable", "bank"] = "net_pay_payable"
    accrual: bool = False
    rounding_limit: Annotated[Decimal, BeforeValidator(_exact), Field(ge=0)] = Decimal(0)
    departments: Splits = {}
    locations: Splits = {}
    categories: Destinations = {}

    def destination_of(self, provider: str, kind: LineKind, category: str) -> Destination | None:
        """Where a category goes, matched exactly; None where nobody has said."""
        for destinations in (self.categories, known_destinations()):
            destination = destinations.get(provider, {}).get(category)
            if destination is not None:
                return destination
        if kind in CERTAIN:
            return Destination()
        return known_destinations().get("any", {}).get(category)

    def accounts(self) -> Iterator[Named]:
        """Each account that is named here, with the place where it is named and the kinds that it may be of."""
        for table, splits in (("departments", self.departments), ("locations", self.locations)):
            for name, split in splits.items():
                if split.account:
                    yield Named(f"[payroll.{table}].{name}", "wages", split.account, ALLOWED["wages"])
        for provider, destinations in self.categories.items():
            for category, destination in destinations.items():
                place = f"[payroll.categories.{provider}].{category}"
                if destination.cost is not None and destination.cost not in COST_ROLES:
                    yield Named(place, "a cost of pay", destination.cost, PAY_COST)
                if destination.account is not None:
                    yield _own_account(place, provider, category, destination)


def _own_account(place: str, provider: str, category: str, destination: Destination) -> Named:
    """What an account of a category is for: its role says it, else that of the known category of this name."""
    known = known_destinations().get(provider, {}).get(category)
    role = destination.role or (known and known.role)
    owed = destination.cost is not None or role in OWED_ROLES
    use = f"{category}, as {role}," if role else category
    return Named(place, use, str(destination.account), PAY_OWED if owed else PAY_COST)
