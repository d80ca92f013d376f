"""What a summary posts: one entry of many sales. Pure; explained in `docs/summaries.md`."""

from collections import defaultdict
from decimal import Decimal

from schemas.envelope import Event
from schemas.sales import SummarisedLine, SummaryClosed
from workers.books.books import Books
from workers.plans.ledger import account_of, must_be_in_base_currency
from workers.plans.writes import EntryWrite, Line, Plan


def summary_closed(event: Event, data: SummaryClosed, books: Books) -> Plan:
    """One entry, a line for each role, tax code and side. Its totals are what the same name may never say otherwise."""
    del event
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for line in data.lines:
        totals[f"{line.role} {line.account or ''} {line.tax_code or ''} {line.side}"] += line.amount.amount
    facts = "1 fact" if data.facts == 1 else f"{data.facts} facts"
    later = "" if data.number == 1 else f", no. {data.number}"
    entry = EntryWrite(
        external_id=data.fact,
        date=data.day,
        currency=data.lines[0].amount.currency,
        memo=f"{books.processor_of(data.fact).name} summary of {data.bucket}{later}: {facts}",
        lines=tuple(_line(line, books) for line in data.lines),
        totals=totals,
    )
    return Plan(writes=(entry,))


def _line(told: SummarisedLine, books: Books) -> Line:
    must_be_in_base_currency(books, told.amount)
    account = told.account or account_of(books, told.role, told.amount)
    memo = f"{told.facts} of {told.tax_code}" if told.tax_code else f"{told.facts}"
    debit, credit = (told.amount.amount, None) if told.side == "debit" else (None, told.amount.amount)
    return Line(role=told.role, account=account, debit=debit, credit=credit, memo=memo)
