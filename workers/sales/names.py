"""By which names a sale is known: each event about it names some of them; two that share one are of one sale. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.event_data import EventData
from schemas.sales import PaymentRefunded, PaymentSucceeded, RefundFailed
from schemas.told import CreditVoided, PaymentExpected, SaleCredited, SaleLinked, SaleTold

_IDS: Final = ("charge", "payment_intent", "invoice", "session")

_FACTS: Final[Mapping[type[EventData], Callable[[Any], tuple[str | None, ...]]]] = {
    SaleTold: lambda data: (data.fact,),
    PaymentSucceeded: lambda data: (data.fact,),
    PaymentRefunded: lambda data: (data.fact, data.of),
    RefundFailed: lambda data: (data.of,),
    SaleLinked: lambda _: (),
    SaleCredited: lambda data: (data.fact, *data.refunds),
    CreditVoided: lambda data: (data.of,),
    PaymentExpected: lambda data: (data.fact,),
}


def names_of(data: EventData) -> tuple[str, ...]:
    """The names of the sale that an event is about; none where it is about no sale, or about sums only."""
    facts = _FACTS.get(type(data))
    if facts is None or (isinstance(data, PaymentRefunded) and data.refund is None):
        return ()
    ids = {kind: getattr(data, kind, None) for kind in _IDS}
    named = [f"{processor_of(data.fact)}:{kind}:{name}" for kind, name in ids.items() if name]
    return tuple(dict.fromkeys([*(fact for fact in facts(data) if fact), *named]))


def processor_of(fact: str) -> str:
    """How all facts of a processor begin."""
    return fact.partition(":")[0]
