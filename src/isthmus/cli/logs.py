"""The log of a home: JSON lines in `<home>/logs/isthmus.log`, secrets masked. Never on stdout: that is for output."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from isthmus.errors import ConfigurationError

if TYPE_CHECKING:
    from isthmus.cli.opening import Place

_LARGEST = 10_000_000


class HomeLog:
    """A text stream that finds its file with the first line written: most commands log nothing.

    Without a readable project or a writable home, lines go to stderr.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._stream: TextIO | None = None
        self.path: Path | None = None

    def write(self, text: str) -> int:
        from isthmus.app.secrets import redact

        self._opened().write(redact(text))
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            self._stream.flush()

    def _opened(self) -> TextIO:
        if self._stream is None:
            try:
                self._stream = self._open(self._place.load().home / "logs")
            except (ConfigurationError, OSError):
                self._stream = sys.stderr
        return self._stream

    def _open(self, folder: Path) -> TextIO:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "isthmus.log"
        if path.exists() and path.stat().st_size > _LARGEST:
            path.replace(folder / "isthmus.log.1")
        stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8")
        self.path = path
        return stream


_current: list[HomeLog] = []


def log_at(place: Place) -> None:
    """Send everything logged from here on to the home of `place`."""
    import structlog

    from isthmus.app.secrets import redaction_processor

    log = HomeLog(place)
    _current[:] = [log]
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redaction_processor(),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=log),  # type: ignore[arg-type]  # it writes and flushes
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    logging.basicConfig(
        handlers=[logging.StreamHandler(log)],
        level=logging.WARNING,
        format='{"event":"%(message)s","logger":"%(name)s","level":"%(levelname)s","timestamp":"%(asctime)s"}',
        force=True,
    )


def keep_traceback(text: str) -> Path | None:
    """Write a traceback into the log of the current home; where it stands, None when it could not be kept."""
    if not _current:
        return None
    log = _current[0]
    log.write(text + "\n")
    log.flush()
    return log.path
