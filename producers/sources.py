"""Every source there is, in one visible table.

To add a source, write what reads it and add its value here; nothing registers itself, and nothing else knows its name.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from producers.normalising import NormaliseContext, Normalised
from producers.payroll.exports import runs as csv_runs
from producers.payroll.exports.mapping import CsvOptions as ExportOptions
from producers.payroll.finch import normalising as finch
from producers.payroll.gusto import normalising as gusto
from producers.payroll.options import FinchOptions, GustoOptions, XeroOptions
from producers.payroll.xero import normalising as xero
from producers.source import NoOptions, Pulled, Renewal, Signature, Source, Webhook, one_piece, refuse_people
from producers.stripe import stripe
from producers.warehouse import shopify
from producers.warehouse.cin7.cin7 import read_cin7
from producers.warehouse.edi.edifact import read_edifact
from producers.warehouse.edi.edifact_reading import EdifactOptions
from producers.warehouse.edi.x12 import read_x12
from producers.warehouse.edi.x12_reading import X12Options
from producers.warehouse.epcis.epcis import read_epcis
from producers.warehouse.epcis.known import EpcisOptions
from producers.warehouse.rows import csv_rows, json_rows
from producers.warehouse.rows.options import Cin7Options, CsvOptions, JsonOptions
from producers.warehouse.ubl.ubl import UblOptions, read_ubl
from producers.webhooks.shopify_shops import Shops
from runtime.errors import ConfigurationError
from runtime.secret_files import Shape

if TYPE_CHECKING:  # these take a while to import, and the process that reads one large file needs none of them
    from producers.payroll.clients.calling import Caller
    from producers.payroll.provider import Provider
    from runtime.sections_payroll import PayrollSettings
    from runtime.sections_webhooks import WebhookSettings


def _stripe(document: bytes, context: NormaliseContext) -> Normalised:
    return stripe.normalise(document, accounts=context.accounts, company=context.company, mode=context.mode)


def _shops(table: "WebhookSettings", company: str) -> Shops:
    return Shops(company, table.shops, table.locations, timedelta(hours=table.oldest_hours))


def _gusto(caller: "Caller", own: "PayrollSettings", version: str) -> "Provider":
    from producers.payroll.gusto.client import Gusto  # noqa: PLC0415 - see above; so the others

    return Gusto(caller, api_version=version, contractors=own.options.get("contractors") == "pull")


def _finch(caller: "Caller", _: "PayrollSettings", version: str) -> "Provider":
    from producers.payroll.finch.client import Finch  # noqa: PLC0415

    return Finch(caller, api_version=version)


def _xero(caller: "Caller", own: "PayrollSettings", _: str) -> "Provider":
    from producers.payroll.xero.client import Xero  # noqa: PLC0415

    return Xero(caller, region=own.region or "au")


_ALL: Final = (
    Source(name="cin7", read=read_cin7, options=Cin7Options, people=False),
    Source(name="edifact", read=read_edifact, options=EdifactOptions, people=False),
    Source(name="epcis", read=read_epcis, options=EpcisOptions, people=False),
    Source(
        name="finch",
        read=one_piece(finch.normalise),
        options=FinchOptions,
        people=True,
        documents=True,
        pulled=Pulled(
            base_url="https://api.tryfinch.com",
            calls_per_minute=60,
            client=_finch,
            api_version="2020-09-17",
            needs=("token_file",),
        ),
    ),
    Source(
        name="gusto",
        read=one_piece(gusto.normalise),
        options=GustoOptions,
        people=True,
        documents=True,
        pulled=Pulled(
            base_url="https://api.gusto.com",
            calls_per_minute=150,
            client=_gusto,
            api_version="2025-06-15",
            renewal=Renewal(url="https://api.gusto.com/oauth/token", path="/oauth/token", form=False),
        ),
    ),
    Source(name="payroll-csv", read=csv_runs.read_runs, options=ExportOptions, people=True),
    Source(
        name="shopify",
        read=one_piece(shopify.normalise),
        options=NoOptions,
        people=False,
        documents=True,
        webhook=Webhook(
            signature=Signature(header="X-Shopify-Hmac-SHA256", encoding="base64"),
            secret=Shape(re.compile(r"(?:[a-z]{2,8}_)?[A-Za-z0-9]{24,250}"), "at least 24 letters or digits"),
            identify=lambda _, headers: (headers.get("x-shopify-webhook-id"), headers.get("x-shopify-topic")),
            takes=frozenset({"shops", "locations", "oldest_hours"}),
            whose=_shops,
        ),
    ),
    Source(
        name="stripe",
        read=one_piece(_stripe),
        options=NoOptions,
        people=False,
        documents=True,
        webhook=Webhook(
            signature=Signature(
                header="Stripe-Signature", field="v1", timestamp="t", signs="{timestamp}.{body}", encoding="hex"
            ),
            secret=Shape(re.compile(r"whsec_[A-Za-z0-9+/=]{16,250}"), "whsec_ and at least 16 letters or digits"),
            identify=lambda body, _: stripe.identify(body),
            takes=frozenset({"accounts", "test_mode"}),
        ),
    ),
    Source(name="ubl", read=read_ubl, options=UblOptions, people=False),
    Source(name="warehouse-csv", read=csv_rows.read, options=CsvOptions, people=False),
    Source(name="warehouse-json", read=json_rows.read, options=JsonOptions, people=False),
    Source(name="x12", read=read_x12, options=X12Options, people=False),
    Source(
        name="xero-payroll",
        read=one_piece(xero.normalise),
        options=XeroOptions,
        people=True,
        documents=True,
        pulled=Pulled(
            base_url="https://api.xero.com",
            calls_per_minute=50,
            client=_xero,
            renewal=Renewal(url="https://identity.xero.com/connect/token", path="/connect/token", form=True),
            needs=("token_file", "client_id", "client_secret_file", "region"),
        ),
    ),
)

SOURCES: Final[Mapping[str, Source]] = {source.name: source for source in _ALL}


def queued(name: str) -> Source:
    """The source of a feed or a webhook, whose documents may come to lie in a queue.

    Raises:
        ConfigurationError: no source is called so, or its documents hold people's data.
    """
    if name not in SOURCES:
        raise ConfigurationError(f"no source is called {name!r}; known: {', '.join(sorted(SOURCES))}")
    refuse_people(SOURCES[name])
    return SOURCES[name]
