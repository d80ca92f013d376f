"""A Stripe balance in pounds that random histories move, its transactions and payouts as the API lists them.

Sales may be paid in dollars. An automatic payout pays out whatever is there; a negative one fetches what is owed.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.unit.producers.made import CREATED

Json = dict[str, Any]

PAIRS = {"reserve_hold": "reserve_release", "topup": "topup_reversal", "application_fee": "application_fee_refund"}
SOURCES = {"topup": "tu", "topup_reversal": "tu", "application_fee": "fee", "application_fee_refund": "fr"}
ALONE = ("stripe_fee", "tax_fee", "network_cost", "transfer", "adjustment", "contribution")


@dataclass(slots=True)
class Balance:
    """`payouts` are each payout with all transactions of its list, itself among them."""

    transactions: list[Json] = field(default_factory=list)
    payouts: list[tuple[Json, list[Json]]] = field(default_factory=list)
    _sales: list[Json] = field(default_factory=list)
    _refunds: list[tuple[Json, int]] = field(default_factory=list)
    _disputes: list[Json] = field(default_factory=list)
    _unpaid: list[Json] = field(default_factory=list)
    _number: int = 0

    def charge(self, gross: int, fee: int, *, dollars: int | None) -> None:
        """A sale; `dollars` are what the customer paid, None for the pounds themselves."""
        charge = {
            "id": self._next("ch"),
            "object": "charge",
            "amount": dollars or gross,
            "currency": "usd" if dollars else "gbp",
            "captured": True,
            "status": "succeeded",
        }
        self._sales.append(charge)
        self._moved("charge", gross, charge, fee=fee, tax=fee // 6)

    def refund(self, paid: int, *, rate: int) -> None:
        """Part of the last sale goes back, at a rate of its own (hundredths of a pound for a dollar)."""
        if not self._sales:
            return
        charge = self._sales[-1]
        amount = min(paid, charge["amount"])
        moved = max(1, amount * rate // 100) if charge["currency"] == "usd" else amount
        refund = {
            "id": self._next("re"),
            "object": "refund",
            "amount": amount,
            "currency": charge["currency"],
            "charge": charge["id"],
            "status": "succeeded",
        }
        self._refunds.append((refund, moved))
        self._moved("refund", -moved, refund)

    def refund_failed(self) -> None:
        """The last refund comes back."""
        if self._refunds:
            refund, moved = self._refunds.pop()
            self._moved("refund_failure", moved, refund | {"status": "failed"})

    def disputed(self, amount: int, fee: int) -> None:
        """A bank takes money of the last sale."""
        if self._sales:
            dispute = {"id": self._next("dp"), "object": "dispute", "amount": amount, "currency": "usd"}
            dispute["charge"] = self._sales[-1]["id"]
            dispute["balance_transactions"] = []
            self._disputes.append(dispute)
            self._of_dispute(dispute, -amount, fee)

    def reinstated(self, amount: int) -> None:
        """It gives back what it took, at another rate; the fee is kept."""
        if self._disputes:
            self._of_dispute(self._disputes.pop(), amount, 0)

    def otherwise(self, kind: str, amount: int) -> None:
        """Anything else."""
        self._moved(kind, amount, self._next(SOURCES[kind]) if kind in SOURCES else None)

    def pay_out(self) -> None:
        """An automatic payout of all that is there, or of what is owed."""
        amount = sum(each["net"] for each in self._unpaid)
        if not amount:
            return
        payout = {
            "id": self._next("po"),
            "object": "payout",
            "amount": amount,
            "currency": "gbp",
            "arrival_date": CREATED + 60 * self._number,
            "automatic": True,
            "status": "paid",
        }
        belongs, self._unpaid = self._unpaid, []
        own = self._moved("payout", -amount, payout, unpaid=False)
        self.payouts.append((payout, [*belongs, own]))

    def _of_dispute(self, dispute: Json, amount: int, fee: int) -> None:
        own = self._moved("adjustment", amount, dispute, fee=fee)
        dispute["balance_transactions"].append({name: value for name, value in own.items() if name != "source"})

    def _moved(  # noqa: PLR0913 - one keyword a field
        self, kind: str, amount: int, source: object, *, fee: int = 0, tax: int = 0, unpaid: bool = True
    ) -> Json:
        details = [{"amount": fee - tax, "currency": "gbp", "type": "stripe_fee"}]
        details.append({"amount": tax, "currency": "gbp", "type": "tax"})
        number = self._next("txn")
        found = {
            "id": number,
            "object": "balance_transaction",
            "type": kind,
            "amount": amount,
            "currency": "gbp",
            "fee": fee,
            "fee_details": details if fee else [],
            "net": amount - fee,
            "source": source,
            "created": CREATED + 60 * self._number,
            "available_on": CREATED + 60 * self._number,
        }
        self.transactions.append(found)
        if unpaid:
            self._unpaid.append(found)
        return found

    def _next(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}_{self._number}"


pence = st.integers(1, 500_000)
fees = st.integers(0, 2_000)
signed = pence | pence.map(lambda amount: -amount)


@st.composite
def balances(draw: st.DrawFn) -> Balance:
    """A history that ends with a payout."""
    balance = Balance()
    for step in draw(st.lists(st.integers(0, 9), min_size=1, max_size=25)):
        match step:
            case 0 | 1 | 2:
                balance.charge(draw(pence), draw(fees), dollars=draw(st.none() | pence))
            case 3:
                balance.refund(draw(pence), rate=draw(st.integers(50, 120)))
            case 4:
                balance.refund_failed()
            case 5:
                balance.disputed(draw(pence), draw(fees))
            case 6:
                balance.reinstated(draw(pence))
            case 7 | 8:
                balance.otherwise(draw(st.sampled_from((*ALONE, *PAIRS, *PAIRS.values()))), draw(signed))
            case _:
                balance.pay_out()
    balance.pay_out()
    return balance
