"""From whatever ended a command to its exit code and the words on stderr."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from isthmus.errors import ConfigurationError, FenceLost, HomeBusy, IsthmusError, Reject, StorageFailed

DONE, USAGE, UNFINISHED, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130
#: Ours to mend, not an outside system's: configuration, usage, the ledger and its home.
_OURS = (ConfigurationError, StorageFailed, HomeBusy, FenceLost, Reject)
_NO_TRACE = "Run it again with --debug for the traceback."


class Failure:
    """What went wrong, as commands tell it."""

    def __init__(self, code: str, message: str, hint: str = "", file: str = "", line: int | None = None) -> None:
        self.code = code
        self.message = message
        self.hint = hint
        self.file = file
        self.line = line

    def told(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "code": self.code, "message": self.message, "hint": self.hint, "file": self.file, "line": self.line,
        }  # fmt: skip

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.message} {self.hint}".rstrip()


def exit_code(error: BaseException) -> int:
    """1 for what is ours to mend, 3 for an outside system, 1 for everything unexpected."""
    error = cause_of(error)
    if isinstance(error, IsthmusError):
        return USAGE if isinstance(error, _OURS) else UNREACHABLE
    return USAGE


def cause_of(error: BaseException) -> BaseException:
    """The error itself, out of the groups that concurrent work wraps it in; ours before others."""
    while isinstance(error, BaseExceptionGroup):
        inner: list[BaseException] = list(error.exceptions)
        error = next((one for one in inner if isinstance(one, IsthmusError)), inner[0])
    return error


def report(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Tell `error` on stderr, masked, and return the exit code. What is unexpected is kept in the log."""
    from isthmus.app.secrets import redact

    error = cause_of(error)
    failures = list(_failures(error))
    if debug:
        sys.stderr.write(redact("".join(traceback.format_exception(error))))
    if as_json:
        import msgspec

        first = failures[0].told()
        told = {"error": first, **({"errors": [f.told() for f in failures]} if len(failures) > 1 else {})}
        sys.stderr.write(redact(msgspec.json.encode(told).decode()) + "\n")
        return exit_code(error)
    from isthmus.cli.output import say

    if len(failures) > 1:
        say(f"{len(failures)} problems in this project:", style="red", error=True)
    for failure in failures:
        say(redact(str(failure)), style="red", error=True)
    return exit_code(error)


def _failures(error: BaseException) -> Iterator[Failure]:
    if isinstance(error, ConfigurationError):
        for problem in getattr(error, "problems", (error,)):
            if isinstance(problem, ConfigurationError):
                yield Failure(problem.code, problem.message, problem.hint, problem.file, problem.line)
            else:  # what the compiler of a mapping found
                yield Failure(problem.code, f"{problem.text}.", problem.suggestion, problem.file, problem.line)
    elif isinstance(error, IsthmusError):
        yield Failure(error.code, error.message, error.hint)
    elif type(error).__name__ in {"SandboxError", "SeedError", "HomeInUse", "StateError"}:
        yield Failure("sandbox", str(error), "Its own words are in sandbox.log, in the simulator's folder of the home.")
    else:
        yield _unexpected(error)


def _unexpected(error: BaseException) -> Failure:
    kept = _keep("".join(traceback.format_exception(error)))
    where = f"The details are in {kept}." if kept else _NO_TRACE
    return Failure("internal", f"an error of Isthmus itself: {type(error).__name__}.", where)


def _keep(trace: str) -> Path | None:
    """Add a traceback, masked, to the log of the home; where that is, None when there is none to write to."""
    import msgspec

    from isthmus.app.secrets import redact
    from isthmus.cli.place import last_home

    home = last_home()
    if home is None:
        return None
    line = {"event": "command failed", "level": "error", "timestamp": datetime.now(UTC), "exception": redact(trace)}
    path = home / "isthmus.log"
    try:
        with path.open("ab") as log:
            log.write(msgspec.json.encode(line) + b"\n")
    except OSError:
        return None
    return path
