"""The ledger: records, their double-entry legs and the indexes over them.

Pure: no HTTP, no clock, no files. It refuses what does not balance, and nothing else: what a body must look
like is in `documents`, when a date is closed is in `switches`. It never refuses a duplicate: nor does Solid.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from simulator.books.money import ZERO, Cents, rounded, text
from simulator.books.rows import Rows
from simulator.errors import ApiError

KINDS: Final = ("account", "contact", "item", "invoice", "payment", "entry", "bill", "adjustment")
LEDGER: Final = "ledger"
"""The index of every dated record, whatever its kind."""

_LAST_DATE: Final = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a posting; exactly one of `debit` and `credit` is above zero."""

    account_id: str
    debit: Cents = ZERO
    credit: Cents = ZERO
    memo: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before it has an id.

    `fields` is what a reader of the API gets back; amounts in it are Cents.
    """

    kind: str
    fields: Mapping[str, object] = field(default_factory=dict)
    external_id: str | None = None
    date: str | None = None
    total: Cents | None = None
    legs: tuple[Leg, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A committed record.

    `seq` is its place in the order of commits; `seed` marks what was there from the start.
    """

    id: str
    seq: int
    created_at: str
    seed: bool
    draft: Draft


@dataclass(frozen=True, slots=True)
class Stock:
    """How much of an item is there, and what it cost altogether."""

    quantity: Decimal = Decimal(0)
    value: Cents = ZERO

    @property
    def average(self) -> Decimal | None:
        """The average cost of one, in whole units of the currency; None where there is nothing to average."""
        return Decimal(self.value) / 100 / self.quantity if self.quantity > 0 else None

    def worth(self, quantity: Decimal) -> Cents | None:
        """What so many of them cost on average, to the cent; None where there is nothing to average."""
        return rounded(Decimal(self.value) * quantity / self.quantity / 100) if self.quantity > 0 else None

    def plus(self, quantity: Decimal, value: Cents) -> "Stock":
        """What there is after an adjustment."""
        return Stock(self.quantity + quantity, Cents(self.value + value))


@dataclass(slots=True)
class Totals:
    """What was debited and credited, in cents."""

    debit: int = 0
    credit: int = 0

    @property
    def balance(self) -> int:
        """Debits minus credits: positive for what is owned or spent, negative for what is owed or earned."""
        return self.debit - self.credit


class Books:
    """Everything one Solid file holds. Every commit is atomic; not for use from several threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._clear()

    def _clear(self) -> None:
        self.log: list[Record] = []
        self._by_id: dict[tuple[str, str], Record] = {}
        self._by_external_id: dict[tuple[str, str], list[Record]] = defaultdict(list)
        self._undated: dict[str, list[Record]] = defaultdict(list)
        self._dated: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._applied: dict[str, int] = defaultdict(int)
        self._stock: dict[str, Stock] = defaultdict(Stock)
        self._folded_names: list[str] = []

    def add(self, record: Record) -> None:
        """Take a record into the books. Raises ApiError (UNBALANCED_ENTRY) when its legs do not balance."""
        draft = record.draft
        check_balanced(draft)
        self.log.append(record)
        self._by_id[draft.kind, record.id] = record
        if draft.external_id is not None:
            self._by_external_id[draft.kind, draft.external_id].append(record)
        if draft.kind == "contact":
            self._folded_names.append(str(draft.fields["display_name"]).casefold())
        if draft.date is None:
            self._undated[draft.kind].append(record)
        else:
            insort(self._dated[draft.kind], (draft.date, record.seq))
            insort(self._dated[LEDGER], (draft.date, record.seq))
        for invoice_id, amount in applications(draft):
            self._applied[invoice_id] += amount
        if draft.kind == "adjustment":
            item_id, quantity, value = adjusted(draft)
            self._stock[item_id] = self._stock[item_id].plus(quantity, value)

    def truncate(self, length: int) -> int:
        """Forget every record after the first `length`, as a restored backup would. Returns how many."""
        kept, dropped = self.log[:length], len(self.log) - length
        self._clear()
        for record in kept:
            self.add(record)
        return dropped

    def get(self, kind: str, record_id: str) -> Record | None:
        """The record of this kind and id."""
        return self._by_id.get((kind, record_id))

    def with_external_id(self, kind: str, external_id: str) -> list[Record]:
        """Every record of this kind that carries the external id, oldest first."""
        return self._by_external_id.get((kind, external_id), [])

    def contacts_named(self, name: str, *, match: Literal["exact", "contains", "icase"]) -> list[Record]:
        """Contacts whose display name is `name`, or contains it, oldest first; only `exact` heeds case."""
        wanted, contacts = name.casefold(), self._undated["contact"]
        if match == "contains":
            return [contacts[i] for i, folded in enumerate(self._folded_names) if wanted in folded]
        same = [contacts[i] for i, folded in enumerate(self._folded_names) if wanted == folded]
        return [c for c in same if match == "icase" or c.draft.fields["display_name"] == name]

    def undated(self, kind: str) -> list[Record]:
        """Every account, contact or item, oldest first."""
        return self._undated[kind]

    def dated(self, kind: str, *, since: str | None = None, until: str | None = None) -> Rows[Record]:
        """Records with `since <= date <= until`, by date and then by order of commit."""
        index = self._dated[kind]
        low = bisect_left(index, (since, -1)) if since else 0
        high = bisect_right(index, (until or _LAST_DATE, len(self.log)))
        return Rows(index, lambda key: self.log[key[1]], low=low, high=max(low, high))

    def open_balance(self, invoice: Record) -> Cents:
        """What is still to be paid of an invoice."""
        return Cents((invoice.draft.total or 0) - self._applied[invoice.id])

    def stock_of(self, item_id: str) -> Stock:
        """What the adjustments of an item add up to."""
        return self._stock.get(item_id, Stock())

    def totals(self, *, as_of: str | None = None) -> dict[str, Totals]:
        """Debits and credits of every account, by account id, up to and including `as_of`."""
        sums = {account.id: Totals() for account in self.undated("account")}
        for record in self.log:
            if as_of is not None and (record.draft.date or "") > as_of:
                continue
            for leg in record.draft.legs:
                sums[leg.account_id].debit += leg.debit
                sums[leg.account_id].credit += leg.credit
        return sums


def applications(draft: Draft) -> Iterable[tuple[str, int]]:
    """The (invoice id, cents) pairs a payment is applied to; none for other kinds."""
    rows = draft.fields.get("applications") if draft.kind == "payment" else None
    if not isinstance(rows, list):
        return ()
    return [(row["invoice_id"], row["amount"]) for row in rows]


def adjusted(draft: Draft) -> tuple[str, Decimal, Cents]:
    """What an adjustment changes: the item's id, its quantity, its value; both below zero where stock goes."""
    fields = draft.fields
    value = fields["value"]
    return str(fields["item_id"]), Decimal(str(fields["quantity"])), value if isinstance(value, Cents) else ZERO


def check_balanced(draft: Draft) -> None:
    """Raise ApiError (UNBALANCED_ENTRY) unless debits equal credits to the cent."""
    debit, credit = sum(leg.debit for leg in draft.legs), sum(leg.credit for leg in draft.legs)
    if debit != credit:
        message = f"debits {text(debit)} and credits {text(credit)} differ by {text(debit - credit)}"
        raise ApiError(422, "UNBALANCED_ENTRY", message)
