"""The results file: what became of each row, beside the input, for people and their spreadsheets.

One line per native id, in order of first appearance. A write merges: it streams the old file into a new one and renames
it over the old, so that a reader (or a crash) sees one or the other, never half.
"""

from __future__ import annotations

import csv
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from isthmus.errors import Reject

if sys.platform != "win32":
    import fcntl

#: what a note says; the rest of a line says which row it is of
CONTENT = ("state", "document", "booked_on", "amount", "currency", "message")
_OURS = {"id", "at", *CONTENT}
_PLACE = ("file", "line")
_LONGEST = 2000
_NUMERIC = re.compile(r"[+-]?\d+([.,' ]\d+)*")
_STALE_SECONDS = 3600


def safe_cell(value: Any) -> str:
    """The value as a cell that no spreadsheet takes for a formula (OWASP: CSV injection). Numbers stay numbers."""
    text = _text(value)[:_LONGEST]
    if text[:1] in {"=", "+", "-", "@", "\t", "\r"} and not _NUMERIC.fullmatch(text):
        return "'" + text
    return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value).replace("\0", "")


class ResultsFile:
    """The results file of one set at one place. `key` are the columns that name a row to people."""

    def __init__(self, path: Path, key: Sequence[str], *, many_files: bool) -> None:
        self.path = path
        self.key = {column: f"{column} (key)" if column in _OURS | {*_PLACE} else column for column in key}
        place = _PLACE if many_files else _PLACE[1:]
        self.header = [*place, *self.key.values(), "id", *CONTENT, "at"]

    def find(self, ids: set[str]) -> dict[str, dict[str, str]]:
        """id -> line as it stands in the file. Empty when there is no file."""
        return {row["id"]: row for row in self._rows() if row["id"] in ids}

    def merge(self, notes: Mapping[str, Mapping[str, str]], at: str) -> bool:
        """Bring the lines of these ids to what the notes say; False when they say it already.

        A note is column -> safe cell; line and key keep what they have where it leaves them empty. Safe to repeat.
        Raises OSError when the place refuses, Reject when the file there is not one of ours.
        """
        with _locked(self.path.parent):
            left = dict(notes)
            for row in self._rows():
                note = left.get(row["id"])
                if note is not None and _says(row, note):
                    del left[row["id"]]
            if left:
                self._rewrite(left, at)
            return bool(left)

    def _rewrite(self, notes: dict[str, Mapping[str, str]], at: str) -> None:
        self._sweep()
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(6)}.tmp")
        try:
            with temporary.open("x", encoding="utf-8", newline="") as stream:
                write = csv.DictWriter(stream, self.header, restval="", extrasaction="ignore", lineterminator="\n")
                write.writeheader()
                for row in self._rows():
                    note = notes.pop(row["id"], None)
                    write.writerow(row if note is None else _merged(row, note, at))
                for note in notes.values():
                    write.writerow({**note, "at": at})
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(self.path.parent)

    def _rows(self) -> Iterator[dict[str, str]]:
        try:
            stream = self.path.open(encoding="utf-8-sig", errors="replace", newline="")
        except FileNotFoundError:
            return
        with stream:
            reader = csv.DictReader(stream, restval="")
            try:
                if not {*_OURS} <= {*(reader.fieldnames or ())}:
                    raise self._foreign()
                for row in reader:
                    yield {name: value for name, value in row.items() if isinstance(name, str)}
            except csv.Error:
                raise self._foreign() from None

    def _foreign(self) -> Reject:
        return Reject(
            f"{self.path.name} in {self.path.parent} is not a results file of Isthmus, so it is left alone.",
            code="results_foreign",
            hint="Move it away or rename it (a spreadsheet may have saved it with other delimiters).",
        )

    def _sweep(self) -> None:
        """Remove what a killed write left behind."""
        for left in self.path.parent.glob(f".{self.path.name}.*.tmp"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                    left.unlink()


def same_content(row: Mapping[str, str], note: Mapping[str, str]) -> bool:
    """Whether the line says what the note says, wherever the row stands by now."""
    return all(row.get(name, "") == note.get(name, "") for name in CONTENT)


def _says(row: Mapping[str, str], note: Mapping[str, str]) -> bool:
    return same_content(row, note) and all(row.get(name) == value for name, value in note.items() if value)


def _merged(row: dict[str, str], note: Mapping[str, str], at: str) -> dict[str, str]:
    content = {name: note.get(name, "") for name in CONTENT}
    return {**row, **{name: value for name, value in note.items() if value}, **content, "at": at}


def _sync_folder(folder: Path) -> None:
    """Make the rename last over a power cut; folders cannot be opened on Windows and need no sync there."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time: a worker thought dead may still be merging an older state of the file."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network folders know no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
