"""A no that came after a yes: Solid has committed, and whatever is answered, no replay posts it again."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from simulator.service.judge import judge
from simulator.switching.switching import switch
from solid.errors import OutcomeUnknown, Refused, RefusedInDoubt, SolidError, Unavailable
from tests.unit.workers.bench import TIMING
from tests.unit.workers.shop import BILL, Shop
from workers.errors import NotYet
from workers.plans.writes import Parked

WAYS: Final[Mapping[str, Mapping[str, Any]]] = {
    "408 of a proxy": {"status": 408, "envelope": False},
    "408 in Solid's envelope": {"status": 408, "code": "REQUEST_TIMEOUT"},
    "425": {"status": 425, "envelope": False},
    "404 in JSON": {"status": 404, "envelope": False},
    "404 in Solid's envelope": {"status": 404, "code": "NOT_FOUND"},
    "404 in HTML": {"status": 404, "html": True},
    "409 in Solid's envelope": {"status": 409, "code": "DUPLICATE_EXTERNAL_ID"},
    "422 in Solid's envelope": {"status": 422, "code": "VALIDATION_ERROR"},
    "200 with a no": {"status": 200, "code": "SOMETHING"},
    "301": {"status": 301, "html": True},
    "303": {"status": 303, "envelope": False},
    "303 in Solid's envelope": {"status": 303, "code": "PERIOD_CLOSED"},
    "304": {"status": 304, "html": True},
    "401 of a proxy": {"status": 401, "html": True},
    "401 in Solid's envelope": {"status": 401, "code": "UNAUTHORIZED"},
    "403 in Solid's envelope": {"status": 403, "code": "FORBIDDEN"},
    "413": {"status": 413, "html": True},
    "429 of a proxy": {"status": 429, "html": True},
    "429 in Solid's envelope": {"status": 429, "code": "RATE_LIMITED"},
    "200 that means 429": {"status": 200, "code": "RATE_LIMITED"},
    "499": {"status": 499, "envelope": False},
    "500": {"status": 500, "code": "INTERNAL_ERROR"},
    "502 in HTML": {"status": 502, "html": True},
    "503": {"status": 503, "code": "BUSY"},
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_record_that_is_there_is_adopted_whatever_was_answered(shop: Shop, way: str) -> None:
    await switch(shop.simulation, {"errors": 1, "only": "POST /bills", "commit": True, **WAYS[way]})
    with pytest.raises(SolidError) as said:
        await shop.apply(shop.bill())
    assert isinstance(said.value, RefusedInDoubt | OutcomeUnknown | Unavailable)
    assert await shop.bench.state(BILL) == "unknown"
    with pytest.raises(NotYet, match="settling"):
        await shop.apply(shop.bill())
    shop.bench.clock.advance(TIMING.settle + TIMING.unasked)
    await shop.apply(shop.bill())
    await shop.apply(shop.bill())
    assert shop.posts().count("bills") == 1
    assert judge(shop.simulation)["by_external_id"][BILL] == 1
    assert (await shop.bench.row(BILL)).adopted


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_not_there_is_a_refusal_that_stays_one_or_is_sent_again(shop: Shop, way: str) -> None:
    await switch(shop.simulation, {"errors": 1, "only": "POST /bills", **WAYS[way]})
    with pytest.raises(SolidError) as said:
        await shop.apply(shop.bill())
    shop.bench.clock.advance(TIMING.settle + TIMING.unasked)
    if isinstance(said.value, RefusedInDoubt):
        with pytest.raises(Refused) as proven:
            await shop.apply(shop.bill())
        assert not isinstance(proven.value, RefusedInDoubt)
        assert proven.value.code == said.value.code
        assert await shop.bench.state(BILL) == "refused"
        assert shop.posts().count("bills") == 1, "a no that a look-up has proven is not tried again by itself"
    await shop.apply(shop.bill())
    assert shop.posts().count("bills") == 2
    assert judge(shop.simulation)["by_external_id"][BILL] == 1


async def test_a_code_that_the_dialect_knows_leaves_no_doubt(shop: Shop) -> None:
    shop.simulation.switches.closed_through = "2026-12-31"
    with pytest.raises(Parked, match="PERIOD_CLOSED"):
        await shop.apply(shop.bill())
    assert await shop.bench.state(BILL) == "refused"


async def test_after_a_429_the_look_up_costs_one_call_a_refused_write_and_no_more(shop: Shop) -> None:
    await switch(shop.simulation, {"errors": 3, "only": "POST /bills", "status": 429, "code": "RATE_LIMITED"})
    for _ in range(3):
        with pytest.raises(Unavailable):
            await shop.apply(shop.bill())
        shop.bench.clock.advance(TIMING.settle + TIMING.unasked)
    await shop.apply(shop.bill())
    calls = [call for call in shop.simulation.calls if call.path.endswith("/bills")]
    assert [call.method for call in calls] == ["POST", "GET"] * 3 + ["POST"]


async def test_a_no_is_forgotten_once_the_write_was_sent_again(shop: Shop) -> None:
    """Refused first; mended and sent, and then lost: what is not there now was never refused, it did not arrive."""
    await switch(shop.simulation, {"errors": 1, "only": "POST /bills", "status": 422, "code": "X"})
    with pytest.raises(RefusedInDoubt):
        await shop.apply(shop.bill())
    shop.bench.clock.advance(TIMING.settle + TIMING.unasked)
    with pytest.raises(Refused):
        await shop.apply(shop.bill())
    await switch(shop.simulation, {"errors": 1, "only": "POST /bills", "status": 500})
    with pytest.raises(OutcomeUnknown):
        await shop.apply(shop.bill())
    shop.bench.clock.advance(TIMING.settle + TIMING.unasked)
    await shop.apply(shop.bill())
    assert judge(shop.simulation)["by_external_id"][BILL] == 1
