"""The one reader of files that hold secrets: signing secrets, API keys, tokens, passwords, addresses with passwords.

One secret a line. Blank lines and lines that begin with `#` do not count, and a line may end in a comment after a
blank. Quotes around a secret, a byte order mark and the line ends of Windows are taken off. A line that does not look
like what belongs there is refused with its number: else the words of a comment would be secrets. No message ever
shows what stands in a file.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import SecretStr

from runtime.errors import ConfigurationError

_LARGEST_BYTES: Final = 65_536
_LINE: Final = re.compile(r"""(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"']+))(?:\s+(?:#.*)?)?""")


class Shape(NamedTuple):
    """What secrets of one kind look like: the pattern, and how people say it."""

    pattern: re.Pattern[str]
    said: str


KEY: Final = Shape(re.compile(r"(?!\w+=[^=])[!-~]{16,4096}"), "at least 16 visible letters of ASCII without a blank")
TOKEN: Final = Shape(re.compile(r"(?!\w+=[^=])[!-~]{8,16384}"), "at least 8 visible letters of ASCII without a blank")
ADDRESS: Final = Shape(re.compile(r"[a-z+]+://\S+"), "an address with its scheme, such as amqps://user:password@host/")
BODY_KEY: Final = Shape(re.compile(r"[A-Za-z0-9_-]{43}="), "32 random bytes in URL-safe base64")
PASSWORD: Final = Shape(re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,1024}"), "one line without control characters")


def read_secret(setting: str, path: Path, shape: Shape = KEY) -> str:
    """The only secret of a file. `setting` names the file in messages; a password with a blank stands in quotes.

    Raises:
        ConfigurationError: it cannot be read, holds none or several, or a line does not have the shape.
    """
    found = list(_lines(setting, path, shape))
    if len(found) != 1:
        where = f" (lines {', '.join(str(number) for number, _ in found)})" if found else ""
        msg = f"{setting}: {path} holds {len(found)} secrets{where}, and exactly one belongs there: {shape.said}."
        raise ConfigurationError(msg)
    return found[0][1]


def read_secrets(setting: str, path: Path, shape: Shape) -> tuple[SecretStr, ...]:
    """The secrets of a file, in its order: several while one replaces another.

    Raises:
        ConfigurationError: it cannot be read, holds none, or a line does not have the shape.
    """
    found = tuple(SecretStr(secret) for _, secret in _lines(setting, path, shape))
    if not found:
        msg = f"{setting}: {path} holds no secret; put one a line there: {shape.said}."
        raise ConfigurationError(msg)
    return found


def checked(setting: str, secrets: tuple[SecretStr, ...], shape: Shape) -> tuple[SecretStr, ...]:
    """Secrets that come from the environment, held to the same shape.

    Raises:
        ConfigurationError: one does not have it; told is which, never its text.
    """
    for number, secret in enumerate(secrets, 1):
        if not shape.pattern.fullmatch(secret.get_secret_value()):
            raise ConfigurationError(f"{setting}: secret {number} is not {shape.said}.")
    return secrets


def fingerprint(secret: str | SecretStr) -> str:
    """What tells one long random secret from another and says nothing else of it: `printf %s SECRET | sha256sum`.

    Not for passwords: a short one could be guessed from it.
    """
    text = secret if isinstance(secret, str) else secret.get_secret_value()
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_whole(setting: str, path: Path) -> str:
    """The text of a file with a secret that has a form of its own, such as JSON.

    Raises:
        ConfigurationError: it cannot be read, is no regular file, larger than 64 KiB, or no UTF-8.
    """
    try:
        text = _bytes(path).decode("utf-8-sig")
    except OSError as error:
        why = error.strerror or "cannot be read"
        msg = f"{setting}: {path}: {why}. Put the secret there, readable by this user only."
        raise ConfigurationError(msg) from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ConfigurationError(f"{setting}: {path}: no text in UTF-8. Save it as plain text.")
    return text


def _lines(setting: str, path: Path, shape: Shape) -> Iterator[tuple[int, str]]:
    """The number and the secret of each line that has one."""
    for number, line in enumerate(re.split(r"\r\n|\r|\n", read_whole(setting, path)), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        secret = next((part for part in match.groups() if part is not None), "") if match else ""
        if not shape.pattern.fullmatch(secret):
            msg = (
                f"{setting}: {path}, line {number}: not {shape.said}. "
                "One secret a line; a comment begins with #, and nothing else may stand there."
            )
            raise ConfigurationError(msg)
        yield number, secret


def _bytes(path: Path) -> bytes:
    """All bytes of a regular file; a pipe is refused and never waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "is no regular file")
        found = file.read(_LARGEST_BYTES + 1)
    if len(found) > _LARGEST_BYTES:
        raise OSError(0, "larger than 64 KiB, so it is no file of secrets")
    return found
