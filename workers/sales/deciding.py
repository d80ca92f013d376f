"""What is decided of a sale once something more is told: how much of each charge and refund is tax. Pure.

Shares are in proportion to the cent, counted from the beginning of the sale, so that the last one takes the remainder.
"""

from collections.abc import Sequence
from datetime import date

from schemas.money import Money
from schemas.told import SaleTold
from workers.errors import Conflicting
from workers.plans.tax import share_of
from workers.plans.writes import Parked
from workers.sales.sale import Charge, Credit, Refund, Sale, Telling


def with_telling(sale: Sale, data: SaleTold, day: date) -> Sale:
    """The sale with what is told of it.

    Told again it stays as it is; by an invoice in place of the checkout session that made it, it is told better.

    Raises:
        Conflicting: it was told with another tax or another total, or a payment is of two invoices.
    """
    for telling in sale.tellings:
        if telling.data.invoice and data.invoice and telling.data.invoice != data.invoice:
            msg = f"{telling.data.fact} and {data.fact} name one payment, and which part of it is whose is not told"
            raise Conflicting(msg)
        alike = telling.data.fact == data.fact and telling.data.session == data.session
        if telling.data.tax != data.tax or (alike and telling.data.total != data.total):
            shown = f"{telling.data.total} of which {telling.data.tax} is tax ({telling.data.fact})"
            msg = f"{data.fact} tells {data.total} of which {data.tax} is tax, and the same sale was told as {shown}"
            raise Conflicting(msg)
    same = next((each for each in sale.tellings if each.data.fact == data.fact), None)
    if same is None:
        return sale.model_copy(update={"tellings": (*sale.tellings, Telling(data=data, day=day))})
    if same.data.session is None or data.session is not None:
        return sale
    better = same.model_copy(update={"data": data})
    return sale.model_copy(update={"tellings": tuple(better if each is same else each for each in sale.tellings)})


def with_charge(sale: Sale, charge: Charge) -> Sale:
    """The sale with money of it; `whole` where it is posted as that already, or a person wants it so."""
    before = sale.charge(charge.fact)
    if before is None:
        return sale.model_copy(update={"charges": (*sale.charges, charge)})
    if before.booked.currency == before.amount.currency != charge.booked.currency:
        charge = charge.model_copy(update={"state": before.state, "tax": before.tax})
    elif before.state != "waits" or charge.state == "waits":
        return sale
    return sale.model_copy(update={"charges": tuple(charge if each is before else each for each in sale.charges)})


def with_refund(sale: Sale, refund: Refund) -> Sale:
    """The sale with money that went back."""
    if any(each.fact == refund.fact for each in sale.refunds):
        return sale
    return sale.model_copy(update={"refunds": (*sale.refunds, refund)})


def with_credit(sale: Sale, credit: Credit) -> Sale:
    """The sale with a credit note."""
    if any(each.fact == credit.fact for each in sale.credits):
        return sale
    return sale.model_copy(update={"credits": (*sale.credits, credit)})


def decided(sale: Sale, *, taxed: bool) -> Sale:
    """The sale with everything decided that can be. Safe to apply again: what was decided stays.

    Raises:
        Parked: more tax would be taken back than there was.
    """
    sale = _undone(sale)
    telling = sale.telling
    if telling is None:
        return sale
    charges = _charges(sale, telling, taxed=taxed)
    sale = sale.model_copy(update={"charges": charges})
    alone = _alone(sale, telling, taxed=taxed)
    sale = sale.model_copy(update={"tellings": (telling.model_copy(update={"alone": alone}), *sale.tellings[1:])})
    sale = sale.model_copy(update={"refunds": _refunds(sale, telling)})
    sale = sale.model_copy(update={"credits": _credits(sale)})
    _must_be_possible(sale, telling.data)
    return sale


def missing(sale: Sale, telling: Telling) -> Money:
    """How much of what was paid is not there: negative where more came."""
    came = sum((charge.amount for charge in sale.charges), Money.zero(telling.data.paid.currency))
    return telling.data.paid - came


def _must_be_possible(sale: Sale, data: SaleTold) -> None:
    """A refund and a credit note that are one, and do not say so, would take the same tax back twice."""
    none = Money.zero(data.tax.currency)
    back = sum((each.tax for each in sale.refunds if each.tax is not None and each.failed is None), none)
    back += sum((each.rest for each in sale.credits if each.rest is not None and each.voided is None), none)
    if back > max(data.tax, none):
        which = " and ".join([*(each.fact for each in sale.refunds), *(each.fact for each in sale.credits)])
        msg = f"{which} take back {back} of tax, and {data.fact} tells {data.tax}: are two of them the same?"
        raise Parked(f"does_not_add_up:{data.fact}", msg)


def _undone(sale: Sale) -> Sale:
    """What failed or was voided, once it is known itself."""
    refunds = tuple(
        each.model_copy(update={"failed": sale.failed[each.fact]})
        if each.failed is None and each.fact in sale.failed
        else each
        for each in sale.refunds
    )
    credit_notes = tuple(
        each.model_copy(update={"voided": sale.voided[each.fact]})
        if each.voided is None and each.fact in sale.voided
        else each
        for each in sale.credits
    )
    return sale.model_copy(update={"refunds": refunds, "credits": credit_notes})


def _charges(sale: Sale, telling: Telling, *, taxed: bool) -> tuple[Charge, ...]:
    waiting = sorted((each for each in sale.charges if each.state == "waits"), key=lambda each: each.fact)
    if not waiting or any(each.amount.currency != telling.data.paid.currency for each in sale.charges):
        return sale.charges
    if telling.alone is not None or sale.outside or any(each.state == "whole" or each.owed for each in sale.charges):
        made = {each.fact: each.model_copy(update={"state": "whole"}) for each in waiting}
    elif taxed and not missing(sale, telling):
        made = _split(waiting, telling)
    else:
        return sale.charges
    return tuple(made.get(each.fact, each) for each in sale.charges)


def _split(charges: Sequence[Charge], telling: Telling) -> dict[str, Charge]:
    """The tax of each of the charges that are the whole sale."""
    tax, paid = telling.data.tax, telling.data.paid
    made, run, given = dict[str, Charge](), Money.zero(paid.currency), Money.zero(paid.currency)
    for charge in charges:
        run += charge.amount
        share = share_of(tax, run, paid) - given
        given += share
        made[charge.fact] = charge.model_copy(update={"state": "split", "tax": share})
    return made


def _alone(sale: Sale, telling: Telling, *, taxed: bool) -> Money | None:
    """The tax that is posted by itself, decided once: all of it that is in no invoice of ours."""
    data = telling.data
    if telling.alone is not None or data.paid_outside == data.total:
        return telling.alone
    split = [each.tax for each in sale.charges if each.state == "split" and each.tax is not None]
    whole = sale.outside or any(each.state == "whole" for each in sale.charges)
    if split and not whole:
        return None
    if taxed and data.paid and not whole:
        return None
    return data.tax - sum(split, Money.zero(data.tax.currency))


def _refunds(sale: Sale, telling: Telling) -> tuple[Refund, ...]:
    tax, total = telling.data.tax, telling.data.total
    credited = {fact for credit in sale.credits for fact in credit.refunds}
    none = Money.zero(tax.currency)
    run = given = none
    made: list[Refund] = []
    for refund in sale.refunds:
        if refund.tax is not None and refund.tax:
            run, given = run + refund.amount, given + refund.tax
    for refund in sale.refunds:
        if refund.tax is not None or refund.failed is not None or refund.amount.currency != tax.currency:
            made.append(refund)
        elif refund.fact in credited or not tax:
            made.append(refund.model_copy(update={"tax": none}))
        else:
            run += refund.amount
            share = share_of(tax, min(run, total), total) - given
            given += share
            made.append(refund.model_copy(update={"tax": share}))
    return tuple(made)


def _credits(sale: Sale) -> tuple[Credit, ...]:
    taken = {refund.fact: refund.tax for refund in sale.refunds if refund.tax is not None}
    made: list[Credit] = []
    for credit in sale.credits:
        if credit.rest is not None or credit.voided is not None:
            made.append(credit)
            continue
        of_refunds = sum((taken[fact] for fact in credit.refunds if fact in taken), Money.zero(credit.tax.currency))
        made.append(credit.model_copy(update={"rest": credit.tax - of_refunds}))
    return tuple(made)
