"""The tables of `relay.toml` about feeds: watched folders and polled addresses.

Like `runtime/sections.py` it reads nothing but the files that hold secrets, and the options of a source.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SecretStr,
    Tag,
    field_validator,
    model_validator,
)

from runtime import secret_files
from runtime.errors import ConfigurationError
from runtime.secret_files import read_secret
from runtime.sections import CompanyName, ProxyAddress, Section
from runtime.time_zones import TimeZoneName

FEED_KINDS: Final = ("folder feed", "polling feed")
"""Tags of the two kinds; they stand in pydantic's paths, where nobody wants to read them."""

FeedName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]

_SECRET_HEADER: Final = re.compile(r"authorization|cookie|token|secret|key|password|signature", re.IGNORECASE)


class Fed(Section):
    """What every feed and webhook says: how its documents are read, and whose they are."""

    source: str = Field(min_length=1)
    company: CompanyName | None = None
    options: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    options_file: Path | None = None
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    facts_of: str | None = Field(default=None, pattern=r"^([a-z0-9][a-z0-9_-]{0,39})?$")

    @property
    def companies(self) -> tuple[str, ...]:
        """Whose books it names."""
        return () if self.company is None else (self.company,)

    def source_options(self) -> Mapping[str, Any]:
        """The source's own settings: those of `options_file`, and over them `options`.

        Raises:
            ConfigurationError: the file cannot be read, or is no TOML.
        """
        return {**(read_options(self.options_file) if self.options_file else {}), **self.options}


class FolderFeed(Fed):
    """`[feeds.<name>]` with a `folder`: files that somebody puts there."""

    folder: Path
    state_folder: Path | None = None
    files: str = Field(default="*", min_length=1)
    every_seconds: float = Field(default=10, gt=0)
    quiet_seconds: float = Field(default=10, ge=0)
    bad_rows: Literal["report", "refuse_file"] = "report"
    max_bytes: int = Field(default=1_073_741_824, gt=0)
    max_seconds: float = Field(default=120, gt=0)
    max_memory_bytes: int = Field(default=1_073_741_824, ge=134_217_728)
    child_above_bytes: int = Field(default=1_048_576, ge=0)
    lease_seconds: float = Field(default=60, ge=1)


class CursorSettings(Section):
    """`cursor` of a polled feed: under which parameter it is sent, and where the next one is found."""

    param: str = Field(min_length=1)
    max_of: str | None = None
    field: str | None = None
    kind: Literal["time", "number", "unix", "unix_ms"] = "time"
    time_zone: TimeZoneName | None = None
    start: str | None = None

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> "CursorSettings":
        if (self.max_of is None) == (self.field is None):
            msg = "say one: max_of (the field of an item whose largest value it is), or field (of the whole answer)"
            raise ValueError(msg)
        return self


class PageSettings(Section):
    """`pages` of a polled feed: how one answer leads to the next page.

    `link`: by its `Link` header. `next`: by the `field` that holds an address, or the value of `param`. `number`: by
    counting `param` from `first` in steps of `step`, until a page has no items, or fewer than `size`.
    """

    kind: Literal["link", "next", "number"] = "link"
    field: str | None = None
    param: str | None = None
    first: int = Field(default=1, ge=0)
    step: int = Field(default=1, gt=0)
    size: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> "PageSettings":
        if (self.kind == "next") != (self.field is not None):
            msg = "field (the field of an answer that leads to the next page) is said with kind next, and with no other"
            raise ValueError(msg)
        if self.kind == "number" and self.param is None:
            msg = "param (the parameter that takes the number of the page) is missing"
            raise ValueError(msg)
        return self


OLD_PAGES: Final = {
    "next_field": "field",
    "next_param": "param",
    "page_param": "param",
    "page_first": "first",
    "page_step": "step",
    "page_size": "size",
}
"""Settings of before, and what they are called in `pages` now."""


class PollingFeed(Fed):
    """`[feeds.<name>]` with a `url`: an HTTP API that is asked again and again."""

    url: str
    headers: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it
    token: SecretStr | None = None
    token_file: Path | None = None
    token_header: str = "Authorization"  # noqa: S105 - the name of a header
    token_prefix: str = "Bearer "  # noqa: S105 - what stands before a token
    items: str = ""
    cursor: CursorSettings | None = None
    overlap_seconds: float = Field(default=300, ge=0)
    etag: bool = True
    pages: PageSettings = PageSettings()
    calls_per_minute: float = Field(default=60, gt=0)
    every_seconds: float = Field(default=300, gt=0)
    timeout_seconds: float = Field(default=30, gt=0)
    max_bytes: int = Field(default=67_108_864, gt=0)
    proxy: ProxyAddress | None = None
    ca_file: Path | None = None

    def bearer(self, name: str) -> str | None:
        """The token, read anew at every call; None where there is none. `name` is the feed's, for the message.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        if self.token_file is not None:
            return read_secret(f"feeds.{name}.token_file", self.token_file, secret_files.TOKEN)
        return None if self.token is None else self.token.get_secret_value()

    _renamed: tuple[str, ...] = PrivateAttr(default=())

    @property
    def renamed(self) -> tuple[str, ...]:
        """A sentence for each setting that was said by the name of before."""
        return self._renamed

    @model_validator(mode="wrap")
    @classmethod
    def _take_old_names(cls, said: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - raw
        old = [name for name in OLD_PAGES if name in said] if isinstance(said, Mapping) else []
        if not old:
            return handler(said)
        if "pages" in said or {"next_field", "page_param"} <= {*old}:
            msg = f'{", ".join(old)}: say pages instead, for example pages = {{ kind = "number", param = "page" }}'
            raise ValueError(msg)
        if not {"next_field", "next_param", "page_param"} & {*old}:  # the others mean nothing without one
            return handler({name: value for name, value in said.items() if name not in OLD_PAGES})
        kind = "next" if any(name.startswith("next_") for name in old) else "number"
        feed = handler(
            {name: value for name, value in said.items() if name not in OLD_PAGES}
            | {"pages": {"kind": kind} | {OLD_PAGES[name]: said[name] for name in old}}
        )
        feed._renamed = tuple(f"{name} is called pages.{OLD_PAGES[name]} now; both work" for name in old)  # noqa: SLF001 - of this very class
        return feed

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            msg = "must be an address that starts with http:// or https://"
            raise ValueError(msg)
        if "@" in parts.netloc:
            msg = "must not hold a user or password: put the secret into token_file"
            raise ValueError(msg)
        return url

    @field_validator("headers")
    @classmethod
    def _hold_no_secret(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if _SECRET_HEADER.search(name):
                msg = f"{name} looks like a secret: put it into token_file, and say token_header and token_prefix"
                raise ValueError(msg)
        return headers


def _kind(written: Any) -> str:  # noqa: ANN401 - raw, as it was written
    polls = "url" in written if isinstance(written, dict) else isinstance(written, PollingFeed)
    return FEED_KINDS[1 if polls else 0]


FeedSettings: TypeAlias = Annotated[
    Annotated[FolderFeed, Tag(FEED_KINDS[0])] | Annotated[PollingFeed, Tag(FEED_KINDS[1])], Discriminator(_kind)
]
"""A feed is polled where it has a `url`, and a folder otherwise."""


SECRETS: Final[Mapping[str, str]] = {"feeds": "token", "webhooks": "secrets"}
"""Kind of table → its setting that is a secret."""


def secret_settings_in(written: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Tables that hold a secret in `relay.toml` as it was written, and its setting: `feeds`, `north`, `token`."""
    for kind, secret in SECRETS.items():
        tables = written.get(kind)
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if isinstance(table, dict) and secret in table:
                yield kind, name, secret


def read_options(path: Path) -> dict[str, Any]:
    """The options of a source from a TOML file of their own.

    Raises:
        ConfigurationError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        msg = f"{path}: {error.strerror}. Name a TOML file with the options of the source."
        raise ConfigurationError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is not valid TOML: {error}"
        raise ConfigurationError(msg) from None
