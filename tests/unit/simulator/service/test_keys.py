"""Many companies in one simulator: each key has its limit, its closures and its figures; the books are shared."""

from pathlib import Path

import httpx2
import pytest

from simulator.errors import SwitchError
from simulator.service.keys import name_of, read_keys
from simulator.service.reloading import reloaded
from simulator.service.simulation import DEMO_KEY, Simulation
from tests.unit.simulator.client import Client, Json, Time

ADA, BOB = "a" * 64, "b" * 64


async def ask(solid: Client, key: str) -> httpx2.Response:
    return await solid.http.get("/api/v1/accounts", headers={"X-API-Key": key})


async def both(solid: Client) -> None:
    await solid.switch(keys=[ADA, BOB])


async def test_each_key_has_an_allowance_of_its_own(solid: Client) -> None:
    await both(solid)
    await solid.switch(allowance=1)
    assert [(await ask(solid, key)).status_code for key in (ADA, ADA, BOB, BOB)] == [200, 429, 200, 429]


async def test_hundreds_of_keys_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("".join(f"{number:064}\n\n" for number in range(200)))
    client = Client(Simulation(more_keys=read_keys(path)))
    for key in (f"{7:064}", f"{199:064}", DEMO_KEY):
        assert (await ask(client, key)).status_code == 200
    assert (await ask(client, f"{200:064}")).status_code == 401
    assert len((await client.switch())["keys"]) == 201


def test_a_line_that_is_no_key_is_named_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"{ADA}\nsecretsecret\n")
    with pytest.raises(SwitchError, match=r"keys: line 2: an API key has 64") as caught:
        read_keys(path)
    assert "secretsecret" not in str(caught.value)


async def test_only_the_keys_of_the_last_list_are_good(solid: Client) -> None:
    await both(solid)
    assert (await solid.get("/accounts")).status_code == 401
    await solid.switch(keys=[DEMO_KEY, BOB])
    assert [(await ask(solid, key)).status_code for key in (ADA, BOB, DEMO_KEY)] == [401, 200, 200]


async def test_one_key_is_revoked_by_its_short_name(solid: Client) -> None:
    await both(solid)
    state = await solid.switch(revoke_key=name_of(ADA))
    assert state["keys"] == [name_of(BOB)]
    assert [(await ask(solid, key)).status_code for key in (ADA, BOB)] == [401, 200]


async def test_an_app_closed_for_one_key_answers_the_others_and_opens_again(solid: Client, moment: Time) -> None:
    await both(solid)
    await solid.switch(allowance=1, closed_for={"key": name_of(ADA), "seconds": 5})
    contact = {"display_name": "Ada", "external_id": "x"}
    refused = await solid.http.post("/api/v1/contacts", json=contact, headers={"X-API-Key": ADA})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "APP_CLOSED")
    assert (await ask(solid, BOB)).status_code == 200
    assert (await solid.judge())["writes"] == 0
    call = solid.simulation.calls[0]
    assert (call.fault, call.counted, call.rate_limited) == ("closed", False, False)
    moment.seconds += 4.5
    assert (await ask(solid, ADA)).status_code == 503
    moment.seconds += 0.5
    assert (await ask(solid, ADA)).status_code == 200
    assert (await ask(solid, ADA)).status_code == 429


async def test_a_closure_of_one_key_ends_early_with_zero_seconds(solid: Client) -> None:
    await solid.switch(closed_for={"key": name_of(DEMO_KEY), "seconds": 60})
    assert (await solid.get("/accounts")).status_code == 503
    await solid.switch(closed_for={"key": name_of(DEMO_KEY), "seconds": 0})
    assert (await solid.get("/accounts")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"revoke_key": "00000000"}, "revoke_key: must be the short name of a good key"),
        ({"revoke_key": 1}, "revoke_key: must be true, false or the short name"),
        ({"keys": [ADA, "short"]}, "keys[1]: an API key has 64 printable characters"),
        ({"keys": ADA}, "keys: must be a list"),
        ({"closed_for": 5}, "closed_for: must be an object of key, seconds"),
        ({"closed_for": {"key": "00000000", "seconds": 5}}, "closed_for.key: must be the short name"),
        ({"closed_for": {"key": name_of(DEMO_KEY)}}, "closed_for.seconds: must be a number of seconds"),
    ],
)
async def test_a_wrong_key_switch_says_which_and_never_the_key(solid: Client, changes: Json, said: str) -> None:
    reply = await solid.control.post("/switch", json=changes)
    assert (reply.status_code, reply.json()["error"][: len(said)]) == (400, said)
    assert ADA not in reply.text
    assert (await solid.get("/accounts")).status_code == 200


async def test_the_judge_has_figures_for_every_key_and_shows_none_of_them(solid: Client, moment: Time) -> None:
    await both(solid)
    await solid.switch(allowance=2, window_seconds=10)
    for key in (ADA, ADA, ADA, BOB, "wrong"):
        await ask(solid, key)
        moment.seconds += 1
    moment.seconds += 10
    await ask(solid, ADA)
    del solid.http.headers["X-API-Key"]
    await solid.get("/accounts")
    reply = await solid.control.get("/judge")
    assert reply.json()["by_key"] == {
        name_of(ADA): {"calls": 4, "refused": 1, "worst_window": 3},
        name_of(BOB): {"calls": 1, "refused": 0, "worst_window": 1},
        name_of("wrong"): {"calls": 1, "refused": 0, "worst_window": 1},
        "none": {"calls": 1, "refused": 0, "worst_window": 1},
    }
    assert (reply.json()["answers"], reply.json()["rate_limited"], reply.json()["count_429"]) == (7, 1, 1)
    shown = reply.text + (await solid.control.get("/calls")).text + (await solid.control.get("/state")).text
    assert not any(key in shown for key in (ADA, BOB))
    assert (await solid.control.get("/calls")).json()[0]["key"] == name_of(ADA)


async def test_a_key_and_a_part_of_the_time_are_judged_alone(solid: Client, moment: Time) -> None:
    await both(solid)
    for key, external_id in ((ADA, "a"), (BOB, "b"), (ADA, "a"), (ADA, "c")):
        solid.http.headers["X-API-Key"] = key
        await solid.made("/contacts", {"display_name": "x", "external_id": external_id})
        moment.seconds += 1
    mine = await solid.judge(key=name_of(ADA))
    assert (mine["calls"], mine["worst_window"], mine["by_external_id"]) == (3, 3, {"a": 2, "c": 1})
    assert (mine["duplicated"], list(mine["by_key"])) == (["a"], [name_of(ADA)])
    part = await solid.judge(since=1001, until=1003)
    assert (part["calls"], part["writes"], part["duplicated"]) == (2, 2, [])
    assert (await solid.judge(key=name_of(ADA), since=1001, until=1003))["by_external_id"] == {"a": 1}
    records = (await solid.control.get("/records", params={"key": name_of(BOB)})).json()
    assert [record["external_id"] for record in records] == ["b"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("key=00000000", "key: no API key has the short name '00000000'"),
        ("since=soon", "since: must be a number of seconds"),
        ("until=nan", "until: must be a number of seconds"),
        ("allowance=1.5", "allowance: must be a whole number"),
        ("window_seconds=0", "window_seconds: must be a number of seconds above zero"),
    ],
)
async def test_the_judge_refuses_what_it_does_not_understand(solid: Client, query: str, said: str) -> None:
    reply = await solid.control.get(f"/judge?{query}")
    assert reply.status_code == 400
    assert reply.json()["error"].startswith(said)


async def test_a_key_that_has_not_called_yet_is_judged_and_a_revoked_one_still_is(solid: Client) -> None:
    await both(solid)
    assert (await solid.judge(key=name_of(ADA)))["calls"] == 0
    await ask(solid, BOB)
    await solid.switch(revoke_key=True)
    assert (await solid.judge(key=name_of(BOB)))["calls"] == 1


async def test_a_journal_with_longer_names_of_keys_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(f'{{"line":"keys","keys":["{name_of(ADA)}01234567"]}}\n')
    simulation = reloaded(Simulation(journal=path))
    assert (await ask(Client(simulation), ADA)).status_code == 200
    simulation.close()
