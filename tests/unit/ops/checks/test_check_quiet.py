"""`relay check` looks, and brakes nobody who works."""

from messaging.bucket import Token
from ops.checks.check import QuietBucket


class Heard:
    """A bucket that writes down what it is told."""

    def __init__(self) -> None:
        self.words: list[str | None] = []

    async def take(self) -> Token:
        return Token()

    async def report(self, token: Token, *, cause: str | None, retry_after: float | None = None) -> None:
        del token, retry_after
        self.words.append(cause)


async def test_what_a_check_meets_brakes_nobody() -> None:
    heard = Heard()
    quiet = QuietBucket(heard)  # type: ignore[arg-type]  # a stand-in with what is used
    token = await quiet.take()
    for cause in ("unauthorised", "closed", "rate_limited", None):
        await quiet.report(token, cause=cause, retry_after=None)
    assert heard.words == [None]
