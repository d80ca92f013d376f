"""A source of a test, in the table of all for as long as the test runs."""

from dataclasses import replace
from typing import cast

import pytest

from producers.normalising import FileReader, Normaliser
from producers.source import NoOptions, Signature, Source, Webhook
from producers.sources import SOURCES


def put(
    monkeypatch: pytest.MonkeyPatch, name: str, read: FileReader | None = None, *, document: Normaliser | None = None
) -> None:
    """Put it into the table; of one that is there, only how it is read changes."""
    new = Source(name=name, read=read, document=document, options=NoOptions, people=False)
    source = replace(SOURCES.get(name, new), read=read, document=document)
    monkeypatch.setitem(cast("dict[str, Source]", SOURCES), name, source)


def webhook_of(name: str) -> Webhook:
    """The webhook that a source has of its own."""
    webhook = SOURCES[name].webhook
    assert webhook is not None
    return webhook


def signature_of(name: str) -> Signature:
    """How the bodies of its own webhook are signed."""
    signature = webhook_of(name).signature
    assert signature is not None
    return signature
