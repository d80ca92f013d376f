"""`relay doubts` and `relay restored`: a person's word where the relay cannot know."""

from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.running import AsJson, Company, actor, run
from ops.showing.terminal import say
from runtime.clock import SystemClock
from runtime.settings import Settings

if TYPE_CHECKING:  # these take a while to import, and not every command needs them
    from collections.abc import AsyncIterator, Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

    from store.doubts import Doubts, WriteRow

doubts = typer.Typer(
    help="Writes that may or may not be in Solid: see them, and say what you found.", no_args_is_help=True
)

ExternalId = Annotated[str, typer.Argument(metavar="EXTERNAL_ID", help="As `relay doubts list` shows it.")]


@doubts.command("list")
def doubts_list(*, company: Company = None, as_json: AsJson = False) -> None:
    """Writes that may have been sent and of which no answer is known. Most settle by themselves within minutes.

    Example: relay doubts list
    """

    async def ask(settings: Settings) -> "Sequence[WriteRow]":
        async with _open_doubts(settings) as (_, opened):
            return await opened.list()

    rows = run(ask, company=company)
    from ops.showing.desk import show_doubts  # noqa: PLC0415

    show_doubts(rows, as_json=as_json)


@doubts.command("found")
def doubts_found(
    external_id: ExternalId,
    solid_id: Annotated[str, typer.Argument(metavar="SOLID_ID", help="Solid's id of the record you found.")],
    *,
    company: Company = None,
) -> None:
    """You looked in Solid and the record is there, with the amount that the list shows: it is not sent again.

    Example: relay doubts found stripe:payout:po_1 7d0c1e9a-2f7b-4a53-9d1c-0a6f8d1b2c3d
    """
    row = _decide(external_id, solid_id, company)
    of = f" of {row.amount:f} {row.currency}" if row.amount is not None else ""
    say(f"{external_id}{of} is {solid_id} in Solid. Replay its dead letter, if it has one: relay dead list")


@doubts.command("absent")
def doubts_absent(external_id: ExternalId, *, company: Company = None) -> None:
    """You looked in Solid and the record is certainly not there: the relay sends it when its event comes again.

    Example: relay doubts absent stripe:payout:po_1
    """
    _decide(external_id, None, company)
    say(f"{external_id} will be sent when its event comes again: relay dead list, relay dead replay ID")


def restored(*, company: Company = None) -> None:
    """The store is right as it is, though it lacks what was written last: restored from a backup, failed over, or new.

    From then on, facts older than this moment that the store does not know are looked up in Solid before they are sent.
    Workers that hold back because of the store go on by themselves within a minute.
    Run it once for each company. Needs the broker; no worker may use the earlier store any more.

    Example: relay restored --company north
    """

    async def ask(settings: Settings) -> tuple[str, datetime]:
        from messaging.marks import replace_mark  # noqa: PLC0415
        from ops.composing.workers import open_link, open_store  # noqa: PLC0415
        from store.audit import AuditTrail  # noqa: PLC0415
        from store.earlier import EarlierRecords  # noqa: PLC0415

        clock = SystemClock()
        async with open_link(settings, "restored") as link, open_store(settings) as engine:
            await link.connection()
            began, mark = await EarlierRecords(engine, clock).begin_anew(settings.company, by=f"person {actor()}")
            await AuditTrail(engine, clock).append(actor=actor(), act="store.restored", subject=settings.company)
            await replace_mark(link, settings.company, mark)
            return settings.company, began

    whose, began = run(ask, company=company)
    say(f"{whose}: facts before {began:%Y-%m-%d %H:%M} UTC that the store does not know are looked up first.")


def _decide(external_id: str, solid_id: str | None, company: str | None) -> "WriteRow":
    async def ask(settings: Settings) -> "WriteRow":
        from store.audit import AuditTrail  # noqa: PLC0415

        async with _open_doubts(settings) as (engine, opened):
            row = await opened.decide(external_id, solid_id=solid_id)
            act = "doubt.absent" if solid_id is None else "doubt.found"
            await AuditTrail(engine, SystemClock()).append(
                actor=actor(), act=act, subject=external_id, detail={"solid_id": solid_id}
            )
            return row

    return run(ask, company=company)


@asynccontextmanager
async def _open_doubts(settings: Settings) -> "AsyncIterator[tuple[AsyncEngine, Doubts]]":
    from ops.composing.workers import open_store  # noqa: PLC0415
    from store.doubts import Doubts  # noqa: PLC0415

    async with open_store(settings) as engine:
        settle = timedelta(seconds=settings.worker.settle_seconds)
        yield engine, Doubts(engine, company=settings.company, settle=settle, clock=SystemClock())
