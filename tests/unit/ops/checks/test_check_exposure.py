"""The finding "exposure" of `relay check`, and the permissions of what the relay itself makes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.checks import exposure
from ops.checks.exposure import check_exposure, is_loopback, secret_files
from ops.checks.findings import Checklist
from ops.commands.relay import app
from runtime.settings import Settings

KEY = "0123456789abcdef0123"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens here
GOOD: dict[str, Any] = {"rabbitmq": {"url": "amqp://relay:hush@127.0.0.1/"}}


@pytest.fixture(autouse=True)
def _in_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELAY_CONFIG", raising=False)


def wrong(**said: Any) -> list[str]:  # noqa: ANN401 - settings of any kind
    checklist = Checklist()
    check_exposure(checklist, Settings(**(GOOD | said)))
    return [finding.text for finding in checklist.findings if not finding.ok]


def notes(**said: Any) -> list[str]:  # noqa: ANN401 - settings of any kind
    checklist = Checklist()
    check_exposure(checklist, Settings(**(GOOD | said)))
    return [finding.text for finding in checklist.findings if finding.note]


def test_what_is_safe_is_said_to_be_so(tmp_path: Path) -> None:
    (key := tmp_path / "key").write_text(KEY)
    key.chmod(0o600)
    Path("relay.toml").write_text("")
    (tmp_path / "var").mkdir(mode=0o700)
    (tmp_path / "var" / "relay.db").touch(0o600)
    assert wrong(solid={"api_key_file": key, "base_url": "https://solid.example.com"}) == []
    assert notes() == []


FEED = {"source": "x", "url": "http://wms.example.com/stock"}
PAY = {"provider": "finch", "entities": {"e": "main"}, "token_file": "t", "base_url": "http://pay.example.com"}


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"rabbitmq": {"url": "amqp://relay:hush@broker.example.com/"}}, ["rabbitmq.url: amqp to broker.example.com"]),
        (
            {"rabbitmq": {"url": "amqp://u:hush@127.0.0.1/", "management_url": "http://u:hush@10.0.0.1:15672"}},
            ["rabbitmq.management_url: http to 10.0.0.1"],
        ),
        ({"solid": {"base_url": "http://solid.example.com"}}, ["solid.base_url: http to solid.example.com"]),
        ({"solid": {"base_url": "http://[2001:db8::1]:21384"}}, ["solid.base_url: http to 2001:db8::1"]),
        ({"feeds": {"wms": FEED}}, ["feeds.wms.url: http to wms.example.com"]),
        ({"stripe": {"api_base_url": "http://pay.example.com"}}, ["stripe.api_base_url: http to pay.example.com"]),
        ({"payroll": {"p": PAY}}, ["payroll.p.base_url: http to pay.example.com"]),
        (
            {"rabbitmq": {"url": "amqps://guest:hush@broker.example.com/"}},
            ["rabbitmq.url: the user guest"],
        ),
        ({"receiver": {"host": EVERYWHERE}}, ["receiver.host: 0.0.0.0 is reached without TLS"]),
        ({"receiver": {"host": "::"}}, ["receiver.host: :: is reached without TLS"]),
    ],
)
def test_plain_text_to_another_host_is_wrong(said: dict[str, Any], named: list[str]) -> None:
    found = wrong(**said)
    assert len(found) == len(named)
    assert all(text.startswith(begin) for text, begin in zip(found, named, strict=True))
    assert "hush" not in "".join(found)


@pytest.mark.parametrize(
    "said",
    [
        {"plain_hosts": ["rabbitmq"], "rabbitmq": {"url": "amqp://relay:hush@rabbitmq/"}},
        {"rabbitmq": {"url": "amqps://relay:hush@broker.example.com/"}},
        {"solid": {"base_url": "http://localhost:21384"}},
        {"solid": {"base_url": "http://[::1]:21384"}},
        {"receiver": {"host": EVERYWHERE, "proxies": ["127.0.0.0/8", "10.0.0.5"]}},
        {"receiver": {"host": "127.0.0.2"}},
    ],
)
def test_what_stays_on_this_machine_or_was_said_to_be_fine_is_not(said: dict[str, Any]) -> None:
    assert wrong(**said) == []


DATABASE = "postgresql://relay:hush@db.example.com/relay"


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"store": {"url": DATABASE}}, "store.url: PostgreSQL on db.example.com with sslmode prefer: "),
        ({"store": {"url": f"{DATABASE}?sslmode=require"}}, "store.url: PostgreSQL on db.example.com with sslmode req"),
        ({"store": {"url": f"{DATABASE}?sslmode=verify-ca"}}, "store.url: PostgreSQL on db.example.com with sslmode v"),
        ({"store": {"url": "postgresql:///relay?host=10.0.0.1:5432"}}, "store.url: PostgreSQL on 10.0.0.1 with ssl"),
        ({"rabbitmq": {"url": "amqps://u:hush@h.example.com/?no_verify_ssl=1"}}, "rabbitmq.url: no_verify_ssl: "),
    ],
)
def test_a_server_elsewhere_that_need_not_prove_who_it_is_is_wrong(said: dict[str, Any], named: str) -> None:
    [found] = wrong(**said)
    assert found.startswith(named)
    assert "hush" not in found


@pytest.mark.parametrize(
    "said",
    [
        {"store": {"url": f"{DATABASE}?sslmode=verify-full"}},
        {"store": {"url": DATABASE, "ca_file": "authority.crt"}},
        {"store": {"url": DATABASE}, "plain_hosts": ["db.example.com"]},
        {"store": {"url": "postgresql://relay:hush@127.0.0.1/relay"}},
        {"store": {"url": "postgresql:///relay?host=/run/postgresql"}},
        {"store": {"url": "postgresql:///relay"}},
        {"rabbitmq": {"url": "amqps://u:hush@h.example.com/", "ca_file": "authority.crt"}},
    ],
)
def test_a_server_that_proves_who_it_is_or_is_near_is_fine(said: dict[str, Any]) -> None:
    assert wrong(**said) == []


def test_a_databases_password_is_a_secret_and_an_authority_that_others_may_replace_is_none(tmp_path: Path) -> None:
    for name, mode in (("password", 0o640), ("authority.crt", 0o666)):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(mode)
    store = {"url": DATABASE, "password_file": tmp_path / "password", "ca_file": tmp_path / "authority.crt"}
    found = wrong(store=store | {"url": DATABASE.replace(":hush", "")})
    assert [text.split(": ")[0] for text in found] == ["store.password_file", "store.ca_file"]


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660, 0o700])
def test_a_secret_that_others_can_read_or_replace_is_wrong(tmp_path: Path, mode: int) -> None:
    (key := tmp_path / "key").write_text(KEY)
    key.chmod(mode)
    [found] = wrong(solid={"api_key_file": key})
    assert found == f"solid.api_key_file: {key} has mode {mode:04o}, so that others read it: chmod 600 {key}"
    key.chmod(0o600)


@pytest.mark.parametrize("open_folder", ["shared", "shared/home", "shared/home/kept"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_is_in_a_folder_of_others_can_be_replaced(tmp_path: Path, open_folder: str, *, linked: bool) -> None:
    kept = tmp_path / "shared" / "home" / "kept"
    kept.mkdir(mode=0o700, parents=True)
    for folder in (tmp_path / "shared", tmp_path / "shared" / "home"):
        folder.chmod(0o700)
    for name in ("relay.toml", "books.toml", "key", "ca.pem", "options.toml"):
        (kept / name).write_text(KEY if name == "key" else "")
        (kept / name).chmod(0o600)
    if linked:
        (tmp_path / "here").symlink_to(kept)
    folder = tmp_path / "here" if linked else kept
    feed = {**FEED, "url": "https://x", "ca_file": folder / "ca.pem", "options_file": folder / "options.toml"}
    solid = {"api_key_file": folder / "key", "base_url": "https://solid.example.com"}
    said = {"solid": solid, "feeds": {"wms": feed}, "books": folder / "books.toml"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RELAY_CONFIG", str(folder / "relay.toml"))
        assert wrong(**said) == []
        (tmp_path / open_folder).chmod(0o777)
        found = wrong(**said)
    (tmp_path / open_folder).chmod(0o700)
    assert {text.split(": ")[0] for text in found} == {
        "relay.toml",
        "books",
        "solid.api_key_file",
        "feeds.wms.ca_file",
        "feeds.wms.options_file",
    }
    assert all("can be replaced by whoever may write" in text and "anybody" in text for text in found)


@pytest.mark.parametrize("name", ["ca_file", "options_file"])
def test_what_a_feed_believes_is_changed_by_nobody_else(tmp_path: Path, name: str) -> None:
    (path := tmp_path / name).write_text("")
    path.chmod(0o666)
    [found] = wrong(feeds={"wms": {**FEED, "url": "https://x", name: path}})
    assert found.startswith(f"feeds.wms.{name}: {path} may be changed by")
    path.chmod(0o644)
    assert wrong(feeds={"wms": {**FEED, "url": "https://x", name: path}}) == []


def test_a_secret_of_another_user_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (key := tmp_path / "key").write_text(KEY)
    key.chmod(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    if key.stat().st_uid == 0:
        assert wrong(solid={"api_key_file": key}) == [], "root reads everything anyway"
        os.chown(key, 4712, -1)
    assert any("belongs to user" in text for text in wrong(solid={"api_key_file": key}))


def test_the_store_and_the_settings_are_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir(mode=0o700)
    for name in ("relay.db", "relay.db-wal"):
        (tmp_path / "var" / name).touch()
        (tmp_path / "var" / name).chmod(0o644)
    for name in ("relay.toml", "books.toml"):
        Path(name).write_text("")
        Path(name).chmod(0o666)
    found = wrong()
    assert [text.split(": ")[0] for text in found] == ["store.url", "store.url", "relay.toml", "books"]


def test_every_file_of_secrets_that_settings_can_name_is_looked_at() -> None:
    said = Settings(
        solid={"api_key_file": "a", "ca_file": "public"},
        rabbitmq={"url_file": "b", "management_url_file": "c"},
        stripe={"secrets_file": "d"},
        shopify={"secrets_file": "e"},
        webhooks={"square": {"source": "x", "secrets_file": "j", "options_file": "public", "company": "main"}},
        feeds={
            "wms": {"source": "x", "url": "https://x", "token_file": "f", "options_file": "public", "company": "main"}
        },
        payroll={"p": {**PAY, "client_secret_file": "h", "token_file": "g"}},
        companies={"main": {"solid": {"api_key_file": "i"}}},
    )
    found = dict(secret_files(said))
    assert {str(path) for path in found.values()} == set("abcdefghij")
    assert {
        "solid.api_key_file",
        "feeds.wms.token_file",
        "webhooks.square.secrets_file",
        "companies.main.solid.api_key_file",
    } <= found.keys()


def test_what_should_be_known_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "open_files", lambda: 256)
    found = notes(rabbitmq={}, metrics={"host": EVERYWHERE, "port": 9464})
    assert [text.split(":")[0] for text in found] == [
        "rabbitmq.url",
        "metrics.host",
        "this process may open 256 files, and receiver.max_connections needs 640",
    ]


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost.example.com", False),
        (EVERYWHERE, False),
        ("10.0.0.1", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, *, is_here: bool) -> None:
    assert is_loopback(host) == is_here


def umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_what_a_command_makes_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, seen = umask(), []

    def looked(*_: object) -> Iterator[bytes]:
        seen.append(umask())
        return iter(())

    monkeypatch.setattr("ops.dry.offline.normalise_file", looked)
    (file := tmp_path / "x.json").write_text("{}")
    assert CliRunner().invoke(app, ["normalize", "--source", "stripe", str(file)]).exit_code == 0
    assert seen == [0o077]
    assert umask() == before
