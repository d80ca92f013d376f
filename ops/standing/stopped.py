"""Webhooks and payroll accounts that stand still by themselves, for `relay status`: what keeps each, nothing else.

Companies and feeds have a line of their own there.
"""

from ops.checks.payroll import account_is_usable
from ops.composing.waiting_company import NOT_TO_BE_MADE
from ops.composing.webhooks import hook_of
from runtime.clock import Clock
from runtime.settings import ConfigurationError, Settings


async def stopped(settings: Settings, clock: Clock, *, company: str | None = None) -> dict[str, str]:
    """Webhook or account → what is wrong with its files, of all companies or of one; webhooks are everybody's."""
    found = {}
    for name in settings.received:
        try:
            hook_of(name, settings)
        except ConfigurationError as error:
            found[f"webhook {name}"] = str(error)
    for name, own in sorted(settings.payroll.items()):
        mine = [entity for entity, of in own.entities.items() if company in (None, of)]
        try:
            if mine:
                await account_is_usable(name, own, mine, clock)
        except NOT_TO_BE_MADE as error:
            found[f"payroll {name}"] = str(error)
    found |= {f"webhook {name}": problem for name, problem in settings.wrong_webhooks.items()}
    return found | {f"payroll {name}": problem for name, problem in settings.wrong_payroll.items()}
