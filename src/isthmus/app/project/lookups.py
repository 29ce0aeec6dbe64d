"""Lookup tables of a project: rows of its own in lookups/, or two columns of a data file that is named there."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from isthmus.app.project.files import documents_in, read_text
from isthmus.app.project.problems import Problems, read_settings
from isthmus.app.project.schema import LookupConfig
from isthmus.app.project.spelling import suggestion
from isthmus.app.project.variables import expand_text
from isthmus.connectors.files.config import SetConfig
from isthmus.connectors.files.table import Table, open_table
from isthmus.errors import ConfigurationError, IsthmusError, Retry
from isthmus.model.document import Document

_COLUMNS = ["key", "value"]
_MOST_PROBLEMS = 5


class ProjectTable(Struct, frozen=True):
    """A lookup table. `file` is where its rows stand; `source` what is said of a data file, None for own rows."""

    rows: Mapping[str, str]
    file: str
    source: LookupConfig | None = None

    def content(self) -> Mapping[str, Any]:
        """The table as the configuration holds it: its rows, or of a data file what is said of it and their digest."""
        if self.source is None:
            return self.rows
        said = self.source.model_dump(exclude_defaults=True)
        rows = msgspec.json.encode(self.rows, order="deterministic")
        return {**said, "digest": hashlib.sha256(rows).hexdigest()}


def read_tables(folder: Path, variables: Mapping[str, str], problems: Problems) -> Mapping[str, ProjectTable]:
    """Lookup tables by name."""
    tables: dict[str, ProjectTable] = {}
    for name, table, line, said in _tables(folder, variables, problems):
        if name in tables:
            message = f"lookup table {name!r} is in {tables[name].file} already: keep one."
            problems.add(ConfigurationError(message, file=said, line=line))
            continue
        tables[name] = table
    return tables


def _tables(
    folder: Path, variables: Mapping[str, str], problems: Problems
) -> Iterator[tuple[str, ProjectTable, int | None, str]]:
    """Name, table, and the line and file that say so."""
    for document in documents_in(folder, "lookups", problems):
        config, found = read_settings(LookupConfig, document.data, document)
        problems.extend(found)
        if config is None:
            continue
        if config.file is None:
            table = ProjectTable(dict(config.rows or {}), document.file)
        else:
            rows = _DataFile(config, document, problems).rows(folder, variables)
            table = ProjectTable(rows, config.file, config)
        yield config.table, table, document.line(("table",)), document.file
    for path in sorted((folder / "lookups").glob("**/*.csv")):
        file = path.relative_to(folder).as_posix()
        text = read_text(folder, file, problems)
        if text is not None:
            yield path.stem, ProjectTable(_csv_rows(text, file, problems), file), 1, file


class _DataFile:
    """Two columns of a file, read as a set of files is read."""

    def __init__(self, config: LookupConfig, document: Document, problems: Problems) -> None:
        self._config, self._document, self._problems = config, document, problems
        self._file, self._key, self._value = config.file or "", config.key or "", config.value or ""

    def rows(self, folder: Path, variables: Mapping[str, str]) -> Mapping[str, str]:
        """Its rows, none after a problem."""
        expanded = expand_text(self._file, self._document, ("file",), variables, self._problems)
        if expanded is None:
            return {}
        path = folder / Path(expanded).expanduser()
        shape = self._shape(path)
        if shape is None:
            return {}
        message = hint = ""
        try:
            with open_table(self._config.table, path, path.name, shape) as table:
                known = [self._column(table, "key", self._key), self._column(table, "value", self._value)]
                return self._taken(table) if all(known) else {}
        except IsthmusError as error:
            message = f"{self._file}: {error.message.removeprefix(path.name).lstrip(': ')}"
            hint = f"Looked for {path}." if isinstance(error, Retry) else error.hint
        self._problems.add(self._document.error(("file",), message, hint=hint))
        return {}

    def _shape(self, path: Path) -> SetConfig | None:
        config = self._config
        settings = {
            "file": path.name,
            "entity": config.table,
            "format": "xlsx" if path.suffix.lower() in {".xlsx", ".xlsm"} else "csv",
            "encoding": config.encoding,
            "delimiter": config.delimiter,
            "sheet": config.sheet,
            "skip_rows": config.skip_rows,
        }
        shape, found = read_settings(SetConfig, settings, self._document)
        self._problems.extend(found)
        return shape

    def _column(self, table: Table, setting: str, column: str) -> bool:
        if column in table.names:
            return True
        message, hint = f"{self._file} has no column {column!r}:", suggestion(column, table.names)
        self._problems.add(self._document.error((setting,), f"{setting}: {message}", hint=hint))
        return False

    def _taken(self, table: Table) -> Mapping[str, str]:
        """A row without key or value is no row; a key with two values is a problem."""
        rows: dict[str, str] = {}
        first: dict[str, int] = {}
        wrong: list[ConfigurationError] = []
        for row in table.each():
            if row.problem:
                wrong.append(ConfigurationError(f"{row.reason}.", file=self._file, line=row.line))
                continue
            key, value = table.text(row, self._key).strip(), table.text(row, self._value).strip()
            if not key or not value:
                continue
            if rows.setdefault(key, value) != value:
                message = f"{self._key} {key!r} is {value!r} here and {rows[key]!r} on line {first[key]}."
                wrong.append(ConfigurationError(message, file=self._file, line=row.line))
            first.setdefault(key, row.line)
        self._problems.extend(wrong[:_MOST_PROBLEMS])
        if (more := len(wrong) - _MOST_PROBLEMS) > 0:
            self._problems.add(ConfigurationError(f"{more} lines more cannot be used.", file=self._file))
        return rows


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
