"""The tables of `relay.toml`, one model each: what may be said there, and what is refused, with the arithmetic shown.

Nothing is read here but the files that hold secrets; which values are in force is `runtime/settings.py`'s affair.
"""

from collections.abc import Mapping
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    field_validator,
    model_validator,
)

from runtime import secret_files
from runtime.errors import ConfigurationError
from runtime.secret_files import read_secret

CompanyName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
"""Goes into queue names and routing keys: no dots."""


def with_scheme(url: SecretStr, schemes: tuple[str, ...]) -> SecretStr:
    """Refuse an address of another kind, or with a port that is no number, without showing it."""
    try:
        parts = urlsplit(url.get_secret_value())
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine, parts = False, urlsplit("")
    if not port_is_fine or parts.scheme not in schemes:
        msg = f"must be an address that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}"
        raise ValueError(msg)
    return url


def _address_in(setting: str, path: Path, schemes: tuple[str, ...]) -> SecretStr:
    """The address that a file holds. Raises ConfigurationError, as `read_secret`, or for another kind."""
    try:
        return with_scheme(SecretStr(read_secret(setting, path, secret_files.ADDRESS)), schemes)
    except ValueError as error:
        raise ConfigurationError(f"{setting}: {path}: {error}") from None


ProxyAddress = Annotated[SecretStr, AfterValidator(lambda url: with_scheme(url, ("http", "https")))]
"""Of a forward proxy; it may hold a password."""


class Section(BaseModel):
    """A table of `relay.toml`: unknown keys are errors, so that a misspelt one cannot be silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _no_nul(cls, said: Any) -> Any:  # noqa: ANN401 - raw, as it was written
        """No file can have such a name, and no server such an address."""
        if isinstance(said, str) and "\0" in said:
            msg = "holds a NUL character"
            raise ValueError(msg)
        return said


class RabbitSettings(Section):
    """`[rabbitmq]`: where the broker is, and how long to wait for it."""

    url: SecretStr = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    url_file: Path | None = None
    management_url: SecretStr | None = None
    management_url_file: Path | None = None
    ca_file: Path | None = None
    heartbeat_seconds: int = Field(default=10, ge=1, le=600)
    connect_timeout_seconds: float = Field(default=10, gt=0)
    publish_timeout_seconds: float = Field(default=10, gt=0)
    retry_delays_seconds: tuple[float, ...] = (10, 60, 600, 3600)

    def address(self) -> SecretStr:
        """The broker's URL: from the environment, else the content of `url_file`, else the default.

        Raises:
            ConfigurationError: the file cannot be read, or holds no amqp address.
        """
        if self.url_file is None or "url" in self.model_fields_set:
            return self.url
        return _address_in("rabbitmq.url_file", self.url_file, ("amqp", "amqps"))

    def management_address(self) -> SecretStr | None:
        """Where the management API listens: from the environment, else the content of the file; None for nowhere.

        Raises:
            ConfigurationError: the file cannot be read, or holds no http address.
        """
        if self.management_url is not None or self.management_url_file is None:
            return self.management_url
        return _address_in("rabbitmq.management_url_file", self.management_url_file, ("http", "https"))

    @field_validator("management_url")
    @classmethod
    def _is_http(cls, url: SecretStr | None) -> SecretStr | None:
        return url and with_scheme(url, ("http", "https"))

    @field_validator("url")
    @classmethod
    def _is_amqp(cls, url: SecretStr) -> SecretStr:
        return with_scheme(url, ("amqp", "amqps"))

    @model_validator(mode="after")
    def _delays_grow(self) -> "RabbitSettings":
        delays = self.retry_delays_seconds
        if not delays or list(delays) != sorted(set(delays)) or min(delays) < 0.1:  # noqa: PLR2004 - below, a queue a blink
            msg = "retry_delays_seconds must be growing numbers of at least 0.1, for example [10, 60, 600, 3600]"
            raise ValueError(msg)
        return self


class SolidSettings(Section):
    """`[solid]`: Solid's REST API and its dialect (`docs/dialect.md`)."""

    base_url: str = "http://127.0.0.1:21384"
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    ca_file: Path | None = None
    proxy: ProxyAddress | None = None
    connect_timeout_seconds: float = Field(default=5, gt=0)
    timeout_seconds: float = Field(default=30, gt=0)
    dialect: dict[str, Any] = {}
    known_balance: dict[str, Decimal] = {}

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        with_scheme(SecretStr(url), ("http", "https"))
        if "@" in url:
            msg = "must not hold a user or password: the API key is all that Solid wants"
            raise ValueError(msg)
        return url

    def key(self) -> str:
        """Solid's API key, read anew at every call so that a new key takes effect without a restart.

        Raises:
            ConfigurationError: neither `api_key` nor a readable `api_key_file` with one key is set.
        """
        if self.api_key_file is not None:
            return read_secret("solid.api_key_file", self.api_key_file)
        if self.api_key is not None:
            return self.api_key.get_secret_value()
        msg = "no API key for Solid: set RELAY_SOLID__API_KEY, or solid.api_key_file to a file that holds it."
        raise ConfigurationError(msg)


LaneName = Literal["live", "batch", "replay", "background"]
LANE_WEIGHTS: Mapping[LaneName, int] = {"live": 8, "batch": 4, "replay": 2, "background": 1}


class BucketSettings(Section):
    """`[bucket]`: what Solid allows (`docs/architecture.md`, the token bucket).

    In the worst window Solid sees `burst + rate * (window + jitter)` calls; the rate is what makes that
    sum the allowance.
    """

    allowance: int = 600
    window_seconds: float = Field(default=60, allow_inf_nan=False)
    burst: int = Field(default=5, ge=3)
    jitter_seconds: float = Field(default=0.25, ge=0, allow_inf_nan=False)
    lanes: dict[LaneName, Annotated[int, Field(le=1000)]] = dict(LANE_WEIGHTS)
    probe_gap_seconds: float = Field(default=1, gt=0)
    longest_probe_gap_seconds: float = Field(default=30, gt=0)

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return (self.allowance - self.burst) / (self.window_seconds + self.jitter_seconds)

    @field_validator("lanes", mode="before")
    @classmethod
    def _named(cls, lanes: Any) -> Any:  # noqa: ANN401 - raw, as it was written
        """Lanes that are not named keep their weight; none at all is a mistake."""
        usual = ", ".join(f"{lane} {weight}" for lane, weight in LANE_WEIGHTS.items())
        if lanes == {}:
            msg = f"no lane has a weight, so none would get a token; leave the setting out for {usual}"
            raise ValueError(msg)
        unknown = sorted(set(lanes) - LANE_WEIGHTS.keys()) if isinstance(lanes, dict) else []
        if unknown:
            msg = f"{', '.join(unknown)}: no such lane; the lanes and their usual weights are {usual}"
            raise ValueError(msg)
        return {**LANE_WEIGHTS, **lanes} if isinstance(lanes, dict) else lanes

    @field_validator("lanes")
    @classmethod
    def _none_starves(cls, lanes: dict[LaneName, int]) -> dict[LaneName, int]:
        whole = sum(max(weight, 0) for weight in lanes.values())
        for lane, weight in lanes.items():
            if weight < 1:
                msg = f"{lane} with weight {weight} would get {max(weight, 0)} of {whole} tokens, and wait for ever"
                raise ValueError(f"{msg}: weights are whole numbers from 1 on")
        return lanes

    @model_validator(mode="after")
    def _leaves_a_rate(self) -> "BucketSettings":
        window = f"(window {self.window_seconds:g} s + jitter {self.jitter_seconds:g} s)"
        if self.window_seconds <= 0:
            msg = f"rate = (allowance {self.allowance} - burst {self.burst}) / {window}"
            raise ValueError(f"{msg}: a window must last longer than 0 s")
        if self.burst >= self.allowance:
            msg = (
                f"burst {self.burst} leaves no rate: (allowance {self.allowance} - burst {self.burst}) / "
                f"{window} = {self.rate:.3f} tokens/s"
            )
            raise ValueError(msg)
        return self


class ReceiverSettings(Section):
    """`[receiver]`: the webhook receiver."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    max_body_bytes: int = Field(default=1_048_576, gt=0)
    retry_after_seconds: int = Field(default=30, gt=0)
    receive_seconds: float = Field(default=10, gt=0, le=600)
    max_connections: int = Field(default=512, ge=1)
    max_connections_per_client: int = Field(default=64, ge=1)
    max_bodies_bytes: int = Field(default=33_554_432, gt=0)
    proxies: tuple[IPvAnyNetwork, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

    @model_validator(mode="after")
    def _one_body_fits(self) -> "ReceiverSettings":
        if self.max_bodies_bytes < self.max_body_bytes:
            msg = f"max_bodies_bytes ({self.max_bodies_bytes}) is for all together, and max_body_bytes for each"
            raise ValueError(f"{msg} ({self.max_body_bytes}): the largest one would never fit")
        return self


class MetricsSettings(Section):
    """`[metrics]`: where each process shows its figures; never beside the webhooks, which strangers reach."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)


class WorkerSettings(Section):
    """`[worker]`: how a worker takes, holds, retries and gives up."""

    prefetch: int = Field(default=16, ge=1, le=1000)
    hold_seconds: float = Field(default=60, gt=0, le=600)
    drain_seconds: float = Field(default=20, ge=0)
    settle_seconds: float = Field(default=60, gt=0)
    lease_seconds: float = Field(default=60, gt=0)
    sweep_after_seconds: float = Field(default=3600, gt=0)
    max_attempts: int = Field(default=8, ge=1)
    max_deferrals: int = Field(default=8, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _metrics_moved(cls, said: Any) -> Any:  # noqa: ANN401 - raw, as it was written
        moved = [name for name in ("metrics_host", "metrics_port") if isinstance(said, dict) and name in said]
        if moved:
            raise ValueError(f"{moved[0]} is {moved[0].replace('_', '.')} now, for every process and not only workers")
        return said


class LogSettings(Section):
    """`[log]`: how the log reads."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class CompanySettings(Section):
    """`[companies.<name>]`: what is a company's own. What is not said here is as in the table of all."""

    books: Path | None = None
    solid: SolidSettings = SolidSettings()
    bucket: BucketSettings | None = None

    @model_validator(mode="after")
    def _has_a_key(self) -> "CompanySettings":
        if self.solid.api_key is None and self.solid.api_key_file is None:
            msg = "solid.api_key_file is missing: the allowance is granted to a key, so each company needs its own"
            raise ValueError(msg)
        return self


class WrongCompany(CompanySettings):
    """Stands in for a table `[companies.<name>]` that cannot be used: it says nothing but what is wrong with it."""

    problem: str

    @classmethod
    def saying(cls, problem: str) -> "WrongCompany":
        """Make one, without a key."""
        return cls.model_construct(problem=problem)
