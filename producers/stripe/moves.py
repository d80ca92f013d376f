"""Stripe's top-ups, application fees and transfers: what moves the balance and is no sale, refund, dispute or payout.

Each fact is named by its object, as a balance transaction names its source. What only says a sum so far, and not of
which parts it is made, is for a person: the parts may be told elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from producers.stripe.event import Content, StripeEvent
from producers.stripe.outside import unmapped
from schemas.money import Money
from schemas.sales import BalanceMoved, MoveCategory, Settlement

if TYPE_CHECKING:
    from schemas.event_data import EventData

_TO_A_BANK: Final = frozenset({"bank_account", "card"})


def topup(event: StripeEvent) -> Content:
    """Read money that came from the bank into the balance. Raises Rejected."""
    amount = stripe_amounts.not_negative(event.object, "amount")
    return _moved(event.object, "topup", gross=amount)


def topup_reversed(event: StripeEvent) -> Content:
    """Read a top-up that the bank took back after it had succeeded. Raises Rejected."""
    amount, found = stripe_amounts.not_negative(event.object, "amount"), event.object.identifier("id")
    return _moved(event.object, "topup_reversal", gross=-amount, of=f"stripe:topup:{found}", told=False)


def application_fee(event: StripeEvent) -> Content:
    """Read what a platform earned of a connected account's sale. Raises Rejected."""
    amount = stripe_amounts.not_negative(event.object, "amount")
    return _moved(event.object, "application_fee", gross=amount)


def application_fee_refunded(event: StripeEvent) -> Content:
    """Read the refunds that an application fee lists. Raises Rejected: also where it names not all of them."""
    fee = event.object
    of = f"stripe:application_fee:{fee.identifier('id')}"
    parts = _parts(event, "refunds", "amount_refunded", stripe_type="application_fee.refunded")
    return _all_of([_in_currency(part, fee) for part in parts], "application_fee_refund", of=of)


def application_fee_refund_updated(event: StripeEvent) -> Content:
    """Read one refund of an application fee, told again. Raises Rejected."""
    fee = event.object.identifier_or_none("fee")
    return _part(event.object, "application_fee_refund", of=f"stripe:application_fee:{fee}" if fee else None)


def transfer(event: StripeEvent) -> Content:
    """Read a transfer to a connected account; until 2017 payouts were transfers, too. Raises Rejected."""
    sent = event.object
    if _is_payout(sent):
        return "transfer_to_a_bank"
    amount = stripe_amounts.not_negative(sent, "amount")
    return _moved(sent, "transfer", gross=-amount)


def transfer_reversed(event: StripeEvent) -> Content:
    """Read the reversals that a transfer lists. Raises Rejected: also where it names not all of them."""
    sent = event.object
    if _is_payout(sent):
        return "transfer_to_a_bank"
    if not event.changed("amount_reversed") and not event.changed("reversals"):
        return "no_new_reversal"
    of = f"stripe:transfer:{sent.identifier('id')}"
    parts = _parts(event, "reversals", "amount_reversed", stripe_type="transfer.reversed")
    return _all_of([_in_currency(part, sent) for part in parts], "transfer_reversal", of=of)


def _is_payout(sent: Fields) -> bool:
    """Whether it went to a bank: in 2012 a transfer had no type yet, and its bank in place of a destination."""
    if sent.get("type") in _TO_A_BANK or str(sent.get("id")).startswith("po_"):
        return True
    return sent.get("destination") is None and isinstance(sent.get("account"), dict)


def _parts(event: StripeEvent, listed: str, total: str, *, stripe_type: str) -> Sequence[Fields]:
    """What makes up the sum so far, or at least its increase; each part is one fact, however often it is told."""
    whole = event.object
    parts = _listed(whole, listed)
    found = _sum(parts, of=whole)
    so_far = stripe_amounts.not_negative(whole, total)
    if found == so_far:
        return parts
    before = None if event.previous is None else event.previous.get(total)
    if before is not None:
        increase = so_far - stripe_amounts.minor(before, whole, total)
        known = {part.identifier("id") for part in _listed(event.previous, listed)} if event.previous else set()
        new = [part for part in parts if part.identifier("id") not in known]
        if known and _sum(new, of=whole) == increase:
            return new
    figures = f"{so_far} so far, and the {listed} listed are {found}: which ones the others are is not told"
    raise Rejected(unmapped(stripe_type), figures, field=whole.at(listed))


def _listed(whole: Fields | None, name: str) -> tuple[Fields, ...]:
    if whole is None:
        return ()
    if isinstance(whole.get(name), list):
        return whole.sections(name) or ()
    section = whole.section(name)
    return (section.sections("data") or ()) if section else ()


def _sum(parts: Sequence[Fields], *, of: Fields) -> Money:
    amounts = [stripe_amounts.not_negative(_in_currency(part, of), "amount") for part in parts]
    none = stripe_amounts.minor(0, of, "amount")
    stripe_amounts.one_currency((none, *amounts), field=of.at("currency"))
    return sum(amounts, none)


def _in_currency(part: Fields, whole: Fields) -> Fields:
    return part if part.get("currency") else Fields({**part.values, "currency": whole.get("currency")}, part.path)


def _all_of(parts: Sequence[Fields], name: str, *, of: str) -> Content:
    found: list[EventData] = []
    for part in parts:
        moved = _part(part, name, of=of)
        found += [] if isinstance(moved, str) else moved
    return found or "amount_zero"


def _part(part: Fields, name: str, *, of: str | None) -> Content:
    """A refund of our fee takes money out of our balance, a reversal of a transfer brings it in."""
    amount = stripe_amounts.not_negative(part, "amount")
    return _moved(part, name, gross=-amount if name == "application_fee_refund" else amount, of=of)


_MOVES: Final[Mapping[str, tuple[MoveCategory, str]]] = {
    "topup": ("topup", "topup"),
    "topup_reversal": ("topup", "topup_reversal"),
    "application_fee": ("application_fee", "application_fee"),
    "application_fee_refund": ("application_fee_refund", "application_fee_refund"),
    "transfer": ("transfer", "transfer"),
    "transfer_reversal": ("transfer_reversal", "transfer_refund"),
}
"""By how its fact is named: the category, and the word of Stripe's balance transactions."""


def _moved(fields: Fields, name: str, *, gross: Money, of: str | None = None, told: bool = True) -> Content:
    """One move, named by its object. `told`: the balance transaction that it names is that of this move."""
    if not gross:
        return "amount_zero"
    number = fields.identifier("id")
    transaction = fields.identifier_or_none("balance_transaction") if told else None
    settlement = stripe_amounts.settlement(fields, "balance_transaction", moved=gross) if told else None
    category, kind = _MOVES[name]
    data = BalanceMoved(
        fact=f"stripe:{name}:{number}",
        transaction=transaction,
        kind=kind,
        category=category,
        of=of,
        settlement=settlement or _whole(gross, transaction or number),
    )
    return (data,)


def _whole(gross: Money, number: str) -> Settlement:
    """What moved where no balance transaction is there to tell: the amount, and nothing kept of it."""
    none = Money.zero(gross.currency)
    return Settlement(balance_transaction=number, gross=gross, fee=none, fee_tax=none, net=gross)
