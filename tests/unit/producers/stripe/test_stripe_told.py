"""What invoices, checkout sessions, credit notes and payment intents say of a sale, in the shapes of ten years."""

import pytest

from producers.normalising import Rejected
from producers.stripe.stripe import KINDS
from producers.stripe.subscribed import ALL, missing_of
from schemas.money import Money
from schemas.sales import PaymentSucceeded
from schemas.told import PaymentExpected, SaleCredited, SaleLinked, SaleTold
from tests.unit.producers.made import Json, charge, ignored, normalised, only_event, stripe_event
from tests.unit.producers.told import SHAPES, credit_note, intent, invoice, invoice_payment, session

TAX_OF_IT = Money.of("21", "USD")


def sale(document: Json, kind: str = "invoice.paid") -> SaleTold:
    data = only_event(stripe_event(kind, document)).data
    assert isinstance(data, SaleTold)
    return data


def refusal(document: Json, kind: str = "invoice.paid") -> Rejected:
    with pytest.raises(Rejected) as caught:
        normalised(stripe_event(kind, document))
    return caught.value


@pytest.mark.parametrize("shape", SHAPES)
def test_every_api_version_tells_the_same_tax(shape: str) -> None:
    told = sale(invoice(shape))
    assert (told.fact, told.total, told.paid, told.tax) == (
        "stripe:invoice:in_1",
        Money.of("121", "USD"),
        Money.of("121", "USD"),
        TAX_OF_IT,
    )


def test_an_invoice_that_is_paid_and_one_whose_payment_succeeded_are_one_fact() -> None:
    assert sale(invoice()) == sale(invoice(), "invoice.payment_succeeded")


def test_tax_that_only_the_lines_tell_is_added_up_by_rate() -> None:
    line = {"amount": 5000, "tax_amounts": [{"amount": 1050, "inclusive": False, "tax_rate": {"id": "txr_1"}}]}
    told = sale(invoice("old", tax=2100) | {"tax": None, "lines": {"data": [line, line], "has_more": False}})
    assert [(part.code, part.amount) for part in told.taxes] == [("txr_1", TAX_OF_IT)]


@pytest.mark.parametrize(
    "fields",
    [
        {"tax": 2000},
        {"total_excluding_tax": 10001},
        {"total_tax_amounts": [{"amount": 1, "tax_rate": "txr_1"}]},
        {"amount_due": 12000},
        {"amount_paid": 11999},
    ],
)
def test_an_invoice_that_contradicts_itself_is_refused_with_its_figures(fields: Json) -> None:
    refused = refusal(invoice("acacia") | fields)
    assert refused.reason == "does_not_add_up"
    assert "USD" in refused.message


def test_tax_of_more_than_the_whole_is_refused() -> None:
    assert refusal(invoice("old", tax=13000, subtotal=0)).reason == "does_not_add_up"


@pytest.mark.parametrize("fields", [{"status": "open"}, {"total": 0, "tax": 0, "amount_due": 0, "amount_paid": 0}])
def test_an_invoice_of_nothing_or_not_paid_tells_nothing(fields: Json) -> None:
    assert ignored(stripe_event("invoice.paid", invoice("old", **fields))) in {"invoice_not_paid", "amount_zero"}


def test_lines_that_are_not_all_there_are_not_taken() -> None:
    lines = {"data": [{"amount": 5000}], "has_more": True}
    assert sale(invoice(lines=lines)).lines == ()


def test_a_session_tells_its_tax_under_its_own_fact_or_that_of_its_invoice() -> None:
    assert (sale(session(), "checkout.session.completed").fact) == "stripe:session:cs_1"
    told = sale(session(invoice="in_1"), "checkout.session.completed")
    assert (told.fact, told.tax) == ("stripe:invoice:in_1", TAX_OF_IT)


@pytest.mark.parametrize("status", ["unpaid", "no_payment_required"])
def test_a_session_that_is_not_paid_tells_nothing(status: str) -> None:
    assert ignored(stripe_event("checkout.session.completed", session(payment_status=status))) == "session_not_paid"


def test_inclusive_tax_of_a_session_is_part_of_its_subtotal() -> None:
    told = sale(session(amount_subtotal=12100), "checkout.session.completed")
    assert (told.total, told.tax) == (Money.of("121", "USD"), TAX_OF_IT)


def test_a_session_whose_parts_are_not_its_total_is_refused_with_its_figures() -> None:
    refused = refusal(session(amount_subtotal=9000), "checkout.session.completed")
    assert (refused.reason, "90.00" in refused.message) == ("does_not_add_up", True)


@pytest.mark.parametrize("fields", [{"mode": "subscription"}, {"invoice_creation": {"enabled": True}}])
def test_a_session_whose_invoice_is_made_later_leaves_the_tax_to_the_invoice(fields: Json) -> None:
    data = only_event(stripe_event("checkout.session.completed", session(**fields))).data
    assert isinstance(data, PaymentExpected)


def test_a_link_names_the_payment_of_an_invoice() -> None:
    data = only_event(stripe_event("invoice_payment.paid", invoice_payment())).data
    assert isinstance(data, SaleLinked)
    assert (data.invoice, data.payment_intent, data.outside) == ("in_1", "pi_1", False)


@pytest.mark.parametrize(
    "fields",
    [
        {"latest_charge": charge(payment_intent="pi_1")},
        {"latest_charge": None, "charges": {"data": [charge(id="ch_0", status="failed"), charge()]}},
    ],
)
def test_a_charge_inside_of_a_payment_intent_is_that_charge(fields: Json) -> None:
    data = only_event(stripe_event("payment_intent.succeeded", intent(**fields))).data
    assert isinstance(data, PaymentSucceeded)
    assert data.fact == "stripe:charge:ch_1"


def test_a_charge_that_is_only_named_is_to_be_expected() -> None:
    data = only_event(stripe_event("payment_intent.succeeded", intent())).data
    assert isinstance(data, PaymentExpected)
    assert (data.charge, data.payment_intent, data.amount) == ("ch_1", "pi_1", Money.of("121", "USD"))


def test_a_credit_note_says_where_its_money_went() -> None:
    row = {"refund": {"id": "re_1"}, "amount_refunded": 700}
    note = credit_note(refunds=[row], out_of_band_amount=110)
    data = only_event(stripe_event("credit_note.created", note)).data
    assert isinstance(data, SaleCredited)
    parts = (data.refunded, data.to_balance, data.outside, data.before_payment)
    assert [f"{part.amount:f}" for part in parts] == ["7.00", "4.00", "1.10", "0.00"]
    assert (data.tax, data.refunds) == (Money.of("2.10", "USD"), ("stripe:refund:re_1",))


def test_an_old_credit_note_names_one_refund() -> None:
    note = credit_note(refund="re_1", refunds=None)
    data = only_event(stripe_event("credit_note.created", note)).data
    assert isinstance(data, SaleCredited)
    assert (data.refunded, data.refunds) == (Money.of("12.10", "USD"), ("stripe:refund:re_1",))


def test_a_credit_note_that_refunds_more_than_it_is_is_refused() -> None:
    row = {"refund": "re_1", "amount_refunded": 2000}
    assert refusal(credit_note(refunds=[row]), "credit_note.created").reason == "does_not_add_up"


def test_every_event_that_is_needed_is_one_that_is_read() -> None:
    assert ALL.keys() <= KINDS.keys()


def test_an_endpoint_that_is_sent_everything_lacks_nothing_and_another_is_told_what() -> None:
    assert missing_of(frozenset({"*"})) == missing_of(frozenset(ALL)) == {}
    assert missing_of(frozenset(ALL) - {"payout.paid"}) == {"payout.paid": "payouts"}
    assert missing_of(frozenset()) == ALL


def test_of_two_events_that_say_the_same_either_will_do() -> None:
    others = frozenset({"invoice.payment_succeeded", "charge.refund.updated"})
    assert missing_of(frozenset(ALL) - {"invoice.paid", "refund.updated"} | others) == {}
