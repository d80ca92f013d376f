"""`relay normalize` and `relay plan` on what Square and Shopify Payments send: their own clearing ends at nothing."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ops.dry.offline import normalise_file, plan_lines
from producers.normalising import NormaliseContext
from workers.books.books import Books, sample_books

ROOT = Path(__file__).parents[2]
SHOPIFY = [
    ROOT / "data" / "shopify-made" / f"{name}.json"
    for name in ("transaction.sale", "order.paid", "refund", "dispute", "balance-transactions", "payout")
]
SQUARE = [
    ROOT / "data" / "square-made" / f"{name}.json"
    for name in ("payment.updated", "payment.updated.fee", "order", "refund.updated", "payout-with-entries")
]
BOTH = pytest.mark.parametrize(("key", "files"), [("shopify", SHOPIFY), ("square", SQUARE)])


def books(**changes: object) -> Books:
    accounts = {
        role: role.replace("_", " ").title() for role in sample_books().accounts if not role.endswith("_clearing")
    }
    processors = {key: {"clearing": f"{key.title()} Clearing"} for key in ("shopify", "square")}
    return Books.model_validate({"base_currency": "USD", "accounts": accounts, "processors": processors, **changes})


def planned(key: str, files: list[Path], by: Books) -> Iterator[dict[str, Any]]:
    """Each write once: a second telling of a fact has the same external ids, and costs nothing."""
    lines = [line for file in files for line in normalise_file(key, file, NormaliseContext())]
    assert not [line for line in lines if isinstance(line, str)]
    seen: dict[str, dict[str, Any]] = {}
    for write in plan_lines([line for line in lines if isinstance(line, bytes)], by):
        assert isinstance(write, dict), write
        assert write["kind"] != "parked", write
        first = seen.setdefault(write["external_id"], write)
        assert [first.get(name) for name in ("total", "lines")] == [write.get(name) for name in ("total", "lines")]
    yield from seen.values()


def balances(writes: Iterator[dict[str, Any]]) -> dict[str, Decimal]:
    """What each role ends with, debits less credits."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for write in writes:
        if write["kind"] in {"invoice", "payment"}:
            found[write["role"]] += Decimal(write["total"]) * (1 if write["kind"] == "payment" else -1)
        for line in write.get("lines", ()) if write["kind"] == "entry" else ():
            found[line["role"]] += Decimal(line.get("debit", "0")) - Decimal(line.get("credit", "0"))
    return found


@BOTH
def test_each_processor_ends_at_nothing_in_its_own_clearing(key: str, files: list[Path]) -> None:
    found = balances(planned(key, files, books()))
    assert found[f"{key}_clearing"] == 0
    assert [role for role in found if role.endswith("_clearing")] == [f"{key}_clearing"]


def test_the_money_of_shopify_payments_stands_where_it_belongs() -> None:
    found = balances(planned("shopify", SHOPIFY, books()))
    assert {role: found[role] for role in found if found[role]} == {
        "income": Decimal("-100.00"),
        "sales_tax_payable": Decimal("-3.82"),
        "sales_returns": Decimal("45.00"),
        "processing_fees": Decimal("3.42"),
        "disputes_receivable": Decimal("30.00"),
        "dispute_fees": Decimal("15.00"),
        "processor_reserve": Decimal("5.00"),
        "bank": Decimal("5.40"),
    }


def test_the_money_of_square_stands_where_it_belongs() -> None:
    found = balances(planned("square", SQUARE, books()))
    assert {role: found[role] for role in found if found[role]} == {
        "income": Decimal("-100.00"),
        "sales_tax_payable": Decimal("-7.26"),
        "sales_returns": Decimal("9.26"),
        "processing_fees": Decimal("2.73"),
        "bank": Decimal("95.27"),
    }


@BOTH
def test_nothing_of_another_processor_says_stripe(key: str, files: list[Path]) -> None:
    said = [str(write).lower() for write in planned(key, files, books())]
    assert said
    assert not [write for write in said if "stripe" in write]


@BOTH
def test_what_is_missing_of_a_sale_is_said_without_naming_stripe(key: str, files: list[Path]) -> None:
    for taxed, file in ((True, files[0]), (False, files[2 if key == "square" else 1])):
        lines = [line for line in normalise_file(key, file, NormaliseContext()) if isinstance(line, bytes)]
        waiting = [write for write in plan_lines(lines, books(sales={"taxed": taxed})) if isinstance(write, dict)]
        assert [write["kind"] for write in waiting] == ["parked"]
        assert "stripe" not in str(waiting[0]).lower()


@BOTH
def test_a_taxed_sale_is_one_invoice_without_its_tax_in_income(key: str, files: list[Path]) -> None:
    found = balances(planned(key, files[:3], books(sales={"taxed": True})))
    assert found[f"{key}_clearing"] > 0
    writes = {write["external_id"]: write for write in planned(key, files[:3], books(sales={"taxed": True}))}
    (invoice,) = [write for write in writes.values() if write["kind"] == "invoice"]
    taxes = [Decimal(line["amount"]) for line in invoice["lines"] if line.get("role") == "sales_tax_payable"]
    assert sum(taxes) == {"shopify": Decimal("7.65"), "square": Decimal("8.00")}[key]
