"""Structured logs: JSON lines for machines, coloured lines for a terminal. Payloads and secrets are never logged."""

import logging
import sys
from typing import Final, Literal

import structlog

from runtime.outside_text import visible, visible_lines, visible_values

TRACES: Final = ("exception", "stack")
"""What has several lines, as structlog calls it."""


def configure_logs(level: str, form: Literal["auto", "json", "console"]) -> None:
    """Send structlog's and the standard library's records to stderr in one form. Call once, at start."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(log_formatter(shared, pretty=form == "console" or (form == "auto" and sys.stderr.isatty())))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("aio_pika", "aiormq", "alembic", "httpx2", "httpcore2", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log_formatter(shared: list[structlog.typing.Processor], *, pretty: bool) -> logging.Formatter:
    """What makes a line of a record. Tracebacks are text before anything is rendered, and never show variables."""
    plain = structlog.dev.plain_traceback
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _outside_text,
            structlog.dev.ConsoleRenderer(exception_formatter=plain) if pretty else structlog.processors.JSONRenderer(),
        ],
    )


def _outside_text(
    _: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Whatever is logged may hold text from outside: no line of the log says more than one thing."""
    return {
        visible(name): visible_lines(str(value), "  ") if name in TRACES else visible_values(value)
        for name, value in event.items()
    }
