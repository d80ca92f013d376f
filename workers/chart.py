"""Solid's chart of accounts as the worker knows it: from the account's name in `books.toml` to its UUID in Solid."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from solid.models import Account
from workers.books.account_kinds import Named, is_wrong, untold_kind, wrong_kind
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
        self._named = {} if books is None else {each.account: each for each in books.named()}
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
        raise Parked(reason, self._problem(name, self._named.get(name)))

    def problems(self, books: Books) -> list[str]:
        """One sentence for each account of `books.toml` that Solid has not exactly once, or of the wrong kind."""
        return [*self.missing(books), *self.wrong(books)]

    def missing(self, books: Books) -> list[str]:
        """One sentence for each account of `books.toml` that Solid has not exactly once."""
        absent = (each for each in books.named() if len(self._ids.get(each.account, [])) != 1)
        return [f"{each.place}: {self._problem(each.account, each)}" for each in absent]

    def wrong(self, books: Books) -> list[str]:
        """One sentence for each account of `books.toml` that Solid has of a kind that it may not be of."""
        return [sentence for _, sentence in self._wrong_kinds(books)]

    def notes(self, books: Books) -> list[str]:
        """One sentence for each account whose kind could not be looked at."""
        named = (each for each in books.named() if each.account in self._kinds)
        told = (untold_kind(each, self._kinds[each.account]) for each in named)
        return [sentence for sentence in told if sentence is not None]

    def _wrong_kinds(self, books: Books) -> Iterator[tuple[str, str]]:
        for each in books.named():
            kind = self._kinds.get(each.account, "")
            if is_wrong(each, kind):
                nearest = _most_like(self._fitting(each), each.account, each.use)
                yield each.account, wrong_kind(each, kind, nearest=nearest)

    def _problem(self, name: str, named: Named | None) -> str:
        if name in self._ids:
            return f'"{name}" stands {len(self._ids[name])} times in Solid\'s chart of accounts; names must be unique.'
        near = _most_like((named and self._fitting(named)) or self._ids, name)
        hint = f'nearest: "{near}"' if near else "the chart is empty"
        return f'"{name}" is not in Solid\'s chart of accounts; {hint}. Create it or correct books.toml.'

    def _fitting(self, named: Named) -> Sequence[str]:
        """The accounts of a right kind, which stand once."""
        return [
            name for name, kind in self._kinds.items() if kind.upper() in named.allowed and len(self._ids[name]) == 1
        ]


def _most_like(names: Iterable[str], *meant: str) -> str | None:
    """The name that is most like what was meant: an account's name, a role."""

    def likeness(name: str) -> tuple[float, float]:
        words = (each.replace("_", " ").lower() for each in meant)
        ratios = [SequenceMatcher(None, each, name.lower()).ratio() for each in words]
        return max(ratios), sum(ratios)

    return max(sorted(names), key=likeness, default=None)
