"""`relay payouts`: whether each payout adds up to the cent, and what is missing where it does not."""

from typing import Annotated, Any

import typer

from ops.commands.running import AsJson, Company, actor, run_for_all, warn
from ops.showing.terminal import say
from runtime.clock import SystemClock
from runtime.settings import Settings


def payouts(
    payout: Annotated[str | None, typer.Argument(metavar="[PAYOUT]", help="One payout, with its sums.")] = None,
    *,
    company: Company = None,
    as_json: AsJson = False,
) -> None:
    """Does each payout add up? Its transactions, what left the balance, and the line in the bank account, to the cent.

    Payouts are read with a key (stripe.api_key_file). Collects dead letters from the broker first.
    Exit code 1: one does not hold, or the payout that is named is not known.

    Example: relay payouts po_1Nxy
    """

    async def ask(settings: Settings) -> dict[str, Any]:
        from ops.desk.desk import open_desk  # noqa: PLC0415
        from ops.standing.payouts import payouts_status  # noqa: PLC0415

        async with open_desk(settings, clock=SystemClock(), actor=actor()) as desk:
            warn(await desk.collect_if_reachable())
        return await payouts_status(settings, SystemClock(), company=company, payout=payout)

    found = run_for_all(ask)
    from ops.showing.payouts import show_payout, show_payouts  # noqa: PLC0415

    if payout is None:
        show_payouts(found, as_json=as_json)
    elif not found["payouts"]:
        say(f"relay: no payout {payout} was read", err=True)
        raise typer.Exit(1)
    else:
        for each in found["payouts"]:
            show_payout(each, as_json=as_json)
    if not all(each["holds"] for each in found["payouts"]):
        raise typer.Exit(1)
