"""What can be told of a set before anything is read: all findings at once. Never writes."""

from __future__ import annotations

import os
from itertools import islice

from isthmus.connectors.files.config import FilesConfig, SetConfig, results_name
from isthmus.connectors.files.notes import results_place
from isthmus.connectors.files.places import drop_files
from isthmus.connectors.files.source import Source, snapshot_source
from isthmus.errors import IsthmusError
from isthmus.model.finding import Finding

_FIRST_ROWS = 100


def check_folder(config: FilesConfig) -> list[Finding]:
    """The folder itself."""
    if not config.folder.is_dir():
        text = f"the folder {config.folder} is not there."
        return [Finding("folder_missing", "error", text, mend="Mend folder, or mount the share.")]
    if not os.access(config.folder, os.R_OK | os.X_OK):
        text = f"the folder {config.folder} may not be read by this user."
        return [Finding("folder_unreadable", "error", text, mend="Give it read permission.")]
    return []


def check_set(config: FilesConfig, name: str, one: SetConfig) -> list[Finding]:
    """File, header, key, encoding of the first rows, and the place of the results."""
    findings: list[Finding] = []
    try:
        sources = _sources(config, name, one)
    except IsthmusError as error:
        return [_finding(name, error)]
    if not sources:
        text = f"sets.{name}: no file fits {one.file} yet."
        findings.append(Finding("file_missing", "notice", text, field=f"sets.{name}.file"))
    for source in sources[:3]:
        try:
            findings += _first_rows(source)
        except IsthmusError as error:
            findings.append(_finding(name, error))
    if not one.key:
        text = f"sets.{name}: without key columns a changed row is a new row and the old one gone."
        mend = f"Name under sets.{name}.key the columns that tell rows apart, before costs are posted from it."
        findings.append(Finding("key_missing", "notice", text, field=f"sets.{name}.key", mend=mend))
    return findings + (_results(config, name, one) if one.results else [])


def _sources(config: FilesConfig, name: str, one: SetConfig) -> list[Source]:
    if one.mode == "snapshot":
        return [snapshot_source(config, name)]
    paths = drop_files(config.folder, one.file)
    return [Source(name, one, path, path.relative_to(config.folder).as_posix()) for path in paths]


def _first_rows(source: Source) -> list[Finding]:
    torn: list[tuple[str, str]] = []
    families: set[bytes] = set()
    with source.table() as table:
        for row in islice(table.rows(), _FIRST_ROWS):
            if row.problem:
                torn.append((row.problem, row.mend))
            elif table.list_name and row.family in families:
                torn.append(table.stands_apart(row))
            families.add(row.family)
    if source.config.lines is not None:
        with source.lines_table() as table:
            torn += [(row.problem, row.mend) for row in islice(table.each(), _FIRST_ROWS) if row.problem]
    field = f"sets.{source.name}"
    return [Finding("row_unreadable", "notice", problem, field=field, mend=mend) for problem, mend in torn[:5]]


def _results(config: FilesConfig, name: str, one: SetConfig) -> list[Finding]:
    place = results_place(config, one)
    if not place.reason:
        return []
    field, file = f"sets.{name}.results", results_name(name, one)
    if place.folder is not None:
        text = f"{place.reason}, so the results go to {place.folder / file}."
        return [Finding("results_elsewhere", "notice", text, field=field)]
    text = f"{place.reason}: the results file {file} has no place."
    mend = "Make the folder writable, name another one as results:, or say results: false for the set."
    return [Finding("read_only_folder", "error", text, field=field, mend=mend)]


def _finding(name: str, error: IsthmusError) -> Finding:
    place = f"{file}: " if (file := getattr(error, "file", "")) else ""
    return Finding(error.code, "error", f"sets.{name}: {place}{error.message}", field=f"sets.{name}", mend=error.hint)
