"""Late facts: held under the key of their month, or posted on the first open day with the true date in the memo."""

from datetime import date

import pytest

from tests.unit.producers.made import charge, only_event, stripe_event
from tests.unit.workers.bench import Bench, fact, one
from workers.books.books import Books, sample_books
from workers.plans import plan
from workers.plans.writes import ContactWrite, Parked


def books(**policy: object) -> Books:
    return Books.model_validate({**sample_books().model_dump(), **policy})


def test_a_fact_of_a_closed_month_is_parked_under_that_month() -> None:
    event = only_event(stripe_event("charge.succeeded", charge()))
    month = books().day_of(event.time).strftime("%Y-%m")
    with pytest.raises(Parked) as parked:
        plan(event, books(open_from=date(2999, 1, 1)))
    assert parked.value.reason == f"period_closed:{month}"


def test_by_setting_it_is_posted_on_the_first_open_day_and_the_memo_says_when_it_happened() -> None:
    event = only_event(stripe_event("charge.succeeded", charge()))
    happened, opened = books().day_of(event.time), date(2999, 1, 1)
    late = plan(event, books(open_from=opened, late={"sales": "first_open_day"}))
    dated = [write for write in late.writes if not isinstance(write, ContactWrite)]
    assert {(write.date, write.true_date) for write in dated} == {(opened, happened)}
    assert all(str(happened) in write.memo for write in dated)


def test_another_date_is_not_another_fact() -> None:
    event = only_event(stripe_event("charge.succeeded", charge()))
    on_time = plan(event, books())
    late = plan(event, books(open_from=date(2999, 1, 1), late={"sales": "first_open_day"}))
    assert [write.payload_hash for write in late.writes] == [write.payload_hash for write in on_time.writes]


def test_what_happened_on_the_first_open_day_itself_is_not_late() -> None:
    event = only_event(stripe_event("charge.succeeded", charge()))
    opened = books().day_of(event.time)
    assert plan(event, books(open_from=opened)) == plan(event, books())


async def test_what_solid_refuses_on_its_date_is_parked_under_that_month_and_may_be_sent_again(
    bench: Bench,
) -> None:
    bench.solid.faults.append("period_closed")
    with pytest.raises(Parked) as parked:
        await bench.applier().apply(fact(), one())
    assert parked.value.reason == f"period_closed:{one().writes[0].date:%Y-%m}"
    assert await bench.applier().apply(fact(), one()) == 1
