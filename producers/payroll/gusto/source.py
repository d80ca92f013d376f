"""Gusto as a source: its pay runs, and how they are asked for."""

from typing import TYPE_CHECKING, Final

from producers.payroll.gusto import normalising
from producers.payroll.options import GustoOptions
from producers.source import Pulled, Renewal, Source

if TYPE_CHECKING:  # these take a while to import, and the process that reads one large file needs none of them
    from producers.calling.calling import Caller
    from producers.payroll.provider import Provider
    from runtime.sections_payroll import PayrollSettings


def _client(caller: "Caller", own: "PayrollSettings", version: str) -> "Provider":
    from producers.payroll.gusto.client import Gusto  # noqa: PLC0415 - see above

    return Gusto(caller, api_version=version, contractors=own.options.get("contractors") == "pull")


GUSTO: Final = Source(
    name="gusto",
    document=normalising.normalise,
    options=GustoOptions,
    people=True,
    pulled=Pulled(
        base_url="https://api.gusto.com",
        calls_per_minute=150,
        client=_client,
        api_version="2025-06-15",
        renewal=Renewal(url="https://api.gusto.com/oauth/token", path="/oauth/token", form=False),
    ),
)
