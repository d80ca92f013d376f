"""Every way to break, over real sockets: what the caller sees and what really happened to the books."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from simulator.http.server import Running, running
from simulator.service.judge import judge
from simulator.service.simulation import DEMO_KEY, Simulation
from simulator.switching.switching import switch
from staging.processes import PLAIN

DEADLINE_SECONDS = 5.0
CONTACT = {"display_name": "Ada", "external_id": "x"}


@pytest.fixture
async def served() -> AsyncIterator[Running]:
    async with running(Simulation()) as listening:
        yield listening


@pytest.fixture
async def http(served: Running) -> AsyncIterator[httpx2.AsyncClient]:
    base = f"{served.api_url}/api/v1"
    async with httpx2.AsyncClient(base_url=base, headers={"X-API-Key": DEMO_KEY}, timeout=5, verify=PLAIN) as client:
        yield client


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not true():  # noqa: ASYNC110  # the simulator is not told who waits for it
            await asyncio.sleep(0.005)


def count(served: Running) -> int:
    return int(judge(served.simulation)["writes"])


async def test_a_closed_app_refuses_connections_and_opens_on_the_same_port(
    served: Running, http: httpx2.AsyncClient
) -> None:
    assert (await http.get("/accounts")).status_code == 200
    async with httpx2.AsyncClient(verify=PLAIN) as control:
        for _ in range(3):
            await control.post(f"{served.control_url}/switch", json={"open": False})
            with pytest.raises(httpx2.ConnectError):
                await http.get("/accounts")
            await control.post(f"{served.control_url}/switch", json={"open": True})
            assert (await http.get("/accounts")).status_code == 200
    assert len(served.simulation.calls) == 4


async def test_an_app_closed_for_a_while_opens_by_itself(served: Running, http: httpx2.AsyncClient) -> None:
    await switch(served.simulation, {"close_for_seconds": 0.1})
    with pytest.raises(httpx2.ConnectError):
        await http.get("/accounts")
    await until(lambda: served.simulation.switches.open)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            with contextlib.suppress(httpx2.ConnectError):
                assert (await http.get("/accounts")).status_code == 200
                break


async def test_closing_drops_a_call_under_way_and_what_it_would_have_committed(
    served: Running, http: httpx2.AsyncClient
) -> None:
    await switch(served.simulation, {"slow_seconds": 30})
    call = asyncio.create_task(http.post("/contacts", json=CONTACT))
    await until(lambda: bool(served.simulation.calls))
    await switch(served.simulation, {"open": False})
    with pytest.raises(httpx2.TransportError):
        await call
    await until(lambda: served.simulation.calls[0].fault == "slow")
    assert count(served) == 0


async def test_a_slow_answer_commits_even_when_its_caller_has_gone(served: Running, http: httpx2.AsyncClient) -> None:
    await switch(served.simulation, {"slow_seconds": 0.15, "count": 1})
    with pytest.raises(httpx2.ReadTimeout):
        await http.post("/contacts", json=CONTACT, timeout=0.05)
    assert count(served) == 0
    await until(lambda: count(served) == 1)
    assert (await http.post("/contacts", json=CONTACT)).status_code == 201


async def test_a_lost_answer_has_committed(served: Running, http: httpx2.AsyncClient) -> None:
    await switch(served.simulation, {"lose_answers": 1, "only": "POST /contacts"})
    assert (await http.get("/contacts")).status_code == 200
    with pytest.raises(httpx2.RemoteProtocolError):
        await http.post("/contacts", json=CONTACT)
    assert count(served) == 1
    call = served.simulation.calls[-1]
    assert (call.status, call.fault, len(call.committed)) == (None, "answer_lost", 1)
    assert (await http.post("/contacts", json=CONTACT)).status_code == 201
    assert judge(served.simulation)["duplicated"] == ["x"]


async def test_a_call_that_is_done_twice_is_answered_once(served: Running, http: httpx2.AsyncClient) -> None:
    await switch(served.simulation, {"commit_twice": 1, "only": "POST /contacts"})
    assert (await http.post("/contacts", json=CONTACT)).status_code == 201
    call = served.simulation.calls[-1]
    assert (count(served), call.status, call.fault, len(call.committed)) == (2, 201, "twice", 2)
    assert judge(served.simulation)["duplicated"] == ["x"]
    assert (await http.post("/contacts", json=CONTACT | {"external_id": "y"})).status_code == 201
    assert count(served) == 3


async def test_a_held_answer_has_committed_before_its_caller_hears_of_it(
    served: Running, http: httpx2.AsyncClient
) -> None:
    await switch(served.simulation, {"hold_answers": 1, "delay_seconds": 0.3, "only": "POST /contacts"})
    call = asyncio.create_task(http.post("/contacts", json=CONTACT))
    await until(lambda: count(served) == 1)
    assert not call.done()
    assert served.simulation.calls[-1].status is None
    assert (await call).status_code == 201
    assert count(served) == 1


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_late_commit_lands_after_a_lookup_found_nothing(
    served: Running, http: httpx2.AsyncClient, *, hangs: bool
) -> None:
    await switch(served.simulation, {"late_commits": 1, "delay_seconds": 0.3, "late_hangs": hangs})
    with pytest.raises(httpx2.ReadTimeout if hangs else httpx2.RemoteProtocolError):
        await http.post("/contacts", json=CONTACT, timeout=0.05 if hangs else 5)
    assert (await http.get("/contacts?display_name=Ada")).json()["data"] == []
    assert judge(served.simulation)["pending_late_commits"] == 1
    await until(lambda: count(served) == 1)
    await until(lambda: not served.simulation.late)
    assert len(served.simulation.calls[0].committed) == 1
    assert len((await http.get("/contacts?display_name=Ada")).json()["data"]) == 1


@pytest.mark.parametrize(("commit", "html"), [(False, False), (True, True)])
async def test_an_error_may_have_committed_and_may_be_a_proxys_page(
    served: Running, http: httpx2.AsyncClient, *, commit: bool, html: bool
) -> None:
    await switch(served.simulation, {"errors": 1, "status": 502, "html": html, "commit": commit})
    reply = await http.post("/contacts", json=CONTACT)
    assert reply.status_code == 502
    assert reply.text.startswith("<html") is html
    assert count(served) == int(commit)
    assert (await http.get("/accounts")).status_code == 200


async def test_a_hanging_call_gets_no_answer_and_commits_nothing(served: Running, http: httpx2.AsyncClient) -> None:
    await switch(served.simulation, {"hang": 1})
    with pytest.raises(httpx2.ReadTimeout):
        await http.post("/contacts", json=CONTACT, timeout=0.05)
    await until(lambda: served.simulation.calls[0].fault == "hang")
    assert count(served) == 0


async def test_faults_wait_for_the_calls_they_are_for_and_can_be_cleared(
    served: Running, http: httpx2.AsyncClient
) -> None:
    await switch(served.simulation, {"errors": 5, "only": "/invoices"})
    assert (await http.get("/accounts")).status_code == 200
    assert (await http.get("/invoices")).status_code == 503
    assert (await http.get("/invoices/7")).status_code == 503
    await switch(served.simulation, {"clear_faults": True})
    assert (await http.get("/invoices")).status_code == 200


async def ready_process(*options: str) -> tuple[Process, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulator",
        "--port=0",
        "--control-port=0",
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        return process, httpx2.Response(200, content=await process.stdout.readline()).json()


async def test_the_command_takes_more_keys_and_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("k" * 64)
    process, ports = await ready_process(
        f"--keys-file={path}",
        "--limit-model=leaky_bucket",
        "--limit-capacity=1",
        "--limit-phase-seconds=-2.5",
        "--limit-refused-count",
        "--window-seconds=600000",
    )
    async with httpx2.AsyncClient(base_url=ports["api"], verify=PLAIN) as http:
        for key in ("k" * 64, DEMO_KEY):
            replies = [await http.get("/api/v1/accounts", headers={"X-API-Key": key}) for _ in range(2)]
            assert [reply.status_code for reply in replies] == [200, 429]
        state = (await http.get(f"{ports['control']}/state")).json()
    assert (state["limit_phase_seconds"], state["limit_refused_count"]) == (-2.5, True)
    process.send_signal(signal.SIGTERM)
    await process.communicate()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--limit-model=lava_lamp", b"'sliding_window', 'fixed_window'"),
        ("--limit-capacity=0", b"--limit-capacity"),
        ("--window-seconds=0", b"window_seconds: must be a number of seconds above zero"),
        ("--keys-file=/nowhere/keys", b"/nowhere/keys"),
    ],
)
async def test_a_wrong_option_is_named_and_nothing_starts(option: str, said: bytes) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulator",
        option,
        env={**os.environ, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode != 0
    assert (output, said in errors) == (b"", True), errors


async def test_a_killed_simulator_goes_on_where_it_was_and_sigterm_ends_it_cleanly(tmp_path: Path) -> None:
    journal = f"--journal={tmp_path / 'journal.jsonl'}"
    async with httpx2.AsyncClient(headers={"X-API-Key": DEMO_KEY}, verify=PLAIN) as http:
        process, ports = await ready_process(journal)
        assert (await http.post(f"{ports['api']}/api/v1/contacts", json=CONTACT)).status_code == 201
        process.kill()
        await process.wait()
        process, ports = await ready_process(journal)
        verdict = (await http.get(f"{ports['control']}/judge")).json()
        assert (verdict["by_external_id"], verdict["calls"]) == ({"x": 1}, 1)
        await http.post(f"{ports['control']}/switch", json={"open": False})
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE_SECONDS):
            _, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")
