"""`relay forget`, `relay dead erase`, what the running relay erases by itself, and what the check says of keys."""

import asyncio
import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from ops.commands.relay import app
from ops.composing.workers import open_store, sealing_of
from ops.desk import retention
from runtime.settings import ConfigurationError, Settings
from store.audit import AuditTrail
from store.errors import StoreUnavailable
from store.letters.dead_letters import DeadLetters, StoredLetter
from tests.contract.store.samples import letter
from tests.fakes import FakeClock

DAY = 86_400
BODY = b'{"customer": {"id": "cus_7", "email": "jenny@example.org"}}'


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A store of its own, and no broker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ops.commands.running.configure_logs", lambda *_: None)  # it would outlive the test
    monkeypatch.setenv("RELAY_STORE__URL", f"sqlite:///{tmp_path / 'relay.db'}")
    monkeypatch.setenv("RELAY_RABBITMQ__URL", "amqp://127.0.0.1:1/")
    return Settings()


async def settled(settings: Settings, clock: FakeClock, *, name: str = "settled") -> None:
    async with open_store(settings) as engine:
        letters = DeadLetters(engine, clock)
        await letters.add(letter(name, body=BODY))
        await letters.set_state(name, "waiting", "replayed")


async def kept(settings: Settings, clock: FakeClock) -> StoredLetter:
    async with open_store(settings) as engine:
        return await DeadLetters(engine, clock).get("settled")


def store_of(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"store": settings.store.model_copy(update={"url": SecretStr(url)})})


def relay(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


async def test_a_running_relay_erases_by_itself_and_survives_a_store_that_is_gone(
    settings: Settings, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await settled(settings, clock)
    clock.advance(91 * DAY)
    monkeypatch.setattr(retention, "EVERY_SECONDS", 0.01)
    gone = store_of(settings, "sqlite:////dev/null/x")
    stop = asyncio.Event()
    jobs = [asyncio.create_task(retention.keep_erasing(each, clock, stop)) for each in (settings, gone)]
    async with asyncio.timeout(30):
        while (await kept(settings, clock)).body:  # noqa: ASYNC110 - the database has no event to wait on
            await asyncio.sleep(0.01)
    assert not any(job.done() for job in jobs)
    stop.set()
    async with asyncio.timeout(30):
        await asyncio.gather(*jobs)


async def test_whatever_keeps_a_running_relay_from_erasing_ends_nobody_else(
    settings: Settings, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of the password is being written anew, an authority's is away, or the store says what nobody knows."""
    monkeypatch.setattr(retention, "EVERY_SECONDS", 0.01)
    (password := tmp_path / "password").write_text("")
    away = {"url": SecretStr("postgresql://relay@127.0.0.1:1/relay")}
    no_password = settings.store.model_copy(update=away | {"password_file": password})
    no_authority = settings.store.model_copy(update=away | {"ca_file": tmp_path / "none.pem"})
    odd = settings.store.model_copy(update={"url": SecretStr("sqlite://")})
    stop = asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as everybody:
        for store in (no_password, no_authority, odd):
            own = settings.model_copy(update={"store": store})
            everybody.create_task(retention.keep_erasing(own, clock, stop))
        await asyncio.sleep(0.2)
        stop.set()


async def test_a_database_that_takes_a_call_and_never_answers_holds_up_nobody_while_a_store_is_opened(
    settings: Settings,
) -> None:
    called = asyncio.Event()

    async def frozen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await released.wait()
        writer.close()

    async def opened() -> None:
        async with open_store(store_of(settings, url)):
            pass

    released = asyncio.Event()
    async with await asyncio.start_server(frozen, "127.0.0.1", 0) as server:
        url = f"postgresql://relay@127.0.0.1:{server.sockets[0].getsockname()[1]}/relay?timeout=5"
        opening = asyncio.create_task(opened())
        async with asyncio.timeout(60):
            await called.wait()
            assert not opening.done(), "its server, on the same loop, was heard only after it had given up"
            released.set()
            with pytest.raises(StoreUnavailable):
                await opening


def test_a_person_is_shown_first_and_forgotten_with_yes(settings: Settings, clock: FakeClock) -> None:
    asyncio.run(settled(settings, clock))
    dry = relay("forget", "jenny@example.org", "--json")
    assert dry.exit_code == 0, dry.output
    said = json.loads(dry.stdout)
    assert (said["done"], [each["what"] for each in said["held"]]) == (False, ["settled dead letters"])
    assert len(said["out_of_reach"]) == 5
    assert "done/, failed/" in str(said["out_of_reach"])
    assert asyncio.run(kept(settings, clock)).body == BODY
    done = relay("forget", "jenny@example.org", "--yes")
    assert done.exit_code == 0, done.output
    assert "Solid's own books" in done.stdout
    assert asyncio.run(kept(settings, clock)).body == b""
    again = relay("forget", "jenny@example.org")
    assert "nothing is held under this name" in again.stdout
    lines = asyncio.run(trail(settings, clock))
    assert lines == [("person.forgotten", "person", {"settled dead letters": 1})]


async def trail(settings: Settings, clock: FakeClock) -> list[tuple[str, str, object]]:
    async with open_store(settings) as engine:
        return [(line.act, line.subject, line.detail) for line in await AuditTrail(engine, clock).list()]


def test_what_must_be_settled_first_is_said_and_is_exit_code_1(settings: Settings, clock: FakeClock) -> None:
    async def waiting() -> None:
        async with open_store(settings) as engine:
            await DeadLetters(engine, clock).add(letter(body=BODY))

    asyncio.run(waiting())
    done = relay("forget", "cus_7", "--yes")
    assert done.exit_code == 1
    assert "replay them first" in " ".join(done.stdout.split())
    short = relay("forget", "jo")
    assert (short.exit_code, "too short" in short.output) == (1, True)


def test_letters_are_erased_at_once_when_asked(settings: Settings, clock: FakeClock) -> None:
    asyncio.run(settled(settings, clock))
    assert relay("dead", "erase", "--dry-run").stdout == "1 letters would be erased\n"
    assert relay("dead", "erase").stdout == "1 letters were erased\n"
    assert asyncio.run(kept(settings, clock)).body == b""


async def test_the_check_says_which_keys_are_needed(settings: Settings, clock: FakeClock, tmp_path: Path) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    await settled(settings, clock, name="open")
    assert "1 lie open, none is sealed; new ones lie open" in await retention.check_bodies(settings, clock)
    for number, written in enumerate((keys[:1], keys[::-1])):
        sealed = with_keys(settings, tmp_path / f"keys{number}", *written)
        async with open_store(sealed) as engine:
            await DeadLetters(engine, clock, sealing_of(sealed)).add(letter(f"sealed {number}", body=BODY))
        assert "new ones are sealed" in await retention.check_bodies(sealed, clock)
    with pytest.raises(ConfigurationError, match=r"lacks keys .*: 1 under [0-9a-f]{8}\. Put them back"):
        await retention.check_bodies(with_keys(settings, tmp_path / "one", keys[1]), clock)
    with pytest.raises(ConfigurationError, match="32 random bytes"):
        await retention.check_bodies(with_keys(settings, tmp_path / "none", "short"), clock)


def with_keys(settings: Settings, path: Path, *keys: str) -> Settings:
    path.write_text("\n".join(keys))
    return settings.model_copy(update={"store": settings.store.model_copy(update={"body_key_file": path})})
