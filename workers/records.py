"""From a write (names and external ids) to a record for Solid (UUIDs). Pure."""

from collections.abc import Mapping

from solid.models import (
    Application,
    BillLine,
    EntryLine,
    InvoiceLine,
    NewAdjustment,
    NewBill,
    NewContact,
    NewEntry,
    NewInvoice,
    NewPayment,
    NewRecord,
)
from workers.chart import Chart
from workers.plans.writes import (
    AdjustmentWrite,
    AnyWrite,
    BillWrite,
    ContactWrite,
    EntryWrite,
    InvoiceWrite,
    PaymentWrite,
)


def record_of(write: AnyWrite, ids: Mapping[str, str], chart: Chart) -> NewRecord:
    """The record that a write creates; `ids` holds Solid's ids of the writes it refers to.

    Raises:
        Parked: an account is not in the chart.
    """
    match write:
        case ContactWrite():
            return NewContact(
                external_id=write.external_id,
                display_name=write.display_name,
                email=write.email,
                contact_type=write.contact_type,
            )
        case InvoiceWrite():
            line = InvoiceLine(account_id=chart.id_of(write.account), description=write.memo, amount=write.total)
            lines = tuple(
                InvoiceLine(
                    account_id=chart.id_of(sold.account),
                    description=sold.memo or write.memo,
                    amount=sold.amount,
                    item_id=sold.item_id,
                )
                for sold in write.lines
            )
            return NewInvoice(
                external_id=write.external_id,
                customer_id=ids[write.contact],
                date=write.date,
                currency=write.currency,
                lines=lines or (line,),
                memo=write.memo,
            )
        case PaymentWrite():
            return NewPayment(
                external_id=write.external_id,
                customer_id=ids[write.contact],
                date=write.date,
                currency=write.currency,
                amount=write.total,
                deposit_account_id=chart.id_of(write.account),
                applications=(Application(invoice_id=ids[write.invoice], amount=write.total),),
                memo=write.memo,
            )
        case EntryWrite():
            return _entry(write, chart)
        case BillWrite():
            return _bill(write, ids, chart)
        case AdjustmentWrite():
            return NewAdjustment(
                external_id=write.external_id,
                date=write.date,
                item_id=write.item_id,
                quantity_delta=write.quantity,
                account_id=chart.id_of(write.account),
                unit_cost=write.unit_cost,
                currency=write.currency,
                reason=write.reason,
                memo=write.memo,
            )


def _entry(write: EntryWrite, chart: Chart) -> NewEntry:
    lines = tuple(
        EntryLine(
            account_id=chart.id_of(line.account),
            debit=line.debit,
            credit=line.credit,
            memo=line.memo or write.memo,
            class_id=line.class_id,
            location_id=line.location_id,
        )
        for line in write.lines
    )
    return NewEntry(
        external_id=write.external_id, date=write.date, currency=write.currency, memo=write.memo, lines=lines
    )


def _bill(write: BillWrite, ids: Mapping[str, str], chart: Chart) -> NewBill:
    """The vendor's number is in the memo too: not every dialect has a field for it."""
    number = write.number
    lines = tuple(
        BillLine(account_id=chart.id_of(line.account), description=line.memo or write.memo, amount=line.amount)
        for line in write.lines
    )
    return NewBill(
        external_id=write.external_id,
        vendor_id=ids[write.contact],
        date=write.date,
        due_date=write.due_date,
        currency=write.currency,
        number=number,
        lines=lines,
        memo=write.memo if number is None else f"{write.memo} (bill {number})",
    )
