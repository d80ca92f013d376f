"""The command that starts the simulator: options in, two ports out. Thin; everything is in `server`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from uvicorn import Config

from simulator.books.chart import read
from simulator.errors import JournalError, SwitchError
from simulator.http.api import ApiApp
from simulator.http.server import API_PORT, CONTROL_PORT, serve
from simulator.service.keys import read_keys
from simulator.service.limits import Limit, Model
from simulator.service.reloading import reloaded
from simulator.service.simulation import DEMO_KEY, Simulation

HELP = f"""Start a stand-in for Solid Accounting's REST API, for demos, tests and benchmarks.

The API listens on one port and is what a client of Solid talks to (X-API-Key header, /api/v1/...).
The control port breaks it and judges it: GET /state, /calls, /records, /judge; POST /switch.
When both listen, one JSON line with the ports goes to stdout.
Without a key option the key is "demo" sixteen times ({DEMO_KEY}).

Example:

    python -m simulator --port 21384 --control-port 21385 --allowance 600 --journal var/solid.jsonl

    curl -H "X-API-Key: {DEMO_KEY}" http://127.0.0.1:21384/api/v1/accounts

    curl -d '{{"close_for_seconds": 5}}' http://127.0.0.1:21385/switch
"""


def simulator(  # noqa: PLR0913  # one parameter an option
    *,
    host: Annotated[str, typer.Option(help="Address of both ports.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the API; 0 takes a free one.")] = API_PORT,
    control_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to break and to judge; 0 takes a free one.")
    ] = CONTROL_PORT,
    key: Annotated[
        str,
        typer.Option(envvar="RELAY_SIMULATOR_KEY", show_default=False, help="The API key, 64 characters."),
    ] = DEMO_KEY,
    keys_file: Annotated[Path | None, typer.Option(help="File of more API keys, one a line.")] = None,
    allowance: Annotated[int, typer.Option(min=0, help="Calls that each key has in a window.")] = 600,
    window_seconds: Annotated[float, typer.Option(min=0, help="Length of the window, above zero.")] = 60.0,
    limit_model: Annotated[Model, typer.Option(help="How calls are counted.")] = "sliding_window",
    limit_capacity: Annotated[
        int | None, typer.Option(min=1, help="Calls that a bucket takes at once; the allowance if not given.")
    ] = None,
    limit_phase_seconds: Annotated[
        float, typer.Option(help="Where fixed windows begin, on the machine's monotonic clock.")
    ] = 0.0,
    limit_refused_count: Annotated[bool, typer.Option(help="Refused calls count too.")] = False,
    journal: Annotated[Path | None, typer.Option(help="File that keeps writes, keys and calls over a restart.")] = None,
    accounts: Annotated[Path | None, typer.Option(help="JSON file with the chart of accounts to open with.")] = None,
) -> None:
    """Run until SIGTERM or SIGINT; exit 1 when it cannot start."""
    try:
        fresh = Simulation(
            key=key,
            more_keys=read_keys(keys_file) if keys_file else (),
            limit=Limit(
                allowance=allowance,
                window_seconds=window_seconds,
                limit_model=limit_model,
                limit_capacity=limit_capacity,
                limit_phase_seconds=limit_phase_seconds,
                limit_refused_count=limit_refused_count,
            ),
            chart=read(accounts) if accounts else None,
            journal=journal,
        )
        simulation = reloaded(fresh)
        with asyncio.Runner(loop_factory=Config(ApiApp(simulation), log_config=None).get_loop_factory()) as runner:
            runner.run(serve(simulation, host=host, port=port, control_port=control_port))
    except (SwitchError, JournalError, OSError) as exc:
        print(f"simulator: {exc}", file=sys.stderr)  # noqa: T201  # why it did not start
        raise typer.Exit(1) from exc


simulator.__doc__ = HELP

app = typer.Typer(add_completion=False)
app.command(help=HELP)(simulator)
