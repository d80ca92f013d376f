"""Made-up Stripe objects that tell of a sale of 121.00 USD, of which 21.00 is tax."""

from tests.unit.producers.made import Json, charge, refund

SHAPES = ("clover", "acacia", "old")
"""API versions: since 2025 an invoice names no payment, before it did, and its tax was one figure long ago."""


def money_of_sale(**fields: object) -> Json:
    return charge(amount=12100, amount_captured=12100, payment_intent="pi_1", customer="cus_1") | fields


def invoice(shape: str = "clover", *, tax: int = 2100, total: int = 12100, **fields: object) -> Json:
    told = {
        "id": "in_1",
        "object": "invoice",
        "currency": "usd",
        "customer": "cus_1",
        "status": "paid",
        "subtotal": total - tax,
        "total": total,
        "amount_due": total,
        "amount_paid": total,
        "starting_balance": 0,
        "ending_balance": 0,
    }
    rate = {"amount": tax, "tax_rate": "txr_1"}
    by_shape: dict[str, Json] = {
        "clover": {
            "total_excluding_tax": total - tax,
            "total_taxes": [{"amount": tax, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": "txr_1"}}],
        },
        "acacia": {
            "tax": tax,
            "total_excluding_tax": total - tax,
            "total_tax_amounts": [rate | {"inclusive": False}],
            "charge": "ch_1",
            "payment_intent": "pi_1",
        },
        "old": {"tax": tax, "tax_percent": 21, "charge": "ch_1"},
    }
    return told | by_shape[shape] | fields


def invoice_payment(**fields: object) -> Json:
    payment = {"type": "payment_intent", "payment_intent": "pi_1"}
    link = {"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1", "currency": "usd", "amount_paid": 12100}
    return link | {"status": "paid", "payment": payment} | fields


def session(*, tax: int = 2100, total: int = 12100, **fields: object) -> Json:
    return {
        "id": "cs_1",
        "object": "checkout.session",
        "mode": "payment",
        "currency": "usd",
        "customer": "cus_1",
        "payment_intent": "pi_1",
        "payment_status": "paid",
        "status": "complete",
        "amount_subtotal": total - tax,
        "amount_total": total,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": tax},
    } | fields


def intent(**fields: object) -> Json:
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 12100,
        "amount_received": 12100,
        "currency": "usd",
        "customer": "cus_1",
        "latest_charge": "ch_1",
        "status": "succeeded",
    } | fields


def refund_of_sale(number: int = 1, *, amount: int = 12100, **fields: object) -> Json:
    return refund(number, amount=amount, payment_intent="pi_1", **fields)


def credit_note(*, amount: int = 1210, tax: int = 210, **fields: object) -> Json:
    return {
        "id": "cn_1",
        "object": "credit_note",
        "invoice": "in_1",
        "currency": "usd",
        "status": "issued",
        "type": "post_payment",
        "amount": amount,
        "total": amount,
        "total_excluding_tax": amount - tax,
        "total_taxes": [{"amount": tax, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": "txr_1"}}],
        "refunds": [],
    } | fields
