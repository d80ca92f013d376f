"""Pay runs for the tests: the files of tests/data, and documents made from them with changes."""

import copy
import json
from collections.abc import Mapping
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.sources import SOURCES
from schemas.envelope import Event
from schemas.payroll import RunPaid

ROOT = Path(__file__).parents[4]
MADE = ROOT / "tests" / "data" / "payroll-made"
XERO_AU = ROOT / "tests" / "data" / "xero-payroll-au"
GUSTO = ROOT / "tests" / "data" / "gusto"
PROVIDERS = ("adp", "gusto", "onpay", "paychex", "quickbooks")


def made(name: str) -> dict[str, Any]:
    """Give a made document, to be changed at will."""
    found: dict[str, Any] = json.loads((MADE / f"{name}.json").read_text(), parse_float=str)
    return found


def changed(document: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """Give a copy in which the field at the dotted path has another value."""
    copied: dict[str, Any] = copy.deepcopy(dict(document))
    *way, last = path.split(".")
    inner: Any = copied
    for step in way:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    inner[int(last) if last.isdigit() else last] = value
    return copied


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


def normalised(source: str, document: object, **options: object) -> Normalised:
    body = document if isinstance(document, bytes) else raw(document)
    return SOURCES[source].normalise(body, NormaliseContext(options=options))


def tried(source: str, document: object, **options: object) -> Normalised | Rejected:
    """What comes of a document, a refusal as a value."""
    try:
        return normalised(source, document, **options)
    except Rejected as rejected:
        return rejected


def refused(source: str, document: object, **options: object) -> Rejected:
    with pytest.raises(Rejected) as caught:
        normalised(source, document, **options)
    return caught.value


def paid(event: Event) -> RunPaid:
    assert isinstance(event.data, RunPaid)
    return event.data


def only_run(source: str, document: object, **options: object) -> RunPaid:
    (event,) = normalised(source, document, **options).events
    return paid(event)


def sums(run: RunPaid) -> dict[str, Decimal]:
    """Amounts by kind."""
    found: dict[str, Decimal] = {}
    for line in run.lines:
        found[line.kind] = found.get(line.kind, Decimal(0)) + line.amount.amount
    return found


def lines(run: RunPaid) -> dict[tuple[str, str, str | None], str]:
    """Amounts by kind, category and department."""
    return {(line.kind, line.category, line.department): str(line.amount.amount) for line in run.lines}


def csv_runs(content: bytes, **options: object) -> list[RunPaid]:
    found = SOURCES["payroll-csv"].pieces(BytesIO(content), NormaliseContext(options=options))
    return [paid(event) for taken in found for event in getattr(taken, "events", ())]


def csv_refused(content: bytes, **options: object) -> Rejected:
    with pytest.raises(Rejected) as caught:
        csv_runs(content, **options)
    return caught.value
