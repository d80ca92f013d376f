"""Solid's chart of accounts as the worker knows it: from the account's name in `books.toml` to its UUID in Solid."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from solid.models import Account
from workers.books.account_kinds import untold_kind, wrong_kind
from workers.books.books import Books
from workers.plans.writes import Parked


class Chart:
    """Accounts by exact name. Read from Solid at the start of each session of a worker."""

    def __init__(self, accounts: Iterable[Account], books: Books | None = None) -> None:
        self._ids: dict[str, list[str]] = defaultdict(list)
        self._kinds: dict[str, str] = {}
        for account in accounts:
            self._ids[account.name].append(account.id)
            self._kinds[account.name] = account.type
        self._wrong = {} if books is None else dict(self._wrong_kinds(books))

    def id_of(self, name: str) -> str:
        """The UUID of the account.

        Raises:
            Parked: Solid has no account of that name, or several, or it is of the wrong kind for its role.
        """
        if name in self._wrong:
            raise Parked(f"wrong_kind:account:{name}", self._wrong[name])
        ids = self._ids.get(name, [])
        if len(ids) == 1:
            return ids[0]
        reason = f"unmapped:account:{name}" if not ids else f"ambiguous:account:{name}"
        raise Parked(reason, self._problem(name))

    def problems(self, books: Books) -> list[str]:
        """One sentence for each account of `books.toml` that Solid has not exactly once, or of the wrong kind."""
        missing = [
            f"{where}: {self._problem(name)}"
            for where, name in (*_roles(books), *books.payroll.accounts())
            if len(self._ids.get(name, [])) != 1
        ]
        return [*missing, *(sentence for _, sentence in self._wrong_kinds(books))]

    def notes(self, books: Books) -> list[str]:
        """One sentence for each account whose kind could not be looked at."""
        named = [(role, name) for role, name in sorted(books.roles.items()) if name in self._kinds]
        told = (untold_kind(role, name, self._kinds[name]) for role, name in named)
        return [sentence for sentence in told if sentence is not None]

    def _wrong_kinds(self, books: Books) -> Iterator[tuple[str, str]]:
        for role, name in sorted(books.roles.items()):
            if (sentence := wrong_kind(role, name, self._kinds.get(name, ""), where=books.place_of(role))) is not None:
                yield name, sentence

    def _problem(self, name: str) -> str:
        if name in self._ids:
            return f'"{name}" stands {len(self._ids[name])} times in Solid\'s chart of accounts; names must be unique.'
        near = difflib.get_close_matches(name, self._ids, n=1, cutoff=0)
        hint = f'nearest: "{near[0]}"' if near else "the chart is empty"
        return f'"{name}" is not in Solid\'s chart of accounts; {hint}. Create it or correct books.toml.'


def _roles(books: Books) -> Iterator[tuple[str, str]]:
    yield from ((books.place_of(role), name) for role, name in sorted(books.roles.items()))
