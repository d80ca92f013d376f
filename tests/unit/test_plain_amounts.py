"""Amounts in what people read stand digit for digit: a hundred is never `1E+2`."""

import ast
import json
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from ops.showing.terminal import show_json
from schemas.money import Money
from solid.models import Application, InvoiceLine, NewInvoice, NewPayment
from workers.applying import _plain
from workers.plans.writes import BillLine, BillWrite, EntryWrite, InvoiceWrite, Line

HUNDRED = Decimal("1E+2")
DAY = date(2026, 1, 15)
ROOT = Path(__file__).parents[2]
LIBRARY = ("schemas", "runtime", "messaging", "solid", "store", "producers", "workers", "ops")


def entry_out_of_balance() -> object:
    lines = (
        Line(role="bank", account="Checking", debit=HUNDRED),
        Line(role="income", account="Sales", credit=Decimal(1)),
    )
    return EntryWrite(external_id="f", date=DAY, currency="USD", memo="m", lines=lines)


def negative_line() -> object:
    return Line(role="bank", account="Checking", debit=-HUNDRED)


def bill_that_differs() -> object:
    lines = (BillLine(role="cogs", account="Goods", amount=HUNDRED),)
    return BillWrite(external_id="f", date=DAY, currency="USD", memo="m", total=Decimal(1), contact="c", lines=lines)


def negative_invoice() -> object:
    line = InvoiceLine(account_id="a", description="d", amount=-HUNDRED)
    return NewInvoice(external_id="f", customer_id="c", date=DAY, currency="USD", lines=(line,))


def payment_of_more() -> object:
    return NewPayment(
        external_id="f",
        customer_id="c",
        date=DAY,
        currency="USD",
        amount=Decimal(1),
        deposit_account_id="a",
        applications=(Application(invoice_id="i", amount=HUNDRED),),
    )


@pytest.mark.parametrize(
    "made", [entry_out_of_balance, negative_line, bill_that_differs, negative_invoice, payment_of_more]
)
def test_a_refused_record_shows_its_amounts_in_full(made: Callable[[], object]) -> None:
    with pytest.raises(ValidationError, match=r"\b100\b") as caught:
        made()
    assert "E+" not in str(caught.value)


def test_two_economics_of_one_name_are_shown_in_full_and_hashed_as_ever() -> None:
    write = InvoiceWrite(
        external_id="f", date=DAY, currency="USD", memo="m", total=HUNDRED, contact="c", role="income", account="Sales"
    )
    assert write.economics()["total"] == "1E+2", "what is in the inbox of everybody was hashed so"
    assert _plain(write.economics()) == {"kind": "invoice", "currency": "USD", "total": "100"}
    assert _plain([("bank", "debit", "-1.5E+3"), HUNDRED, None, "1E+2x"]) == [
        ["bank", "debit", "-1500"],
        "100",
        None,
        "1E+2x",
    ]


def test_money_and_json_show_it_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert str(Money.of(HUNDRED, "USD")) == "100.00 USD"
    show_json({"amount": HUNDRED})
    assert json.loads(capsys.readouterr().out) == {"amount": "100"}


def _shown_bare(tree: ast.AST) -> Iterator[str]:
    """What an f-string shows, without a format, of what is a number by how it is called."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FormattedValue) or node.format_spec is not None or node.conversion != -1:
            continue
        text = ast.unparse(node.value)
        if text.endswith(".amount.amount") or text.startswith("sum(") or text in {"debit", "credit", "row.amount"}:
            yield text


def test_no_text_of_the_library_shows_a_bare_number_of_money() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {text}"
        for room in LIBRARY
        for path in (ROOT / room).rglob("*.py")
        for text in _shown_bare(ast.parse(path.read_text()))
    }
    assert not found - {"ops/showing/desk.py: debit", "ops/showing/desk.py: credit"}, "these two are roles"
