"""The files of a project folder: found, read as UTF-8, parsed, with a problem instead of an exception."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from isthmus.app.project.problems import Problems, read_settings
from isthmus.app.project.schema import LookupConfig
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document, parse_document

_YAML = (".yaml", ".yml")
_COLUMNS = ["key", "value"]


def read_document(folder: Path, name: str, problems: Problems) -> Document | None:
    """The parsed YAML file `name` (relative to the project folder), None after a problem."""
    text = _text(folder, name, problems)
    if text is None:
        return None
    try:
        document = parse_document(text, name)
    except ConfigurationError as error:
        problems.add(error)
        return None
    if not isinstance(document.data, Mapping):
        problems.add(document.error((), "must begin with a setting, `name: value`."))
        return None
    return document


def documents_in(folder: Path, part: str, problems: Problems) -> Iterator[Document]:
    """All YAML files of a folder of the project, in order of their names."""
    for path in sorted((folder / part).glob("**/*")):
        if path.suffix in _YAML and path.is_file():
            document = read_document(folder, path.relative_to(folder).as_posix(), problems)
            if document is not None:
                yield document


def read_tables(folder: Path, problems: Problems) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, str]]:
    """Lookup tables by name, and the file each comes from."""
    tables: dict[str, Mapping[str, str]] = {}
    origin: dict[str, str] = {}
    for name, file, rows, line in _tables(folder, problems):
        if name in tables:
            message = f"lookup table {name!r} is in {origin[name]} already: keep one."
            problems.add(ConfigurationError(message, file=file, line=line))
            continue
        tables[name], origin[name] = rows, file
    return tables, origin


def _tables(folder: Path, problems: Problems) -> Iterator[tuple[str, str, Mapping[str, str], int | None]]:
    for document in documents_in(folder, "lookups", problems):
        table, found = read_settings(LookupConfig, document.data, document)
        problems.extend(found)
        if table is not None:
            yield table.table, document.file, dict(table.rows), document.line(("table",))
    for path in sorted((folder / "lookups").glob("**/*.csv")):
        file = path.relative_to(folder).as_posix()
        text = _text(folder, file, problems)
        if text is not None:
            yield path.stem, file, _csv_rows(text, file, problems), 1


def _csv_rows(text: str, file: str, problems: Problems) -> Mapping[str, str]:
    """Rows of a `key,value` CSV text."""
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    rows: dict[str, str] = {}
    first: dict[str, int] = {}
    broken = ""
    try:
        if (head := next(reader, [])) != _COLUMNS:
            message = f"the first line must be `key,value`, it is `{','.join(head)}`."
            problems.add(ConfigurationError(message, file=file, line=1))
            return rows
        begin = reader.line_num + 1
        for cells in reader:
            line, begin = begin, reader.line_num + 1
            if not cells:
                continue
            if len(cells) != len(_COLUMNS):
                message = f"{len(cells)} cells instead of 2: put a value with a comma in quotes."
                problems.add(ConfigurationError(message, file=file, line=line))
            elif cells[0] in rows:
                message = f"key {cells[0]!r} is on line {first[cells[0]]} already."
                problems.add(ConfigurationError(message, file=file, line=line))
            else:
                rows[cells[0]], first[cells[0]] = cells[1], line
    except csv.Error as error:
        broken = str(error)
    if broken:
        problems.add(ConfigurationError(f"not valid CSV: {broken}.", file=file, line=reader.line_num))
    return rows


def _text(folder: Path, name: str, problems: Problems) -> str | None:
    path = folder / name
    reason = ""
    try:
        # A byte order mark, as Windows editors write it, is no part of the text.
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        reason = f"is not there: looked for {path}."
    except UnicodeDecodeError:
        reason = "is not UTF-8 text: save it as UTF-8."
    except OSError as error:
        reason = f"cannot be read: {error.strerror or 'unknown reason'}."
    problems.add(ConfigurationError(reason, file=name))
    return None
