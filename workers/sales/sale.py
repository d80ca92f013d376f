"""A sale as far as it was told: what it consists of, its money where that had to wait, and what was taken back of it.

Pure values, kept as JSON. What is decided once (how much of a charge or a refund is tax) stays as it was decided: the
same fact told again posts the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal

from schemas.money import Money
from schemas.told import SaleTold
from workers.plans.tax import share_of
from workers.plans.writes import Value


class Charge(Value):
    """Money of a sale that had to wait for its tax, or came in another currency: `booked` is what reached the balance.

    `whole`: it is posted without tax; `split`: `tax` of it is tax. What is `owed` to a seller is never split: its tax
    is of the platform's part.
    """

    fact: str
    amount: Money
    booked: Money
    state: Literal["waits", "whole", "split"] = "waits"
    tax: Money | None = None
    owed: bool = False


class Refund(Value):
    """Money that went back; `booked` is what left the balance. `tax` of it is tax, once that is known.

    `failed`: on which day it came back.
    """

    fact: str
    amount: Money
    booked: Money
    day: date
    tax: Money | None = None
    failed: date | None = None


class Credit(Value):
    """A credit note: `tax` is what it tells, `rest` what of it its refunds have not taken back."""

    fact: str
    name: str
    tax: Money
    owed: Money
    refunds: tuple[str, ...]
    unpaid: bool
    day: date
    rest: Money | None = None
    voided: date | None = None


class Telling(Value):
    """What was told of a sale first, or best, and on which day. `alone` is the tax that was posted by itself."""

    data: SaleTold
    day: date
    alone: Money | None = None


class Waiting(Value):
    """The event that waits for the money of the sale, on behalf of all that name it: the highest rank."""

    event: str
    rank: int


class Sale(Value):
    """All that is known of one sale. `outside`: a link says that some of it was paid outside of the processor."""

    tellings: tuple[Telling, ...] = ()
    charges: tuple[Charge, ...] = ()
    refunds: tuple[Refund, ...] = ()
    credits: tuple[Credit, ...] = ()
    failed: Mapping[str, date] = {}
    voided: Mapping[str, date] = {}
    outside: bool = False
    waiting: Waiting | None = None

    @property
    def telling(self) -> Telling | None:
        """What counts of what was told: the first."""
        return self.tellings[0] if self.tellings else None

    @property
    def tax(self) -> Money | None:
        """The tax of the whole sale, where it was told."""
        return None if self.telling is None else self.telling.data.tax

    def in_books(self, amount: Money, *, like: Money | None = None) -> Money:
        """An amount of the sale in the currency of the books: at the rate of its charges, else `like` a refund's."""
        of, booked = _total(charge.amount for charge in self.charges), _total(charge.booked for charge in self.charges)
        if of is None or booked is None:
            return amount if like is None else like
        return amount if booked.currency == amount.currency else share_of(booked, amount, of)

    def charge(self, fact: str) -> Charge | None:
        """A charge that is known."""
        return next((charge for charge in self.charges if charge.fact == fact), None)

    def body(self) -> dict[str, Any]:
        """As it is kept, with whether its charges had to be `held` for their tax."""
        return self.model_dump(mode="json") | {"held": any(charge.state != "whole" for charge in self.charges)}


def known(bodies: Sequence[dict[str, Any]]) -> Sale:
    """One sale of all that are one, a new one of none: each fact once, the oldest first."""
    sales = [Sale.model_validate(body) for body in bodies]
    if len(sales) == 1:
        return sales[0]
    waiting = [sale.waiting for sale in sales if sale.waiting is not None]
    return Sale(
        tellings=_once((telling.data.fact, telling) for sale in sales for telling in sale.tellings),
        charges=_once((charge.fact, charge) for sale in sales for charge in sale.charges),
        refunds=_once((refund.fact, refund) for sale in sales for refund in sale.refunds),
        credits=_once((credit.fact, credit) for sale in sales for credit in sale.credits),
        failed={fact: day for sale in sales for fact, day in sale.failed.items()},
        voided={fact: day for sale in sales for fact, day in sale.voided.items()},
        outside=any(sale.outside for sale in sales),
        waiting=max(waiting, key=lambda each: each.rank, default=None),
    )


def _total(amounts: Iterable[Money]) -> Money | None:
    """The sum; None where there is none, or not in one currency."""
    found = list(amounts)
    one = len({amount.currency for amount in found}) == 1
    return sum(found[1:], found[0]) if one else None


def _once(found: Iterable[tuple[str, Any]]) -> tuple[Any, ...]:
    by_fact: dict[str, Any] = {}
    for fact, each in found:
        by_fact.setdefault(fact, each)
    return tuple(by_fact.values())
