"""From a write (names and external ids) to a record for Solid (UUIDs). Pure."""

from collections.abc import Mapping

from solid.models import Application, EntryLine, InvoiceLine, NewContact, NewEntry, NewInvoice, NewPayment, NewRecord
from workers.chart import Chart
from workers.plans.writes import AnyWrite, ContactWrite, EntryWrite, InvoiceWrite, PaymentWrite


def record_of(write: AnyWrite, ids: Mapping[str, str], chart: Chart) -> NewRecord:
    """The record that a write creates; `ids` holds Solid's ids of the writes it refers to.

    Raises:
        Parked: an account is not in the chart.
    """
    match write:
        case ContactWrite():
            return NewContact(external_id=write.external_id, display_name=write.display_name, email=write.email)
        case InvoiceWrite():
            line = InvoiceLine(account_id=chart.id_of(write.account), description=write.memo, amount=write.total)
            return NewInvoice(
                external_id=write.external_id,
                customer_id=ids[write.contact],
                date=write.date,
                currency=write.currency,
                lines=(line,),
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
            return NewEntry(
                external_id=write.external_id,
                date=write.date,
                currency=write.currency,
                memo=write.memo,
                lines=tuple(
                    EntryLine(
                        account_id=chart.id_of(line.account), debit=line.debit, credit=line.credit, memo=write.memo
                    )
                    for line in write.lines
                ),
            )
