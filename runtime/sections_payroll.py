"""`[payroll.<name>]`: where pay runs are pulled from, whose they are, and when.

One table for each account at a provider. Secrets stand in files only: the client's secret, and the tokens, which the
relay itself renews. Nothing is read here but the client's secret.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import Field, SecretStr, field_validator, model_validator

from runtime.secret_files import TOKEN, read_secret
from runtime.sections import CompanyName, ProxyAddress, Section, with_scheme
from runtime.time_zones import TimeZoneName

PayrollProvider = Literal["gusto", "finch", "xero-payroll", "csv"]
"""As the sources of `relay normalize` are called; `csv` for exports that are read from files."""
Frequency = Literal["weekly", "biweekly", "semimonthly", "monthly"]
PayrollName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]

BASE_URLS: Final = {
    "gusto": "https://api.gusto.com",
    "finch": "https://api.tryfinch.com",
    "xero-payroll": "https://api.xero.com",
    "csv": None,
}
TOKEN_URLS: Final = {
    "gusto": "https://api.gusto.com/oauth/token",
    "xero-payroll": "https://identity.xero.com/connect/token",
}
API_VERSIONS: Final = {"gusto": "2025-06-15", "finch": "2020-09-17"}
CALLS_PER_MINUTE: Final = {"gusto": 150, "finch": 60, "xero-payroll": 50, "csv": 60}
_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


class PayrollSettings(Section):
    """One account at one provider, as `docs/payroll.md` explains it."""

    provider: PayrollProvider
    entities: dict[str, CompanyName] = Field(min_length=1)
    base_url: str | None = None
    token_url: str | None = None
    api_version: str | None = None
    region: Literal["au", "nz", "uk"] | None = None
    token_file: Path | None = None
    client_id: str | None = None
    client_secret_file: Path | None = None
    calls_per_minute: int | None = Field(default=None, ge=1, le=10_000)
    timeout_seconds: float = Field(default=30, gt=0)
    proxy: ProxyAddress | None = None
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    options: dict[str, Any] = Field(default={})
    schedule: str | None = None
    time_zone: TimeZoneName = "UTC"
    months_back: int = Field(default=1, ge=0, le=12)
    frequency: Frequency | None = None
    first_period: date | None = None
    deadline_hours: float | None = Field(default=None, ge=0)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the schedule runs and a deadline falls."""
        return ZoneInfo(self.time_zone)

    @property
    def address(self) -> str:
        """The provider's base URL, without a slash at the end."""
        return (self.base_url or BASE_URLS[self.provider] or "").rstrip("/")

    @property
    def token_address(self) -> str:
        """Where tokens are renewed: as set, else beside the base URL that was set, else the provider's own."""
        if self.token_url is not None:
            return self.token_url
        beside = {"gusto": "/oauth/token", "xero-payroll": "/connect/token"}.get(self.provider, "")
        return self.address + beside if self.base_url is not None else TOKEN_URLS.get(self.provider, "")

    @property
    def version(self) -> str:
        """What the header of the API's version says."""
        return self.api_version or API_VERSIONS.get(self.provider, "")

    @property
    def pace(self) -> int:
        """Calls a minute."""
        return self.calls_per_minute or CALLS_PER_MINUTE[self.provider]

    def client_secret(self) -> SecretStr:
        """The secret of the OAuth client, read anew each time.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        path = self.client_secret_file
        return SecretStr("" if path is None else read_secret("payroll client_secret_file", path, TOKEN))

    @field_validator("base_url", "token_url")
    @classmethod
    def _is_http(cls, url: str | None) -> str | None:
        if url is not None:
            with_scheme(SecretStr(url), ("http", "https"))
            if "@" in url:
                msg = "must not hold a user or password: the tokens stand in token_file"
                raise ValueError(msg)
        return url

    @field_validator("schedule")
    @classmethod
    def _parses(cls, schedule: str | None) -> str | None:
        if schedule is not None:
            try:
                CronSim(schedule, _ANY_TIME)
            except CronSimError as error:
                msg = f"{schedule!r} is no cron expression ({error}); '0 7 * * 1-5' is 7:00 from Monday to Friday"
                raise ValueError(msg) from None
        return schedule

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.provider == "csv":
            if self.schedule is not None:
                msg = "a csv export cannot be pulled on a schedule: read its files with `relay payroll read`"
                raise ValueError(msg)
            return self
        wanted: dict[str, object] = {"token_file": self.token_file}
        if self.provider != "finch":
            wanted |= {"client_id": self.client_id, "client_secret_file": self.client_secret_file}
        if self.provider == "xero-payroll":
            wanted |= {"region": self.region}
        missing = [name for name, value in wanted.items() if value is None]
        if missing:
            msg = f"without {', '.join(missing)} {self.provider} cannot be asked: set that too"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _calendar_has_a_start(self) -> Self:
        if self.frequency in ("weekly", "biweekly") and self.first_period is None:
            msg = f"first_period is missing: frequency {self.frequency} counts from the first day of some pay period"
            raise ValueError(msg)
        return self
