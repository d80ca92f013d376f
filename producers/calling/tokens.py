"""Access tokens: read from a file, and renewed there so that no crash can lose the only token that still works.

A new refresh token is on the disk before the new access token is used for the first time: until then the provider
takes the old one too. Tokens are never logged, and stand in no message.
"""

import asyncio
import fcntl
import json
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from producers.calling.errors import TokenRefused
from runtime.errors import ConfigurationError
from runtime.secret_files import TOKEN, read_secret, read_whole

LOOK_SECONDS: Final = 0.1
"""How often it is tried to lock tokens that another process renews."""

Grant = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Exchanges a refresh token at the provider; gives the answer. Raises TokenRefused, ProviderUnreachable."""


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A token that its provider does not let expire: the content of a file, read at every call."""

    path: Path
    where: str

    def current(self) -> str:
        """The token to use now. Raises TokenRefused where there is none."""
        try:
            return read_secret(f"{self.where}.token_file", self.path, TOKEN)
        except ConfigurationError as error:
            raise TokenRefused(str(error)) from None

    async def renew(self, used: str) -> None:
        """The provider refused the token `used`. Raises TokenRefused until somebody puts another into the file."""
        if self.current() == used:
            msg = (
                f"{self.where}: the provider refused the token in {self.path}. "
                "Connect the account anew and put the new access token there."
            )
            raise TokenRefused(msg)


@dataclass(frozen=True, slots=True)
class RenewedTokens:
    """A file of JSON with `access_token` and `refresh_token`, written anew at each renewal."""

    path: Path
    where: str
    grant: Grant
    _renewing: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    def current(self) -> str:
        """See `FixedToken`."""
        return self._pair()[0]

    async def renew(self, used: str) -> None:
        """See `FixedToken`. One process renews at a time; what another has renewed meanwhile is taken as it is."""
        async with self._renewing, _locked(self.path):
            access, refresh = self._pair()
            if access == used:
                self._keep(refresh, await self.grant(refresh))

    def _keep(self, refresh: str, answer: Mapping[str, Any]) -> None:
        if not isinstance(answer.get("access_token"), str):
            said = "the provider's answer to the renewal holds no access_token; try again later"
            raise TokenRefused(f"{self.where}: {said}")
        kept = {"access_token": answer["access_token"], "refresh_token": answer.get("refresh_token") or refresh}
        write_whole(self.path, json.dumps(kept))

    def _pair(self) -> tuple[str, str]:
        try:
            tokens = json.loads(read_whole(f"{self.where}.token_file", self.path))
            access, refresh = tokens["access_token"], tokens["refresh_token"]
        except ConfigurationError as error:
            raise TokenRefused(str(error)) from None
        except (ValueError, KeyError, TypeError, RecursionError):
            access = refresh = None
        if not isinstance(access, str) or not isinstance(refresh, str):
            msg = (
                f"{self.where}: {self.path} must hold JSON with access_token and refresh_token. "
                "Authorise the relay at the provider and put both there."
            )
            raise TokenRefused(msg)
        return access, refresh


Tokens: TypeAlias = FixedToken | RenewedTokens
"""Where a client's access token comes from."""


def write_whole(path: Path, text: str) -> None:
    """Replace a file's content at once and durably: a reader, or a crash, finds the old or the new, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """Wait until this process alone may renew the tokens of this file.

    Not in a thread: one that waits for a lock cannot be told to stop, and the process ends only after it.
    """
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        while not _taken(lock):  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(LOOK_SECONDS)
        yield
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
