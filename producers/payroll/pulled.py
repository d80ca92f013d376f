"""The sources that are asked for pay runs: what reads the documents of each, and how it is asked."""

from typing import TYPE_CHECKING, Final

from producers.payroll.finch.normalising import normalise as read_finch
from producers.payroll.gusto.normalising import normalise as read_gusto
from producers.payroll.options import FinchOptions, GustoOptions, XeroOptions
from producers.payroll.xero.normalising import normalise as read_xero
from producers.source import Pulled, Renewal, Source

if TYPE_CHECKING:  # these take a while to import, and the process that reads one large file needs none of them
    from producers.calling.calling import Caller
    from producers.payroll.provider import Provider
    from runtime.sections_payroll import PayrollSettings


def _finch(caller: "Caller", _: "PayrollSettings", version: str) -> "Provider":
    from producers.payroll.finch.client import Finch  # noqa: PLC0415 - see above

    return Finch(caller, api_version=version)


def _gusto(caller: "Caller", own: "PayrollSettings", version: str) -> "Provider":
    from producers.payroll.gusto.client import Gusto  # noqa: PLC0415 - see above

    return Gusto(caller, api_version=version, contractors=own.options.get("contractors") == "pull")


def _xero(caller: "Caller", own: "PayrollSettings", _: str) -> "Provider":
    from producers.payroll.xero.client import Xero  # noqa: PLC0415 - see above

    return Xero(caller, region=own.region or "au")


FINCH: Final = Source(
    name="finch",
    document=read_finch,
    options=FinchOptions,
    people=True,
    pulled=Pulled(
        base_url="https://api.tryfinch.com",
        calls_per_minute=60,
        client=_finch,
        api_version="2020-09-17",
        needs=("token_file",),
    ),
)
GUSTO: Final = Source(
    name="gusto",
    document=read_gusto,
    options=GustoOptions,
    people=True,
    pulled=Pulled(
        base_url="https://api.gusto.com",
        calls_per_minute=150,
        client=_gusto,
        api_version="2025-06-15",
        renewal=Renewal(url="https://api.gusto.com/oauth/token", path="/oauth/token", form=False),
    ),
)
XERO: Final = Source(
    name="xero-payroll",
    document=read_xero,
    options=XeroOptions,
    people=True,
    pulled=Pulled(
        base_url="https://api.xero.com",
        calls_per_minute=50,
        client=_xero,
        renewal=Renewal(url="https://identity.xero.com/connect/token", path="/connect/token", form=True),
        needs=("token_file", "client_id", "client_secret_file", "region"),
    ),
)
