"""Duplicates, the record of calls, restores and restarts: what the judge stands on."""

import asyncio
import json
from pathlib import Path

import pytest

from simulator.books.chart import read
from simulator.errors import JournalError, SwitchError
from simulator.service.calls import Call
from simulator.service.judge import judge
from simulator.service.limits import Limit
from simulator.service.reloading import reloaded
from simulator.service.simulation import Simulation
from tests.unit.simulator.client import Client, Time


async def test_a_repeated_post_makes_a_duplicate_even_at_the_same_time(solid: Client) -> None:
    body = await solid.entry()
    made = await asyncio.gather(*(solid.made("/entries", body) for _ in range(3)))
    assert len({each["id"] for each in made}) == 3
    verdict = await solid.judge()
    assert (verdict["duplicated"], verdict["by_external_id"]) == (["e-1"], {"e-1": 3})
    assert (verdict["writes"], verdict["balanced"]) == (3, True)
    assert verdict["balances"]["Stripe Fees"] == "4.50"


async def test_two_kinds_with_one_external_id_are_no_duplicate(solid: Client) -> None:
    customer = await solid.customer()
    await solid.made("/invoices", await solid.invoice(customer_id=customer, external_id="c"))
    verdict = await solid.judge()
    assert (verdict["by_external_id"], verdict["duplicated"]) == ({"c": 2}, [])


async def test_seeded_records_are_not_counted_but_their_balance_is(solid: Client) -> None:
    verdict = await solid.judge()
    assert (verdict["writes"], verdict["without_external_id"]) == (0, 0)
    assert verdict["balances"]["Checking"] == "10000.00"
    assert verdict["trial_balance"]["debit_total"] == "10000.00"


async def test_the_judge_sees_books_that_do_not_balance(solid: Client, simulation: Simulation) -> None:
    await solid.made("/entries", await solid.entry())
    await solid.made("/entries", await solid.entry())
    first, second = (record.draft for record in simulation.books.log[-2:])
    object.__setattr__(first, "legs", first.legs[:1])
    assert judge(simulation)["balanced"] is False
    object.__setattr__(second, "legs", second.legs[1:])
    verdict = judge(simulation)
    assert verdict["trial_balance"]["debit_total"] == verdict["trial_balance"]["credit_total"]
    assert verdict["balanced"] is False


async def test_every_call_is_on_record_with_its_time_and_what_it_committed(solid: Client, moment: Time) -> None:
    moment.seconds = 5.0
    made = await solid.made("/contacts", {"display_name": "A", "external_id": "x"})
    moment.seconds = 6.0
    await solid.get("/invoices", external_id="y")
    first, second = (await solid.control.get("/calls")).json()
    assert (first["method"], first["path"], first["monotonic"]) == ("POST", "/api/v1/contacts", 5.0)
    assert (first["committed"], first["external_id"], first["status"]) == ([made["id"]], "x", 201)
    assert (second["query"], second["committed"], second["n"]) == ("external_id=y", [], 1)
    assert "demo" not in json.dumps([first, second])
    assert (await solid.control.get("/calls?since=1")).json() == [second]


async def test_records_show_totals_and_what_was_posted(solid: Client) -> None:
    await solid.made("/entries", await solid.entry())
    (record,) = (await solid.control.get("/records?kind=entry&external_id=e-1")).json()
    assert (record["total"], record["seed"], record["date"]) == ("1.50", False, "2026-03-05")
    assert [line["debit"] for line in record["lines"]] == ["1.50", "0.00"]


async def test_a_restore_rolls_the_books_back_and_forgets_no_call(solid: Client) -> None:
    await solid.made("/entries", await solid.entry(external_id="kept"))
    await solid.switch(snapshot=True)
    lost = await solid.made("/entries", await solid.entry(external_id="lost"))
    await solid.switch(restore=True)
    assert (await solid.get(f"/entries/{lost['id']}")).status_code == 404
    verdict = await solid.judge()
    assert verdict["by_external_id"] == {"kept": 1}
    assert verdict["calls"] > 3
    await solid.made("/entries", await solid.entry(external_id="after"))
    assert (await solid.judge())["balances"]["Stripe Fees"] == "3.00"


@pytest.mark.parametrize(
    "changes",
    [
        {"nonsense": 1},
        {"open": "yes"},
        {"errors": 1, "status": 204},
        {"lose_answers": -1},
        {"closed_through": "2026-13-01"},
        {"key": "short"},
        {"restore": True},
        {"dialect": {"money": "floats"}},
        {"allowance": 5, "window_seconds": "a"},
    ],
)
async def test_a_switch_that_cannot_be_is_refused_and_nothing_changes(solid: Client, changes: object) -> None:
    before = (await solid.control.get("/state")).json()
    reply = await solid.control.post("/switch", json=changes)
    assert reply.status_code == 400
    assert reply.json()["error"]
    assert (await solid.control.get("/state")).json() == before


async def fill(client: Client) -> None:
    customer = await client.customer()
    invoice = await client.made("/invoices", await client.invoice(customer_id=customer))
    payment = {
        "customer_id": customer,
        "external_id": "p-1",
        "date": "2026-03-06",
        "amount": "60.00",
        "deposit_account_id": await client.account("Stripe Clearing"),
        "applications": [{"invoice_id": invoice["id"], "amount": "60.00"}],
    }
    await client.made("/payments", payment)


async def test_a_restart_finds_books_keys_dates_and_calls_in_the_journal(tmp_path: Path, moment: Time) -> None:
    path = tmp_path / "journal.jsonl"
    first = reloaded(Simulation(journal=path, clock=moment.clock(), allowance=20))
    client = Client(first)
    await fill(client)
    await client.switch(closed_through="2026-01-31", key="n" * 64, snapshot=True)
    await client.switch(restore=True)
    before, records = await client.judge(), (await client.control.get("/records")).json()
    first.journal.close()

    second = reloaded(Simulation(journal=path, clock=moment.clock(), allowance=20))
    again = Client(second)
    assert await again.judge() == before
    assert (await again.control.get("/records")).json() == records
    assert second.calls == first.calls
    assert (await again.get("/accounts")).status_code == 401
    again.http.headers["X-API-Key"] = "n" * 64
    assert await again.error("/entries", await again.entry(date="2026-01-31")) == (422, "PERIOD_CLOSED")
    invoice = (await again.data("/invoices", external_id="i-1"))[0]
    assert invoice["balance_due"] == "40.00"
    second.close()


async def test_calls_before_a_restart_still_count_toward_the_allowance(tmp_path: Path, moment: Time) -> None:
    path = tmp_path / "journal.jsonl"
    for status in (200, 429):
        simulation = reloaded(Simulation(journal=path, clock=moment.clock(), allowance=1))
        assert (await Client(simulation).get("/accounts")).status_code == status
        simulation.close()


@pytest.mark.parametrize(("refused_count", "told"), [(True, [None, "10", "10"]), (False, [None, "1", None])])
async def test_refused_calls_before_a_restart_count_where_the_limit_says_so(
    tmp_path: Path, moment: Time, *, refused_count: bool, told: list[str | None]
) -> None:
    limit = Limit(1, 10, limit_refused_count=refused_count)
    waits = []
    for _ in range(3):
        simulation = reloaded(Simulation(journal=tmp_path / "journal.jsonl", clock=moment.clock(), limit=limit))
        reply = await Client(simulation).get("/accounts")
        waits.append(reply.headers.get("Retry-After"))
        simulation.close()
        moment.seconds += 9
    assert waits == told


def test_a_hundred_thousand_calls_of_two_hundred_keys_are_judged(simulation: Simulation) -> None:
    for number in range(100_000):
        call = Call(number, 0.0, number / 128, "GET", "/", "", key=f"{number % 200:08x}", rate_limited=number % 10 == 0)
        simulation.calls.append(call)
    verdict = judge(simulation, window_seconds=60)
    assert (verdict["calls"], verdict["rate_limited"], verdict["worst_window"]) == (100_000, 10_000, 7_680)
    assert len(verdict["by_key"]) == 200
    assert verdict["by_key"]["00000007"] == {"calls": 500, "refused": 0, "worst_window": 39}


def test_a_torn_last_line_is_cut_off_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"line":"keys","keys":["k"]}\n{"line":"ke')
    simulation = reloaded(Simulation(journal=path))
    assert simulation.keys == {"k"}
    simulation.write_dates()
    simulation.close()
    reloaded(Simulation(journal=path)).close()
    path.write_text('{"line":"ke\n{"line":"keys","keys":["k"]}\n')
    with pytest.raises(JournalError, match="line 1"):
        reloaded(Simulation(journal=path))


def test_a_chart_from_a_file_replaces_the_sample(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    rows = [
        {"name": "Bank", "type": "CASH", "opening_balance": "5.00"},
        {"name": "AR", "type": "RECEIVABLE"},
        {"name": "AP", "type": "PAYABLE"},
        {"name": "Opening Balance Equity", "type": "EQUITY"},
    ]
    path.write_text(json.dumps(rows))
    assert judge(Simulation(chart=read(path)))["balances"]["Bank"] == "5.00"
    path.write_text(json.dumps(rows[:3]))
    with pytest.raises(SwitchError, match="Opening Balance Equity"):
        read(path)
