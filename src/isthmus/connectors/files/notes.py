"""Telling people what became of their rows: operations `note` to lines of the results file."""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from pathlib import Path

from msgspec import Struct

from isthmus.connectors.files.config import FilesConfig, SetConfig, results_name
from isthmus.connectors.files.identity import family_in
from isthmus.connectors.files.locate import Keys, find_keys
from isthmus.connectors.files.places import writable
from isthmus.connectors.files.results import CONTENT, ResultsFile, safe_cell, same_content
from isthmus.connectors.files.source import Source
from isthmus.contract.clock import Clock
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import IsthmusError, Reject, Retry

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PLACE = re.compile(r" (?:lines?|rows?) ([0-9]+)(?:-[0-9]+)?$")
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


class ResultsPlace(Struct, frozen=True):
    """Where results files go. `folder` is None when no place takes them.

    `reason` says why it is not the first choice.
    """

    folder: Path | None
    reason: str = ""


def results_place(config: FilesConfig, one: SetConfig) -> ResultsPlace:
    """The folder for a set's results: the one named, else beside the input, else the fallback."""
    first = _first_place(config, one)
    if config.results is not None and not config.results.exists() and not writable(config.results.parent):
        return ResultsPlace(first)
    reason = writable(first)
    if not reason:
        return ResultsPlace(first)
    fallback = config.fallback_results
    if fallback is not None and (not writable(fallback) or not fallback.exists()):
        return ResultsPlace(fallback, reason)
    return ResultsPlace(None, reason)


def _first_place(config: FilesConfig, one: SetConfig) -> Path:
    return config.results or (config.folder if one.mode == "drop" else (config.folder / one.file).parent)


class Notes:
    """Writes and looks up the results of one set."""

    def __init__(self, config: FilesConfig, name: str, clock: Clock) -> None:
        self._config = config
        self._set = config.sets[name]
        self._name = results_name(name, self._set)
        self._clock = clock

    async def write(self, operations: Sequence[Operation], sources: Callable[[], Sequence[Source]]) -> list[Outcome]:
        """One outcome per operation. Safe to repeat: a line is found by its id."""
        outcomes = [_without_id(one) for one in operations if not _id(one)]
        taken = [one for one in operations if _id(one)]
        place = results_place(self._config, self._set)
        if place.folder is None:
            text = f"{place.reason}: the results file {self._name} cannot be written."
            mend = "Make the folder writable, or name another one as results: in the connection's settings."
            return outcomes + [_refused(one, "reject", "read_only_folder", text, mend) for one in taken]
        found = await asyncio.to_thread(self._keys, taken, sources)
        notes = {_id(one): self._note(one, found.get(family_in(_id(one)))) for one in taken}
        at = self._clock.now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        try:
            await asyncio.to_thread(self._merge, place.folder, notes, at)
        except OSError as error:
            return outcomes + [self._failed(one, error, place.folder) for one in taken]
        except Reject as error:
            return outcomes + [_refused(one, "reject", error.code, error.message, error.hint) for one in taken]
        return outcomes + [Outcome(key=one.key, result="done", native_id=_id(one)) for one in taken]

    async def look_up(self, operations: Sequence[Operation]) -> dict[str, Outcome]:
        """Operations whose line says already what they want to say."""
        try:
            lines = await asyncio.to_thread(self._lines, {_id(one) for one in operations if _id(one)})
        except Reject:
            return {}  # a file that is not ours holds no note of ours
        except OSError as error:
            raise Retry(
                f"the results file {self._name} could not be read ({error.strerror or 'unknown reason'}).",
                code="results_unread",
            ) from None
        found = {}
        for one in operations:
            line = lines.get(_id(one))
            if line is not None and same_content(line, self._note(one, None)):
                found[one.key] = Outcome(key=one.key, result="done", native_id=_id(one))
        return found

    def _merge(self, folder: Path, notes: Mapping[str, Mapping[str, str]], at: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file(folder).merge(notes, at)

    def _file(self, folder: Path) -> ResultsFile:
        return ResultsFile(folder / self._name, self._set.key, many_files=self._set.mode == "drop")

    def _lines(self, ids: set[str]) -> dict[str, dict[str, str]]:
        first = _first_place(self._config, self._set)
        lines: dict[str, dict[str, str]] = {}
        for folder in (self._config.fallback_results, first):  # what stands in the first choice counts more
            if folder is not None:
                lines |= self._file(folder).find(ids)
        return lines

    def _keys(self, operations: Sequence[Operation], sources: Callable[[], Sequence[Source]]) -> dict[str, Keys]:
        """Key columns of the rows by family; without the input file the note is still worth having."""
        lines = not all(_line(one) for one in operations)
        try:
            return find_keys(sources(), [_id(one) for one in operations], lines=lines)
        except IsthmusError:
            return {}

    def _note(self, operation: Operation, row: Keys | None) -> dict[str, str]:
        native, file = operation.native, self._file(Path())
        note = {"id": _id(operation), **{name: safe_cell(native.get(name)) for name in CONTENT}}
        key = row.key if row is not None else {}
        for column, heading in file.key.items():
            note[heading] = safe_cell(key.get(column, native.get(column) if heading == column else None))
        note["line"] = safe_cell(_line(operation) or (row.line if row is not None else None))
        if "file" in file.header:
            note["file"] = safe_cell(row.file if row is not None else native.get("file"))
        return note

    def _failed(self, operation: Operation, error: OSError, folder: Path) -> Outcome:
        if error.errno in _FULL:
            text = f"{folder}: the disk is full, the results file {self._name} stays as it was."
            return _refused(operation, "retry", "disk_full", text, "Make room; it is written again by itself.")
        if error.errno in _READ_ONLY:
            text = f"{folder} is read-only: the results file {self._name} cannot be written."
            mend = "Make the folder writable, close the file, or name another folder as results:."
            return _refused(operation, "reject", "read_only_folder", text, mend)
        text = f"{folder}: the results file {self._name} could not be written ({error.strerror or 'unknown reason'})."
        return _refused(operation, "retry", "results_unwritten", text, "It is tried again by itself.")


def _id(operation: Operation) -> str:
    return str(operation.native.get("id") or operation.native_id or "")


def _line(operation: Operation) -> str:
    """The line as the flow gives it, else from the place the hub keeps of the record: `work_orders.csv line 3454`."""
    if line := operation.native.get("line"):
        return str(line)
    found = _PLACE.search(str(operation.native.get("place") or ""))
    return found[1] if found else ""


def _without_id(operation: Operation) -> Outcome:
    return _refused(operation, "reject", "note_without_id", "The note does not say which row it is of.", "Map id.")


def _refused(operation: Operation, result: str, code: str, text: str, mend: str) -> Outcome:
    native = _id(operation) or None
    if result == "retry":
        return Outcome(key=operation.key, result="retry", native_id=native, code=code, text=text, mend=mend)
    return Outcome(key=operation.key, result="reject", native_id=native, code=code, text=text, mend=mend)
