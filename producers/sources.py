"""Every source there is, in one visible table.

To add a source, write its value and add its line here; nothing registers itself, and nothing else knows its name.
"""

from collections.abc import Mapping
from typing import Final

from producers.payroll.exports.mapping import ExportOptions
from producers.payroll.exports.runs import read_runs
from producers.payroll.pulled import FINCH, GUSTO, XERO
from producers.shopify.shopify import SHOPIFY
from producers.source import Source, refuse_people
from producers.square.square import SQUARE
from producers.stripe.stripe import STRIPE
from producers.warehouse.cin7.cin7 import read_cin7
from producers.warehouse.cin7.fields import Cin7Options
from producers.warehouse.edi.edifact import read_edifact
from producers.warehouse.edi.edifact_fields import EdifactOptions
from producers.warehouse.edi.x12 import read_x12
from producers.warehouse.edi.x12_fields import X12Options
from producers.warehouse.epcis.epcis import EpcisOptions, read_epcis
from producers.warehouse.rows import csv_rows, json_rows
from producers.warehouse.rows.options import CsvOptions, JsonOptions
from producers.warehouse.ubl import UblOptions, read_ubl
from runtime.errors import ConfigurationError

_ALL: Final = (
    Source(name="cin7", read=read_cin7, options=Cin7Options, people=False),
    Source(name="edifact", read=read_edifact, options=EdifactOptions, people=False),
    Source(name="epcis", read=read_epcis, options=EpcisOptions, people=False),
    FINCH,
    GUSTO,
    Source(name="payroll-csv", read=read_runs, options=ExportOptions, people=True),
    SHOPIFY,
    SQUARE,
    STRIPE,
    Source(name="ubl", read=read_ubl, options=UblOptions, people=False),
    Source(name="warehouse-csv", read=csv_rows.read, options=CsvOptions, people=False),
    Source(name="warehouse-json", read=json_rows.read, options=JsonOptions, people=False),
    Source(name="x12", read=read_x12, options=X12Options, people=False),
    XERO,
)

SOURCES: Final[Mapping[str, Source]] = {source.name: source for source in _ALL}


def queued(name: str) -> Source:
    """The source of a feed or a webhook, whose documents may come to lie in a queue.

    Raises ConfigurationError: no source is called so, or its documents hold people's data.
    """
    if name not in SOURCES:
        raise ConfigurationError(f"no source is called {name!r}; known: {', '.join(sorted(SOURCES))}")
    refuse_people(SOURCES[name])
    return SOURCES[name]
