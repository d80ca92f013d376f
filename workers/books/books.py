"""The books of one company as its owner describes them in `books.toml`: which account plays which role.

Read once at start; pure afterwards. Whether the accounts exist in Solid is the chart's business.
"""

import difflib
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from runtime.settings import ConfigurationError
from runtime.time_zones import TimeZoneName
from schemas.money import EXPONENTS
from workers.books.inventory import InventoryPolicy
from workers.books.payroll import PayrollPolicy

ROLES = frozenset(
    [
        "bank",
        "stripe_clearing",
        "processor_clearing",
        "receivable",
        "income",
        "sales_returns",
        "sales_tax_payable",
        "processing_fees",
        "input_vat",
        "payable",
        "dispute_fees",
        "disputes_receivable",
        "chargeback_loss",
        "inventory",
        "received_not_billed",
        "purchase_price_variance",
        "supplier_claims",
        "cogs",
        "shrinkage",
        "write_off",
        "wages",
        "payroll_tax_expense",
        "benefits_expense",
        "reimbursement_expense",
        "contractor_expense",
        "payroll_tax_payable",
        "deductions_payable",
        "benefits_payable",
        "garnishments_payable",
        "reimbursements_payable",
        "net_pay_payable",
        "accrued_payroll",
        "payroll_rounding",
    ]
)


class Books(BaseModel):
    """Accounts by role, and the few policies of a company.

    `open_from` is the first open day of the books, where periods before it are closed; `late` says per stream what
    becomes of facts from before it: `hold` (parked, the default) or `first_open_day` (posted on that day, with the
    true date in the memo).
    `inventory` says how stock is booked; `items` gives the id in Solid of SKUs that Solid has not, or several times.
    `base_currency` None accepts every currency (only the built-in sample has that): a Solid file has one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_currency: str | None = None
    time_zone: TimeZoneName = "UTC"
    walk_in_customer: str = "Stripe sales"
    open_from: date | None = None
    late: Mapping[Literal["sales", "contacts", "inventory", "payroll"], Literal["hold", "first_open_day"]] = {}
    inventory: InventoryPolicy = InventoryPolicy()
    items: Mapping[str, str] = {}
    accounts: Mapping[str, Annotated[str, Field(min_length=1)]]
    payroll: PayrollPolicy = PayrollPolicy()

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
