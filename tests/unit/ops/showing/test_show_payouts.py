"""`relay payouts` on a terminal of 80 columns: what does not hold is told in a sentence, with its figures."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ops.showing.payouts import MOST_NAMED, show_payout, show_payouts

LACKING: dict[str, Any] = {
    "transaction": "txn_1Nxy8OLkdIwHu7ixraBm9tQj",
    "kind": "charge",
    "source": "ch_3Nxy8OLkdIwHu7ix1V3tB2xK",
    "net": Decimal("97.00"),
    "units": ["stripe:charge:ch_3Nxy8OLkdIwHu7ix1V3tB2xK:fee"],
    "why": None,
}
PAYOUT: dict[str, Any] = {
    "company": "main",
    "payout": "po_1Nxy8OLkdIwHu7ixCoVTwqL5",
    "arrival": date(2026, 11, 30),
    "state": "proven",
    "holds": True,
    "status": "paid",
    "automatic": True,
    "currency": "USD",
    "amount": Decimal("1234567.80"),
    "fee": Decimal(0),
    "left_the_balance": Decimal("1234567.80"),
    "listed": Decimal("1234567.80"),
    "bank_line": Decimal("1234567.80"),
    "transactions": 1200,
    "sums": [
        {"kind": "payment_failure_refund", "count": 1200, "gross": Decimal(0), "fee": Decimal(0), "net": Decimal(0)}
    ],
    "missing": [],
    "other_currencies": [],
    "read_at": None,
}


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def shown(capsys: pytest.CaptureFixture[str], *payouts: dict[str, Any], one: bool = False) -> str:
    if one:
        show_payout(payouts[0], as_json=False)
    else:
        show_payouts({"payouts": list(payouts)}, as_json=False)
    text = capsys.readouterr().out
    assert all(len(line) <= 80 for line in text.splitlines()), text
    return " ".join(text.split())


def test_each_payout_is_a_line_and_the_company_is_named_where_there_are_several(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "2026-11-30 po_1Nxy8OLkdIwHu7ixCoVTwqL5 1234567.80 USD 1200 proven" in shown(capsys, PAYOUT)
    assert "branch: po_1Nxy8OLkdIwHu7ixCoVTwqL5" in shown(capsys, PAYOUT, {**PAYOUT, "company": "branch"})


def test_a_missing_transaction_is_named_with_its_amount_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    missing = {**PAYOUT, "state": "missing", "missing": [LACKING, {**LACKING, "why": "unmapped:currency:EUR"}]}
    text = shown(capsys, missing)
    assert f"{LACKING['transaction']} (charge of {LACKING['source']}), 97.00 USD: not in the books" in text
    assert "97.00 USD: unmapped:currency:EUR" in text


def test_of_many_missing_transactions_some_are_named_and_all_counted(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, {**PAYOUT, "state": "missing", "missing": [LACKING] * (MOST_NAMED + 5)})
    assert text.count("not in the books") == MOST_NAMED
    assert "and 5 more; --json names all" in text


def test_a_payout_that_does_not_add_up_is_told_with_both_figures(capsys: pytest.CaptureFixture[str]) -> None:
    off = {**PAYOUT, "state": "does_not_add_up", "listed": Decimal("97.00"), "other_currencies": ["EUR"]}
    text = shown(capsys, off)
    assert "its transactions are 97.00 USD, and 1234567.80 USD left the balance" in text
    assert "it lists transactions in EUR too" in text
    assert "is in the books" not in text
    assert "12.00 USD is in the books, and 1234567.80 USD was paid out" in shown(
        capsys, {**off, "bank_line": Decimal("12.00")}
    )


def test_one_payout_is_shown_with_its_sums_and_its_line_in_the_bank_account(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = shown(capsys, PAYOUT, one=True)
    assert "payment_failure_refund 1200 0 0 0 all 1200 1234567.80" in text
    assert "left the balance: 1234567.80 USD, of it fee 0" in text
    assert "line in the bank account: 1234567.80 USD" in text
    assert "not in the books" in shown(capsys, {**PAYOUT, "bank_line": None}, one=True)


def test_without_any_payout_it_is_said_what_reading_them_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert "stripe.api_key_file" in shown(capsys)


def test_scripts_get_every_figure_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_payouts({"payouts": [PAYOUT]}, as_json=True)
    assert json.loads(capsys.readouterr().out)["payouts"][0]["amount"] == "1234567.80"
    show_payout(PAYOUT, as_json=True)
    assert json.loads(capsys.readouterr().out)["arrival"] == "2026-11-30"
