"""`[store]` of `relay.toml`: where the database is, and what proves it and us to each other."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from runtime import secret_files
from runtime.secret_files import read_secret, read_secrets
from runtime.sections import Section, with_scheme

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def holds_password(url: str) -> bool:
    """Whether an address has a password in it, as its part or as one of its parameters."""
    parts = urlsplit(url)
    return bool(parts.password) or any("password" in name for name in parse_qs(parts.query))


class StoreSettings(Section):
    """`[store]`: the database of the inbox, the dead letters and the audit."""

    url: SecretStr = SecretStr("sqlite+aiosqlite:///var/relay.db")
    password_file: Path | None = None
    ca_file: Path | None = None
    settled_days: float = Field(default=90, gt=0)
    body_key_file: Path | None = None

    def body_keys(self) -> tuple[SecretStr, ...]:
        """The keys that bodies of dead letters are sealed under, the newest first; none where no file is set.

        Raises:
            ConfigurationError: the file cannot be read, or a line is no key.
        """
        return (
            ()
            if self.body_key_file is None
            else read_secrets("store.body_key_file", self.body_key_file, secret_files.BODY_KEY)
        )

    def password(self) -> str | None:
        """PostgreSQL's password where a file holds it; asked for at each connect, so a new one needs no restart.

        Raises:
            ConfigurationError: the file cannot be read, or does not hold exactly one.
        """
        if self.password_file is None:
            return None
        return read_secret("store.password_file", self.password_file, secret_files.PASSWORD)

    @property
    def ssl_mode(self) -> str | None:
        """How far PostgreSQL's certificate is looked at, as libpq calls it; None where nothing is said."""
        said = parse_qs(urlsplit(self.url.get_secret_value()).query)
        modes = said.get("sslmode") or said.get("ssl")
        return modes[-1] if modes else "verify-full" if self.ca_file else None

    @field_validator("url")
    @classmethod
    def _is_a_database(cls, url: SecretStr) -> SecretStr:
        return with_scheme(url, ("sqlite", "sqlite+aiosqlite", "postgresql", "postgresql+asyncpg"))

    @model_validator(mode="after")
    def _fits_the_database(self) -> "StoreSettings":
        url, own = self.url.get_secret_value(), (self.password_file, self.ca_file)
        if not url.startswith("postgresql") and any(own):
            msg = "password_file and ca_file are PostgreSQL's, and url names an SQLite file: set url, or leave them out"
            raise ValueError(msg)
        if self.password_file is not None and holds_password(url):
            msg = "a password is in url and another in password_file: take the one out of url"
            raise ValueError(msg)
        if self.ssl_mode not in (None, *SSL_MODES):
            msg = f"url: sslmode is one of {', '.join(SSL_MODES)}"
            raise ValueError(msg)
        if self.ca_file is not None and self.ssl_mode not in SSL_MODES[-2:]:
            msg = "ca_file proves who PostgreSQL is, and sslmode of url says not to look: set sslmode to verify-full"
            raise ValueError(msg)
        return self
