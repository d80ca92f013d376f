"""Writes the JSON Schema of every event type, envelope and data together, to docs/schemas.

Run `python -m schemas.generate` after a change of `schemas`; a test fails when the files are stale.
"""

import json
import sys
from pathlib import Path
from typing import Final

from schemas.catalog import EVENT_TYPES, data_schema_uri
from schemas.envelope import Event

TARGET: Final = Path(__file__).resolve().parents[1] / "docs" / "schemas"

_REF: Final = "#/$defs/{model}"


def event_schema(event_type: str) -> dict[str, object]:
    """Give the JSON Schema (2020-12) of one type of the catalog."""
    envelope = Event.model_json_schema(mode="serialization")
    data = EVENT_TYPES[event_type].model_json_schema(mode="serialization", ref_template=_REF)
    definitions = data.pop("$defs", {})
    properties = {name: schema for name, schema in envelope["properties"].items() if name != "extensions"}
    properties["type"] = {"const": event_type}
    properties["dataschema"] = {"const": data_schema_uri(event_type)}
    properties["data"] = data
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": data_schema_uri(event_type),
        "title": event_type,
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "subject", "partitionkey", "data"],
        "properties": properties,
        "patternProperties": {"^[a-z0-9]+$": {}},
        "additionalProperties": False,
        "$defs": definitions,
    }


def schema_files() -> dict[str, str]:
    """Give the text of every schema file by file name."""
    return {f"{name}.json": json.dumps(event_schema(name), indent=2, ensure_ascii=False) + "\n" for name in EVENT_TYPES}


def main() -> None:
    """Write the files, and remove those of types that are gone."""
    files = schema_files()
    TARGET.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in TARGET.glob("*.json")} - files.keys():
        (TARGET / stale).unlink()
    for name, text in files.items():
        (TARGET / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(files)} schemas in {TARGET}\n")


if __name__ == "__main__":
    main()
