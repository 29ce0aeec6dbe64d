"""Logs: one line of JSON per event in the home, warnings to the terminal; secrets masked in both."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from collections.abc import Iterable
from pathlib import Path

import structlog

from isthmus.app.secrets import Secret, redaction_processor

_MOST_BYTES = 10_000_000
_KEPT = 5


def configure_logs(home: Path | None, *, secrets: Iterable[Secret] = (), debug: bool = False) -> None:
    """Send our events and those of libraries through the same masking. `home` None: terminal only. Safe to repeat."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redaction_processor(tuple(secrets)),
    ]
    handlers: list[logging.Handler] = [_terminal(debug)]
    if home is not None and (kept := _file(home)) is not None:
        handlers.append(kept)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
    )
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.raiseExceptions = debug  # a log that cannot be written (a full disk) must not fill the terminal
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=handlers, force=True)
    for noisy in ("azure", "msal", "procrastinate", "urllib3", "asyncio", "uvicorn", "psycopg"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _file(home: Path) -> logging.Handler | None:
    """The log file of a home. None where it cannot be written: the command itself tells why, if it needs the home."""
    path = home / "isthmus.log"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            pass
    except OSError:
        return None
    return logging.handlers.RotatingFileHandler(
        path, maxBytes=_MOST_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True
    )


def _terminal(debug: bool) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.DEBUG if debug else logging.ERROR)
    if not debug:  # the engine tells a lost database in one line of its own; its library's tracebacks go to the file
        handler.addFilter(lambda record: not record.name.startswith(("procrastinate", "psycopg")))
    return handler
