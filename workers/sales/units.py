"""Units: which writes of a sale can be lines of a summary, and what each posts then. Pure.

An invoice and its payment are one unit, which touches no receivable: only together are they a line. What moves the bank
stays by itself, so that it can be found on the bank's statement.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from store.sales.lines import NewLine
from workers.books.account_kinds import CLEARING
from workers.books.books import Books
from workers.plans.writes import AnyWrite, EntryWrite, Group, InvoiceWrite, PaymentWrite, Plan
from workers.sales.exchange import PAID

BANK: Final = "bank"
BY_THEMSELVES: Final = frozenset({"sales.payout.paid.v1", "sales.payout.failed.v1", "sales.summary.closed.v1"})
"""Events that are never lines of a summary."""

Unit = Sequence[NewLine]


def units_of(plan: Plan, books: Books) -> list[Unit]:
    """The writes of a plan that may be lines of a summary, those that only make sense together as one unit.

    What is not in a unit (a contact, what moves the bank, an invoice without its payment) is sent by itself.
    """
    payments = {write.invoice: write for write in plan.writes if isinstance(write, PaymentWrite)}
    groups = plan.groups
    units: list[Unit] = []
    for write in plan.writes:
        if isinstance(write, InvoiceWrite) and _is_paid_by(write, payments.get(write.external_id)):
            payment = payments[write.external_id]
            lines = [_body(payment.role, payment.account, payment.total, books), *_sold(write, books)]
            units.append([_new(write, lines, groups), _new(payment, [], groups)])
        elif isinstance(write, EntryWrite) and not any(line.role == BANK for line in write.lines):
            clears = any(line.role.endswith(CLEARING) for line in write.lines)
            units.append([_new(write, list(_of_entry(write, books)), groups, clears=clears)])
    return units


def without(plan: Plan, recorded: frozenset[str]) -> Plan:
    """The plan without what is recorded, and without contacts that nothing is left of."""
    rest = [write for write in plan.writes if write.external_id not in recorded]
    wanted = {write.contact for write in rest if isinstance(write, InvoiceWrite | PaymentWrite)}
    kept = [write for write in rest if write.kind != "contact" or write.external_id in wanted]
    return plan.model_copy(update={"writes": tuple(kept)})


def _is_paid_by(invoice: InvoiceWrite, payment: PaymentWrite | None) -> bool:
    return payment is not None and (payment.total, payment.currency) == (invoice.total, invoice.currency)


def _new(
    write: AnyWrite, lines: Sequence[dict[str, Any]], groups: Mapping[str, Group], *, clears: bool = True
) -> NewLine:
    group = groups.get(write.external_id)
    return NewLine(
        external_id=write.external_id,
        kind=write.kind,
        payload_hash=write.payload_hash,
        day=write.date,
        currency=write.currency,
        amount=write.amount or Decimal(0),
        lines=lines,
        clears=clears,
        about={PAID: str(write.paid)} if isinstance(write, PaymentWrite) and write.paid else {},
        group_key=None if group is None else group.key,
        group_amount=None if group is None else group.amount.amount,
        group_currency=None if group is None else group.amount.currency,
    )


def _of_entry(write: EntryWrite, books: Books) -> Iterator[dict[str, Any]]:
    for line in write.lines:
        amount = (line.debit or Decimal(0)) - (line.credit or Decimal(0))
        if amount:
            yield _body(line.role, line.account, amount, books, tax_code=line.tax_code)


def _sold(write: InvoiceWrite, books: Books) -> Iterator[dict[str, Any]]:
    if not write.lines:
        yield _body(write.role, write.account, -write.total, books)
    for line in write.lines:
        if line.amount:
            yield _body(line.role, line.account, -line.amount, books, tax_code=line.tax_code)


def _body(role: str, account: str, debit: Decimal, books: Books, *, tax_code: str | None = None) -> dict[str, Any]:
    """One line as it is kept; a negative amount is a credit."""
    own = None if account == books.account(role) else account
    side = "debit" if debit > 0 else "credit"
    return {"role": role, "account": own, "tax_code": tax_code, "side": side, "amount": f"{abs(debit):f}"}
