"""What `relay trace` shows of facts about stock: what each posts, and which entry it is in."""

from datetime import date

import pytest

from ops.showing.desk import show_trace


def stock_fact(fact: str, *, amount: str | None, state: str = "own", batch: str | None = None) -> dict[str, object]:
    pair = ["inventory", "shrinkage"]
    posting = {"item": "MUG", "pair": pair, "amount": amount, "currency": "USD", "quantity": "-1", "reason": "lost"}
    postings = [] if amount is None else [posting]
    return {"fact": fact, "day": date(2026, 3, 2), "state": state, "batch": batch, "postings": postings}


def test_a_fact_is_shown_with_what_it_posts_and_where(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    facts = [
        stock_fact("lost", amount="-2.00", state="merged", batch="stock:merged:1"),
        stock_fact("found", amount="3.00"),
        stock_fact("order", amount=None),
    ]
    show_trace({"writes": [], "stock": facts, "dead_letters": [], "audit": []}, as_json=False)
    rows = [line for line in capsys.readouterr().out.splitlines() if "2026-03-02" in line]
    lost, found, order = rows
    assert "MUG: DR shrinkage / CR inventory 2.00 USD" in lost
    assert lost.rstrip().endswith("stock:merged:1")
    assert "MUG: DR inventory / CR shrinkage 3.00 USD" in found
    assert found.rstrip().endswith("its own")
    assert order.rstrip().endswith("nothing")
