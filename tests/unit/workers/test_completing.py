"""Which plans are completed, and by what: the pipeline knows no domain."""

import dataclasses
from dataclasses import dataclass, field

from messaging.topology import STREAMS
from schemas.envelope import Event
from tests.unit.producers.made import charge, only_event, stripe_event
from tests.unit.workers.bench import Bench
from tests.unit.workers.stock.facts import BOOKS, billed
from tests.unit.workers.test_pipeline import hand, pipeline
from workers.completing import COMPLETIONS, Completion
from workers.outcomes import Applied
from workers.plans import PLANS, inventory, plan
from workers.plans.writes import Plan, Prerequisite


@dataclass(slots=True)
class Empties:
    """A completion that leaves nothing to write, and keeps what it was given."""

    given: list[tuple[Plan, Event]] = field(default_factory=list)

    async def complete(self, plan: Plan, event: Event) -> Plan:
        """See `Completion.complete`."""
        self.given.append((plan, event))
        return plan.model_copy(update={"writes": ()})


async def handled(bench: Bench, **completions: Completion) -> object:
    event = only_event(stripe_event("charge.succeeded", charge()))
    at_work = dataclasses.replace(pipeline(bench), completions=completions)
    return await at_work.handle(hand(bench, event))


async def test_a_plan_is_completed_by_what_its_stream_names(bench: Bench) -> None:
    empties = Empties()
    assert await handled(bench, sales=empties) == Applied(0)
    assert [(len(plan.writes), event.type) for plan, event in empties.given] == [(3, "sales.payment.succeeded.v1")]


async def test_what_completes_another_stream_is_not_asked(bench: Bench) -> None:
    empties = Empties()
    assert await handled(bench, inventory=empties) == Applied(3)
    assert empties.given == []


def test_each_completion_is_that_of_a_stream() -> None:
    assert COMPLETIONS.keys() <= set(STREAMS)


def test_whatever_tells_of_stock_is_completed() -> None:
    telling = {name.partition(".")[0] for name, of in PLANS.items() if of.__module__ == inventory.__name__}
    assert telling <= COMPLETIONS.keys()


def test_a_waived_bill_does_not_wait_for_its_goods() -> None:
    stock = plan(billed("b", "10", "43.00"), BOOKS).waived().stock
    assert stock is not None
    assert not stock.waits


def test_what_is_nothing_but_its_waiting_cannot_be_waived() -> None:
    waiting = Plan(requires=(Prerequisite(external_id="a"),))
    assert waiting.waived() == waiting
