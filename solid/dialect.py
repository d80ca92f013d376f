"""Everything that is not known for sure of Solid's API, as one value with conservative defaults.

Paths, names, money, look-ups and codes are read from here and from nowhere else. It must not call Solid.
Source: the vendor's public pages say little; each field's default is the assumption of the dialect page.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.money import MAX_AMOUNT, Currency, iso_exponent
from solid.amounts import from_minor_units, in_minor_units
from solid.errors import DialectMismatch
from solid.models import RecordKind

MoneyEncoding = Literal["decimal_string", "decimal_number", "cents"]
Resource = Literal[
    "accounts", "contacts", "items", "invoices", "payments", "entries", "bills", "adjustments", "balances"
]
Path = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_.~-]+)+$")]
OptionalPath = Annotated[Path | None, BeforeValidator(lambda path: path or None)]
"""Where Solid may have no such thing: None, or in TOML `""`."""

RESOURCES: Mapping[RecordKind, Resource] = {
    "contact": "contacts",
    "invoice": "invoices",
    "payment": "payments",
    "entry": "entries",
    "bill": "bills",
    "adjustment": "adjustments",
}
"""Which resource holds which kind of record."""

_DECIMAL_TEXT = r"-?[0-9]{1,16}(\.[0-9]{1,12})?"
_SINGULAR: Mapping[str, str] = {**{plural: kind for kind, plural in RESOURCES.items()}, "accounts": "account"}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paths(_Part):
    """Where each resource is, below `Dialect.prefix`. None: Solid has none, nothing of the kind is sent."""

    accounts: Path = "/accounts"
    contacts: Path = "/contacts"
    items: Path = "/items"
    invoices: Path = "/invoices"
    payments: Path = "/payments"
    entries: Path = "/entries"
    bills: OptionalPath = "/bills"
    adjustments: OptionalPath = None
    balances: Path = "/balances"


class LookupRule(_Part):
    """How a record of one kind is looked up before it is sent again.

    `external_id_filter`: ask for the external id; `display_name`: ask for the name (contacts only);
    `date_range`: ask for the days around its date (not contacts); `hold`: never look, a person must. Whatever
    the question, each row that comes back is compared on the fields of `compare`.
    """

    by: Literal["external_id_filter", "display_name", "date_range", "hold"]
    compare: tuple[Literal["external_id", "reference_number"], ...] = Field(
        default=("external_id", "reference_number"), min_length=1
    )


class Lookups(_Part):
    """One rule a resource. Only invoices are documented to be filtered by external id."""

    contacts: LookupRule = LookupRule(by="display_name", compare=("external_id",))
    invoices: LookupRule = LookupRule(by="external_id_filter", compare=("external_id",))
    payments: LookupRule = LookupRule(by="date_range")
    entries: LookupRule = LookupRule(by="date_range")
    bills: LookupRule = LookupRule(by="date_range")
    adjustments: LookupRule = LookupRule(by="date_range")

    @model_validator(mode="after")
    def _fits_the_record(self) -> Self:
        if self.contacts.compare != ("external_id",):
            msg = "contacts have no reference_number: compare them on external_id"
            raise ValueError(msg)
        dated = (self.invoices, self.payments, self.entries, self.bills, self.adjustments)
        if self.contacts.by == "date_range" or any(rule.by == "display_name" for rule in dated):
            msg = "contacts have no date, and only contacts have a display_name: choose another look-up"
            raise ValueError(msg)
        return self


class Parameters(_Part):
    """Names of query parameters. `to` is sent only where a name is set: it is not documented."""

    external_id: str = "external_id"
    display_name: str = "display_name"
    since: str = "from"
    until: str | None = None
    as_of: str = "as_of"
    page: str = "page"
    offset: str = "offset"
    cursor: str = "cursor"


class Dialect(_Part):
    """How this installation of Solid speaks.

    `money` has no default: a wrong guess is wrong by a factor of a hundred. `payload_key` is the key beside
    `success`; `{resource}` stands for the resource's own name (`invoices` or `invoice`). `page_size_hint` is
    the number of rows at which a page without hints counts as full; the usual page sizes always do.
    `constants` adds fixed fields to what is created, such as `{"contacts": {"contact_type": "customer"}}`.
    `bill_number` is the field of a bill that takes the vendor's own number, where Solid has one beside
    `reference_number`. `currency` is that of `balances`. `refusal_codes` are the error codes of
    which it is known that Solid had written nothing when it said so.
    """

    money: MoneyEncoding
    currency: Currency = "USD"
    prefix: str = Field(default="/api/v1", pattern=r"^(/[A-Za-z0-9_.~-]+)*$")
    payload_key: str = Field(default="data", min_length=1)
    paths: Paths = Paths()
    lookups: Lookups = Lookups()
    parameters: Parameters = Parameters()
    page_size_hint: int | None = Field(default=None, ge=1)
    constants: dict[Resource, dict[str, str | bool]] = {}
    bill_number: str | None = Field(default=None, min_length=1)
    refusal_codes: frozenset[str] = frozenset()
    rate_limit_codes: frozenset[str] = frozenset({"rate_limited", "rate_limit_exceeded", "too_many_requests"})
    period_closed_codes: frozenset[str] = frozenset(
        {
            "period_closed",
            "closed_period",
            "fiscal_period_closed",
            "accountant_copy",
            "accountant_copy_active",
        }
    )

    @model_validator(mode="after")
    def _codes_in_lower_case(self) -> Self:
        for name in ("refusal_codes", "rate_limit_codes", "period_closed_codes"):
            object.__setattr__(self, name, frozenset(code.lower() for code in getattr(self, name)))
        return self

    def path(self, resource: Resource) -> str:
        """Give the path below the server's root, prefix included. Raises DialectMismatch where there is none."""
        if not self.offers(resource):
            msg = f"solid.dialect.paths.{resource} is not set: the relay does not know where Solid takes {resource}"
            raise DialectMismatch(msg)
        return self.prefix + str(getattr(self.paths, resource))

    @property
    def adjustments(self) -> str | None:
        """Where stock is adjusted, below the prefix; None where Solid has no endpoint for it, as far as is known."""
        return self.paths.adjustments

    def offers(self, resource: Resource) -> bool:
        """Whether Solid has this resource, as far as the settings say."""
        return getattr(self.paths, resource) is not None

    def lookup(self, kind: RecordKind) -> LookupRule:
        """Give the look-up of this kind of record."""
        rule: LookupRule = getattr(self.lookups, RESOURCES[kind])
        return rule

    def key_fields(self, kind: RecordKind) -> tuple[str, ...]:
        """Name the fields of a new record that carry our key: `external_id`, and what look-ups compare."""
        return tuple(dict.fromkeys(("external_id", *self.lookup(kind).compare)))

    def lookup_parameters(self, resource: Resource) -> tuple[str, ...]:
        """Name the query parameters that look-ups of this resource rest on."""
        rule: LookupRule | None = getattr(self.lookups, resource, None)
        names = {
            "external_id_filter": (self.parameters.external_id,),
            "display_name": (self.parameters.display_name,),
            "date_range": tuple(name for name in (self.parameters.since, self.parameters.until) if name),
        }
        return () if rule is None else names.get(rule.by, ())

    def payload_keys(self, resource: Resource) -> tuple[str, ...]:
        """Give the keys that may hold the payload of an answer about this resource, the likeliest first."""
        if self.payload_key != "{resource}":
            return (self.payload_key,)
        return (resource, _SINGULAR.get(resource, resource))

    def encode_money(self, amount: Decimal, currency: str) -> str | int | Decimal:
        """Write an amount in whole units as Solid reads it; a Decimal result is written as a JSON number.

        Decimals always have the currency's ISO number of digits. Raises ValueError for a fraction below the
        minor unit, or an amount past `MAX_AMOUNT`: nothing is ever rounded.
        """
        minor = in_minor_units(amount, currency)
        if self.money == "cents":
            return minor
        exact = from_minor_units(minor, currency)
        return format(exact, "f") if self.money == "decimal_string" else exact

    def encode_unit_cost(self, cost: Decimal, currency: str) -> str | int | Decimal:
        """Write a unit cost as Solid reads it: like money, but with all its decimals where there is room for them.

        Raises ValueError where a dialect of whole minor units has none: nothing is ever rounded.
        """
        shortest = cost.normalize()
        if self.money == "cents" or -int(shortest.as_tuple().exponent) <= iso_exponent(currency):
            return self.encode_money(cost, currency)
        return format(shortest, "f") if self.money == "decimal_string" else shortest

    def decode_money(self, value: object, currency: str) -> Decimal:
        """Read an amount as Solid writes it, in whole units. Raises DialectMismatch for any other way."""
        amount = self._decoded(value, currency)
        if amount is None or not amount.is_finite() or amount.copy_abs() > MAX_AMOUNT:
            msg = (
                f"Solid wrote an amount as {type(value).__name__}, or one that cannot be; "
                f"solid.dialect.money says {self.money}"
            )
            raise DialectMismatch(msg)
        return amount

    def _decoded(self, value: object, currency: str) -> Decimal | None:
        if isinstance(value, bool):
            return None
        if self.money == "cents":
            return Decimal(value).scaleb(-iso_exponent(currency)) if isinstance(value, int) else None
        if self.money == "decimal_number":
            return Decimal(value) if isinstance(value, int | Decimal) else None
        return Decimal(value) if isinstance(value, str) and re.fullmatch(_DECIMAL_TEXT, value) else None
