"""The books of one company as its owner describes them in `books.toml`: which account plays which role.

Read once at start; pure afterwards. Whether the accounts exist in Solid is the chart's business.
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from runtime.settings import ConfigurationError
from runtime.time_zones import TimeZoneName
from schemas.catalog import STREAMS
from schemas.money import EXPONENTS
from workers.books.account_kinds import ALLOWED, CLEARING
from workers.books.inventory import InventoryPolicy
from workers.books.payroll import Name, PayrollPolicy
from workers.books.sales import SalesPolicy

HOLD: Final = "hold"
"""In the place of a role: such a movement of the balance is for a person."""

ROLES: Final = frozenset({*ALLOWED, f"stripe{CLEARING}", f"processor{CLEARING}"})


def _a_stream(name: str) -> str:
    if name not in STREAMS:
        msg = f"{name!r} is no stream; known: {', '.join(STREAMS)}"
        raise ValueError(msg)
    return name


Stream = Annotated[str, AfterValidator(_a_stream)]
ProcessorKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class ProcessorTable(BaseModel):
    """`[processors.square]`: the account of what a payment processor holds for us, and its name in memos.

    `moves` says of other movements of its balance, by category or by the processor's own kind, which role they play, or
    that they are for a person (`hold`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clearing: Name | None = None
    name: Name | None = None
    moves: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _says_something(self) -> "ProcessorTable":
        if self.clearing is None and not self.moves:
            raise ValueError("clearing is missing: the name of the account of what this processor holds")
        return self

    @field_validator("moves")
    @classmethod
    def _play_roles(cls, moves: Mapping[str, str]) -> Mapping[str, str]:
        for kind, role in moves.items():
            if role not in ROLES | {HOLD}:
                near = difflib.get_close_matches(role, ROLES, n=1, cutoff=0)
                msg = f"{kind!r} is given {role!r}, which is no role; nearest: {near[0]!r}"
                raise ValueError(msg)
        return moves


@dataclass(frozen=True, slots=True)
class Processor:
    """A payment processor as the books know it: how its facts begin, its name, and its clearing role."""

    key: str
    name: str
    clearing: str


class Books(BaseModel):
    """Accounts by role, and the few policies of a company.

    `open_from` is the first open day of the books, where periods before it are closed; `late` says per stream what
    becomes of facts from before it: `hold` (parked, the default) or `first_open_day` (posted on that day, with the
    true date in the memo).
    `processors` gives each payment processor its clearing account, else it is the one of `processor_clearing`.
    Charges without a customer are those of `walk_in_customer`, by default "<processor> sales".
    `inventory` says how stock is booked; `items` gives the id in Solid of SKUs that Solid has not, or several times.
    `sales` says how sales are booked, whether they are taxed, and what their tax and items are in Solid.
    `base_currency` None accepts every currency (only the built-in sample has that): a Solid file has one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_currency: str | None = None
    time_zone: TimeZoneName = "UTC"
    walk_in_customer: str | None = None
    open_from: date | None = None
    late: Mapping[Stream, Literal["hold", "first_open_day"]] = {}
    inventory: InventoryPolicy = InventoryPolicy()
    items: Mapping[str, str] = {}
    accounts: Mapping[str, Name]
    processors: Mapping[ProcessorKey, ProcessorTable] = {}
    payroll: PayrollPolicy = PayrollPolicy()
    sales: SalesPolicy = SalesPolicy()

    @field_validator("base_currency")
    @classmethod
    def _currency_exists(cls, code: str | None) -> str | None:
        if code is not None and code not in EXPONENTS:
            msg = f"{code!r} is no ISO 4217 currency code of three capital letters"
            raise ValueError(msg)
        return code

    @field_validator("accounts")
    @classmethod
    def _roles_exist(cls, accounts: Mapping[str, str]) -> Mapping[str, str]:
        for role in accounts:
            if role not in ROLES:
                near = difflib.get_close_matches(role, ROLES, n=1, cutoff=0)
                msg = f"{role!r} is no role; nearest: {near[0]!r}"
                raise ValueError(msg)
        return accounts

    @model_validator(mode="after")
    def _reasons_play_roles(self) -> "Books":
        for reason, role in self.inventory.reasons.items():
            if role and role not in ROLES:
                near = difflib.get_close_matches(role, ROLES, n=1, cutoff=0)
                msg = f"inventory.reasons: {reason!r} is given {role!r}, which is no role; nearest: {near[0]!r}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _one_clearing_account_each(self) -> "Books":
        for key, processor in self.processors.items():
            if processor.clearing is not None and f"{key}{CLEARING}" in self.accounts:
                msg = f"processors.{key}: [accounts].{key}{CLEARING} names its clearing account too; keep one of them"
                raise ValueError(msg)
        return self

    @property
    def roles(self) -> Mapping[str, str]:
        """The account of every role that the file names, with those of processors."""
        clearing = {f"{key}{CLEARING}": table.clearing for key, table in self.processors.items() if table.clearing}
        return {**self.accounts, **clearing}

    def place_of(self, role: str) -> str:
        """Where in the file a role is given its account."""
        key = role.removesuffix(CLEARING)
        return (
            f"[processors.{key}].clearing"
            if role.endswith(CLEARING) and key in self.processors and self.processors[key].clearing
            else f"[accounts].{role}"
        )

    def account(self, role: str) -> str | None:
        """The name of the account that plays a role; None where the file names none."""
        named = self.roles.get(role)
        return self.accounts.get(f"processor{CLEARING}") if named is None and role.endswith(CLEARING) else named

    def processor_of(self, fact: str) -> Processor:
        """Whose fact that is, by how it begins: `stripe:charge:ch_1`. No two processors begin alike."""
        key = fact.partition(":")[0].rpartition("/")[2]  # behind the name of a feed
        table = self.processors.get(key)
        name = (table and table.name) or key.replace("_", " ").title()
        return Processor(key, name, f"{key}{CLEARING}")

    def moves_of(self, processor: str) -> Mapping[str, str]:
        """What the file says of other movements of a processor's balance, by category or kind."""
        table = self.processors.get(processor)
        return table.moves if table else {}

    def day_of(self, instant: datetime) -> date:
        """The calendar day of an instant in the company's time zone."""
        return instant.astimezone(ZoneInfo(self.time_zone)).date()


def load_books(path: Path) -> Books:
    """Read `books.toml`.

    Raises:
        ConfigurationError: missing, not TOML, or a role or value that does not exist.
    """
    try:
        return _parse(path.read_text("utf-8"), name=str(path), need_currency=True)
    except OSError as error:
        msg = f"{path}: {error.strerror}. It names the account of each role; `relay plan` has a sample built in."
        raise ConfigurationError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path} is not UTF-8 text, which TOML must be"
        raise ConfigurationError(msg) from error


def sample_books() -> Books:
    """The built-in sample, in which every role has an account."""
    text = resources.files("workers.books").joinpath("sample_books.toml").read_text()
    return _parse(text, name="sample_books.toml", need_currency=False)


def _parse(text: str, *, name: str, need_currency: bool) -> Books:
    try:
        books = Books.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        msg = f"{name} is not valid TOML: {error}"
        raise ConfigurationError(msg) from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        msg = f"{name}: {problems}"
        raise ConfigurationError(msg) from None
    if need_currency and books.base_currency is None:
        msg = f'{name}: base_currency is missing: the currency of the Solid file, for example base_currency = "USD"'
        raise ConfigurationError(msg)
    return books
