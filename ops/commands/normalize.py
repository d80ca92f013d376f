"""`relay normalize`: raw documents and files to events, with nothing running."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ops.commands.running import told_plainly
from ops.showing.terminal import say, say_json

BooksMode = Literal["live", "test"]
"""As `producers.normalising.Mode`, which would be slow to import here."""


def normalize(  # noqa: PLR0913 - one parameter an option
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of raw documents.")],
    *,
    source: Annotated[str, typer.Option(help="Where the documents come from, for example stripe.")],
    company: Annotated[str, typer.Option(help="Whose books.")] = "main",
    currency: Annotated[str, typer.Option(help="Of documents that name none.")] = "USD",
    options: Annotated[Path | None, typer.Option(help="A TOML file with the options of the source.")] = None,
    mode: Annotated[
        BooksMode | None, typer.Option(help="As such books take them: live or test; else as the settings say.")
    ] = None,
    test_mode: Annotated[
        bool, typer.Option("--test-mode", help="As trial books take them: the same as --mode test.")
    ] = False,
) -> None:
    """Raw documents to events, one JSON line each, on stdout. Offline. Rejected ones on stderr, exit code 1.

    A test of the source is left out, and said on stderr, unless --test-mode or the settings take tests.

    Example: relay normalize --source stripe demo/data/charge.succeeded.json | relay plan
    """
    from ops.dry.offline import Warned, normalise_file  # noqa: PLC0415 - keeps other commands quick
    from producers.normalising import NormaliseContext  # noqa: PLC0415
    from producers.reading.written import renamed  # noqa: PLC0415
    from producers.sources import SOURCES  # noqa: PLC0415
    from runtime.sections_feeds import read_options  # noqa: PLC0415

    if source not in SOURCES:
        say(f"relay: no source is called {source!r}; known: {', '.join(sorted(SOURCES))}", err=True)
        raise typer.Exit(2)
    with told_plainly():
        said = read_options(options) if options else {}
    for sentence in renamed(SOURCES[source].options, said):
        say(f"note: {sentence}", err=True)
    if mode is None:
        mode = "test" if test_mode or _takes_tests(source, company) else None
    context = NormaliseContext(company=company, currency=currency, options=said, mode=mode)
    rejected = False
    for path in files:
        for result in normalise_file(source, path, context):
            if isinstance(result, bytes):
                say_json(result.decode())
            elif isinstance(result, Warned):
                say(f"warning: {result}", err=True)
            else:
                rejected = True
                say(f"rejected: {result}", err=True)
    if rejected:
        raise typer.Exit(1)


def _takes_tests(source: str, company: str) -> bool:
    """Whether the settings, where there are any that can be read, make the books of a source trial books."""
    from ops.composing.contexts import mode_for  # noqa: PLC0415
    from producers.sources import SOURCES  # noqa: PLC0415
    from runtime.settings import ConfigurationError, load_settings  # noqa: PLC0415

    webhook = SOURCES[source].webhook
    if webhook is None or "test_mode" not in webhook.takes:
        return False
    try:
        settings = load_settings()
    except ConfigurationError:
        return False
    return mode_for(source, company, settings) == "test"
