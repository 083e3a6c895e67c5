"""Structured logs: one JSON line an event on stderr; secrets and people are redacted, in exception text too."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from shared.runtime.redaction import redact_event, to_json_line

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_HANDLER_NAME = "roomsync"


def configure(service: str, level: str = "info", *, stream: TextIO | None = None) -> None:
    """
    Send every log line of this process, ours and the libraries', through the same processors.

    Args:
        service: Stands on each line as `service`.
        level: `debug`, `info`, `warning` or `error`; libraries stay at warning unless it is `debug`.
        stream: Where to; stderr by default, since stdout belongs to what a command prints.
    """
    threshold = _LEVELS.get(level.lower(), logging.INFO)
    target = stream or sys.stderr
    shared = _shared_processors(service)
    structlog.configure(
        processors=[*shared, redact_event, structlog.processors.JSONRenderer(serializer=to_json_line)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,  # a test, or a second configure, must reach loggers made at import
    )
    _take_over_stdlib(shared, target, threshold)


def get_logger() -> FilteringBoundLogger:
    """A logger: `log.info("hint_accepted", provider="google")`. Events are past facts; never a token or a name."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def _shared_processors(service: str) -> list[Processor]:
    def add_service(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        add_service,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def _take_over_stdlib(shared: list[Processor], target: TextIO, threshold: int) -> None:
    handler = logging.StreamHandler(target)
    handler.set_name(_HANDLER_NAME)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact_event,
                structlog.processors.JSONRenderer(serializer=to_json_line),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [*(known for known in root.handlers if known.get_name() != _HANDLER_NAME), handler]
    root.setLevel(threshold if threshold == logging.DEBUG else max(threshold, logging.WARNING))
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue a few deep is what a burst looks like


if not structlog.is_configured():
    # Until a main has configured: stdout is never written to, and nothing below a warning is said.
    structlog.configure(
        processors=[*_shared_processors("roomsync"), redact_event, structlog.processors.JSONRenderer(to_json_line)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
    )
