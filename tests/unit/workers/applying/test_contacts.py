"""Contacts: matched where Solid has them, created once where not, and found again under the name they went by."""

import asyncio

import pytest

from solid.errors import OutcomeUnknown, Refused
from solid.models import Contact
from tests.unit.workers.bench import TIMING, Bench, contact, entry, fact, sale
from workers.errors import NotYet
from workers.plans.writes import Parked, Plan


async def test_a_contact_that_solid_has_already_is_adopted_by_its_name(bench: Bench) -> None:
    bench.solid.contacts.append(Contact(id="theirs", display_name="Ada"))
    await bench.applier().apply(fact(), sale())
    assert bench.solid.counts == {"fact:invoice": 1, "fact:payment": 1}
    row = await bench.row("stripe:customer:cus_1")
    assert (row.solid_id, row.adopted) == ("theirs", True)


async def test_a_contact_of_ours_is_preferred_to_another_of_its_name(bench: Bench) -> None:
    bench.solid.contacts.append(Contact(id="theirs", display_name="Ada"))
    bench.solid.contacts.append(Contact(id="ours", display_name="Ada", external_id="stripe:customer:cus_1"))
    await bench.applier().apply(fact(), Plan(writes=(contact(),)))
    assert (await bench.row("stripe:customer:cus_1")).solid_id == "ours"


async def test_a_contact_that_belongs_to_another_customer_of_the_same_name_is_left_alone(
    bench: Bench,
) -> None:
    bench.solid.contacts.append(Contact(id="other", display_name="Ada", external_id="stripe:customer:cus_9"))
    await bench.applier().apply(fact(), Plan(writes=(contact(),)))
    assert bench.solid.counts == {"stripe:customer:cus_1": 1}


async def test_several_contacts_of_the_name_are_put_before_a_person(bench: Bench) -> None:
    bench.solid.contacts += [Contact(id=number, display_name="Ada") for number in ("1", "2")]
    with pytest.raises(Parked) as parked:
        await bench.applier("a").apply(fact(), sale())
    assert parked.value.reason == "ambiguous:contact:stripe:customer:cus_1"
    assert bench.solid.records == []
    del bench.solid.contacts[1]
    await bench.applier("b").apply(fact(), sale())
    assert bench.solid.counts == {"fact:invoice": 1, "fact:payment": 1}


async def test_events_of_one_customer_that_come_together_create_one_contact(bench: Bench) -> None:
    applier = bench.applier()
    plans = [Plan(writes=(contact(), entry(f"fact:{number}"))) for number in range(12)]
    await asyncio.gather(*(applier.apply(fact(number), plan) for number, plan in enumerate(plans)))
    calls = bench.solid.sent()
    assert calls.count("create stripe:customer:cus_1") == 1
    assert calls.count("contacts Ada") == 1, "the others remember it"
    assert set(bench.solid.counts.values()) == {1}


async def test_when_the_first_of_many_fails_the_others_still_create_one_contact(bench: Bench) -> None:
    applier = bench.applier()
    bench.solid.faults.append("refused")
    plans = [Plan(writes=(contact(), entry(f"fact:{number}"))) for number in range(12)]

    async def apply(number: int, plan: Plan) -> None:
        await asyncio.sleep(0.001 * number)
        await applier.apply(fact(number), plan)

    done = await asyncio.gather(*(apply(*each) for each in enumerate(plans)), return_exceptions=True)
    assert [type(each) for each in done if each is not None] == [Refused]
    assert bench.solid.counts["stripe:customer:cus_1"] == 1


async def test_who_comes_right_after_a_failure_waits_in_line_and_not_for_a_lease(bench: Bench) -> None:
    """The lock of a contact may not be forgotten while somebody waits for it."""
    applier = bench.applier()
    bench.solid.faults.append("refused")

    async def apply(number: int) -> None:
        await applier.apply(fact(number), Plan(writes=(contact(), entry(f"fact:{number}"))))

    first, second = asyncio.create_task(apply(1)), asyncio.create_task(apply(2))
    last: list[asyncio.Task[None]] = []
    first.add_done_callback(lambda _: last.append(asyncio.create_task(apply(3))))
    with pytest.raises(Refused):
        await first
    await second
    await last[0]
    assert bench.solid.counts == {"stripe:customer:cus_1": 1, "fact:2": 1, "fact:3": 1}


async def test_two_processes_that_meet_at_one_customer_create_one_contact(bench: Bench) -> None:
    plans = [Plan(writes=(contact(), entry(f"fact:{number}"))) for number in (1, 2)]

    async def meet() -> None:
        bench.solid.before_token = None
        with pytest.raises(NotYet, match="busy"):
            await bench.applier("b").apply(fact(2), plans[1])

    bench.solid.before_token = meet
    await bench.applier("a").apply(fact(1), plans[0])
    await bench.applier("b").apply(fact(2), plans[1])
    assert bench.solid.counts == {"stripe:customer:cus_1": 1, "fact:1": 1, "fact:2": 1}


async def test_a_contact_renamed_while_it_was_in_doubt_is_found_under_the_name_it_was_sent_with(bench: Bench) -> None:
    bench.solid.faults.append("answer_lost")
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(1), Plan(writes=(contact(display_name="Ada"),)))
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await bench.applier().apply(fact(2), Plan(writes=(contact(display_name="Ada Lovelace"),)))
    assert bench.solid.counts == {"stripe:customer:cus_1": 1}


async def test_a_contact_that_never_arrived_is_sent_again_under_the_name_it_would_be_looked_up_by(
    bench: Bench,
) -> None:
    bench.solid.faults.append("never_arrived")
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(1), Plan(writes=(contact(display_name="Ada"),)))
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await bench.applier().apply(fact(2), Plan(writes=(contact(display_name="Ada Lovelace"),)))
    assert [each.display_name for each in bench.solid.contacts] == ["Ada"]


async def test_two_customers_of_one_name_do_not_share_the_contact_that_was_there_before(bench: Bench) -> None:
    bench.solid.contacts.append(Contact(id="by-hand", display_name="Ada"))
    applier = bench.applier()
    await applier.apply(fact(1), Plan(writes=(contact("stripe:customer:cus_1", "Ada"),)))
    await applier.apply(fact(2), Plan(writes=(contact("stripe:customer:cus_2", "Ada"),)))
    assert (await bench.row("stripe:customer:cus_1")).solid_id == "by-hand"
    assert (await bench.row("stripe:customer:cus_2")).solid_id != "by-hand"


async def test_a_contact_that_solid_refused_and_a_person_made_by_hand_is_adopted(bench: Bench) -> None:
    bench.solid.faults.append("refused")
    with pytest.raises(Refused):
        await bench.applier().apply(fact(), Plan(writes=(contact(),)))
    bench.solid.contacts.append(Contact(id="by-hand", display_name="Ada"))
    await bench.applier("b").apply(fact(), Plan(writes=(contact(),)))
    assert bench.solid.records == []
    assert (await bench.row("stripe:customer:cus_1")).solid_id == "by-hand"
