"""`relay plan` shows of a refund of a foreign sale what a worker would book."""

from typing import Any

from ops.dry.offline import plan_lines
from schemas.envelope import encode
from tests.unit.workers.sales.told import foreign_charge, foreign_refund
from workers.books.books import sample_books

BOOKS = sample_books().model_copy(update={"base_currency": "USD"})


def lines_of(writes: list[dict[str, Any] | str], external_id: str) -> dict[str, str]:
    [write] = [each for each in writes if isinstance(each, dict) and each.get("external_id") == external_id]
    return {line["role"]: line.get("debit") or f"-{line['credit']}" for line in write["lines"]}


def test_a_refund_at_another_rate_takes_back_the_share_of_its_sale() -> None:
    events = [foreign_charge(1), foreign_refund(2, of=1)]
    writes = list(plan_lines([encode(event) for event in events], BOOKS))
    assert lines_of(writes, "stripe:refund:re_2") == {
        "sales_returns": "11.00",
        "exchange_gain_loss": "0.20",
        "stripe_clearing": "-11.20",
    }


def test_of_a_sale_that_is_not_in_the_file_a_refund_takes_back_its_own_amount() -> None:
    writes = list(plan_lines([encode(foreign_refund(2, of=1))], BOOKS))
    assert lines_of(writes, "stripe:refund:re_2") == {"sales_returns": "11.20", "stripe_clearing": "-11.20"}
