"""Writes: what a plan wants recorded in Solid, in accounting terms. Pure values; they know no network and no UUIDs."""

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, field_serializer, model_validator

from schemas.money import Money

Day = date
"""A calendar day, under a name of its own: `date` is also the name of a field."""


class Parked(Exception):
    """The event cannot be booked until a person does something; `reason` is the key that frees it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Value(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True)


class Line(Value):
    """One line of an entry: a debit or a credit, never both, never negative."""

    role: str
    account: str
    debit: Decimal | None = None
    credit: Decimal | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.debit is None) == (self.credit is None):
            msg = f"a line on {self.account} needs a debit or a credit, not both"
            raise ValueError(msg)
        if (self.debit or self.credit or 0) < 0:
            msg = f"a line on {self.account} is negative: {self.debit or self.credit}"
            raise ValueError(msg)
        return self

    @field_serializer("debit", "credit", when_used="unless-none")
    def _decimal_text(self, amount: Decimal) -> str:
        return f"{amount:f}"


class Write(Value):
    """One call that creates one record in Solid. `memo` is for people and names no person.

    `true_date` is when the fact happened, where `date` is the first open day instead.
    """

    kind: str
    external_id: str
    date: Day
    currency: str
    memo: str
    true_date: Day | None = None

    def economics(self) -> dict[str, Any]:
        """What may never differ between two writes of one external id: the hash of this is kept in the inbox.

        Names, memos and dates are left out: they may change with a setting without the fact being another.
        """
        return {"kind": self.kind, "currency": self.currency}

    @property
    def payload_hash(self) -> str:
        """A SHA-256 of the economics."""
        return hashlib.sha256(json.dumps(self.economics(), sort_keys=True).encode()).hexdigest()

    @property
    def amount(self) -> Decimal | None:
        """What the write is worth, in its currency."""
        return None


class ContactWrite(Write):
    """A customer: matched if Solid has it, created otherwise."""

    kind: Literal["contact"] = "contact"
    display_name: str
    email: str | None = None


class InvoiceWrite(Write):
    """An invoice with one line: DR receivable, CR `role`."""

    kind: Literal["invoice"] = "invoice"
    total: Decimal
    contact: str
    role: str
    account: str

    def economics(self) -> dict[str, Any]:
        """See `Write.economics`."""
        return {**super().economics(), "total": str(self.total.normalize())}

    @property
    def amount(self) -> Decimal:
        """The total."""
        return self.total

    @field_serializer("total")
    def _decimal_text(self, amount: Decimal) -> str:
        return f"{amount:f}"


class PaymentWrite(Write):
    """A payment of one invoice into an account: DR `account`, CR receivable."""

    kind: Literal["payment"] = "payment"
    total: Decimal
    contact: str
    invoice: str
    role: str
    account: str

    def economics(self) -> dict[str, Any]:
        """See `Write.economics`."""
        return {**super().economics(), "total": str(self.total.normalize()), "invoice": self.invoice}

    @property
    def amount(self) -> Decimal:
        """The total."""
        return self.total

    @field_serializer("total")
    def _decimal_text(self, amount: Decimal) -> str:
        return f"{amount:f}"


class EntryWrite(Write):
    """A journal entry. It balances to the cent, or it does not exist."""

    kind: Literal["entry"] = "entry"
    lines: tuple[Line, ...]

    @model_validator(mode="after")
    def _balances(self) -> Self:
        debit = sum((line.debit or Decimal(0) for line in self.lines), Decimal(0))
        credit = sum((line.credit or Decimal(0) for line in self.lines), Decimal(0))
        if debit != credit or not debit:
            msg = f"{self.external_id}: debits {debit} and credits {credit} {self.currency} do not balance"
            raise ValueError(msg)
        return self

    def economics(self) -> dict[str, Any]:
        """See `Write.economics`."""
        lines = sorted(
            (
                line.role,
                "debit" if line.debit is not None else "credit",
                str((line.debit or line.credit or Decimal(0)).normalize()),
            )
            for line in self.lines
        )
        return {**super().economics(), "lines": lines}

    @property
    def amount(self) -> Decimal:
        """The sum of its debits."""
        return sum((line.debit or Decimal(0) for line in self.lines), Decimal(0))


AnyWrite = ContactWrite | InvoiceWrite | PaymentWrite | EntryWrite


class Prerequisite(Value):
    """Another write that must be in Solid first."""

    external_id: str


class RefundsReach(Value):
    """The refunds booked for a charge must reach a total: a message that names no refund waits for those that do."""

    group: str
    total: Money


Requirement = Prerequisite | RefundsReach


class Group(Value):
    """Facts that add up: the refunds of a charge, in the customer's currency. Counted on the first write of a plan."""

    key: str
    amount: Money


class Plan(Value):
    """The writes of one event in their order, and what must be in the books before them."""

    writes: tuple[AnyWrite, ...] = ()
    requires: tuple[Requirement, ...] = ()
    group: Group | None = None
