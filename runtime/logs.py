"""Structured logs: JSON lines for machines, coloured lines for a terminal. Payloads and secrets are never logged.

Only the relay's own lines have words of their own. Libraries print what they send and what they were sent, rows,
headers and bodies among it: of them is seen that they warned, where, and the kind of the error, at every level.
"""

import logging
import sys
import threading
import warnings
from pathlib import Path
from typing import Final, Literal, TextIO

import structlog

from runtime.outside_text import visible, visible_lines, visible_values
from runtime.tracebacks import trace_of

OURS: Final = "relay"
"""The logger of everything that the relay says itself."""
TRACES: Final = ("exception", "stack")
"""What has several lines, as structlog calls it."""
_OF_A_LIBRARY: Final = ("_record", "_from_structlog", "exc_info")

log = structlog.get_logger()


def configure_logs(level: str, form: Literal["auto", "json", "console"]) -> None:
    """Send structlog's and the standard library's records to stderr in one form. Call once, at start."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=lambda *_: logging.getLogger(OURS),
        cache_logger_on_first_use=True,
    )
    handler = _Lines(sys.stderr)
    handler.setFormatter(log_formatter(shared, pretty=form == "console" or (form == "auto" and sys.stderr.isatty())))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    logging.getLogger(OURS).setLevel(level.upper())
    _hear_the_interpreter()


def log_formatter(shared: list[structlog.typing.Processor], *, pretty: bool) -> logging.Formatter:
    """What makes a line of a record. Tracebacks are text before anything is rendered, and never show a value."""
    plain = structlog.dev.plain_traceback
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_of_a_library, *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.ExceptionRenderer(_trace),
            _outside_text,
            structlog.dev.ConsoleRenderer(exception_formatter=plain) if pretty else structlog.processors.JSONRenderer(),
        ],
    )


class _Lines(logging.StreamHandler[TextIO]):
    """A record that cannot be made a line is not printed with its arguments, as the standard library would."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        try:
            self.stream.write(f'{{"event": "log.line_lost", "logger": "{record.name}"}}\n')
        except (OSError, ValueError):  # stderr is closed: nobody listens
            return


def _hear_the_interpreter() -> None:
    """What Python would print by itself, with the text of the exception or the warning, is a line of the log too."""
    threading.excepthook = lambda failed: log.error("thread.failed", exc_info=failed.exc_value)
    sys.unraisablehook = lambda failed: log.error("cleanup.failed", exc_info=failed.exc_value)
    sys.excepthook = lambda _, error, __: log.error("process.failed", exc_info=error)

    def warned(message: object, category: type[Warning], filename: str, lineno: int, *_: object, **__: object) -> None:  # noqa: ARG001 - not told
        log.warning("library.said", logger=category.__name__, at=f"{Path(filename).name}:{lineno}")

    warnings.showwarning = warned  # it takes what is given there, and more


def _of_a_library(
    _: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Who spoke and where, in place of what was said."""
    record: logging.LogRecord = event["_record"]
    kept = {name: event[name] for name in _OF_A_LIBRARY if name in event}
    at = f"{record.filename}:{record.lineno} in {record.funcName}"
    return {"event": "library.said", "logger": record.name, "at": at, **kept}


def _trace(exc_info: structlog.typing.ExcInfo) -> str:
    return trace_of(exc_info[1])


def _outside_text(
    _: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Whatever is logged may hold text from outside: no line of the log says more than one thing."""
    return {
        visible(name): visible_lines(str(value), "  ") if name in TRACES else visible_values(value)
        for name, value in event.items()
    }
