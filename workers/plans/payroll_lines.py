"""From the totals of a pay run to the lines of its entry: which account each goes to, and what is not mapped. Pure.

Nothing is rounded and nothing is guessed: what no line of the books names exactly parks the whole run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from schemas.money import Money, iso_exponent
from schemas.payroll import LineKind, RunLine
from workers.books.books import Books
from workers.books.payroll import COST_ROLES, OWED_ROLES, Split, Target
from workers.plans.ledger import account_of, must_be_in_base_currency
from workers.plans.writes import Line, Parked

Side = Literal["debit", "credit"]
_Where = tuple[str, str, str | None, str | None]

ORDER: Final = (*COST_ROLES, "payroll_rounding", *OWED_ROLES, "accrued_payroll")
"""In which order the roles stand in an entry."""

UNNAMED: Final = frozenset({"unnamed_deductions", "custom_pre_tax", "custom_post_tax"})
"""Categories that stand for names which are not told, as they may be a person's: what they are, only a person knows."""

WAGES: Final = Target("wages")
"""What is split by department or location; wages with an account of their own are not."""


@dataclass(frozen=True, slots=True)
class Share:
    """An amount on one side of one account; negative where it takes back."""

    kind: LineKind
    side: Side
    role: str
    account: str
    amount: Money
    class_id: str | None = None
    location_id: str | None = None

    @classmethod
    def of(cls, line: RunLine, side: Side, target: Target, books: Books) -> "Share":
        """The share of a line on the account of the role, or on the target's own.

        Raises:
            Parked: see `account_of`.
        """
        must_be_in_base_currency(books, line.amount)
        account = target.account or account_of(books, target.role, line.amount)
        return cls(line.kind, side, target.role, account, line.amount, target.class_id, target.location_id)


def shares(lines: tuple[RunLine, ...], provider: str, books: Books) -> Iterator[Share]:
    """What each line of a run debits and credits.

    Raises:
        Parked: what is not mapped, of all lines in one message; see `account_of`, too.
    """
    _check_mapped(lines, provider, books)
    _check_rounding(lines, books)
    for line in lines:
        cost, owed = _targets(line, provider, books) or (None, None)
        if cost is not None and line.amount:
            yield Share.of(line, "debit", cost, books)
        if owed is not None and line.amount:
            yield Share.of(line, "credit", owed, books)


def entry_lines(shares: Iterable[Share]) -> tuple[Line, ...]:
    """One line for each role, account, class and location.

    A sum below zero stands on the other side, and one of zero nowhere.

    Raises:
        Parked: a sum has a fraction of the smallest coin.
        ValueError: debits and credits differ; a defect of the producer.
    """
    sums: dict[_Where, Money] = {}
    for share in shares:
        signed = share.amount if share.side == "debit" else -share.amount
        key = (share.role, share.account, share.class_id, share.location_id)
        sums[key] = sums[key] + signed if key in sums else signed
    ordered = sorted(sums.items(), key=lambda item: (ORDER.index(item[0][0]), *(text or "" for text in item[0][1:])))
    lines = [_line(where, amount) for where, amount in ordered if amount]
    return tuple(sorted(lines, key=lambda line: line.debit is None))


def _line(where: _Where, amount: Money) -> Line:
    role, account, class_id, location_id = where
    exponent = amount.amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > iso_exponent(amount.currency):
        msg = f"{account} would get {amount}: a run is posted to the cent, and nothing of it is rounded"
        raise Parked("fraction:payroll", msg)
    side = {"debit": amount.amount} if amount.amount > 0 else {"credit": -amount.amount}
    return Line(role=role, account=account, class_id=class_id, location_id=location_id, **side)


def _targets(line: RunLine, provider: str, books: Books) -> tuple[Target | None, Target | None] | None:
    """Where the cost and what is owed for it go; None where nobody has said, or not so that it fits."""
    policy = books.payroll
    destination = policy.destination_of(provider, line.kind, line.category)
    targets = None if destination is None else destination.targets(line.kind)
    if targets is None:
        return None
    cost, owed = targets
    if line.kind == "net_pay" and owed == Target("net_pay_payable"):
        owed = Target(policy.net_pay)
    if cost == WAGES:
        split = _by_split(line, books) or Split.model_construct()
        cost = Target(cost.role, split.account, split.class_id, split.location_id)
    return cost, owed


def _by_split(line: RunLine, books: Books) -> Split | None:
    """What the books say of the wages of a department or a location, where the books split by them."""
    policy = books.payroll
    for mapped, name in ((policy.departments, line.department), (policy.locations, line.location)):
        if (name or "") in mapped:
            return mapped[name or ""]
    return None


def _unknown(line: RunLine, provider: str, books: Books) -> tuple[str, str] | None:
    """What is not mapped about a line, and where to map it; None where all is."""
    policy = books.payroll
    destination = policy.destination_of(provider, line.kind, line.category)
    if destination is None or (targets := destination.targets(line.kind)) is None:
        problem = "" if destination is None else f", where it is mapped to what a {line.kind} cannot be"
        if destination is None and line.category in UNNAMED:
            problem = " (names that may be a person's are not told: look at the run, and say where all such go)"
        return line.category, f'[payroll.categories.{provider}] "{line.category}"{problem}'
    split = policy.departments or policy.locations
    if split and targets[0] == WAGES and _by_split(line, books) is None:
        table, name = ("departments", line.department) if policy.departments else ("locations", line.location)
        return name or f"no {table[:-1]}", f'[payroll.{table}] "{name or ""}"'
    return None


def _check_mapped(lines: tuple[RunLine, ...], provider: str, books: Books) -> None:
    missing: dict[str, tuple[str, str, Money]] = {}
    for line in lines:
        unknown = _unknown(line, provider, books)
        if unknown is not None:
            name, where = unknown
            before = missing.get(name)
            missing[name] = (where, line.kind, before[2] + line.amount if before else line.amount)
    if not missing:
        return
    first = next(iter(missing))
    shown = "; ".join(f"{where}: {kind} of {amount} in all" for where, kind, amount in missing.values())
    msg = f"books.toml does not say where all of a pay run of {provider} goes. Missing: {shown}"
    raise Parked(f"unmapped:payroll:{first}", msg)


def _check_rounding(lines: tuple[RunLine, ...], books: Books) -> None:
    zero = Money.zero(lines[0].amount.currency)
    difference = sum((line.amount for line in lines if line.kind == "rounding"), zero)
    limit = books.payroll.rounding_limit
    if abs(difference).amount > limit:
        msg = (
            f"the two sides of the run differ by {difference}, and [payroll] rounding_limit of books.toml is {limit:f}"
        )
        raise Parked("over_limit:payroll_rounding", msg)
