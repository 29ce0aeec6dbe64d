"""A row as a file holds it, before anybody knows what its columns mean."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

Cell = str | Decimal | bool


class RawRow(NamedTuple):
    """`line` counts from 1 as editors (and Excel) show it; `last` is the line the row ends on.

    torn   why this is no row at all; `text` then holds its content, so that the same torn row is known again
    bad    column index -> why the cell cannot be read, in a row that is whole otherwise
    """

    line: int
    last: int
    cells: list[Cell]
    torn: str = ""
    text: str = ""
    bad: dict[int, str] | None = None


def spelled(cell: Cell) -> str:
    """The cell as text: what keys, filters and results files hold."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return format(cell, "f")
