"""Solid's chart of accounts as the worker knows it: from the account's name in `books.toml` to its UUID in Solid."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from solid.models import Account
from workers.books import Books
from workers.plans.writes import Parked


class Chart:
    """Accounts by exact name. Read from Solid at the start of each session of a worker."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._ids: dict[str, list[str]] = defaultdict(list)
        for account in accounts:
            self._ids[account.name].append(account.id)

    def id_of(self, name: str) -> str:
        """The UUID of the account.

        Raises:
            Parked: Solid has no account of that name, or several.
        """
        ids = self._ids.get(name, [])
        if len(ids) == 1:
            return ids[0]
        reason = f"unmapped:account:{name}" if not ids else f"ambiguous:account:{name}"
        raise Parked(reason, self._problem(name))

    def problems(self, books: Books) -> list[str]:
        """One sentence for each account that `books.toml` names and Solid has not exactly once."""
        return [
            f"{where}: {self._problem(name)}"
            for where, name in (*_roles(books), *books.payroll.accounts())
            if len(self._ids.get(name, [])) != 1
        ]

    def _problem(self, name: str) -> str:
        if name in self._ids:
            return f'"{name}" stands {len(self._ids[name])} times in Solid\'s chart of accounts; names must be unique.'
        near = difflib.get_close_matches(name, self._ids, n=1, cutoff=0)
        hint = f'nearest: "{near[0]}"' if near else "the chart is empty"
        return f'"{name}" is not in Solid\'s chart of accounts; {hint}. Create it or correct books.toml.'


def _roles(books: Books) -> Iterator[tuple[str, str]]:
    yield from ((f"[accounts].{role}", name) for role, name in sorted(books.accounts.items()))
