"""Finch as a source: its pay runs, and how they are asked for."""

from typing import TYPE_CHECKING, Final

from producers.payroll.finch import normalising
from producers.payroll.options import FinchOptions
from producers.source import Pulled, Source

if TYPE_CHECKING:  # these take a while to import, and the process that reads one large file needs none of them
    from producers.calling.calling import Caller
    from producers.payroll.provider import Provider
    from runtime.sections_payroll import PayrollSettings


def _client(caller: "Caller", _: "PayrollSettings", version: str) -> "Provider":
    from producers.payroll.finch.client import Finch  # noqa: PLC0415 - see above

    return Finch(caller, api_version=version)


FINCH: Final = Source(
    name="finch",
    document=normalising.normalise,
    options=FinchOptions,
    people=True,
    pulled=Pulled(
        base_url="https://api.tryfinch.com",
        calls_per_minute=60,
        client=_client,
        api_version="2020-09-17",
        needs=("token_file",),
    ),
)
