"""The text of a table: its encoding and its lines. Nothing is guessed: a byte order mark is a statement."""

import codecs
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from typing import BinaryIO, Final

from producers.normalising import Rejected
from producers.reading.written import ENCODINGS

MOST_TITLE_LINES: Final = 30
DELIMITERS: Final = (",", ";", "\t", "|")
_CHUNK: Final = 1 << 16
_LONGEST_LINE: Final = 1 << 20
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PLAIN: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""Decoders that take the mark for a character, so that places in the file can be counted."""


def encoding_of(stream: BinaryIO, declared: str) -> str:
    """Find the encoding and make sure that all of the file is in it. The stream is then at its beginning.

    Raises Rejected: `wrong_encoding` with the line and the byte.
    """
    mark = stream.read(4)
    stream.seek(0)
    found = next((name for sign, name in _MARKS if mark.startswith(sign)), None)
    if found == "utf-32" or (found == "utf-8" and declared != "utf-8"):
        message = f"the file says by its first bytes that it is {found}, and {declared} is declared"
        raise Rejected("wrong_encoding", message, field="encoding")
    name = found or declared
    if name == "utf-16" and found is None:
        message = "UTF-16 needs its byte order mark, and the file begins with none: declare utf-16-le or utf-16-be"
        raise Rejected("wrong_encoding", message, field="encoding")
    _decode_all(stream, name, codec=_PLAIN.get(mark[:2]) or ("utf-8" if name == "utf-8" else ENCODINGS[name]))
    stream.seek(0)
    return ENCODINGS[name]


def _decode_all(stream: BinaryIO, name: str, *, codec: str) -> None:
    decoder = codecs.getincrementaldecoder(codec)("strict")
    read, line = 0, 1
    while True:
        chunk = stream.read(_CHUNK)
        waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line += bytes(error.object[: error.start]).decode(codec, "ignore").count("\n")
            at = read - waiting + error.start + 1
            message = f"not {name} at line {line}, byte {at}: declare the file's encoding, or write it as UTF-8"
            raise Rejected("wrong_encoding", message, field="encoding") from None
        if "\0" in text:
            line += text[: text.index("\0")].count("\n")
            message = f"not {name}: line {line} holds a zero byte; UTF-16 without its byte order mark is declared"
            raise Rejected("wrong_encoding", message, field="encoding")
        read, line = read + len(chunk), line + text.count("\n")
        if not chunk:
            return


class TextLines(Iterator[str]):
    """The lines of a file with their ends, one at a time; the stream stays open.

    `bare` says that the last one had no end: the file may have been cut there. Raises Rejected: `line_too_long`.
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        """Begin where the stream stands."""
        self.bare = False
        self._lines = _lines(stream, encoding)

    def __next__(self) -> str:
        """Give the next line."""
        line = next(self._lines)
        self.bare = not line.endswith(("\n", "\r"))
        return line


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    text = TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        for number, line in enumerate(iter(lambda: text.readline(_LONGEST_LINE), ""), start=1):
            if len(line) == _LONGEST_LINE:
                message = f"line {number} has more than a million characters: this is no file of rows"
                raise Rejected("line_too_long", message)
            yield line
    finally:
        with suppress(ValueError):  # its owner may have closed the stream
            text.detach()
