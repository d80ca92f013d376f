"""Every setting of the relay, read from `relay.toml` and overridden by `RELAY_…` variables.

Secrets (API key, webhook secrets, broker URL with its password) come from the environment or from files
named here, never from `relay.toml` itself. A wrong setting is refused at start with the arithmetic shown.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from pydantic import ModelWrapValidatorHandler, PrivateAttr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from runtime.errors import ConfigurationError
from runtime.no_secrets import refuse_secrets_in
from runtime.sections import (
    BucketSettings,
    CompanyName,
    CompanySettings,
    LogSettings,
    MetricsSettings,
    RabbitSettings,
    ReceiverSettings,
    SolidSettings,
    WorkerSettings,
    WrongCompany,
)
from runtime.sections_feeds import FEED_KINDS, FeedName, FeedSettings
from runtime.sections_payroll import PayrollName, PayrollSettings
from runtime.sections_store import StoreSettings
from runtime.sections_webhooks import SHORT_NAMES, WebhookName, WebhookSettings

__all__ = [
    "BucketSettings",
    "ConfigurationError",
    "RabbitSettings",
    "ReceiverSettings",
    "Settings",
    "WorkerSettings",
    "load_settings",
]

_TABLES: Final = ("companies", "webhooks", "feeds", "payroll")
"""Tables of tables: one that cannot be used stands still by itself."""
OTHER_VARIABLES = {"RELAY_CONFIG", "RELAY_SIMULATOR_KEY"}


class Settings(BaseSettings):
    """All settings of one relay."""

    model_config = SettingsConfigDict(
        env_prefix="RELAY_", env_nested_delimiter="__", frozen=True, extra="forbid", toml_file="relay.toml"
    )

    company: CompanyName = "main"
    books: Path = Path("books.toml")
    plain_hosts: tuple[str, ...] = ()
    rabbitmq: RabbitSettings = RabbitSettings()
    solid: SolidSettings = SolidSettings()
    bucket: BucketSettings = BucketSettings()
    store: StoreSettings = StoreSettings()
    receiver: ReceiverSettings = ReceiverSettings()
    stripe: WebhookSettings = WebhookSettings(source="stripe")
    shopify: WebhookSettings = WebhookSettings(source="shopify")
    webhooks: dict[WebhookName, WebhookSettings] = {}
    feeds: dict[FeedName, FeedSettings] = {}
    worker: WorkerSettings = WorkerSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    payroll: dict[PayrollName, PayrollSettings] = {}
    companies: dict[CompanyName, CompanySettings] = {}
    _wrong: dict[str, dict[str, str]] = PrivateAttr(default_factory=dict)

    @property
    def served(self) -> tuple[str, ...]:
        """The companies whose books are written: those of `[companies]`, or the only one."""
        return tuple(sorted(self.companies)) or (self.company,)

    @property
    def fed(self) -> tuple[str, ...]:
        """All companies whose events this relay takes."""
        tables = (*self.all_webhooks.values(), *self.feeds.values(), *self.payroll.values())
        named = {company for table in tables for company in table.companies}
        return tuple(sorted({self.company, *self.served, *named}))

    @property
    def all_webhooks(self) -> Mapping[str, WebhookSettings]:
        """Every webhook by its name, with those of short tables, whether they have a secret or not."""
        return {**{name: getattr(self, name) for name in SHORT_NAMES}, **self.webhooks}

    @property
    def received(self) -> Mapping[str, WebhookSettings]:
        """The webhooks that are taken in: those of `[webhooks]`, and those of short tables that have a secret."""
        return {name: own for name, own in self.all_webhooks.items() if own.configured or name in self.webhooks}

    def of(self, company: str) -> "Settings":
        """The settings as they are for one company.

        Of a company whose own table is wrong they only say which it is: see `refuse_wrong`.

        Raises:
            ConfigurationError: the company is not known.
        """
        if not self.companies and company == self.company:
            return self
        if company not in self.companies:
            msg = f"company {company} is not in [companies]; known: {', '.join(self.served)}"
            raise ConfigurationError(msg)
        own = self.companies[company]
        keyless = self.solid.model_copy(update={"api_key": None, "api_key_file": None})
        changes = {name: getattr(own.solid, name) for name in own.solid.model_fields_set}
        return self.model_copy(
            update={
                "company": company,
                "books": own.books or self.books,
                "solid": keyless.model_copy(update=changes),
                "bucket": own.bucket or self.bucket,
            }
        )

    def refuse_wrong(self) -> None:
        """Ask before anything is done with what is a company's own: its Solid, key or books.

        Raises:
            ConfigurationError: what is wrong with the company's table.
        """
        own = self.companies.get(self.company)
        if isinstance(own, WrongCompany):
            raise ConfigurationError(own.problem)

    @model_validator(mode="wrap")
    @classmethod
    def _each_for_itself(
        cls,
        said: Any,  # noqa: ANN401 - raw, as it was written
        handler: ModelWrapValidatorHandler["Settings"],
    ) -> "Settings":
        """What is wrong in the table of one company, feed or payroll account is its own affair."""
        try:
            return handler(said)
        except ValidationError as error:
            problems = error.errors()
            if not all(_of_one_table(problem) for problem in problems):
                raise
        own = [tuple(map(str, problem["loc"][:2])) for problem in problems]
        usable = {
            table: {name: each for name, each in tables.items() if (table, name) not in own}
            if table in _TABLES
            else tables
            for table, tables in said.items()
        }
        settings = handler(usable)
        for table, name in dict.fromkeys(own):
            mine = [each for each, of in zip(problems, own, strict=True) if of == (table, name)]
            settings.leave_out(table, name, _problems(mine))
        return settings

    def leave_out(self, table: str, name: str, problem: str) -> None:
        """Let one company, webhook, feed or payroll account stand still by itself; `problem` says what is wrong."""
        if table == "companies":
            self.companies[name] = WrongCompany.saying(problem)
        else:
            getattr(self, table).pop(name, None)
            self._wrong.setdefault(table, {}).setdefault(name, problem)

    @property
    def wrong_webhooks(self) -> Mapping[str, str]:
        """Webhook → what is wrong with its table; such a webhook is not in `webhooks`."""
        return self._wrong.get("webhooks", {})

    @property
    def wrong_feeds(self) -> Mapping[str, str]:
        """Feed → what is wrong with its table; such a feed is not in `feeds`."""
        return self._wrong.get("feeds", {})

    @property
    def wrong_payroll(self) -> Mapping[str, str]:
        """Payroll account → what is wrong with its table; such an account is not in `payroll`."""
        return self._wrong.get("payroll", {})

    @model_validator(mode="before")
    @classmethod
    def _buckets_say_the_rest_as_that_of_all(cls, said: Any) -> Any:  # noqa: ANN401 - raw, as it was written
        """What a company's bucket does not say is as in [bucket]: else its rate would follow from the defaults."""
        common, companies = said.get("bucket"), said.get("companies")
        if not isinstance(common, dict) or not isinstance(companies, dict):
            return said
        merged = {
            name: {**own, "bucket": {**common, **own["bucket"]}}
            if isinstance(own, dict) and isinstance(own.get("bucket"), dict)
            else own
            for name, own in companies.items()
        }
        return {**said, "companies": merged}

    @model_validator(mode="before")
    @classmethod
    def _short_tables_name_their_source(cls, said: Any) -> Any:  # noqa: ANN401 - raw, as it was written
        """`[stripe]` is `[webhooks.stripe]` with `source = "stripe"`."""
        short = {name: said[name] for name in SHORT_NAMES if isinstance(said.get(name), dict)}
        for name in SHORT_NAMES:
            if short.get(name, {}).get("source", name) != name:
                raise ValueError(f"{name}.source: it is {name}; another source has a table [webhooks.<name>]")
        return {**said, **{name: {**table, "source": name} for name, table in short.items()}}

    @model_validator(mode="after")
    def _companies_are_served(self) -> "Settings":
        if not self.companies:
            return self
        for name in SHORT_NAMES:
            for problem in filter(None, map(self._not_served, (self.company, *getattr(self, name).companies))):
                raise ValueError(f"{problem} Set company, and the companies of {name}, to some that are there.")
        for kind in ("webhooks", "feeds"):
            for name in [name for name, own in getattr(self, kind).items() if not own.companies]:
                problem = f"{kind}.{name}.company is missing: say whose books, one of {', '.join(self.served)}"
                self.leave_out(kind, name, problem)
        for kind, where in (("webhooks", ""), ("feeds", ".company"), ("payroll", ".entities")):
            for name, own in list(getattr(self, kind).items()):
                for problem in filter(None, map(self._not_served, own.companies)):
                    self.leave_out(kind, name, f"{kind}.{name}{where}: {problem}")
        return self

    def _not_served(self, company: str) -> str | None:
        if company in self.companies:
            return None
        return (
            f"events go to company {company}, and [companies.{company}] is missing: nobody would write its books; "
            f"known: {', '.join(self.served)}."
        )

    @model_validator(mode="after")
    def _an_entity_is_pulled_by_one_account(self) -> "Settings":
        """Two accounts with other options would replace each other's versions of a run for ever."""
        for (one, mine), (other, theirs) in combinations(list(self.payroll.items()), 2):
            if mine.provider == theirs.provider and (shared := sorted(mine.entities.keys() & theirs.entities.keys())):
                problem = (
                    f"{', '.join(shared)} of {mine.provider} is in the entities of both payroll.{one} and "
                    f"payroll.{other}: leave it in one of them"
                )
                self.leave_out("payroll", one, problem)
                self.leave_out("payroll", other, problem)
        return self

    @model_validator(mode="after")
    def _lease_outlives_a_call(self) -> "Settings":
        if (problem := self._too_patient("solid", self.solid)) is not None:
            raise ValueError(problem)
        for name, own in list(self.companies.items()):
            problem = self._too_patient(f"companies.{name}.solid", own.solid)
            if "timeout_seconds" in own.solid.model_fields_set and problem is not None:
                self.leave_out("companies", name, problem)
        return self

    def _too_patient(self, where: str, solid: SolidSettings) -> str | None:
        timeout = f"{where}.timeout_seconds ({solid.timeout_seconds})"
        if self.worker.lease_seconds <= solid.timeout_seconds:
            return (
                f"worker.lease_seconds ({self.worker.lease_seconds}) must be longer than {timeout}: "
                "a claim may not end while its call is still under way"
            )
        if self.worker.settle_seconds < solid.timeout_seconds:
            return (
                f"worker.settle_seconds ({self.worker.settle_seconds}) must be at least {timeout}: "
                "Solid may still be at it when a call has timed out"
            )
        return None

    @classmethod
    def settings_customise_sources(  # noqa: D102 - the hook of pydantic-settings
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env file is read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - secrets are named file by file
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = os.environ.get("RELAY_CONFIG", "relay.toml")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=path)


def load_settings() -> Settings:
    """Read `relay.toml` (or the file `RELAY_CONFIG` names) and the environment.

    `RABBITMQ_URL` is honoured where `RELAY_RABBITMQ__URL` is not set. What is wrong in the table of one company is told
    by `Settings.refuse_wrong`, that of one feed or payroll account by `wrong_feeds` and `wrong_payroll`.

    Raises:
        ConfigurationError: a value is wrong; the message names each setting and what is wrong with it.
    """
    _refuse_unknown_variables()
    named = os.environ.get("RELAY_CONFIG")
    if named and not Path(named).is_file():
        msg = f"RELAY_CONFIG names {named}, which does not exist."
        raise ConfigurationError(msg)
    url = os.environ.get("RABBITMQ_URL")
    if url and "RELAY_RABBITMQ__URL" not in os.environ:
        os.environ["RELAY_RABBITMQ__URL"] = url
    try:
        talkative = refuse_secrets_in(Path(named or "relay.toml"))
        settings = Settings()
        for (table, name), told in talkative.items():
            settings.leave_out(table, name, told)
    except ValidationError as error:
        raise ConfigurationError(_problems(error.errors())) from None
    except SettingsError as error:
        msg = f"RELAY_… variables: {error}. Lists and tables are written as JSON, for example '[\"whsec_…\"]'."
        raise ConfigurationError(msg) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{named or 'relay.toml'} is not valid TOML: {error}"
        raise ConfigurationError(msg) from None
    return settings


def _of_one_table(problem: ErrorDetails) -> bool:
    """Whether it is in one company, feed or account; the name of a company is everybody's: no queue could have it."""
    where = problem["loc"]
    return len(where) > 1 and where[0] in _TABLES and (where[0], where[-1]) != ("companies", "[key]")


def _problems(problems: list[ErrorDetails]) -> str:
    told = "; ".join(f"{_path(each)}: {_said(each)}" for each in problems)
    return f"relay.toml or RELAY_… variables: {told}"


def _path(problem: ErrorDetails) -> str:
    """Which setting: the path without what pydantic puts into it, the kind of a feed and that a name is wrong."""
    return ".".join(str(part) for part in problem["loc"] if part not in (*FEED_KINDS, "[key]")) or "relay"


def _said(problem: ErrorDetails) -> str:
    """What is wrong with a value; the value itself only where it is a number out of its range, so never a secret."""
    text = problem["msg"].removeprefix("Value error, ")
    out_of_range = problem["type"].startswith(("greater_than", "less_than"))
    return f"{problem['input']} was said; {text}" if out_of_range else text


def _refuse_unknown_variables() -> None:
    """A misspelt variable would silently leave a default in force."""
    known = {f"RELAY_{name}".upper() for name in Settings.model_fields} | OTHER_VARIABLES
    for variable in sorted(os.environ):
        if variable.startswith("RELAY_") and variable.upper().partition("__")[0] not in known:
            near = difflib.get_close_matches(variable, known, n=1, cutoff=0)[0]
            msg = f"{variable} is no setting of the relay; nearest: {near}. See docs/settings.md."
            raise ConfigurationError(msg)
