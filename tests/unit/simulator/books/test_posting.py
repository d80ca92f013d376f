"""What each kind of record posts, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.books.money import parse, text
from tests.unit.simulator.client import Client


async def test_an_invoice_debits_the_receivable_and_credits_income_and_tax(solid: Client) -> None:
    customer = await solid.customer()
    line = {"account_id": await solid.account("Service Income"), "amount": "100.00", "tax_amount": "8.00"}
    invoice = await solid.made("/invoices", await solid.invoice(customer_id=customer, lines=[line]))
    assert (invoice["total"], invoice["tax_total"], invoice["balance_due"]) == ("108.00", "8.00", "108.00")
    balances = (await solid.judge())["balances"]
    assert balances["Accounts Receivable"] == "108.00"
    assert balances["Service Income"] == "-100.00"
    assert balances["Sales Tax Payable"] == "-8.00"


async def test_a_payment_clears_the_invoice_and_an_overpayment_is_refused(solid: Client) -> None:
    customer = await solid.customer()
    invoice = await solid.made("/invoices", await solid.invoice(customer_id=customer))
    payment = {
        "customer_id": customer,
        "external_id": "p-1",
        "date": "2026-03-06",
        "amount": "60.00",
        "deposit_account_id": await solid.account("Stripe Clearing"),
        "applications": [{"invoice_id": invoice["id"], "amount": "60.00"}],
    }
    await solid.made("/payments", payment)
    assert (await solid.data(f"/invoices/{invoice['id']}"))["balance_due"] == "40.00"
    assert await solid.error("/payments", payment) == (422, "OVERPAYMENT")
    balances = (await solid.judge())["balances"]
    assert (balances["Stripe Clearing"], balances["Accounts Receivable"]) == ("60.00", "40.00")


async def test_one_payment_cannot_pay_an_invoice_twice_over_in_its_own_rows(solid: Client) -> None:
    customer = await solid.customer()
    invoice = await solid.made("/invoices", await solid.invoice(customer_id=customer))
    row = {"invoice_id": invoice["id"], "amount": "60.00"}
    payment = {
        "customer_id": customer,
        "date": "2026-03-06",
        "amount": "120.00",
        "deposit_account_id": await solid.account("Checking"),
        "applications": [row, row],
    }
    assert await solid.error("/payments", payment) == (422, "OVERPAYMENT")


async def test_a_bill_debits_its_lines_and_credits_the_payable(solid: Client) -> None:
    line = {"account_id": await solid.account("Contractors"), "amount": "70.10"}
    bill = {"vendor_id": await solid.customer("Vera"), "date": "2026-03-05", "lines": [line, line]}
    await solid.made("/bills", bill)
    balances = (await solid.judge())["balances"]
    assert (balances["Contractors"], balances["Accounts Payable"]) == ("140.20", "-140.20")
    assert (await solid.data("/reports/ap-aging", as_of="2026-03-10"))["total"] == "140.20"


async def test_an_entry_must_balance_to_the_cent(solid: Client) -> None:
    entry = await solid.entry()
    entry["lines"][0]["debit"] = "1.51"
    assert await solid.error("/entries", entry) == (422, "UNBALANCED_ENTRY")
    assert (await solid.judge())["writes"] == 0


@pytest.mark.parametrize(
    ("debit", "credit"),
    [
        ("1.50", "1.50"),
        (None, None),
        ("-1.50", None),
        ("0.00", None),
        ("1.505", None),
        (1.5, None),
        ("1e2", None),
    ],
)
async def test_a_line_has_one_positive_amount_in_the_dialects_encoding(
    solid: Client, debit: object, credit: object
) -> None:
    entry = await solid.entry()
    entry["lines"][0] |= {"debit": debit, "credit": credit}
    assert await solid.error("/entries", entry) == (422, "VALIDATION_ERROR")


async def test_an_entry_of_hundreds_of_lines_is_one_entry(solid: Client) -> None:
    entry = await solid.entry()
    entry["lines"] *= 150
    assert len((await solid.made("/entries", entry))["lines"]) == 300


async def test_a_customer_by_name_is_refused(solid: Client) -> None:
    await solid.customer("Ada")
    assert await solid.error("/invoices", await solid.invoice(customer_id="Ada")) == (422, "VALIDATION_ERROR")


async def test_another_currency_is_refused(solid: Client) -> None:
    assert await solid.error("/entries", await solid.entry(currency="EUR")) == (422, "CURRENCY_NOT_SUPPORTED")


async def test_a_closed_period_and_an_accountant_copy_refuse_dates_up_to_theirs(solid: Client) -> None:
    await solid.switch(closed_through="2026-02-28", accountant_copy="2026-03-31")
    assert await solid.error("/entries", await solid.entry(date="2026-02-28")) == (422, "PERIOD_CLOSED")
    assert await solid.error("/entries", await solid.entry(date="2026-03-31")) == (422, "ACCOUNTANT_COPY")
    await solid.made("/entries", await solid.entry(date="2026-04-01"))
    await solid.switch(closed_through=None, accountant_copy=None)
    await solid.made("/entries", await solid.entry(date="2026-02-28"))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"date": NaN}', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_refused(solid: Client, body: bytes) -> None:
    reply = await solid.http.post("/api/v1/entries", content=body)
    assert reply.status_code in {400, 422}
    assert reply.json()["success"] is False


async def test_balances_at_a_date_leave_out_what_came_later(solid: Client) -> None:
    await solid.made("/entries", await solid.entry(date="2026-03-05"))
    early = {row["name"]: row["balance"] for row in await solid.data("/balances", as_of="2026-03-04")}
    late = {row["name"]: row["balance"] for row in await solid.data("/balances")}
    assert (early["Stripe Fees"], late["Stripe Fees"], late["Checking"]) == ("0.00", "1.50", "10000.00")
    report = await solid.data("/reports/balances")
    assert report["balanced"]
    assert report["debit_total"] == report["credit_total"]


async def test_aging_puts_what_is_open_into_its_bucket(solid: Client) -> None:
    customer = await solid.customer()
    await solid.made("/invoices", await solid.invoice(customer_id=customer, due_date="2026-03-31"))
    (row,) = (await solid.data("/reports/ar-aging", as_of="2026-05-05"))["contacts"]
    assert (row["days_31_60"], row["current"], row["total"]) == ("100.00", "0.00", "100.00")


@given(st.integers(-(10**17), 10**17))
def test_cents_survive_their_text(cents: int) -> None:
    assert parse(text(cents), "decimal_string") == cents
