"""Settings of a folder of files. What a file means (encoding, decimal sign, sheet) is said here and never guessed."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from isthmus.connectors.files.places import RESULTS_SUFFIX, is_passing_name

Names = Annotated[tuple[str, ...], Field(strict=False)]
_GLOB = frozenset("*?[")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{path} must be an absolute path here")
    return path


Folder = Annotated[Path, Field(strict=False), AfterValidator(_absolute)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Numbers(_Strict):
    """How numbers are written in the set. The connector hands text on as it stands; the lens converts by this."""

    decimal: Literal[".", ","] = "."
    group: Literal["", ".", ",", " ", "'"] = ""

    @model_validator(mode="after")
    def _differ(self) -> Numbers:
        if self.decimal == self.group:
            raise ValueError(f"decimal and group cannot both be {self.decimal!r}")
        return self


def _delimiter(value: object) -> object:
    return "\t" if value == "tab" else value


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Columns = Annotated[Names, BeforeValidator(_one_or_many), Field(min_length=1)]


class LinesConfig(_Strict):
    """Where the lines of a set's records stand: in a file, or a sheet of the same workbook, of their own.

    What it does not say of the form of its file is as the set says it.
    """

    #: "": the workbook of the set itself
    file: str = ""
    #: columns that hold the key of the record, in the order of the set's key
    by: Columns
    #: columns that tell the lines of one record apart
    key: Columns
    #: name of the list that holds them
    name: str = "lines"
    format: Literal["csv", "xlsx"] | None = None
    encoding: str | None = None
    delimiter: Annotated[str | None, BeforeValidator(_delimiter)] = None
    quote: str | None = None
    #: true: the first row names the columns; else the names themselves
    header: Literal[True] | tuple[str, ...] = True
    sheet: str | None = None
    skip_rows: int = Field(default=0, ge=0, le=10_000)

    @field_validator("header", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return _header(value)


def _header(value: object) -> object:
    if value is True:
        return value
    if not isinstance(value, list | tuple) or not value or not all(isinstance(name, str) for name in value):
        raise ValueError("header is true (the first row names the columns) or the list of column names")
    return tuple(str(name).strip() for name in value)


class SetConfig(_Strict):
    """One set of rows: a file (`snapshot`) or all files of a pattern (`drop`), and the entity its rows are."""

    file: str
    entity: str
    mode: Literal["snapshot", "drop"] = "snapshot"
    #: columns that tell rows apart; without them a row is told by all its cells
    key: Names = ()
    #: name of the list that holds the rows of a record, where neighbouring rows of one key make one record
    rows: str = ""
    #: columns that must be equal in all rows of a record, because the record takes them from the first
    same: Names = ()
    #: the lines of a record stand in another file
    lines: LinesConfig | None = None
    format: Literal["csv", "xlsx"] = "csv"
    encoding: str = "utf-8-sig"
    delimiter: Annotated[str, BeforeValidator(_delimiter)] = ","
    quote: str = '"'
    #: true: the first row names the columns; else the names themselves
    header: Literal[True] | tuple[str, ...] = True
    sheet: str | None = None
    #: lines (Excel: rows) above the header
    skip_rows: int = Field(default=0, ge=0, le=10_000)
    numbers: Numbers = Numbers()
    #: strptime pattern of dates in text cells, for reads of a range of days; "" is ISO (2026-11-21)
    dates: str = ""
    columns: Names = ()
    #: a file changed less than this long ago is still being written
    settle_seconds: int | Decimal = Field(default=2, ge=0, le=3600)
    #: false: none; a text: what the file is called, where several sets share their input
    results: bool | str = True

    @property
    def list_name(self) -> str:
        """What the data of a record calls the list of its rows, "" where each row is a record of its own."""
        return self.rows or (self.lines.name if self.lines is not None else "")

    def of_lines(self) -> SetConfig:
        """How the file of the lines is read: as rows that have the key of their record.

        Raises ValidationError when it cannot be, ValueError for a set without such a file.
        """
        lines = self.lines
        if lines is None:
            raise ValueError(f"{self.file} has no lines in another file")
        return SetConfig(
            file=lines.file or self.file,
            entity=self.entity,
            key=lines.by,
            rows=lines.name,
            columns=lines.key,
            format=lines.format or self.format,
            encoding=self.encoding if lines.encoding is None else lines.encoding,
            delimiter=self.delimiter if lines.delimiter is None else lines.delimiter,
            quote=self.quote if lines.quote is None else lines.quote,
            header=lines.header,
            sheet=lines.sheet,
            skip_rows=lines.skip_rows,
        )

    @field_validator("header", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return _header(value)

    @field_validator("results")
    @classmethod
    def _results(cls, value: bool | str) -> bool | str:
        if isinstance(value, str) and not _FILE_NAME.fullmatch(value):
            raise ValueError(f"results {value!r}: a name of letters, digits, - and _, without folder and ending")
        return value

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, value: str) -> str:
        try:
            b"text".decode(value)
        except UnicodeError:
            return value
        except LookupError:
            raise ValueError(f"unknown encoding {value!r}: for example utf-8-sig, utf-16, cp1252, latin-1") from None
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_sign(cls, value: str) -> str:
        if len(value) != 1 or value in "\r\n\0":
            raise ValueError(f"delimiter must be one character (or tab), not {value!r}")
        return value

    @field_validator("quote")
    @classmethod
    def _quote(cls, value: str) -> str:
        if len(value) > 1 or value in {"\r", "\n", "\0"}:
            raise ValueError(f"quote must be one character, or empty when nothing is quoted, not {value!r}")
        return value

    @field_validator("key", "same", "columns")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.strip() for name in value)
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"column {twice!r} stands twice")
        if "" in names:
            raise ValueError("a column without a name")
        return names

    @model_validator(mode="after")
    def _fits(self) -> SetConfig:
        path = PurePosixPath(self.file.replace("\\", "/"))
        if not self.file or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise ValueError(f"file {self.file!r} must be a name inside the folder")
        if self.mode == "snapshot" and _GLOB & set(self.file):
            raise ValueError(f"file {self.file!r} is a pattern: that needs mode: drop")
        if is_passing_name(path.name) or path.name.endswith(RESULTS_SUFFIX):
            raise ValueError(f"file {self.file!r} is the name of a temporary or results file, which is never read")
        if (path.suffix.lower() in {".xlsx", ".xlsm"}) != (self.format == "xlsx"):
            raise ValueError(f"file {self.file!r} does not fit format {self.format!r}: csv, or xlsx for .xlsx files")
        if self.format == "csv" and self.sheet is not None:
            raise ValueError("sheet is for format: xlsx only")
        if self.quote and self.quote == self.delimiter:
            raise ValueError(f"quote and delimiter cannot both be {self.quote!r}")
        if self.rows:
            self._grouped()
        elif self.same:
            raise ValueError("same is for sets with rows: only, where several rows make one record")
        if self.lines is not None:
            self._joined(self.lines)
        if self.header is not True:
            for name in (*self.key, *self.same, *self.columns):
                if name not in self.header:
                    raise ValueError(f"column {name!r} is not in header")
        return self

    def _grouped(self) -> None:
        """`rows` names a list beside the columns."""
        if not self.key:
            raise ValueError(f"rows: {self.rows} needs key: the columns that are equal in all rows of one record")
        if not _NAME.fullmatch(self.rows):
            raise ValueError(f"rows {self.rows!r} must be a name of letters, digits and _, such as lines")
        columns = () if self.header is True else self.header
        if self.rows in {*self.key, *self.same, *self.columns, *columns}:
            raise ValueError(f"rows {self.rows!r} is the name of a column: name the list otherwise, such as cost_lines")

    def _joined(self, lines: LinesConfig) -> None:
        """`lines` is a file of its own that says which record each row is of."""
        if self.rows:
            raise ValueError("rows and lines: the lines of a record stand in its own rows or in another file, not both")
        if self.mode != "snapshot":
            raise ValueError("lines needs mode: snapshot, as the two files are read together")
        if not self.key:
            raise ValueError("lines needs key: the columns that name a record, which lines.by refers to")
        if len(lines.by) != len(self.key):
            raise ValueError(f"lines.by must name {len(self.key)} columns, one for each of key, not {len(lines.by)}")
        if lines.file in {"", self.file} and (self.format == "csv" or lines.sheet == self.sheet):
            raise ValueError("lines.file must be another file than that of the set, or another sheet of its workbook")
        names = set(() if self.header is True else self.header)
        if lines.name in {*self.key, *self.columns, *names}:
            raise ValueError(f"lines.name {lines.name!r} is the name of a column: name the list otherwise")
        try:
            self.of_lines()
        except ValidationError as error:
            raise ValueError("; ".join(f"lines: {_reason(problem)}" for problem in error.errors())) from None


def _reason(problem: ErrorDetails) -> str:
    context = problem.get("ctx") or {}
    return str(context.get("error") or problem["msg"])


class FilesConfig(_Strict):
    """A folder and its sets. Paths are absolute by the time they come here."""

    folder: Folder
    company: str = ""
    #: folder of the results files; default: beside the input
    results: Folder | None = None
    #: where results files go when the folder above takes none
    fallback_results: Folder | None = None
    sets: dict[str, SetConfig] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> FilesConfig:
        entities: dict[str, str] = {}
        files: dict[str, str] = {}
        for name, one in self.sets.items():
            if not name or not name.replace("_", "").replace("-", "").isalnum():
                raise ValueError(f"set {name!r}: letters, digits, - and _ only")
            if (other := entities.setdefault(one.entity, name)) != name:
                raise ValueError(f"sets {other} and {name} are both {one.entity}: an entity comes from one set")
            if not one.results:
                continue
            place = results_name(name, one).lower()
            if (other := files.setdefault(place, name)) != name:
                raise ValueError(
                    f"sets {other} and {name} would share {place}: say results: NAME for one of them, or results: false"
                )
        return self


def results_name(name: str, one: SetConfig) -> str:
    """Name of the results file of a set: the one it says, else after its file, or after the set when it takes many."""
    if isinstance(one.results, str):
        return one.results + RESULTS_SUFFIX
    stem = name if one.mode == "drop" else PurePosixPath(one.file.replace("\\", "/")).stem
    return stem + RESULTS_SUFFIX
