"""Xero Payroll as a source: its pay runs, and how they are asked for."""

from typing import TYPE_CHECKING, Final

from producers.payroll.options import XeroOptions
from producers.payroll.xero import normalising
from producers.source import Pulled, Renewal, Source

if TYPE_CHECKING:  # these take a while to import, and the process that reads one large file needs none of them
    from producers.calling.calling import Caller
    from producers.payroll.provider import Provider
    from runtime.sections_payroll import PayrollSettings


def _client(caller: "Caller", own: "PayrollSettings", _: str) -> "Provider":
    from producers.payroll.xero.client import Xero  # noqa: PLC0415 - see above

    return Xero(caller, region=own.region or "au")


XERO: Final = Source(
    name="xero-payroll",
    document=normalising.normalise,
    options=XeroOptions,
    people=True,
    pulled=Pulled(
        base_url="https://api.xero.com",
        calls_per_minute=50,
        client=_client,
        renewal=Renewal(url="https://identity.xero.com/connect/token", path="/connect/token", form=True),
        needs=("token_file", "client_id", "client_secret_file", "region"),
    ),
)
