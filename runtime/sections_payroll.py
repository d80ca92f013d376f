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

EXPORTS: Final = "csv"
"""The provider of an account whose runs are read from files; every other is called as its source is."""
Frequency = Literal["weekly", "biweekly", "semimonthly", "monthly"]
PayrollName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]

_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


class PayrollSettings(Section):
    """One account at one provider, as `docs/payroll.md` explains it."""

    provider: str = Field(min_length=1)
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
    def companies(self) -> tuple[str, ...]:
        """Whose books it names."""
        return tuple(self.entities.values())

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the schedule runs and a deadline falls."""
        return ZoneInfo(self.time_zone)

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
    def _exports_are_read(self) -> Self:
        if self.provider == EXPORTS and self.schedule is not None:
            msg = "a csv export cannot be pulled on a schedule: read its files with `relay payroll read`"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _calendar_has_a_start(self) -> Self:
        if self.frequency in ("weekly", "biweekly") and self.first_period is None:
            msg = f"first_period is missing: frequency {self.frequency} counts from the first day of some pay period"
            raise ValueError(msg)
        return self
