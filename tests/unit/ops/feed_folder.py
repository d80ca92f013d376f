"""A folder that a feed watches, and the settings of that feed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from runtime.settings import Settings

OPTIONS: dict[str, Any] = {"kind": "adjusted", "columns": {"id": "no", "item": "sku", "quantity": "qty"}}
ROWS = "no,day,sku,qty,reason\nA-1,2026-03-02,SKU-1,-1,damage\nA-2,2026-03-02,SKU-2,many,damage\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file that has been quiet for an hour, watched by the settings of this place."""
    monkeypatch.chdir(tmp_path)
    for name in ("RABBITMQ_URL", "RELAY_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    made = tmp_path / "in"
    made.mkdir()
    file = made / "a.csv"
    file.write_text(ROWS)
    then = file.stat().st_mtime - 3600
    os.utime(file, (then, then))
    feed = {"source": "warehouse-csv", "folder": str(made), "currency": "USD", "options": OPTIONS}
    monkeypatch.setenv("RELAY_FEEDS", json.dumps({"north": feed}))
    monkeypatch.setenv("RELAY_RABBITMQ__URL", "amqp://127.0.0.1:1/")
    return made


def settings(watched: Path, **changed: object) -> Settings:
    feed = {"source": "warehouse-csv", "folder": str(watched), "currency": "USD", "options": OPTIONS, **changed}
    return Settings(feeds={"north": feed})
