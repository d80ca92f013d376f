"""What every command of `relay` does around its work: settings, log, loop, and errors told plainly."""

import asyncio
import getpass
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer

from messaging.errors import MessagingError
from ops.commands import collect_garbage_as_usual
from ops.showing.terminal import say
from producers.calling.errors import ProviderError
from runtime.logs import configure_logs
from runtime.settings import ConfigurationError, Settings, load_settings
from solid.errors import SolidError
from store.errors import StoreError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Company = Annotated[str | None, typer.Option(help="Whose, where there are several; else the setting `company`.")]
Result = TypeVar("Result")


@contextmanager
def told_plainly() -> Iterator[None]:
    """Errors that the user can do something about end in one line and exit code 1, not in a traceback."""
    try:
        yield
    except (ConfigurationError, MessagingError, ProviderError, StoreError, SolidError) as error:
        say(f"relay: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def run(work: Callable[[Settings], Coroutine[Any, Any, Result]], *, company: str | None = None) -> Result:
    """Read the settings as they are for one company, that of `company` unless another is named; run one coroutine."""

    async def for_one(settings: Settings) -> Result:
        return await work(settings.of(company or settings.company))

    return run_for_all(for_one)


def run_for_all(work: Callable[[Settings], Coroutine[Any, Any, Result]]) -> Result:
    """Read the settings of all companies, start the log, run one coroutine."""
    with told_plainly():
        settings = load_settings()
        configure_logs(settings.log.level, settings.log.format)
        collect_garbage_as_usual()
        runner = asyncio.Runner(loop_factory=_loop_factory())
        with runner:
            return runner.run(work(settings))


async def ungrouped(work: Coroutine[Any, Any, None]) -> None:
    """Raise what a task group wraps as it was, so that it can be told plainly."""
    try:
        await work
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop


def warn(text: str | None) -> None:
    """Say it on stderr, if there is anything to say."""
    if text:
        say(f"relay: {text}", err=True)


def actor() -> str:
    """Who acts, for the audit trail."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
