"""Refuses secrets that stand in `relay.toml` itself: people copy it, show it to others and keep it in repositories.

It must not show any of them.
"""

import tomllib
from pathlib import Path
from typing import Final

from runtime.errors import ConfigurationError
from runtime.sections_feeds import secret_settings_in
from runtime.sections_store import holds_password

SECRETS: Final = (
    ("solid", "api_key"),
    ("rabbitmq", "url"),
    ("rabbitmq", "management_url"),
    ("stripe", "secrets"),
    ("shopify", "secrets"),
)
"""Settings that `relay.toml` may not hold."""


def refuse_secrets_in(path: Path) -> dict[tuple[str, str], str]:
    """Raise for a secret in a table of all; give (kind of table, name) → what is to be said of one in its own."""
    if not path.is_file():
        return {}
    written = tomllib.loads(path.read_text("utf-8"))
    for where in _secrets_in(written):
        raise ConfigurationError(_secret(path, where))
    store = written.get("store")
    url = store.get("url") if isinstance(store, dict) else None
    if isinstance(url, str) and holds_password(url):
        msg = f"{path}: store.url holds a password: put it into a file and name that with store.password_file"
        raise ConfigurationError(f"{msg}, or set RELAY_STORE__URL.")
    companies = written.get("companies")
    own = companies if isinstance(companies, dict) else {}
    return {
        ("companies", name): "; ".join(_secret(path, f"companies.{name}.{where}") for where in found)
        for name, tables in own.items()
        if (found := _secrets_in(tables))
    } | {(kind, name): _secret(path, f"{kind}.{name}.{where}") for kind, name, where in secret_settings_in(written)}


def _secrets_in(tables: object) -> list[str]:
    """The settings of `SECRETS` that are there."""
    found = {section: tables.get(section) for section, _ in SECRETS} if isinstance(tables, dict) else {}
    return [
        f"{section}.{name}"
        for section, name in SECRETS
        if isinstance(table := found.get(section), dict) and name in table
    ]


def _secret(path: Path, where: str) -> str:
    variable = f"RELAY_{where.replace('.', '__')}".upper()
    msg = f"{path}: {where} is a secret: put it into a file and name that with {where}_file"
    return f"{msg}, or set {variable}."
