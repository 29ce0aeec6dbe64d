"""One row of a table with its identity, or several that are one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from isthmus.connectors.files.raw import Cell

#: A column no file has: the identity we gave the row, for lists without a number of their own.
ROW_ID = "_row_id"
#: In the rows of a grouped record: the line of the file, and which row of the record it is, from 1.
LINE, ORDINAL = "_line", "_ordinal"


class Row(NamedTuple):
    """`problem` says why it is no record, with its place; then only what `cells` holds may be used, if anything.

    reason, mend   the problem without its place, and how to mend it
    keyed          the family is that of the key; else the key cannot be read, and the family is of the content
    last           last line of a group
    parts          rows of a group, in order
    place          where people find it, where that is not in the table's own file
    """

    line: int
    cells: Sequence[Cell]
    family: bytes
    version: bytes
    problem: str = ""
    mend: str = ""
    reason: str = ""
    keyed: bool = True
    last: int = 0
    parts: Sequence[Row] = ()
    place: str = ""
