"""Rows of an Excel workbook, streamed from its zip. Large or hostile workbooks end in an error, not in memory."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from typing import BinaryIO, cast
from xml.parsers.expat import ExpatError

from isthmus.connectors.files.cell_values import format_kind, unescaped
from isthmus.connectors.files.config import SetConfig
from isthmus.connectors.files.raw import RawRow
from isthmus.connectors.files.sheet import Cells, read_sheet
from isthmus.connectors.files.xml_stream import End, NotAllowed, Start, events
from isthmus.errors import ConfigurationError

_OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"
_LARGEST_PART = 2 << 30
_LARGEST_STRINGS = 256 << 20
_BOMB_SIZE, _BOMB_RATIO = 64 << 20, 200


class SharedStrings:
    """All shared strings in one buffer: a list of a million Python strings would take three times the room."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q")

    def add(self, text: str) -> None:
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self._ends):
            raise IndexError(index)
        start = self._ends[index - 1] if index else 0
        return self._bytes[start : self._ends[index]].decode("utf-8", "surrogatepass")


def sheet_rows(stream: BinaryIO, name: str, config: SetConfig) -> Iterator[RawRow]:
    """All rows of the set's sheet, the header among them; empty rows are left out.

    Raises ConfigurationError when it is no workbook, the sheet is not there, or several are and none is named.
    """
    try:
        yield from _rows(stream, name, config)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        start = stream.seek(0) or stream.read(4)
        why = "is encrypted or an old .xls" if start == _OLD_OR_LOCKED else "is no readable Excel workbook"
        raise ConfigurationError(
            f"{why}.", code="not_xlsx", hint="Save it as .xlsx without password.", file=name
        ) from None
    except (ExpatError, ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        reason = str(error) if isinstance(error, NotAllowed) else type(error).__name__
        raise ConfigurationError(
            f"is no workbook that can be read ({reason}).", code="not_xlsx", hint="Save it again in Excel.", file=name
        ) from None


def _rows(stream: BinaryIO, name: str, config: SetConfig) -> Iterator[RawRow]:
    with zipfile.ZipFile(stream) as book:
        for info in book.infolist():
            packed = max(1, info.compress_size)
            if info.file_size > _LARGEST_PART or (
                info.file_size > _BOMB_SIZE and info.file_size / packed > _BOMB_RATIO
            ):
                raise ConfigurationError(
                    f"unpacks to {info.file_size:,} bytes, which is more than is read.", code="too_large", file=name
                )
        targets = _relations(book, "xl/workbook.xml")
        sheets, since_1904 = _sheets(book)
        part = targets[_choose(sheets, name, config)]
        cells = Cells(_strings(book, targets, name), _formats(book, targets), since_1904=since_1904)
        with book.open(part) as sheet:
            yield from read_sheet(cast("BinaryIO", sheet), cells, config.skip_rows)


def _choose(sheets: dict[str, str], name: str, config: SetConfig) -> str:
    listed = ", ".join(sheets)
    if config.sheet is not None:
        if config.sheet in sheets:
            return sheets[config.sheet]
        raise ConfigurationError(
            f"no sheet {config.sheet!r}: the workbook has {listed}.", code="sheet", hint="Mend sheet.", file=name
        )
    if len(sheets) == 1:
        return next(iter(sheets.values()))
    raise ConfigurationError(
        f"the workbook has several sheets: {listed}.", code="sheet", hint="Say sheet: which one.", file=name
    )


def _sheets(book: zipfile.ZipFile) -> tuple[dict[str, str], bool]:
    """Sheet name -> relation id, and whether days count from 1904."""
    found: dict[str, str] = {}
    since_1904 = False
    with book.open("xl/workbook.xml") as stream:
        for event in events(cast("BinaryIO", stream)):
            if not isinstance(event, Start):
                continue
            if event.name == "workbookPr":
                since_1904 = event.attributes.get("date1904", "0") in {"1", "true"}
            elif event.name == "sheet":
                relation = next((v for k, v in event.attributes.items() if k.endswith((" id", ":id"))), "")
                found[event.attributes.get("name", "")] = relation
    return found, since_1904


def _relations(book: zipfile.ZipFile, part: str) -> dict[str, str]:
    """Relation id -> part, and for the parts every workbook has once also their kind -> part."""
    folder, base = posixpath.split(part)
    found: dict[str, str] = {}
    with book.open(f"{folder}/_rels/{base}.rels") as stream:
        for event in events(cast("BinaryIO", stream)):
            if isinstance(event, Start) and event.name == "Relationship":
                target = event.attributes["Target"]
                path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
                found[event.attributes["Id"]] = path
                found.setdefault(event.attributes["Type"].rpartition("/")[2], path)
    return found


def _strings(book: zipfile.ZipFile, targets: dict[str, str], name: str) -> SharedStrings:
    strings = SharedStrings()
    part = targets.get("sharedStrings")
    if part is None or part not in book.NameToInfo:
        return strings
    if book.getinfo(part).file_size > _LARGEST_STRINGS:
        raise ConfigurationError("holds more text than is read.", code="too_large", hint="Export it as CSV.", file=name)
    parts: list[str] = []
    phonetic = False
    with book.open(part) as stream:
        for event in events(cast("BinaryIO", stream)):
            if event.name == "rPh":
                phonetic = isinstance(event, Start)
            elif isinstance(event, End) and event.name == "t" and not phonetic:
                parts.append(event.text)
            elif isinstance(event, End) and event.name == "si":
                strings.add(unescaped("".join(parts)))
                parts.clear()
    return strings


def _formats(book: zipfile.ZipFile, targets: dict[str, str]) -> list[str]:
    """Kind of number format by style index."""
    part = targets.get("styles")
    if part is None or part not in book.NameToInfo:
        return []
    codes: dict[int, str] = {}
    kinds: list[str] = []
    inside = False
    with book.open(part) as stream:
        for event in events(cast("BinaryIO", stream)):
            if event.name == "cellXfs":
                inside = isinstance(event, Start)
            elif isinstance(event, Start) and event.name == "numFmt" and "numFmtId" in event.attributes:
                codes[int(event.attributes["numFmtId"])] = event.attributes.get("formatCode", "")
            elif isinstance(event, Start) and event.name == "xf" and inside:
                number = int(event.attributes.get("numFmtId", "0"))
                kinds.append(format_kind(number, codes.get(number)))
    return kinds
