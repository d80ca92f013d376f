"""How a provider of pay runs is asked: by its value in the table of sources, and what the account says otherwise."""

from typing import Any

import pytest

from ops.composing.payroll import address_of, pace_of, pulled_of, token_address_of
from runtime.sections_payroll import PayrollSettings
from runtime.settings import ConfigurationError

GUSTO = {
    "provider": "gusto",
    "entities": {"e1": "main"},
    "token_file": "tokens.json",
    "client_id": "c",
    "client_secret_file": "secret",
}


def settings(**changes: Any) -> PayrollSettings:  # noqa: ANN401 - as from TOML
    return PayrollSettings.model_validate(GUSTO | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"token_file": None}, "payroll.one: without token_file gusto cannot be asked"),
        ({"provider": "xero-payroll"}, "without region xero-payroll"),
        ({"provider": "gutso"}, "payroll.one.provider: no provider is called 'gutso'; known: finch, gusto, "),
        ({"provider": "stripe"}, "no provider is called 'stripe'"),
        ({"provider": "csv"}, "is read from files"),
    ],
)
def test_an_account_that_cannot_be_asked_says_why(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        pulled_of("one", settings(**changes))
    assert message in str(refused.value)


def test_what_is_not_said_is_the_provider_s_own() -> None:
    own = settings()
    pulled = pulled_of("one", own)
    assert (address_of(own, pulled), pulled.api_version, pace_of(own, pulled)) == (
        "https://api.gusto.com",
        "2025-06-15",
        150,
    )
    assert token_address_of(own, pulled) == "https://api.gusto.com/oauth/token"
    beside = settings(base_url="http://127.0.0.1:1/")
    assert token_address_of(beside, pulled) == "http://127.0.0.1:1/oauth/token"
    assert token_address_of(settings(token_url="https://tokens"), pulled) == "https://tokens"
