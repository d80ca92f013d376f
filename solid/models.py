"""What is sent to Solid and what is read from it. Amounts are Decimal in whole units, dates are plain days.

A record that could not be booked (does not balance, applies more than it pays) cannot be built.
This module must not know how anything is spelt on the wire: see `solid.bodies`.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from schemas.money import Amount, Currency
from solid.amounts import in_minor_units

Kind = Literal["contact", "invoice", "payment", "entry", "bill"]
"""The records Solid keeps that a write may create."""

ExternalId = Annotated[str, Field(strict=True, pattern=r"^[!-~]{1,200}$")]
"""Our own key of a record: printable ASCII without spaces."""

SolidId = Annotated[str, Field(strict=True, min_length=1)]
"""Solid's own key of a record, a UUID as far as is known."""

Day = Annotated[date, Field(strict=True)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class NewContact(_Record):
    """A customer to create."""

    kind: Literal["contact"] = "contact"
    external_id: ExternalId
    display_name: str = Field(min_length=1)
    email: str | None = None


class InvoiceLine(_Record):
    """One line of an invoice; `account_id` is the income account. The amount may be negative (a discount)."""

    account_id: SolidId
    description: str
    amount: Amount


class NewInvoice(_Record):
    """An invoice to create: DR Accounts Receivable the total, CR each line's account."""

    kind: Literal["invoice"] = "invoice"
    external_id: ExternalId
    customer_id: SolidId
    date: Day
    currency: Currency
    lines: tuple[InvoiceLine, ...] = Field(min_length=1)
    memo: str | None = None

    @property
    def total(self) -> Decimal:
        """The sum of the lines, in the invoice's currency."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @model_validator(mode="after")
    def _is_bookable(self) -> Self:
        _bookable([line.amount for line in self.lines], self.currency)
        if self.total < 0:
            msg = f"an invoice cannot be negative: its lines add up to {self.total}"
            raise ValueError(msg)
        return self


class Application(_Record):
    """The part of a payment that clears one invoice."""

    invoice_id: SolidId
    amount: Amount


class NewPayment(_Record):
    """A payment received: DR the deposit account, CR Accounts Receivable."""

    kind: Literal["payment"] = "payment"
    external_id: ExternalId
    customer_id: SolidId
    date: Day
    currency: Currency
    amount: Amount
    deposit_account_id: SolidId
    applications: tuple[Application, ...]
    memo: str | None = None

    @model_validator(mode="after")
    def _is_bookable(self) -> Self:
        parts = [application.amount for application in self.applications]
        _bookable([self.amount, *parts], self.currency)
        if self.amount <= 0 or any(part <= 0 for part in parts):
            msg = "a payment and each part of it are more than nothing"
            raise ValueError(msg)
        if sum(parts) > self.amount:
            msg = f"a payment of {self.amount} cannot clear {sum(parts)} of invoices"
            raise ValueError(msg)
        return self


class EntryLine(_Record):
    """One line of a journal entry: a debit or a credit, never both, never negative."""

    account_id: SolidId
    debit: Amount | None = None
    credit: Amount | None = None
    memo: str | None = None

    @model_validator(mode="after")
    def _has_one_side(self) -> Self:
        sides = [side for side in (self.debit, self.credit) if side is not None]
        if len(sides) != 1 or sides[0] <= 0:
            msg = "a line has either a debit or a credit, and it is more than nothing"
            raise ValueError(msg)
        return self


class NewEntry(_Record):
    """A journal entry to create; it balances to the cent or cannot be built."""

    kind: Literal["entry"] = "entry"
    external_id: ExternalId
    date: Day
    currency: Currency
    memo: str
    lines: tuple[EntryLine, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _balances(self) -> Self:
        debits = [line.debit for line in self.lines if line.debit is not None]
        credits_ = [line.credit for line in self.lines if line.credit is not None]
        _bookable([*debits, *credits_], self.currency)
        if sum(debits) != sum(credits_):
            msg = f"the entry does not balance: debits {sum(debits)}, credits {sum(credits_)}"
            raise ValueError(msg)
        return self


NewRecord = NewContact | NewInvoice | NewPayment | NewEntry
"""Everything `SolidClient.create` can send."""


class _Read(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
        populate_by_name=True,
    )


class Account(_Read):
    """An account of Solid's chart; `type` is a code such as `CASH`, empty where Solid shows none."""

    id: str = Field(min_length=1)
    name: str
    type: str = Field(default="", validation_alias=AliasChoices("type", "account_type"))


class Contact(_Read):
    """A contact as Solid lists it."""

    id: str = Field(min_length=1)
    display_name: str
    email: str | None = None
    external_id: str | None = None


class Row(_Read):
    """What a look-up reads of any record; all other fields are ignored."""

    id: str = Field(min_length=1)
    external_id: str | None = None
    reference_number: str | None = None
    created_at: str | None = None


def _bookable(amounts: list[Decimal], currency: str) -> None:
    for amount in amounts:
        in_minor_units(amount, currency)
