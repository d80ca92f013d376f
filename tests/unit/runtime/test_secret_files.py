"""Files of secrets: one secret a line, and nothing that stands beside one is ever taken for one."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from producers.calling.errors import TokenRefused
from producers.calling.tokens import FixedToken
from runtime import secret_files
from runtime.errors import ConfigurationError
from runtime.secret_files import fingerprint, read_secret, read_secrets
from runtime.sections import RabbitSettings, SolidSettings
from runtime.sections_feeds import PollingFeed
from runtime.sections_payroll import PayrollSettings
from runtime.sections_webhooks import WebhookSettings
from tests.unit.producers.sourcing import webhook_of

OLD, NEW = "whsec_0123456789abcdef01", "whsec_fedcba9876543210fe"
CLIENT = "shpss_0123456789abcdef0123456789abcdef"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def signing(name: str, **said: Any) -> tuple[SecretStr, ...]:  # noqa: ANN401 - as from TOML
    return WebhookSettings(source=name, **said).signing_secrets(name, webhook_of(name).secret)


def stripe(file: Path) -> list[str]:
    return [secret.get_secret_value() for secret in signing("stripe", secrets_file=file)]


@pytest.mark.parametrize(
    "written",
    [
        f"{OLD}\n{NEW}\n",
        f"# rotate the old one in May\n\n  {OLD}  \n\t#the new one:\n{NEW} # from 2026-05-01",
        f"\"{OLD}\"\n'{NEW}'  # quoted\n",
        f"\ufeff{OLD}\r\n{NEW}\r\n",
    ],
)
def test_each_line_is_one_secret_and_a_comment_is_none(file: Path, written: str) -> None:
    file.write_text(written, "utf-8")
    assert stripe(file) == [OLD, NEW]


@pytest.mark.parametrize(
    "line",
    [
        "the",
        "whsec_",
        "whsec_short",
        "whsec_your_secret_goes_here",
        f"{OLD} {NEW}",
        f"{OLD},{NEW}",
        f"{OLD} rotate the hidden one",
        f"STRIPE_SECRET={OLD}",
        f"export STRIPE_SECRET={OLD}",
        f'"{OLD}',
        f"{OLD}'",
        f'""{OLD}""',
        f"{OLD}\u200b",
        f"{OLD}\x0b{NEW}",
        "; hidden",
        "// hidden",
        "sk_live_hidden0123456789abcdef",
        '""',
    ],
)
def test_a_line_that_is_no_signing_secret_is_refused_by_its_number_and_never_shown(file: Path, line: str) -> None:
    file.write_text(f"{NEW}\n# hidden\n{line}\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"stripe\.secrets_file: .*secrets, line 3: not whsec_") as refused:
        stripe(file)
    shown = str(refused.value).replace(str(file), "")
    assert not any(text in shown for text in ("hidden", OLD, NEW, "0123", "the\n"))


@pytest.mark.parametrize("content", [b"", b"\n \n", b"# only a comment\n", b"\xef\xbb\xbf"])
def test_a_file_without_a_secret_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="holds no secret"):
        stripe(file)
    with pytest.raises(ConfigurationError, match="holds 0 secrets"):
        SolidSettings(api_key_file=file).key()


@pytest.mark.parametrize(
    "content", [OLD.encode("utf-16"), OLD.encode("utf-16-le"), b"\xff\xfe", OLD.encode() + b"\0", b"\n" * 70_000]
)
def test_a_file_that_is_no_text_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"UTF-8|64 KiB"):
        stripe(file)


def test_a_pipe_or_a_folder_is_refused_and_not_waited_for(file: Path) -> None:
    os.mkfifo(file)
    with pytest.raises(ConfigurationError, match="no regular file"):
        stripe(file)
    with pytest.raises(ConfigurationError, match=r"regular file|directory"):
        stripe(file.parent)


ACCOUNT = {"provider": "gusto", "entities": {"e": "main"}, "token_file": "t", "client_id": "c"}
READERS: dict[str, Callable[[Path], object]] = {
    "stripe": lambda file: signing("stripe", secrets_file=file),
    "shopify": lambda file: signing("shopify", secrets_file=file),
    "solid": lambda file: SolidSettings(api_key_file=file).key(),
    "broker": lambda file: RabbitSettings(url_file=file).address(),
    "management": lambda file: RabbitSettings(management_url_file=file).management_address(),
    "feed": lambda file: PollingFeed(source="x", url="http://x", token_file=file).bearer("x"),
    "payroll client": lambda file: PayrollSettings(**ACCOUNT, client_secret_file=file).client_secret(),
    "payroll token": lambda file: FixedToken(file, where="payroll.x").current(),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("line", ["short", "rotate the hidden one in May", "KEY=0123456789abcdef0123456789"])
def test_every_file_of_secrets_is_read_by_the_same_rules(file: Path, reader: str, line: str) -> None:
    file.write_text(f"# a comment\n{line}\n")
    with pytest.raises((ConfigurationError, TokenRefused), match="secrets, line 2: not ") as refused:
        READERS[reader](file)
    assert line not in str(refused.value)


@pytest.mark.parametrize("reader", [each for each in READERS if each not in ("stripe", "shopify")])
def test_where_one_is_wanted_two_are_refused_with_their_lines(file: Path, reader: str) -> None:
    one = {"broker": "amqp://u:hush@h/", "management": "http://u:hush@h/"}.get(reader, "0123456789abcdef")
    file.write_text(f"{one}\n# and\n{one}\n")
    with pytest.raises((ConfigurationError, TokenRefused), match=r"holds 2 secrets \(lines 1, 3\)") as refused:
        READERS[reader](file)
    assert one not in str(refused.value)
    file.write_text(f'\ufeff# mine\r\n"{one}"\r\n', "utf-8")
    assert READERS[reader](file) in (one, SecretStr(one))


def test_what_the_environment_says_is_held_to_the_same_shape() -> None:
    with pytest.raises(ConfigurationError, match=r"RELAY_STRIPE__SECRETS: secret 2 is not whsec_"):
        signing("stripe", secrets=(SecretStr(OLD), SecretStr("the")))
    with pytest.raises(ConfigurationError, match=r"RELAY_SHOPIFY__SECRETS: secret 1 is not"):
        signing("shopify", secrets=(SecretStr("the"),))


def test_a_password_may_have_blanks_where_it_is_quoted(file: Path) -> None:
    file.write_text('# of the database\n"correct # horse"\n')
    assert read_secret("store.password_file", file, secret_files.PASSWORD) == "correct # horse"
    file.write_text("correct horse\n")
    with pytest.raises(ConfigurationError, match="line 1"):
        read_secret("store.password_file", file, secret_files.PASSWORD)


def test_a_fingerprint_is_what_a_person_can_compute_and_says_no_more(file: Path) -> None:
    file.write_text(f"{CLIENT}\n")
    (secret,) = read_secrets("shopify.secrets_file", file, webhook_of("shopify").secret)
    assert fingerprint(secret) == hashlib.sha256(CLIENT.encode()).hexdigest()[:8]
    assert fingerprint(OLD) != fingerprint(NEW)
