"""Writes: what a plan wants recorded in Solid, in accounting terms. Pure values; they know no network.

Accounts and contacts go by name and external id here; only an item goes by its UUID, as SKUs are not unique.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from schemas.money import Money, iso_exponent
from solid.models import ContactType, RecordKind
from workers.external_ids import ExternalId
from workers.plans.movement import Told

Day = date
"""A calendar day, under a name of its own: `date` is also the name of a field."""

Figure = Annotated[Decimal, PlainSerializer(lambda number: f"{number:f}", return_type=str)]
"""A number that is kept as text, digit for digit and without an exponent."""


class Parked(Exception):
    """The event cannot be booked until a person does something; `reason` is the key that frees it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Value(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Line(Value):
    """One line of an entry: a debit or a credit, never both, never negative. Without a memo it has the write's.

    `class_id` and `location_id` are Solid's ids, where the books split by them; `tax_code` the processor's rate of tax,
    by which summaries are split.
    """

    role: str
    account: str
    debit: Figure | None = None
    credit: Figure | None = None
    memo: str | None = None
    class_id: str | None = Field(default=None, exclude_if=lambda found: found is None)
    location_id: str | None = Field(default=None, exclude_if=lambda found: found is None)
    tax_code: str | None = Field(default=None, exclude_if=lambda found: found is None)

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.debit is None) == (self.credit is None):
            msg = f"a line on {self.account} needs a debit or a credit, not both"
            raise ValueError(msg)
        if (self.debit or self.credit or 0) < 0:
            msg = f"a line on {self.account} is negative: {self.debit or self.credit:f}"
            raise ValueError(msg)
        return self


def mirrored(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines with their sides changed, debits first."""
    swapped = [line.model_copy(update={"debit": line.credit, "credit": line.debit}) for line in lines]
    return tuple(sorted(swapped, key=lambda line: line.debit is None))


class Write(Value):
    """One call that creates one record in Solid. `memo` is for people and names no person.

    `true_date` is when the fact happened, where `date` is the first open day instead.
    """

    kind: str
    external_id: ExternalId
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
    """A customer or vendor: matched if Solid has it, created otherwise.

    `contact_type` is told where it is created; it takes no part in the matching, as one contact may be both.
    """

    kind: Literal["contact"] = "contact"
    display_name: str
    email: str | None = None
    contact_type: ContactType = "customer"


class SoldLine(Value):
    """One line of an invoice: CR `account` the amount, which is negative where something is taken off.

    `item_id` is Solid's id of what was sold, `tax_code` as in `Line`. Without a memo it has the write's.
    """

    role: str
    account: str
    amount: Figure
    memo: str | None = None
    item_id: str | None = None
    tax_code: str | None = None


class InvoiceWrite(Write):
    """An invoice: DR receivable, CR `role` the total; with `lines`, CR each of them, and they are the total.

    What the lines are by role is part of the economics; accounts and items may change with a setting.
    """

    kind: Literal["invoice"] = "invoice"
    total: Figure
    contact: ExternalId
    role: str
    account: str
    lines: tuple[SoldLine, ...] = Field(default=(), exclude_if=lambda found: not found)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        amounts = [line.amount for line in self.lines]
        if amounts and sum(amounts) != self.total:
            msg = f"{self.external_id}: an invoice of {self.total} {self.currency} whose lines are {amounts}"
            raise ValueError(msg)
        return self

    def economics(self) -> dict[str, Any]:
        """See `Write.economics`."""
        whole = {**super().economics(), "total": str(self.total.normalize())}
        by_role: dict[str, Decimal] = {}
        for line in self.lines:
            by_role[line.role] = by_role.get(line.role, Decimal(0)) + line.amount
        shown = {role: str(amount.normalize()) for role, amount in by_role.items() if amount}
        return {**whole, "lines": shown} if self.lines else whole

    @property
    def amount(self) -> Decimal:
        """The total."""
        return self.total


class PaymentWrite(Write):
    """A payment of one invoice into an account: DR `account`, CR receivable.

    `paid` is what the customer paid, where that was in another currency.
    """

    kind: Literal["payment"] = "payment"
    paid: Money | None = None
    total: Figure
    contact: ExternalId
    invoice: ExternalId
    role: str
    account: str

    def economics(self) -> dict[str, Any]:
        """See `Write.economics`."""
        return {**super().economics(), "total": str(self.total.normalize()), "invoice": self.invoice}

    @property
    def amount(self) -> Decimal:
        """The total."""
        return self.total


class EntryWrite(Write):
    """A journal entry. It balances to the cent, or it does not exist.

    `totals` are what it was made from, where the books say how they become lines: then they are its economics, and
    what was posted is remembered. `reverses` is the external id of the entry that it takes back line by line.
    """

    kind: Literal["entry"] = "entry"
    lines: tuple[Line, ...]
    totals: Mapping[str, Decimal] | None = Field(default=None, exclude=True)
    reverses: ExternalId | None = None

    @model_validator(mode="after")
    def _balances(self) -> Self:
        debit = sum((line.debit or Decimal(0) for line in self.lines), Decimal(0))
        credit = sum((line.credit or Decimal(0) for line in self.lines), Decimal(0))
        if debit != credit or not debit:
            msg = f"{self.external_id}: debits {debit:f} and credits {credit:f} {self.currency} do not balance"
            raise ValueError(msg)
        return self

    def economics(self) -> dict[str, Any]:
        """See `Write.economics`."""
        if self.totals is not None:
            totals = {name: str(amount.normalize()) for name, amount in self.totals.items() if amount}
            return {**super().economics(), "totals": totals}
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


class BillLine(Value):
    """One line of a bill: DR `account` the amount, which is more than nothing. Without a memo it has the write's."""

    role: str
    account: str
    amount: Figure
    memo: str | None = None


class BillWrite(Write):
    """A vendor's bill: DR each line, CR payable the total, which is the sum of the lines or there is no bill.

    `contact` is the external id of the vendor's `ContactWrite`, `number` the vendor's own number of the bill.
    """

    kind: Literal["bill"] = "bill"
    total: Figure
    contact: ExternalId
    number: str | None = None
    due_date: Day | None = None
    lines: tuple[BillLine, ...]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        amounts = [line.amount for line in self.lines]
        if not amounts or any(amount <= 0 for amount in amounts) or sum(amounts) != self.total:
            shown = ", ".join(f"{amount:f}" for amount in amounts) or "none"
            msg = f"{self.external_id}: a bill of {self.total:f} {self.currency} whose lines are {shown}"
            raise ValueError(msg)
        return self

    def economics(self) -> dict[str, Any]:
        """See `Write.economics`."""
        lines = sorted((line.role, str(line.amount.normalize())) for line in self.lines)
        return {**super().economics(), "total": str(self.total.normalize()), "lines": lines}

    @property
    def amount(self) -> Decimal:
        """The total."""
        return self.total


class AdjustmentWrite(Write):
    """A change of an item's quantity in Solid, valued by Solid against `account`: stock out DR it, stock in CR it.

    `item_id` is Solid's id of the SKU (see `workers.catalogue`). Without a unit cost Solid values the change.
    """

    kind: Literal["adjustment"] = "adjustment"
    sku: str
    item_id: str
    quantity: Figure
    unit_cost: Figure | None = None
    role: str
    account: str
    reason: str

    def economics(self) -> dict[str, Any]:
        """See `Write.economics`. What the SKU and the reason are mapped to may change with a setting."""
        cost = None if self.unit_cost is None else str(self.unit_cost.normalize())
        return {**super().economics(), "sku": self.sku, "quantity": str(self.quantity.normalize()), "unit_cost": cost}

    @property
    def amount(self) -> Decimal | None:
        """Quantity times unit cost to the currency's minor unit, without a sign; None where Solid finds the cost."""
        if self.unit_cost is None:
            return None
        minor_unit = Decimal(1).scaleb(-iso_exponent(self.currency))
        return abs(self.quantity * self.unit_cost).quantize(minor_unit, rounding=ROUND_HALF_UP)


AnyWrite = ContactWrite | InvoiceWrite | PaymentWrite | EntryWrite | BillWrite | AdjustmentWrite


class Prerequisite(Value):
    """Another write that must be in Solid first.

    With the `kind` of its record it may have been posted by an inbox that was lost; without, this inbox must know what
    it posted. `reason` and `message` say why the event waits, where that is more than the order of events. `always`: no
    person may waive it, as what is not there cannot be taken back.
    """

    external_id: ExternalId
    kind: RecordKind | None = None
    always: bool = False
    reason: str | None = None
    message: str | None = None

    @property
    def key(self) -> str:
        """The reason under which the event waits."""
        return self.reason or f"prerequisite:{self.external_id}"


class RefundsReach(Value):
    """The refunds booked for a charge must reach a total: a message that names no refund waits for those that do.

    What was never captured of `payment` may be counted in the total, and is no refund: `released` surely is.
    """

    group: str
    total: Money
    payment: ExternalId | None = None
    released: Money | None = None

    @property
    def key(self) -> str:
        """The reason under which the event waits."""
        return f"prerequisite:{self.group}"


Requirement = Prerequisite | RefundsReach


class Group(Value):
    """Facts that add up: the refunds of a charge, what a payment intent took. Counted on the first write of a plan."""

    key: str
    amount: Money


class IfPosted(Value):
    """An entry that stands beside the writes of a plan where the books hold something of that group.

    `of` is the sale that it takes back: of what was kept of that for ourselves the entry takes back no share.
    """

    group: str
    write: EntryWrite
    of: ExternalId | None = None


class DisputeEnds(Value):
    """A dispute that is closed in the end: what is posted of it may take an entry more, see `workers.plans.disputes`.

    `key` begins the names of its groups.
    """

    key: str
    day: Day
    memo: str


Afterwards = IfPosted | DisputeEnds


class Undone(Value):
    """What a plan takes back: `write` as it would have been, and `by` which of its own writes.

    Where `write` never came and never will, both cancel out. `group` is what `write` counts to.
    """

    write: AnyWrite
    by: ExternalId
    group: Group | None = None


class Plan(Value):
    """The writes of one event in their order, and what must be in the books before them.

    `deadline` is when they must be in the books at the latest, where somebody waits for them. `stock` is what the event
    tells of stock: what that posts comes last, see `workers.stock.recording`. `afterwards` is looked at once the writes
    are in the books, so that of two events each may complete the other, whichever comes first. `insists`: a person
    wants it posted. `group` is that of the first record, `paid` that of the payment.
    """

    writes: tuple[AnyWrite, ...] = ()
    deadline: datetime | None = None
    requires: tuple[Requirement, ...] = ()
    group: Group | None = None
    paid: Group | None = None
    stock: Told | None = None
    afterwards: tuple[Afterwards, ...] = ()
    insists: bool = False
    undoes: Undone | None = None

    @property
    def groups(self) -> Mapping[str, Group]:
        """External id → the group in which that write counts."""
        records = [write for write in self.writes if not isinstance(write, ContactWrite)]
        first = {records[0].external_id: self.group} if records and self.group is not None else {}
        paid = self.paid
        payments = [write for write in records if isinstance(write, PaymentWrite)] if paid is not None else []
        return {**first, **{write.external_id: paid for write in payments if paid is not None}}

    def cancelling(self) -> "Plan":
        """The same where what it takes back is void: without the write that does so."""
        by = self.undoes.by if self.undoes else None
        others = tuple(write for write in self.writes if write.external_id != by)
        return self.model_copy(update={"writes": others, "requires": (), "undoes": None})

    def waived(self) -> "Plan":
        """The same as a person wants it who lets it wait for nothing; one without writes is nothing but its waiting.

        What it takes back must be there all the same.
        """
        stock = None if self.stock is None else self.stock.saying(waits=False)
        kept = [each for each in self.requires if not self.writes or (isinstance(each, Prerequisite) and each.always)]
        return self.model_copy(update={"stock": stock, "requires": tuple(kept), "insists": bool(self.writes)})
