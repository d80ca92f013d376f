"""What is sent to Solid and what is read from it. Amounts are Decimal in whole units, dates are plain days.

A record that could not be booked (does not balance, applies more than it pays) cannot be built.
This module must not know how anything is spelt on the wire: see `solid.bodies`.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from schemas.money import MAX_AMOUNT, MAX_DECIMALS, Amount, Currency
from solid.amounts import in_minor_units

RecordKind = Literal["contact", "invoice", "payment", "entry", "bill", "adjustment"]
"""The records Solid keeps that a write may create."""

ExternalId = Annotated[str, Field(strict=True, pattern=r"^[!-~]{1,200}$")]
"""Our own key of a record: printable ASCII without spaces."""

ContactType = Literal["customer", "vendor"]
"""What a contact is to the company. In Solid one contact may be both."""

SolidId = Annotated[str, Field(strict=True, min_length=1)]
"""Solid's own key of a record, a UUID as far as is known."""

Day = Annotated[date, Field(strict=True)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class NewContact(_Record):
    """A contact to create: a customer, or a vendor."""

    kind: Literal["contact"] = "contact"
    external_id: ExternalId
    display_name: str = Field(min_length=1)
    email: str | None = None
    contact_type: ContactType = "customer"


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
            msg = f"an invoice cannot be negative: its lines add up to {self.total:f}"
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
            msg = f"a payment of {self.amount:f} cannot clear {sum(parts, Decimal(0)):f} of invoices"
            raise ValueError(msg)
        return self


class EntryLine(_Record):
    """One line of a journal entry: a debit or a credit, never both, never negative."""

    account_id: SolidId
    debit: Amount | None = None
    credit: Amount | None = None
    memo: str | None = None
    class_id: SolidId | None = None
    location_id: SolidId | None = None

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
        debit, credit = sum(debits, Decimal(0)), sum(credits_, Decimal(0))
        if debit != credit:
            msg = f"the entry does not balance: debits {debit:f}, credits {credit:f}"
            raise ValueError(msg)
        return self


class BillLine(_Record):
    """One line of a bill; `account_id` is debited with the amount, which is more than nothing."""

    account_id: SolidId
    description: str
    amount: Amount

    @model_validator(mode="after")
    def _is_positive(self) -> Self:
        if self.amount <= 0:
            msg = f"a line of a bill is more than nothing, not {self.amount:f}"
            raise ValueError(msg)
        return self


class NewBill(_Record):
    """A vendor's bill to create: DR each line's account, CR Accounts Payable the total.

    `number` is the vendor's own number of the bill, `due_date` its last day to be paid.
    """

    kind: Literal["bill"] = "bill"
    external_id: ExternalId
    vendor_id: SolidId
    date: Day
    due_date: Day | None = None
    currency: Currency
    number: str | None = Field(default=None, min_length=1)
    lines: tuple[BillLine, ...] = Field(min_length=1)
    memo: str | None = None

    @property
    def total(self) -> Decimal:
        """The sum of the lines, in the bill's currency."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @model_validator(mode="after")
    def _is_bookable(self) -> Self:
        _bookable([line.amount for line in self.lines], self.currency)
        return self


class NewAdjustment(_Record):
    """A change of an item's quantity, which Solid values and books against `account_id`.

    `quantity_delta` is in the item's own unit, below zero where stock goes. `unit_cost` is in whole units of the
    currency and may be finer than its minor unit; None lets Solid value the change.
    """

    kind: Literal["adjustment"] = "adjustment"
    external_id: ExternalId
    date: Day
    item_id: SolidId
    quantity_delta: Amount
    account_id: SolidId
    unit_cost: Amount | None = None
    currency: Currency
    reason: str = Field(min_length=1)
    memo: str | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        _sensible(self.quantity_delta)
        _sensible(self.unit_cost or Decimal(0))
        if not self.quantity_delta or (self.unit_cost or 0) < 0:
            msg = "an adjustment changes a quantity, at a unit cost of nothing or more"
            raise ValueError(msg)
        return self


NewRecord = NewContact | NewInvoice | NewPayment | NewEntry | NewBill | NewAdjustment
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


class Item(_Read):
    """An item as Solid lists it. The SKU is optional and NOT unique.

    `type` is `inventory`, `service` or `non_inventory`, empty where Solid shows none.
    """

    id: str = Field(min_length=1)
    sku: str | None = None
    name: str
    type: str = Field(default="", validation_alias=AliasChoices("type", "item_type"))


def _sensible(number: Decimal) -> None:
    if not number.is_finite() or abs(number) > MAX_AMOUNT or -int(number.as_tuple().exponent) > MAX_DECIMALS:
        msg = f"a quantity or a unit cost is finite, at most {MAX_AMOUNT}, and has at most {MAX_DECIMALS} decimals"
        raise ValueError(msg)


def _bookable(amounts: list[Decimal], currency: str) -> None:
    for amount in amounts:
        in_minor_units(amount, currency)
