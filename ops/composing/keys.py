"""Whose key is whose: the allowance is granted to a key, so no two companies may spend one.

Of companies with one key the first by name keeps it, in every process, and the others are stopped. No key is kept here,
only its digest.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from runtime.clock import Clock
from runtime.settings import ConfigurationError, Settings

LOOK_SECONDS: Final = 10.0
"""How often the files of all companies are read for it; the own one is read at every call."""


class Keys:
    """The keys of all companies of a process."""

    def __init__(self, companies: Sequence[Settings], clock: Clock) -> None:
        """Nothing is read yet."""
        self._companies = {settings.company: settings for settings in companies}
        self._clock = clock
        self._spent: dict[str, bytes | None] = {}
        self._looked: float | None = None

    def of(self, company: str) -> str:
        """The key of a company, as it is in its file now.

        Raises:
            ConfigurationError: it cannot be read, or is another's, who comes first.
        """
        key = self._companies[company].solid.key()
        now = self._clock.monotonic()
        if self._looked is None or now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._look(self._companies)
        self._spent[company] = _digest(key)
        if any(self._earlier(company)):  # its file may say something else by now
            self._look(list(self._earlier(company)))
            for first in self._earlier(company):
                raise ConfigurationError(_same(first, company))
        return key

    def _look(self, companies: Iterable[str]) -> None:
        self._spent |= {company: _digest_of(self._companies[company]) for company in companies}

    def _earlier(self, company: str) -> Iterable[str]:
        own = self._spent[company]
        return (each for each in sorted(self._spent) if each < company and self._spent[each] == own)


def refuse_shared_key(settings: Settings, all_of_them: Sequence[Settings]) -> None:
    """Raise ConfigurationError where the company has the key of one that comes before it, or none that can be read."""
    own = _digest(settings.solid.key())
    for other in sorted(all_of_them, key=lambda each: each.company):
        if other.company < settings.company and _digest_of(other) == own:
            raise ConfigurationError(_same(other.company, settings.company))


def _same(first: str, company: str) -> str:
    return (
        f"companies {first} and {company} have the same API key, and the allowance is granted to a key: {first} works "
        f"with it. Make one for {company} in Solid's settings, and put it into companies.{company}.solid.api_key_file."
    )


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.strip().encode()).digest()


def _digest_of(settings: Settings) -> bytes | None:
    """None where there is no key that can be read."""
    try:
        return _digest(settings.solid.key())
    except ConfigurationError:
        return None
