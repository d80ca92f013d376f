"""Reading a whole file that must be small: EDI and XML documents, whose control counts stand at their end.

It must not unpack anything: what is compressed is refused, so no file can grow while it is read.
"""

from typing import Annotated, BinaryIO, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from producers.normalising import Rejected

_CHUNK: Final = 1 << 20

_PACKED: Final = {
    b"PK\x03\x04": "a zip archive (an .xlsx is one too)",
    b"PK\x05\x06": "an empty zip archive",
    b"PK\x07\x08": "a part of a zip archive",
    b"\x1f\x8b": "packed with gzip",
    b"\x1f\x9d": "packed with compress",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ\x00": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a": "a rar archive",
    b"\xd0\xcf\x11\xe0": "an old Office document (.xls)",
}
LONGEST_MARK: Final = max(map(len, _PACKED))


def refuse_packed(start: bytes) -> None:
    """Return where a file that begins so is not packed. Raises Rejected: `compressed`."""
    what = next((what for mark, what in _PACKED.items() if start.startswith(mark)), None)
    if what is not None:
        raise Rejected("compressed", f"the file is {what}: unpack it, or export it as plain text")


Words = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=255)], ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
]
"""A list of words in settings; one word is a list of one."""


class FileOptions(BaseModel):
    """Settings that every format of whole files has. A file of more than `max_bytes` is refused unread."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    max_bytes: Annotated[int, Field(gt=0, le=1 << 30)] = 32 << 20


def refuse_wide(raw: bytes) -> None:
    """Return where the bytes are no UTF-16, in which no EDI is written. Raises Rejected: `encoding`."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 in raw[:2]:
        message = "this is UTF-16, and EDI has one byte a character: deliver it as it was sent, or in UTF-8"
        raise Rejected("encoding", message)


def read_whole(stream: BinaryIO, *, max_bytes: int) -> bytes:
    """Read the file to its end. Raises Rejected: `too_large`, `compressed`, `empty_file`; OSError as it comes."""
    raw = bytearray()
    while chunk := stream.read(min(_CHUNK, max_bytes + 1 - len(raw))):
        if not raw:
            refuse_packed(chunk)
        raw += chunk
        if len(raw) > max_bytes:
            raise Rejected("too_large", f"the file has more than {max_bytes} bytes: split it, or raise max_bytes")
    if not raw.strip():
        raise Rejected("empty_file", "the file is empty")
    return bytes(raw)
