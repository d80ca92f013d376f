"""Bodies of dead letters, sealed at rest: Fernet (AES-128-CBC and HMAC-SHA-256) under keys of a file.

The first key seals, every key opens: a new one goes on the first line, the old ones stay below it for as long as a
letter lies under them. A row says by a fingerprint which key sealed it; without one it lies open, as all did once.
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from runtime.secret_files import fingerprint
from store.errors import BodySealed


class Sealing:
    """Seals and opens bodies. Without a key it seals nothing, and opens what was never sealed."""

    def __init__(self, keys: Sequence[SecretStr] = ()) -> None:
        """Raises ValueError: a key is not the URL-safe base64 of 32 bytes."""
        self._keys = {fingerprint(key): Fernet(key.get_secret_value()) for key in keys}

    def seal(self, body: bytes) -> tuple[bytes, str | None]:
        """The body as it is kept, and the mark of the key that it lies under."""
        for mark, key in self._keys.items():
            return key.encrypt(body), mark
        return body, None

    def open(self, kept: bytes, mark: str | None) -> bytes:
        """The body as it came.

        Raises:
            BodySealed: its key is not in the file, or what is kept was changed.
        """
        if mark is None:
            return kept
        if mark not in self._keys:
            raise BodySealed(mark, "is not there")
        try:
            return self._keys[mark].decrypt(kept)
        except InvalidToken:
            raise BodySealed(mark, "does not open it: the row was changed") from None
