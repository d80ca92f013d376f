"""What `relay check` looks at for pay runs: tokens and secrets can be read, companies are ours, mappings are right.

No provider is called: a call would use up a token's allowance, and could renew the token.
"""

from ops.checks.findings import Checklist
from ops.composing.payroll import account_of, address_of, open_client, pace_of, pulled_of
from producers.calling.errors import ProviderError
from producers.calling.tokens import FixedToken, RenewedTokens
from producers.normalising import NormaliseContext, Rejected
from producers.payroll.exports.mapping import load, renamed_in
from producers.source import Pulled
from runtime.clock import Clock
from runtime.sections_payroll import EXPORTS, PayrollSettings
from runtime.settings import ConfigurationError, Settings


async def check_payroll(checklist: Checklist, settings: Settings, clock: Clock) -> None:
    """Look at every account that has an entity of this company."""
    for name, own in sorted(settings.payroll.items()):
        mine = sorted(entity for entity, company in own.entities.items() if company == settings.company)
        if mine:
            await checklist.look(f"payroll.{name}", account_is_usable(name, own, mine, clock))


async def account_is_usable(name: str, own: PayrollSettings, mine: list[str], clock: Clock) -> str:
    """Say what is set. Raises ConfigurationError: a file of it cannot be used, or its mapping."""
    entities = f"{len(mine)} of {len(own.entities)} entities are this company's"
    try:
        if own.provider == EXPORTS:
            context = NormaliseContext(options=account_of(name, own).options)
            _, mapping = load(context)
            return "; ".join([f"{entities}; the mapping knows {len(mapping.amounts)} columns", *renamed_in(context)])
        pulled = pulled_of(name, own)
        async with open_client(name, own, clock):
            _readable(name, own, pulled)
    except (ProviderError, Rejected) as error:
        raise ConfigurationError(str(error)) from error
    when = f"pulled at {own.schedule} ({own.time_zone})" if own.schedule else "pulled by hand"
    return f"{entities}; {own.provider} at {address_of(own, pulled)}, {pace_of(own, pulled)} calls a minute; {when}"


def _readable(name: str, own: PayrollSettings, pulled: Pulled) -> None:
    """Read the token and the client's secret as a pull would. Raises TokenRefused, ConfigurationError."""
    path = own.token_file
    if path is None:
        return
    if pulled.renewal is None:
        FixedToken(path, where=f"payroll.{name}").current()
        return
    RenewedTokens(path, where=f"payroll.{name}", grant=_never).current()
    own.client_secret()


async def _never(refresh_token: str) -> dict[str, str]:
    del refresh_token
    return {}
