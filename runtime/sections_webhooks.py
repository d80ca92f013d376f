"""The table of a webhook in `relay.toml`, of any source: `[webhooks.<name>]`, and two that have short names.

What a source's own webhook is (how it is signed, what its secrets look like, which of these settings mean something to
it) stands with the source, and is checked when the webhook is made.
"""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from runtime.errors import ConfigurationError
from runtime.secret_files import Shape, checked, read_secrets
from runtime.sections import CompanyName, with_scheme
from runtime.sections_feeds import Fed, FeedName

SHORT_NAMES: Final = ("stripe", "shopify")
"""Tables of their own that are short for `[webhooks.<name>]` with the source of that name."""

OF_SOME_SOURCES: Final = frozenset({"test_mode", "accounts", "outside", "shops", "locations", "oldest_hours"})
"""Settings that mean something to a source whose own webhook takes them (`producers.source.Webhook`), and to no other.
"""


def _refuse_short(name: str) -> str:
    """Both would be taken in at one path."""
    if name in SHORT_NAMES:
        raise ValueError(f"this table is called [{name}]")
    return name


WebhookName = Annotated[FeedName, AfterValidator(_refuse_short)]


def table_of(name: str) -> str:
    """What the table of a webhook is called in `relay.toml`."""
    return name if name in SHORT_NAMES else f"webhooks.{name}"


class WebhookSettings(Fed):
    """One webhook: which source reads its bodies, how they are signed, and whose they are.

    `signature` is not needed where the source has a webhook of its own. `url` is the address as the sender knows it.
    """

    url: str | None = None
    signature: dict[str, Any] | None = None
    secrets: tuple[SecretStr, ...] = ()
    secrets_file: Path | None = None
    tolerance_seconds: int = Field(default=300, gt=0)
    test_mode: bool = False
    outside: Literal["hold", "ignore"] = "hold"
    accounts: dict[str, CompanyName] = {}  # noqa: RUF012 - pydantic copies it
    shops: dict[str, CompanyName] = {}  # noqa: RUF012 - pydantic copies it
    locations: dict[Annotated[str, Field(pattern=r"^[0-9]{1,20}$")], str] = {}  # noqa: RUF012 - pydantic copies it
    oldest_hours: float = Field(default=72, gt=0)

    @property
    def configured(self) -> bool:
        """Whether it has a signing secret at all."""
        return bool(self.secrets) or self.secrets_file is not None

    @property
    def companies(self) -> tuple[str, ...]:
        """See `Fed`."""
        return (*super().companies, *self.accounts.values(), *self.shops.values())

    def signing_secrets(self, name: str, shape: Shape) -> tuple[SecretStr, ...]:
        """All signing secrets of the webhook of this name: those set, and the lines of `secrets_file`.

        Raises:
            ConfigurationError: there is none, the file cannot be read, or one does not have the shape.
        """
        table = table_of(name)
        variable = f"RELAY_{table.replace('.', '__')}__SECRETS".upper()
        secrets = checked(variable, self.secrets, shape)
        if self.secrets_file is not None:
            secrets += read_secrets(f"{table}.secrets_file", self.secrets_file, shape)
        if not secrets:
            msg = (
                f"no signing secret for the webhook {name}: name a file with one secret a line ({shape.said}) with "
                f"{table}.secrets_file, or set {variable}='[\"…\"]'."
            )
            raise ConfigurationError(msg)
        return secrets

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str | None) -> str | None:
        return url and with_scheme(SecretStr(url), ("http", "https")).get_secret_value()

    @field_validator("shops")
    @classmethod
    def _in_lower_case(cls, shops: dict[str, str]) -> dict[str, str]:
        return {shop.lower(): company for shop, company in shops.items()}

    @field_validator("locations")
    @classmethod
    def _of_shops_in_lower_case(cls, locations: dict[str, str]) -> dict[str, str]:
        return {location: shop.lower() for location, shop in locations.items()}

    @model_validator(mode="after")
    def _shops_are_told_by_what_is_signed(self) -> Self:
        if len(set(self.shops.values())) > 1 and not self.locations:
            msg = (
                "shops of several companies need locations (a location's id → its shop): the header that names the shop"
            )
            raise ValueError(f"{msg} is not signed, so one shop's stock could be told as another's")
        strange = sorted(set(self.locations.values()) - self.shops.keys())
        if strange:
            raise ValueError(f"locations name {', '.join(strange)}, which shops does not have")
        return self
