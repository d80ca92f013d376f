"""Settings: the environment over the file, secrets never in the file, and a plain sentence for every mistake."""

from pathlib import Path

import pytest

from runtime.settings import BucketSettings, ConfigurationError, load_settings


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("RABBITMQ_URL", "RELAY_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_overrides_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("relay.toml").write_text("[bucket]\nallowance = 300\nburst = 4\n")
    monkeypatch.setenv("RELAY_BUCKET__ALLOWANCE", "200")
    bucket = load_settings().bucket
    assert (bucket.allowance, bucket.burst) == (200, 4)


@pytest.mark.parametrize(
    "written",
    [
        '[solid]\napi_key = "k"',
        '[rabbitmq]\nurl = "amqp://u:hidden@h/"',
        '[stripe]\nsecrets = ["whsec_hidden"]',
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(written: str) -> None:
    Path("relay.toml").write_text(written)
    with pytest.raises(ConfigurationError, match="is a secret") as refused:
        load_settings()
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://u:hidden@h/db", "postgresql://u@h/db?password=hidden"])
def test_a_databases_password_in_the_file_is_refused_and_not_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("relay.toml").write_text(f'[store]\nurl = "{url}"')
    with pytest.raises(ConfigurationError, match=r"store\.password_file, or set RELAY_STORE__URL") as refused:
        load_settings()
    assert "hidden" not in str(refused.value)
    Path("relay.toml").write_text('[store]\nurl = "postgresql://u@h/db"\npassword_file = "secrets/store"')
    assert load_settings().store.password_file == Path("secrets/store")
    Path("relay.toml").unlink()
    monkeypatch.setenv("RELAY_STORE__URL", url)
    assert "hidden" not in repr(load_settings()) + str(load_settings())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"url": "sqlite:///x.db", "password_file": "p"}, "an SQLite file"),
        ({"url": "sqlite:///x.db", "ca_file": "p"}, "an SQLite file"),
        ({"url": "postgresql://u:hidden@h/db", "password_file": "p"}, "another in password_file"),
        ({"url": "postgresql://u@h/db?password=hidden", "password_file": "p"}, "another in password_file"),
        ({"url": "postgresql://h/db?sslmode=verify_full"}, "sslmode is one of disable, allow"),
        ({"url": "postgresql://h/db?sslmode=require", "ca_file": "p"}, "set sslmode to verify-full"),
        ({"url": "postgresql://h/db?ssl=prefer", "ca_file": "p"}, "set sslmode to verify-full"),
    ],
)
def test_what_does_not_fit_the_database_is_refused(
    said: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(f"RELAY_STORE__{name.upper()}", value)
    with pytest.raises(ConfigurationError, match=why) as refused:
        load_settings()
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RELAY_RABITMQ__URL", "amqp://h/", "nearest: RELAY_RABBITMQ"),
        ("RELAY_RABBITMQ__UL", "amqp://h/", "rabbitmq.ul"),
        ("RELAY_RABBITMQ__URL", "http://u:hidden@h/", "amqp://"),
        ("RELAY_RABBITMQ__URL", "", "amqp://"),
        ("RELAY_RABBITMQ__URL", "amqp://u:hidden@h:notaport/", "amqp://"),
        ("RELAY_STORE__URL", "mysql://u:hidden@h/db", "sqlite"),
        ("RELAY_SOLID__BASE_URL", "ftp://h", "http://"),
        ("RELAY_SOLID__BASE_URL", "http://u:hidden@h", "must not hold a user"),
        ("RELAY_STRIPE__SECRETS", "whsec_hidden", "as JSON"),
        ("RELAY_STRIPE__ACCOUNTS", '{"acct_1": "Main Co.sales"}', "stripe.accounts"),
        ("RELAY_BUCKET__BURST", "600", r"\(allowance 600 - burst 600\) / \(window 60 s \+ jitter 0.25 s\) = 0.000"),
        ("RELAY_BUCKET__BURST", "2", "2 was said"),
        ("RELAY_BUCKET__ALLOWANCE", "0", r"\(allowance 0 - burst 5\) / .* = -0.083 tokens/s"),
        ("RELAY_BUCKET__WINDOW_SECONDS", "0", r"\(window 0 s \+ jitter 0.25 s\): a window must last longer than 0 s"),
        ("RELAY_BUCKET__WINDOW_SECONDS", "inf", "finite"),
        ("RELAY_BUCKET__LANES", "{}", "no lane has a weight.*live 8, batch 4"),
        ("RELAY_BUCKET__LANES", '{"live": 0}', "live with weight 0 would get 0 of 7 tokens"),
        ("RELAY_BUCKET__LANES", '{"fast": 3}', "fast: no such lane.*live 8, batch 4"),
        ("RELAY_WORKER__LEASE_SECONDS", "10", "must be longer than"),
        ("RELAY_WORKER__SETTLE_SECONDS", "10", "must be at least"),
        ("RELAY_RABBITMQ__RETRY_DELAYS_SECONDS", "[60, 10]", "growing"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=said) as refused:
        load_settings()
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("written", ["[solid", "solid = 1", "\xff"])
def test_a_file_that_is_no_settings_file_is_told_in_a_sentence(written: str) -> None:
    Path("relay.toml").write_bytes(written.encode("latin-1"))
    with pytest.raises(ConfigurationError):
        load_settings()


def test_the_worst_window_is_the_allowance() -> None:
    bucket = BucketSettings()
    worst = bucket.burst + bucket.rate * (bucket.window_seconds + bucket.jitter_seconds)
    assert worst == pytest.approx(bucket.allowance)


TWO = """
company = "north"
[companies.north]
books = "north.toml"
bucket = { allowance = 300 }
solid = { base_url = "http://north", api_key_file = "north", timeout_seconds = 20 }
[companies.south]
solid = { api_key_file = "south" }
[solid]
base_url = "http://all"
[bucket]
window_seconds = 120
"""


def test_what_a_company_does_not_say_is_as_in_the_tables_of_all() -> None:
    Path("relay.toml").write_text(TWO)
    settings = load_settings()
    north, south = settings.of("north"), settings.of("south")
    assert (north.solid.base_url, north.solid.timeout_seconds, north.books) == ("http://north", 20, Path("north.toml"))
    assert (south.solid.base_url, south.solid.timeout_seconds, south.books) == ("http://all", 30, Path("books.toml"))
    assert (north.bucket.allowance, north.bucket.window_seconds) == (300, 120)
    assert south.bucket.allowance == 600


def test_a_company_never_takes_its_key_from_the_table_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("relay.toml").write_text(TWO)
    Path("common").write_text("common")
    monkeypatch.setenv("RELAY_SOLID__API_KEY_FILE", "common")
    monkeypatch.setenv("RELAY_COMPANIES__EAST__SOLID__API_KEY", "its own")
    settings = load_settings()
    assert settings.of("east").solid.key() == "its own", "though a file is preferred where one company has both"
    with pytest.raises(ConfigurationError, match="south"):
        settings.of("south").solid.key()


def test_a_claim_must_outlive_the_calls_of_every_company() -> None:
    Path("relay.toml").write_text(TWO.replace("timeout_seconds = 20", "timeout_seconds = 60"))
    settings = load_settings()
    settings.of("south").refuse_wrong()
    with pytest.raises(ConfigurationError, match=r"must be longer than companies\.north\.solid\.timeout_seconds \(60"):
        settings.of("north").refuse_wrong()


def test_the_rate_of_a_company_is_checked_with_what_it_takes_from_all() -> None:
    Path("relay.toml").write_text(TWO.replace("window_seconds = 120", "burst = 400"))
    settings = load_settings()
    settings.of("south").refuse_wrong()
    with pytest.raises(ConfigurationError, match=r"companies\.north\.bucket: burst 400 leaves no rate"):
        settings.of("north").refuse_wrong()


def test_a_key_file_is_read_anew_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("key").write_text("old-key-01234567\n")
    monkeypatch.setenv("RELAY_SOLID__API_KEY_FILE", "key")
    solid = load_settings().solid
    assert solid.key() == "old-key-01234567"
    Path("key").write_text("# since May\nnew-key-01234567\n")
    assert solid.key() == "new-key-01234567"
    Path("key").unlink()
    with pytest.raises(ConfigurationError, match=r"solid\.api_key_file"):
        solid.key()
