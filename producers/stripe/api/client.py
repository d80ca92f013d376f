"""Stripe's REST API, read only: one pinned version, and what Stripe refuses said as a person needs it.

No message and no log holds the key, or anything of an answer but the name of a right that is missing. It must not know
what is read for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx2

from producers.calling.calling import Paced, json_of
from producers.calling.errors import NotThere, TokenRefused, UnexpectedAnswer
from producers.calling.settled import Shifted
from producers.calling.shapes import object_of
from runtime.errors import ConfigurationError
from runtime.secret_files import Shape, read_secret

BASE_URL: Final = "https://api.stripe.com"

VERSION: Final = "2024-06-20"
"""The last version in which a charge still names its invoice. Stripe serves a version for good, so it need not move."""

KEY: Final = Shape(
    re.compile(r"(rk|sk)_(live|test)_[A-Za-z0-9_]{8,250}"),
    "a key of Stripe, rk_live_… or rk_test_…: a restricted one that may only read",
)

Query = Sequence[tuple[str, str]]
Row = Mapping[str, Any]

_RIGHT: Final = re.compile(r"\brak_[a-z_]{1,80}\b")


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The key, read from its file at every call, so that a new one is used without a restart.

    `is_live` is the mode of the books: a key of the other mode is refused. `setting` names the file in messages.
    """

    setting: str
    path: Path
    is_live: bool

    def current(self) -> str:
        """The key to use now. Raises TokenRefused: it cannot be read, is none of Stripe's, or of the other mode."""
        try:
            key = read_secret(self.setting, self.path, KEY)
        except ConfigurationError as error:
            raise TokenRefused(str(error)) from None
        if ("_live_" in key[:8]) != self.is_live:
            raise TokenRefused(f"{self.setting}: {self.path} {_OTHER_MODE[self.is_live]}")
        return key


_OTHER_MODE: Final[Mapping[bool, str]] = {
    True: "holds a key of test mode, and these are books of real money: put the live key there, or set test_mode",
    False: "holds a key of real money, and these are trial books (test_mode): put the key of test mode there",
}


@dataclass(frozen=True, slots=True)
class StripeApi:
    """Calls Stripe for its own account, or for a connected one that is named; paced, and tried again."""

    paced: Paced
    key: KeyFile

    async def get(self, path: str, query: Query = (), *, account: str | None = None) -> Row:
        """GET a path.

        Raises:
            TokenRefused: the key is unknown to Stripe, or may not read this.
            Shifted: the row that a page begins after is gone.
            NotThere, UnexpectedAnswer, ProviderUnreachable: see there.
        """
        headers = {"Authorization": f"Bearer {self.key.current()}", "Stripe-Version": VERSION}
        if account is not None:
            headers["Stripe-Account"] = account
        asked = httpx2.QueryParams(list(query))
        answer = await self.paced.send(self.paced.http.build_request("GET", path, params=asked, headers=headers))
        if not answer.is_success:
            raise self._refusal(answer, account)
        return self._in_mode(object_of(json_of(answer), "the whole answer"))

    async def account(self) -> str | None:
        """The id of the account that the key is of; None where the key may not read it. Raises as `get`."""
        try:
            found = await self.get("/v1/account")
        except (NoRight, NotThere):
            return None
        account = found.get("id")
        return account if isinstance(account, str) else None

    def _refusal(self, answer: httpx2.Response, account: str | None) -> Exception:
        status, error = answer.status_code, _error_of(answer)
        where = f"{self.paced.where}: GET {answer.request.url.path} was answered with {status}"
        if error.get("code") == "resource_missing" and error.get("param") == "starting_after":
            return Shifted()
        match status:
            case HTTPStatus.UNAUTHORIZED:
                return TokenRefused(f"{where}: Stripe does not know the key in {self.key.path}. Is it valid?")
            case HTTPStatus.FORBIDDEN if account is not None and not _right_in(error):
                msg = f"{where}: the key in {self.key.path} may not read account {account}, which is another's"
                return TokenRefused(f"{msg}: use the key of its platform, or take it out of accounts.")
            case HTTPStatus.FORBIDDEN:
                right = f" ({found})" if (found := _right_in(error)) else ""
                msg = f"{where}: the key in {self.key.path} has no right to read this{right}"
                return NoRight(f"{msg}. Give it to the restricted key in Stripe's dashboard, Developers, API keys.")
            case HTTPStatus.NOT_FOUND:
                return NotThere(where)
        return UnexpectedAnswer(f"{where}. Is api_base_url of [{self.paced.where}] right?")

    def _in_mode(self, answer: Row) -> Row:
        """Refuse what is not of the mode of the books, whatever the key looks like."""
        rows = answer.get("data")
        each = [answer, *(rows if isinstance(rows, list) else ())]
        each += [row["source"] for row in each if isinstance(row, dict) and isinstance(row.get("source"), dict)]
        if any(isinstance(row, dict) and row.get("livemode") is (not self.key.is_live) for row in each):
            raise TokenRefused(f"{self.paced.where}: Stripe answers {_OTHER_ANSWER[self.key.is_live]}")
        return answer


_OTHER_ANSWER: Final[Mapping[bool, str]] = {
    True: "with tests (livemode false), and these are books of real money: use a live key, or set test_mode",
    False: "with real money (livemode true), and these are trial books (test_mode): use a key of test mode",
}


class NoRight(TokenRefused):
    """The key is good, and may not read this."""


def _error_of(answer: httpx2.Response) -> Mapping[str, Any]:
    """What Stripe says went wrong; nothing where that cannot be read."""
    try:
        document = json_of(answer)
    except UnexpectedAnswer:
        return {}
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {}


def _right_in(error: Mapping[str, Any]) -> str | None:
    """The name of the right that Stripe says would help: `rak_payout_read`."""
    found = _RIGHT.search(str(error.get("message", "")))
    return None if found is None else found.group()
