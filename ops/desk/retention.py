"""What is kept of people, and for how long: the contents of settled dead letters, and what one person asks about."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from ops.composing.workers import open_migrated_store, open_store, sealing_of
from runtime.clock import Clock
from runtime.lifecycle import rest
from runtime.secret_files import fingerprint
from runtime.settings import ConfigurationError, Settings
from store.audit import AuditTrail
from store.errors import StoreError
from store.letters.dead_letters import DeadLetters
from store.letters.erasing import Erasing, Held
from store.letters.sealing import Sealing

log = structlog.get_logger()

EVERY_SECONDS: Final = 3600.0

OUT_OF_REACH: Final = (
    "Solid's own books: change the contact there",
    "messages that still wait in RabbitMQ: they are booked first; ask again afterwards",
    "files of feeds, in done/, failed/ and work/ of each state_folder: search and delete them there",
    "names of files in the table of feeds' runs: they stay",
    "log files and backups: they end by their own retention",
)
"""Where else a person may be known, and what to do there."""


async def erase_settled(settings: Settings, clock: Clock, *, days: float | None = None, dry: bool = False) -> int:
    """Remove what letters held that were settled so many days ago (`store.settled_days`); returns of how many.

    Raises:
        StoreUnavailable: see there.
    """
    async with open_store(settings) as engine:
        return await _erase(engine, clock, days=settings.store.settled_days if days is None else days, dry=dry)


async def _erase(engine: AsyncEngine, clock: Clock, *, days: float, dry: bool = False) -> int:
    before = clock.now() - timedelta(days=days)
    return await Erasing(engine, clock, Sealing()).settled_before(before, dry=dry)  # which opens none


async def keep_erasing(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Erase again and again while the relay runs. What keeps it from that is told, and tried again an hour later."""
    days = settings.store.settled_days
    while not stop.is_set():
        try:
            async with open_migrated_store(settings) as engine:
                if erased := await _erase(engine, clock, days=days):
                    log.info("dead_letters.erased", count=erased, settled_days=days)
        except (StoreError, ConfigurationError, OSError) as error:
            log.warning("dead_letters.not_erased", error=type(error).__name__)
        except Exception:  # whatever it is: everybody else in this process goes on
            log.exception("dead_letters.not_erased")
        await rest(stop, asyncio.sleep(EVERY_SECONDS))


async def check_bodies(settings: Settings, clock: Clock) -> str:
    """How bodies of dead letters lie in the store, and whether there is a key for each.

    Raises:
        ConfigurationError: a key is missing, or is none.
        StoreUnavailable: see there.
    """
    keys = {fingerprint(key) for key in settings.store.body_keys()}
    async with open_store(settings) as engine:
        used = await DeadLetters(engine, clock).keys_in_use()
    missing = {key: count for key, count in used.items() if key not in {None, *keys}}
    if missing:
        said = ", ".join(f"{count:,} under {key}" for key, count in missing.items())
        raise ConfigurationError(
            f"store.body_key_file lacks keys that dead letters are sealed with: {said}. Put them back."
        )
    sealed = ", ".join(f"{count:,} under the key {key}" for key, count in used.items() if key) or "none is sealed"
    how = "new ones are sealed" if keys else "new ones lie open: store.body_key_file is not set"
    days = f"contents go {settings.store.settled_days:g} days after a replay"
    return f"{used.get(None, 0):,} lie open, {sealed}; {how}; {days}"


async def forget(settings: Settings, clock: Clock, name: str, *, actor: str, dry: bool) -> list[Held]:
    """What is held of a person; erased where that may be. The audit trail gets the counts and never the name.

    Raises:
        ConfigurationError: the name is too short, or a key of sealed bodies is missing.
        StoreUnavailable: see there.
    """
    async with open_store(settings) as engine:
        try:
            held = await Erasing(engine, clock, sealing_of(settings)).of_person(name, dry=dry)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        if not dry:
            counts = {each.what: each.count for each in held}
            await AuditTrail(engine, clock).append(actor=actor, act="person.forgotten", subject="person", detail=counts)
        return held
