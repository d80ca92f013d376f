"""From roles and amounts to a balanced entry on named accounts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from schemas.money import Money
from workers.books.account_kinds import CLEARING
from workers.books.books import ROLES, Books
from workers.plans.writes import AnyWrite, EntryWrite, Line, Parked


@dataclass(frozen=True, slots=True)
class Posting:
    """Amounts by role. Zero amounts leave no line; a negative one stands on the other side."""

    debit: Mapping[str, Money]
    credit: Mapping[str, Money]


def must_be_in_base_currency(books: Books, amount: Money) -> None:
    """Return where the books can hold the amount.

    Raises:
        Parked: they are kept in another currency.
    """
    if books.base_currency is not None and amount.currency != books.base_currency:
        reason = f"unmapped:currency:{amount.currency}"
        msg = f"{amount} cannot be posted: the books are kept in {books.base_currency}"
        raise Parked(reason, msg)


def account_of(books: Books, role: str, amount: Money) -> str:
    """The account that plays a role for an amount in some currency.

    Raises:
        Parked: `books.toml` gives the role no account, or the currency is not the company's.
    """
    must_be_in_base_currency(books, amount)
    account = books.account(role)
    if account is None:
        reason = f"unmapped:account:{role}"
        table = f"[processors.{role.removesuffix(CLEARING)}] clearing"
        what = (
            f"[accounts] has no {role}"
            if role in ROLES
            else f"there is neither {table} nor [accounts].processor_clearing"
        )
        msg = f"books.toml: {what}. Add the name of the account in Solid that plays this role."
        raise Parked(reason, msg)
    return account


def book(external_id: str, posting: Posting, *, day: date, memo: str, books: Books) -> tuple[AnyWrite, ...]:
    """One entry of the posting, or nothing where every amount is zero.

    Raises:
        Parked: see `account_of`.
        ValueError: it does not balance; a defect of the plan.
    """
    sides = [(role, money, "debit") for role, money in posting.debit.items()]
    sides += [(role, money, "credit") for role, money in posting.credit.items()]
    lines = tuple(_line(role, money, side, books) for role, money, side in sides if money)
    if not lines:
        return ()
    currencies = {money.currency for _, money, _ in sides if money}
    if len(currencies) != 1:
        msg = f"{external_id}: one entry in {' and '.join(sorted(currencies))}"
        raise ValueError(msg)
    return (EntryWrite(external_id=external_id, date=day, currency=currencies.pop(), memo=memo, lines=lines),)


def _line(role: str, money: Money, side: str, books: Books) -> Line:
    account = account_of(books, role, money)
    if money.amount < 0:
        side = "credit" if side == "debit" else "debit"
    size = abs(money.amount)
    return (
        Line(role=role, account=account, debit=size)
        if side == "debit"
        else Line(role=role, account=account, credit=size)
    )
