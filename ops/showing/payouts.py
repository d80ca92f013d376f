"""How `relay payouts` prints: a line for each payout, or one of them with its sums. It decides nothing."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ops.showing.terminal import Rows, show, show_json

MOST_NAMED: Final = 20
"""So many missing transactions of a payout are named; `--json` has all."""


def show_payouts(status: Mapping[str, Any], *, as_json: bool) -> None:
    """A table of payouts, and what each one lacks."""
    if as_json:
        show_json(status)
        return
    payouts = status["payouts"]
    if not payouts:
        show("no payout was read yet: reading them needs stripe.api_key_file")
        return
    several = len({each["company"] for each in payouts}) > 1
    table = Rows("arrival", "payout", "amount", "items", "state", numbers=("amount", "items"))
    for each in payouts:
        name = f"{each['company']}: {each['payout']}" if several else each["payout"]
        table.add(each["arrival"], name, _money(each["amount"], each), each["transactions"], each["state"])
    show(table)
    for each in payouts:
        _problems(each)


def show_payout(each: Mapping[str, Any], *, as_json: bool) -> None:
    """One payout: the sums of its transactions by kind, what left the balance, and the line in the bank account."""
    if as_json:
        show_json(each)
        return
    show(f"{each['company']}: {each['payout']} of {each['arrival']}: {each['state']}", style="bold")
    table = Rows("kind", "items", "gross", "fees", "net", numbers=("items", "gross", "fees", "net"))
    for kind in each["sums"]:
        table.add(kind["kind"], kind["count"], *(f"{kind[name]:f}" for name in ("gross", "fee", "net")))
    table.add("all", each["transactions"], "", "", f"{each['listed']:f}")
    show(table)
    bank = "not in the books" if each["bank_line"] is None else _money(each["bank_line"], each)
    show(f"left the balance: {_money(each['left_the_balance'], each)}, of it fee {each['fee']:f}")
    show(f"paid out: {_money(each['amount'], each)}; line in the bank account: {bank}")
    _problems(each)


def _problems(each: Mapping[str, Any]) -> None:
    name = each["payout"]
    if each["state"] == "does_not_add_up":
        listed, left = _money(each["listed"], each), _money(each["left_the_balance"], each)
        show(f"{name}: its transactions are {listed}, and {left} left the balance")
        if each["other_currencies"]:
            show(f"{name}: it lists transactions in {', '.join(each['other_currencies'])} too")
        if each["bank_line"] is not None and each["bank_line"] != each["amount"]:
            booked, paid = _money(each["bank_line"], each), _money(each["amount"], each)
            show(f"{name}: {booked} is in the books, and {paid} was paid out")
    _missing(name, each["missing"], each)


def _missing(name: str, missing: Sequence[Mapping[str, Any]], each: Mapping[str, Any]) -> None:
    for lacking in missing[:MOST_NAMED]:
        source = f" of {lacking['source']}" if lacking["source"] else ""
        why = lacking["why"] or "not in the books"
        show(f"{name}: {lacking['transaction']} ({lacking['kind']}{source}), {_money(lacking['net'], each)}: {why}")
    if len(missing) > MOST_NAMED:
        show(f"{name}: and {len(missing) - MOST_NAMED} more; --json names all")


def _money(amount: Decimal, each: Mapping[str, Any]) -> str:
    return f"{amount:f} {each['currency']}"
