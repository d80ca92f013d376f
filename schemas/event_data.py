"""What the data of every event has in common. It must not know any domain."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.money import Money

Text = Annotated[str, Field(min_length=1)]


class EventModel(BaseModel):
    """A frozen part of an event. Unknown fields are ignored: an older worker reads a newer producer."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class EventData(EventModel):
    """The `data` of an event.

    `fact` names what happened by the source's object and transition (`stripe:charge:ch_1`), never by the
    delivery: one fact that arrives in several events has one name, and the external ids of all its writes
    start with it.
    """

    fact: Text


def _positive(money: Money) -> Money:
    if money.amount <= 0:
        msg = "must be more than zero"
        raise ValueError(msg)
    return money


def _not_negative(money: Money) -> Money:
    if money.amount < 0:
        msg = "must not be negative"
        raise ValueError(msg)
    return money


PositiveMoney = Annotated[Money, AfterValidator(_positive)]
NotNegativeMoney = Annotated[Money, AfterValidator(_not_negative)]
