"""Every source there is, in one visible table: its name and the function that normalises its documents.

To add a source, write its normaliser and add its line here; nothing registers itself.
"""

from collections.abc import Mapping
from typing import Final

from producers.normalising import FileReader, NormaliseContext, Normalised, Normaliser
from producers.payroll.exports import runs as csv_runs
from producers.payroll.finch import normalising as finch
from producers.payroll.gusto import normalising as gusto
from producers.payroll.xero import normalising as xero
from producers.stripe import stripe
from producers.warehouse import shopify
from producers.warehouse.cin7.cin7 import read_cin7
from producers.warehouse.edi.edifact import read_edifact
from producers.warehouse.edi.x12 import read_x12
from producers.warehouse.epcis.epcis import read_epcis
from producers.warehouse.rows import csv_rows, json_rows
from producers.warehouse.ubl.ubl import read_ubl


def _stripe(document: bytes, context: NormaliseContext) -> Normalised:
    return stripe.normalise(document, accounts=context.accounts, company=context.company, mode=context.mode)


SOURCES: Final[Mapping[str, Normaliser]] = {
    "finch": finch.normalise,
    "gusto": gusto.normalise,
    "shopify": shopify.normalise,
    "stripe": _stripe,
    "xero-payroll": xero.normalise,
}

FILE_SOURCES: Final[Mapping[str, FileReader]] = {
    "cin7": read_cin7,
    "edifact": read_edifact,
    "epcis": read_epcis,
    "payroll-csv": csv_runs.read_runs,
    "ubl": read_ubl,
    "warehouse-csv": csv_rows.read,
    "warehouse-json": json_rows.read,
    "x12": read_x12,
}
"""Formats that are read as whole files, piece by piece."""
