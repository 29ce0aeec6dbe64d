"""CSV text to rows with the physical line each one starts on. Strict: what does not parse is torn, never bent.

A quote that is never closed would swallow the rest of the file. Such a row is torn at its first line, and reading goes
on with the line after it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from isthmus.connectors.files.config import SetConfig
from isthmus.connectors.files.raw import RawRow
from isthmus.errors import ConfigurationError

_LONGEST_LINE = 1 << 20
#: what the error handler below leaves in place of bytes that are not of the declared encoding
_BAD = re.compile("[\ud800-\udfff]")
_HANDLER = "isthmus-keep-bytes"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    """Each undecodable byte becomes a lone surrogate, in every codec (surrogateescape cannot do UTF-16)."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _keep_bytes)


class _Lines:
    """Feeds the CSV reader line by line, and can take lines back."""

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self._readline = text.readline
        self._name = name
        self._back: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []
        self.suspect = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._readline(_LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) >= _LONGEST_LINE:
            raise ConfigurationError(
                f"the line is longer than {_LONGEST_LINE} characters: this is no CSV file in this encoding",
                code="not_csv",
                file=self._name,
                line=self.number,
            )
        if "\0" in line or not (line.isascii() or _BAD.search(line) is None):
            self.suspect = True
        self.taken.append(line)
        return line

    def begin_row(self) -> None:
        self.taken.clear()
        self.suspect = False

    def keep_first(self) -> str:
        """The row in hand ends with its first line; the others are read again."""
        first = self.taken[0]
        self._back.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1
        return first


def csv_rows(stream: BinaryIO, name: str, config: SetConfig) -> Iterator[RawRow]:
    """All rows of the file, the header among them; empty lines are left out.

    Raises ConfigurationError when the bytes cannot be of the declared encoding at all.
    """
    start = stream.read(4)
    stream.seek(0)
    _refuse_other_bom(start, name, config)
    text = io.TextIOWrapper(stream, encoding=config.encoding, errors=_HANDLER, newline="")
    lines = _Lines(text, name)
    for _ in range(config.skip_rows):
        if next(lines, None) is None:
            return
    reader = csv.reader(
        lines,
        delimiter=config.delimiter,
        quotechar=config.quote or None,
        quoting=csv.QUOTE_MINIMAL if config.quote else csv.QUOTE_NONE,
        strict=True,
    )
    first = True
    while True:
        lines.begin_row()
        line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RawRow(line, line, [], torn=_words(str(error)), text=lines.keep_first())
            continue
        if first and cells:
            cells[0] = cells[0].removeprefix("\ufeff")
        first = False
        if not any(cells):
            continue  # an empty line, or delimiters only, as Excel leaves below a table
        yield RawRow(line, lines.number, [*cells], bad=_bad_cells(cells, config.encoding) if lines.suspect else None)


def _bad_cells(cells: list[str], encoding: str) -> dict[int, str]:
    bad = {}
    for index, cell in enumerate(cells):
        if "\0" in cell:
            bad[index] = "holds a NUL byte"
        elif _BAD.search(cell):
            bad[index] = f"holds bytes that are not {encoding}"
    return bad


def _words(error: str) -> str:
    if "unexpected end of data" in error or "field larger than" in error:
        return "a quote is opened and never closed"
    if "expected after" in error:
        return "text follows a closing quote"
    return "it is not valid CSV"


def _refuse_other_bom(start: bytes, name: str, config: SetConfig) -> None:
    """A byte order mark says what the file is written in; where the setting says otherwise a person must decide."""
    declared = codecs.lookup(config.encoding).name.replace("_", "-")
    for bom, encoding in _BOMS:
        if start.startswith(bom) and not declared.startswith(encoding):
            raise ConfigurationError(
                f"begins with the mark of {encoding}, but encoding says {config.encoding}",
                code="encoding",
                hint=f"Set encoding: {'utf-8-sig' if encoding == 'utf-8' else encoding} for this set.",
                file=name,
            )
