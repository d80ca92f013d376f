"""Lists in pages: every row once, whatever moves meanwhile, and a plain no where it never stops moving."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from producers.calling.errors import KeepsChanging
from producers.stripe.api.client import Row
from producers.stripe.api.listing import Listing, Span, read_whole
from staging.stripe_api import StripeApiServer
from tests.fakes import FakeClock
from tests.unit.producers.made import CREATED
from tests.unit.producers.stripe.api.stand_in import TRANSACTIONS, api_of, sold, stripe

SINCE = datetime.fromtimestamp(CREATED, UTC)
SPAN = Span(SINCE, SINCE + timedelta(hours=1))
LISTING = Listing(path=TRANSACTIONS, span=SPAN)


async def read(server: StripeApiServer, folder: Path, listing: Listing = LISTING) -> tuple[list[str], list[str]]:
    """Read a list: the ids it has at the end, and those that were handed over."""
    taken: list[str] = []

    async def take(rows: list[Row]) -> None:
        taken.extend(row["id"] for row in rows)

    async with api_of(server, folder, FakeClock()) as api:
        return await read_whole(api, listing, take), taken


async def test_a_list_of_one_page_costs_one_call(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(TRANSACTIONS, *(sold(number) for number in range(100)))
        ids, taken = await read(server, tmp_path)
    assert len(server.calls) == 1
    assert sorted(taken) == ids
    assert len(ids) == 100


async def test_more_pages_are_read_until_two_readings_agree_and_each_row_is_given_once(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(TRANSACTIONS, *(sold(number, at=CREATED + number) for number in range(250)))
        ids, taken = await read(server, tmp_path)
    assert len(server.calls) == 6
    assert sorted(taken) == ids
    assert len(ids) == 250


async def test_only_rows_of_its_time_are_given(tmp_path: Path) -> None:
    with stripe() as server:
        times = (CREATED - 1, CREATED, CREATED + 3599, CREATED + 3600)
        server.add(TRANSACTIONS, *(sold(number, at=at) for number, at in enumerate(times, start=1)))
        ids, _ = await read(server, tmp_path)
    assert ids == ["txn_2", "txn_3"]


async def test_a_server_that_knows_no_times_is_not_believed(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(TRANSACTIONS, sold(1, at=CREATED - 1), sold(2))
        server.knows_times = False
        ids, _ = await read(server, tmp_path)
    assert ids == ["txn_2"]


async def test_a_row_that_comes_late_is_given_too(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(TRANSACTIONS, *(sold(number, at=CREATED + number) for number in range(150)))

        def late(path: str, page: int) -> None:
            if page == 2:
                server.add(path, sold(999, at=CREATED + 149))

        server.before = late
        ids, taken = await read(server, tmp_path)
    assert "txn_999" in ids
    assert sorted(taken) == ids


async def test_a_row_that_is_gone_when_its_page_follows_begins_the_reading_anew(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(TRANSACTIONS, *(sold(number, at=CREATED + number) for number in range(150)))

        def gone(path: str, page: int) -> None:
            if page == 2:  # the last of the first page, after which the second begins
                server.rows[path] = [row for row in server.rows[path] if row["id"] != "txn_50"]

        server.before = gone
        ids, taken = await read(server, tmp_path)
    assert len(ids) == 149
    assert sorted({*taken} - {"txn_50"}) == ids


async def test_a_row_missing_from_the_second_reading_has_it_read_again(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(TRANSACTIONS, *(sold(number, at=CREATED + number) for number in range(150)))

        def gone(path: str, page: int) -> None:
            if page == 3:
                server.rows[path] = [row for row in server.rows[path] if row["id"] != "txn_7"]

        server.before = gone
        ids, _ = await read(server, tmp_path)
    assert len(ids) == 149
    assert len(server.calls) == 6


async def test_a_list_that_never_stops_moving_is_refused_by_its_name(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(TRANSACTIONS, *(sold(number, at=CREATED + number) for number in range(150)))
        server.before = lambda path, page: server.add(path, sold(1000 + page))
        with pytest.raises(KeepsChanging, match="/v1/balance_transactions changed at each of 6 readings"):
            await read(server, tmp_path)


async def test_pages_that_repeat_a_row_are_refused(tmp_path: Path) -> None:
    with stripe() as server:
        rows = [sold(number, at=CREATED + 500 - number) for number in range(100)]
        server.rows[TRANSACTIONS] = [*rows, *rows]
        with pytest.raises(KeepsChanging):
            await read(server, tmp_path)
